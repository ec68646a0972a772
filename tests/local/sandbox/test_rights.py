"""What an account may do with a group it does not own: by the share's permission, operation by operation."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from tests.local.sandbox.world import (
    ALLOW_DEPLOY,
    ALLOW_REGISTER,
    DEFAULT,
    DEVELOPMENT,
    HUB,
    Aws,
    fresh_account,
    refused,
    specification,
    unique,
)

Operation = Callable[[Any, str, str], Any]

READ: dict[str, Operation] = {
    "DescribeModelPackageGroup": lambda sm, g, v: sm.describe_model_package_group(ModelPackageGroupName=g),
    "ListModelPackages": lambda sm, g, v: sm.list_model_packages(ModelPackageGroupName=g),
    "DescribeModelPackage": lambda sm, g, v: sm.describe_model_package(ModelPackageName=v),
}
REGISTER: dict[str, Operation] = {
    "CreateModelPackage": lambda sm, g, v: sm.create_model_package(
        ModelPackageGroupName=g, InferenceSpecification=specification()
    )
}
DEPLOY: dict[str, Operation] = {
    "CreateModel": lambda sm, g, v: sm.create_model(
        ModelName=unique("model"),
        PrimaryContainer={"ModelPackageName": v},
        ExecutionRoleArn="arn:aws:iam::111111111111:role/Engineer",
    )
}
OWNER: dict[str, Operation] = {
    "UpdateModelPackage": lambda sm, g, v: sm.update_model_package(ModelPackageArn=v, ModelApprovalStatus="Rejected"),
    "DeleteModelPackage": lambda sm, g, v: sm.delete_model_package(ModelPackageName=v),
    "DeleteModelPackageGroup": lambda sm, g, v: sm.delete_model_package_group(ModelPackageGroupName=g),
}
EVERY = {**READ, **REGISTER, **DEPLOY, **OWNER}
GRANTED: dict[str | None, set[str]] = {
    None: set(),
    DEFAULT: set(READ),
    ALLOW_REGISTER: {*READ, *REGISTER},
    ALLOW_DEPLOY: {*READ, *DEPLOY},
}


@pytest.mark.parametrize("operation", EVERY)
@pytest.mark.parametrize("permission", GRANTED, ids=lambda p: p.rsplit("/", 1)[1] if p else "none")
def test_an_operation_of_a_spoke(aws: Aws, permission: str | None, operation: str) -> None:
    account, group = fresh_account(), aws.group()
    version = aws.version(group, ModelApprovalStatus="Approved")
    if permission:
        aws.share(group, account, permission)
    spoke = aws.client("sagemaker", account)
    allowed = operation in GRANTED[permission]
    with nullcontext() if allowed else refused("AccessDeniedException") as message:
        EVERY[operation](spoke, group, version)
    if not allowed and message is not None:
        assert f"sagemaker:{operation}" in message()
        assert f"arn:aws:sts::{account}:assumed-role/Engineer/somebody" in message()
    assert aws.read(version)["ModelApprovalStatus"] == "Approved"


def test_a_version_of_a_spoke_lands_in_the_hub_under_the_spokes_name(aws: Aws) -> None:
    group = aws.group()
    aws.share(group, DEVELOPMENT, ALLOW_REGISTER)
    spoke = aws.client("sagemaker", DEVELOPMENT, role="DataScientist", person="data.scientist")
    arn = spoke.create_model_package(ModelPackageGroupName=group, InferenceSpecification=specification())[
        "ModelPackageArn"
    ]
    assert arn.split(":")[4] == HUB
    found = aws.read(arn)
    identity = found["CreatedBy"]["IamIdentity"]
    assert identity["Arn"] == f"arn:aws:sts::{DEVELOPMENT}:assumed-role/DataScientist/data.scientist"
    assert identity["PrincipalId"].endswith(":data.scientist")
    listed = aws.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [v["ModelPackageArn"] for v in listed] == [arn]
    own = spoke.list_model_packages(ModelPackageType="Both")["ModelPackageSummaryList"]
    assert arn not in [v["ModelPackageArn"] for v in own]
    aws.update(arn, ModelApprovalStatus="Approved")
    assert aws.read(arn)["CreatedBy"] == found["CreatedBy"]
    assert aws.read(arn)["LastModifiedBy"]["IamIdentity"]["Arn"].startswith(f"arn:aws:sts::{HUB}:")


def test_a_source_identity_is_recorded_and_follows_a_chain_of_roles(aws: Aws) -> None:
    first = aws.assume(DEVELOPMENT, "DataScientist", "notebook", SourceIdentity="jane.doe")
    chained = aws.client_with("sts", first).assume_role(
        RoleArn=f"arn:aws:iam::{HUB}:role/Engineer", RoleSessionName="chained"
    )["Credentials"]
    group = aws.group()
    arn = aws.client_with("sagemaker", chained).create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification()
    )["ModelPackageArn"]
    assert aws.read(arn)["CreatedBy"]["IamIdentity"]["SourceIdentity"] == "jane.doe"


def test_an_offer_gives_no_rights_before_it_is_accepted(aws: Aws) -> None:
    account, group = fresh_account(), aws.group()
    aws.offer(group, account, ALLOW_REGISTER)
    with refused("AccessDeniedException"):
        aws.version(group, account)


def test_a_group_that_is_not_there_is_as_closed_as_one_that_is(aws: Aws) -> None:
    with refused("AccessDeniedException"):
        aws.client("sagemaker", DEVELOPMENT).describe_model_package_group(
            ModelPackageGroupName=f"arn:aws:sagemaker:us-east-1:{HUB}:model-package-group/{unique('absent')}"
        )


def test_a_resource_policy_allows_and_denies(aws: Aws) -> None:
    account, group = fresh_account(), aws.group()
    version, spoke = aws.version(group), aws.client("sagemaker", account)

    def put(effect: str) -> None:
        statement = {
            "Effect": effect,
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": ["sagemaker:DescribeModelPackage"],
            "Resource": group.replace("-group/", "/") + "/*",
        }
        aws.client("sagemaker").put_model_package_group_policy(
            ModelPackageGroupName=group.rsplit("/", 1)[1], ResourcePolicy=json.dumps({"Statement": [statement]})
        )

    put("Allow")
    assert spoke.describe_model_package(ModelPackageName=version)["ModelPackageVersion"] == 1
    with refused("AccessDeniedException"):
        spoke.describe_model_package_group(ModelPackageGroupName=group)
    aws.share(group, account)
    spoke.describe_model_package_group(ModelPackageGroupName=group)
    put("Deny")
    with refused("AccessDeniedException"):
        spoke.describe_model_package(ModelPackageName=version)


@pytest.mark.parametrize(
    "wrong",
    [
        {"RoleArn": "arn:aws:iam::1:role/x", "RoleSessionName": "somebody"},
        {"RoleArn": "arn:aws:iam::111111111111:user/x", "RoleSessionName": "somebody"},
        {"RoleArn": "arn:aws:iam::111111111111:role/x", "RoleSessionName": "a b"},
        {"RoleArn": "arn:aws:iam::111111111111:role/x", "RoleSessionName": "somebody", "SourceIdentity": "a b"},
    ],
)
def test_a_role_is_not_assumed_under_wrong_names(aws: Aws, wrong: dict[str, str]) -> None:
    with refused("ValidationError"):
        aws.client("sts", None).assume_role(**wrong)


def test_keys_nobody_gave_out_are_refused(aws: Aws) -> None:
    keys = {"AccessKeyId": "ASIA" + "X" * 16, "SecretAccessKey": "x", "SessionToken": "x"}
    with refused("UnrecognizedClientException"):
        aws.client_with("sagemaker", keys).list_model_package_groups()
    with refused("InvalidClientTokenId"):
        aws.client_with("sts", keys).get_caller_identity()
