"""Hold answers of AWS as its model shapes them and its documentation shows them, with the portal's own names."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

GROUP_ARN = "arn:aws:sagemaker:us-east-1:111111111111:model-package-group/Credit-Risk"
VERSION_ARN = "arn:aws:sagemaker:us-east-1:111111111111:model-package/credit-risk/7"
TRAINING_JOB_ARN = "arn:aws:sagemaker:us-east-1:222222222222:training-job/credit-risk-2024-05-02"
SHARE_ARN = "arn:aws:ram:us-east-1:111111111111:resource-share/7ab63972-b505-7e2a-420d-6f5d3EXAMPLE"
INVITATION_ARN = "arn:aws:ram:us-east-1:222222222222:resource-share-invitation/1e3477be-4a95-46b4-bbe0-c4001EXAMPLE"
CREATED_AT = datetime(2024, 5, 2, 9, 30, tzinfo=UTC)
MODIFIED_AT = datetime(2024, 5, 3, 14, 5, 10, tzinfo=UTC)

CARD = json.dumps(
    {
        "model_overview": {"model_creator": "credit risk team"},
        "intended_uses": {"purpose_of_model": "credit-risk", "risk_rating": "High"},
        "additional_information": {"custom_details": {"UseCaseId": "UC-0001"}},
    }
)

DEVELOPER: dict[str, Any] = {
    "UserProfileArn": "arn:aws:sagemaker:us-east-1:222222222222:user-profile/d-abc/data-scientist",
    "UserProfileName": "data-scientist",
    "DomainId": "d-abc",
    "IamIdentity": {
        "Arn": "arn:aws:sts::222222222222:assumed-role/DataScientist/data.scientist",
        "PrincipalId": "AROAEXAMPLE:data.scientist",
        "SourceIdentity": "data.scientist",
    },
}
PORTAL: dict[str, Any] = {
    "IamIdentity": {
        "Arn": "arn:aws:sts::111111111111:assumed-role/ModelGovernancePortal/model-governance-portal",
        "PrincipalId": "AROAPORTAL:model-governance-portal",
        "SourceIdentity": "model-governance-portal",
    }
}

DESCRIBE_VERSION: dict[str, Any] = {
    "ModelPackageName": "Credit-Risk",
    "ModelPackageGroupName": "Credit-Risk",
    "ModelPackageVersion": 7,
    "ModelPackageRegistrationType": "Registered",
    "ModelPackageArn": VERSION_ARN,
    "ModelPackageDescription": "Model to detect credit risk",
    "CreationTime": CREATED_AT,
    "InferenceSpecification": {
        "Containers": [
            {
                "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
                "ImageDigest": "sha256:" + "ab" * 32,
                "ModelDataUrl": "s3://ml-artifacts-dev/credit-risk/7/model.tar.gz",
                "ModelDataETag": "5d41402abc4b2a76b9719d911017c592",
                "Framework": "XGBOOST",
                "FrameworkVersion": "1.7",
            },
            {
                "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/postprocess:3",
                "ModelDataSource": {
                    "S3DataSource": {
                        "S3Uri": "s3://ml-artifacts-dev/credit-risk/7/post/",
                        "S3DataType": "S3Prefix",
                        "CompressionType": "None",
                        "ETag": "0cc175b9c0f1b6a831c399e269772661",
                    }
                },
            },
        ],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
    "ModelPackageStatus": "Completed",
    "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
    "CertifyForMarketplace": False,
    "ModelApprovalStatus": "Approved",
    "ApprovalDescription": "AR-12 by second.officer under policy 3",
    "CreatedBy": DEVELOPER,
    "LastModifiedBy": PORTAL,
    "LastModifiedTime": MODIFIED_AT,
    "MetadataProperties": {"CommitId": "4f1c", "GeneratedBy": TRAINING_JOB_ARN},
    "ModelMetrics": {
        "ModelQuality": {
            "Statistics": {
                "ContentType": "application/json",
                "S3Uri": "s3://ml-artifacts-dev/credit-risk/7/statistics.json",
            }
        },
        "Bias": {"Report": {"ContentType": "application/json", "S3Uri": "s3://ml-artifacts-dev/7/bias.json"}},
    },
    "DriftCheckBaselines": {
        "ModelQuality": {
            "Constraints": {
                "ContentType": "application/json",
                "S3Uri": "s3://ml-artifacts-dev/7/constraints.json",
            }
        }
    },
    "CustomerMetadataProperties": {"algorithm": "xgboost", "validation_auc": "0.78"},
    "SourceUri": "arn:aws:sagemaker:us-east-1:222222222222:model/credit-risk-7",
    "ModelCard": {"ModelCardContent": CARD, "ModelCardStatus": "Draft"},
    "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Approved", "StageDescription": "AR-12"},
    "SkipModelValidation": "None",
}

# What a version has at the least: registered with nothing but a group.
DESCRIBE_BARE_VERSION: dict[str, Any] = {
    "ModelPackageName": "credit-risk",
    "ModelPackageArn": VERSION_ARN,
    "CreationTime": CREATED_AT,
    "ModelPackageStatus": "Pending",
    "ModelPackageStatusDetails": {"ValidationStatuses": []},
}

GROUP_SUMMARY: dict[str, Any] = {
    "ModelPackageGroupName": "Credit-Risk",
    "ModelPackageGroupArn": GROUP_ARN,
    "ModelPackageGroupDescription": "Credit risk models",
    "CreationTime": CREATED_AT,
    "ModelPackageGroupStatus": "Completed",
}

EVENT: dict[str, Any] = {
    "version": "0",
    "id": "844e2571-85d4-695f-b930-0153b71dcb42",
    "detail-type": "SageMaker Model Package State Change",
    "source": "aws.sagemaker",
    "account": "111111111111",
    "time": "2024-05-03T14:05:12Z",
    "region": "us-east-1",
    "resources": [VERSION_ARN],
    "detail": {
        "ModelPackageGroupName": "Credit-Risk",
        "ModelPackageVersion": 7,
        "ModelPackageArn": VERSION_ARN,
        "CreationTime": "2024-05-02T09:30:00Z",
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "LastModifiedTime": "2024-05-03T14:05:10Z",
        "UpdatedModelPackageFields": ["ModelApprovalStatus", "ModelLifeCycle"],
    },
}

SHARE: dict[str, Any] = {
    "resourceShareArn": SHARE_ARN,
    "name": "credit-risk",
    "owningAccountId": "111111111111",
    "allowExternalPrincipals": True,
    "status": "ACTIVE",
    "creationTime": CREATED_AT,
    "lastUpdatedTime": MODIFIED_AT,
    "featureSet": "STANDARD",
}

INVITATION: dict[str, Any] = {
    "resourceShareInvitationArn": INVITATION_ARN,
    "resourceShareName": "credit-risk",
    "resourceShareArn": SHARE_ARN,
    "senderAccountId": "111111111111",
    "receiverAccountId": "222222222222",
    "invitationTimestamp": CREATED_AT,
    "status": "PENDING",
}


def version_summary(number: int, **changes: Any) -> dict[str, Any]:
    """Return one entry of ListModelPackages."""
    return {
        "ModelPackageGroupName": "Credit-Risk",
        "ModelPackageVersion": number,
        "ModelPackageArn": f"{VERSION_ARN.rpartition('/')[0]}/{number}",
        "CreationTime": CREATED_AT,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "PendingManualApproval",
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "PendingApproval"},
        **changes,
    }
