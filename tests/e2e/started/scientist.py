"""A data scientist's notebook in the development account: plain boto3 under an assumed role, nothing of the portal's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3

DEVELOPMENT = "222222222222"
HUB = "111111111111"


def client(service: str, endpoint: str, account_id: str, role: str, session: str) -> Any:
    """Return a client acting under an assumed role of an account."""
    common = {"region_name": "us-east-1", "endpoint_url": endpoint}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    credentials = boto3.client("sts", **common, **keys).assume_role(
        RoleArn=f"arn:aws:iam::{account_id}:role/{role}", RoleSessionName=session
    )["Credentials"]
    return boto3.client(
        service,
        **common,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


BUCKET = "ml-artifacts-dev"
# The reports of SageMaker Clarify that a training pipeline registers with its model; the first is a real one.
REPORTS = {
    "Bias": (Path(__file__).parents[2] / "registry/reports/data/data_bias_analysis.json").read_bytes(),
    "Explainability": json.dumps(
        {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"income": 0.31, "age": -0.04}}}}}
    ).encode(),
}


def _reported(endpoint: str) -> dict[str, Any]:
    """Put the reports where pipelines put them; return what a package says of them."""
    s3 = client("s3", endpoint, DEVELOPMENT, "DataScientist", "data.scientist")
    said = {}
    for section, content in REPORTS.items():
        key = f"clarify/{section}.json"
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        said[section] = {"Report": {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/{key}"}}
    return said


def register(
    endpoint: str, *, use_case_id: str = "UC-0001", card: str | None = None, artifact: str = "", reports: bool = False
) -> str:
    """Register a version in the group that is shared with the development account; return its ARN."""
    sagemaker = client("sagemaker", endpoint, DEVELOPMENT, "DataScientist", "data.scientist")
    shared = sagemaker.list_model_package_groups(CrossAccountFilterOption="CrossAccount")
    group = next(
        group["ModelPackageGroupArn"]
        for group in shared["ModelPackageGroupSummaryList"]
        if group["ModelPackageGroupName"] == "credit-risk"
    )
    content = card or json.dumps(
        {
            "model_overview": {"model_creator": "credit risk team"},
            "intended_uses": {"purpose_of_model": "credit-risk", "risk_rating": "Medium"},
            "business_details": {"line_of_business": "Consumer Lending"},
            "additional_information": {"custom_details": {"UseCaseId": use_case_id}},
        }
    )
    answer = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelPackageDescription="Model to detect credit risk",
        ModelApprovalStatus="PendingManualApproval",
        **({"ModelMetrics": _reported(endpoint)} if reports else {}),
        CustomerMetadataProperties={"algorithm": "xgboost", "validation_auc": "0.78"},
        ModelCard={"ModelCardContent": content, "ModelCardStatus": "Draft"},
        InferenceSpecification={
            "Containers": [
                {
                    "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
                    "ModelDataUrl": artifact or "s3://ml-artifacts-dev/credit-risk/model.tar.gz",
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    return str(answer["ModelPackageArn"])


def describe(endpoint: str, arn: str) -> dict[str, Any]:
    """Return what SageMaker's registry in the hub says of a version."""
    sagemaker = client("sagemaker", endpoint, HUB, "Reader", "reader")
    return dict(sagemaker.describe_model_package(ModelPackageName=arn))
