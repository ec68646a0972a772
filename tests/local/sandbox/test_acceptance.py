"""The story: a data scientist in the development account registers into the hub with plain boto3."""

from __future__ import annotations

import json

from tests.local.sandbox.world import ALLOW_REGISTER, HUB, Aws, fresh_account, refused, specification, unique


def test_a_version_registered_in_development_is_governed_in_the_hub(aws: Aws) -> None:
    development = fresh_account()
    hub = aws.client("sagemaker", HUB)
    group = aws.group(name=unique("credit-risk"), Tags=[{"Key": "project", "Value": "credit-risk"}])
    queue = aws.listener({"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group.rsplit("/", 1)[1]]}})
    _, invitation = aws.offer(group, development, ALLOW_REGISTER)

    spoke = aws.client("sagemaker", development, role="DataScientist", person="data.scientist")
    shared = {"CrossAccountFilterOption": "CrossAccount"}
    assert spoke.list_model_package_groups(**shared)["ModelPackageGroupSummaryList"] == []
    aws.accept(invitation, development)
    (found,) = spoke.list_model_package_groups(**shared)["ModelPackageGroupSummaryList"]
    assert found["ModelPackageGroupArn"] == group

    source = unique("dev-artifacts")
    dev_s3 = aws.client("s3", development)
    dev_s3.create_bucket(Bucket=source)
    dev_s3.put_object(Bucket=source, Key="model.tar.gz", Body=b"weights")
    card = {
        "intended_uses": {"purpose_of_model": "credit-risk", "risk_rating": "High"},
        "additional_information": {"custom_details": {"UseCaseId": "UC-0001"}},
    }
    arn = spoke.create_model_package(
        ModelPackageGroupName=found["ModelPackageGroupArn"],
        ModelPackageDescription="Model to detect credit risk",
        ModelApprovalStatus="PendingManualApproval",
        CustomerMetadataProperties={"algorithm": "xgboost", "validation_auc": "0.78"},
        ModelCard={"ModelCardContent": json.dumps(card), "ModelCardStatus": "Draft"},
        InferenceSpecification=specification(f"s3://{source}/model.tar.gz"),
    )["ModelPackageArn"]
    assert arn == group.replace("model-package-group", "model-package") + "/1"

    (created,) = aws.received(queue)
    assert (created["account"], created["resources"]) == (HUB, [arn])
    version = aws.read(arn)
    assert version["CreatedBy"]["IamIdentity"]["Arn"] == (
        f"arn:aws:sts::{development}:assumed-role/DataScientist/data.scientist"
    )
    assert json.loads(version["ModelCard"]["ModelCardContent"]) == card

    # The portal copies the artifact, then writes its decision back; the spoke can read it and not change it.
    hub_s3, target = aws.client("s3", HUB), unique("hub-artifacts")
    hub_s3.create_bucket(Bucket=target)
    hub_s3.copy_object(Bucket=target, Key="1/model.tar.gz", CopySource={"Bucket": source, "Key": "model.tar.gz"})
    assert hub_s3.get_object(Bucket=target, Key="1/model.tar.gz")["Body"].read() == b"weights"
    hub.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="approved by model.owner",
        ModelLifeCycle={"Stage": "Development", "StageStatus": "Approved"},
        ClientToken=unique("write-back"),
    )
    (written,) = aws.received(queue)
    assert set(written["detail"]["UpdatedModelPackageFields"]) == {
        "ModelApprovalStatus",
        "ApprovalDescription",
        "ModelLifeCycle",
    }
    seen = spoke.describe_model_package(ModelPackageName=arn)
    assert seen["ModelApprovalStatus"] == "Approved"
    assert seen["ModelLifeCycle"] == {"Stage": "Development", "StageStatus": "Approved"}
    assert seen["CustomerMetadataProperties"] == {"algorithm": "xgboost", "validation_auc": "0.78"}
    assert seen["ModelCard"] == version["ModelCard"]
    with refused("AccessDeniedException"):
        spoke.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    with refused("AccessDeniedException"):
        spoke.delete_model_package(ModelPackageName=arn)
