"""Model package groups: created once, read by name or ARN, listed with filters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.local.sandbox.world import DEVELOPMENT, HUB, Aws, fresh_account, refused, unique


def test_a_group_is_kept_whole_and_names_its_maker(aws: Aws) -> None:
    name = unique("Credit-Risk")
    arn = aws.group(
        name=name, ModelPackageGroupDescription="Scores applications", Tags=[{"Key": "project", "Value": "credit"}]
    )
    assert arn == f"arn:aws:sagemaker:us-east-1:{HUB}:model-package-group/{name}"
    sagemaker = aws.client("sagemaker")
    by_name = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
    by_arn = sagemaker.describe_model_package_group(ModelPackageGroupName=arn)
    for found in (by_name, by_arn):
        assert found["ModelPackageGroupName"] == name
        assert found["ModelPackageGroupArn"] == arn
        assert found["ModelPackageGroupDescription"] == "Scores applications"
        assert found["ModelPackageGroupStatus"] == "Completed"
        assert found["CreatedBy"]["IamIdentity"]["Arn"] == f"arn:aws:sts::{HUB}:assumed-role/Engineer/somebody"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "project", "Value": "credit"}]


def test_a_second_group_of_the_name_is_refused_and_the_first_stays(aws: Aws) -> None:
    name = unique("group")
    aws.group(name=name, ModelPackageGroupDescription="the first")
    with refused("ValidationException") as message:
        aws.group(name=name, ModelPackageGroupDescription="the second")
    assert "already exists" in message()
    found = aws.client("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
    assert found["ModelPackageGroupDescription"] == "the first"


def test_the_same_name_in_two_accounts_is_two_groups(aws: Aws) -> None:
    name = unique("group")
    arns = {aws.group(HUB, name=name), aws.group(DEVELOPMENT, name=name)}
    assert {arn.split(":")[4] for arn in arns} == {HUB, DEVELOPMENT}
    assert len(arns) == 2


@pytest.mark.parametrize("name", ["under_score", "-leading", "x" * 64, "a b"])
def test_a_name_the_service_does_not_take_is_refused(aws: Aws, name: str) -> None:
    with refused("ValidationException") as message:
        aws.group(name=name)
    assert "modelPackageGroupName" in message()


def test_an_unknown_group_is_named_in_the_error(aws: Aws) -> None:
    name = unique("absent")
    with refused("ValidationException") as message:
        aws.client("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
    assert message() == (
        f"ModelPackageGroup arn:aws:sagemaker:us-east-1:{HUB}:model-package-group/{name} does not exist."
    )


def test_groups_are_filtered_sorted_and_paged(aws: Aws) -> None:
    account = fresh_account()
    sagemaker = aws.client("sagemaker", account)
    for name in ("alpha", "gamma", "beta"):
        aws.group(account, name=f"model-{name}")
    aws.group(account, name="other")

    def names(**asked: object) -> list[str]:
        found = sagemaker.list_model_package_groups(**asked)["ModelPackageGroupSummaryList"]
        return [g["ModelPackageGroupName"] for g in found]

    assert names() == ["model-alpha", "model-gamma", "model-beta", "other"]
    assert names(SortOrder="Descending")[0] == "other"
    assert names(SortBy="Name", NameContains="MODEL") == ["model-alpha", "model-beta", "model-gamma"]
    assert names(CreationTimeAfter=datetime.now(UTC) + timedelta(minutes=1)) == []
    assert names(CreationTimeBefore=datetime.now(UTC) - timedelta(minutes=5)) == []
    assert len(names(CreationTimeAfter=datetime.now(UTC) - timedelta(minutes=5))) == 4
    pages = list(
        sagemaker.get_paginator("list_model_package_groups").paginate(SortBy="Name", PaginationConfig={"PageSize": 3})
    )
    assert [[g["ModelPackageGroupName"] for g in p["ModelPackageGroupSummaryList"]] for p in pages] == [
        ["model-alpha", "model-beta", "model-gamma"],
        ["other"],
    ]
    token = sagemaker.list_model_package_groups(MaxResults=1)["NextToken"]
    with refused("ValidationException"):
        sagemaker.list_model_package_groups(MaxResults=1, NextToken=token, NameContains="model")
    with refused("ValidationException"):
        sagemaker.list_model_package_groups(NextToken="garbled")
    with refused("ValidationException"):
        sagemaker.list_model_package_groups(MaxResults=101)


def test_a_group_with_versions_is_not_deleted_and_an_empty_one_is(aws: Aws) -> None:
    sagemaker = aws.client("sagemaker")
    group = aws.group()
    version = aws.version(group)
    with refused("ConflictException"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=version)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with refused("ValidationException"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_tags_of_a_group_change(aws: Aws) -> None:
    sagemaker, group = aws.client("sagemaker"), aws.group(Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sagemaker.add_tags(ResourceArn=group, Tags=[{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}])
    sagemaker.delete_tags(ResourceArn=group, TagKeys=["a", "absent"])
    found = sagemaker.list_tags(ResourceArn=group)["Tags"]
    assert {t["Key"]: t["Value"] for t in found} == {"b": "3", "c": "4"}


def test_a_resource_policy_is_kept_and_must_be_one(aws: Aws) -> None:
    sagemaker, group = aws.client("sagemaker"), aws.group()
    name = group.rsplit("/", 1)[1]
    with refused("ValidationException"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)
    for text in ("not json", "[]", "{}"):
        with refused("ValidationException"):
            sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=text)
    policy = '{"Version": "2012-10-17", "Statement": []}'
    sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=policy)
    assert sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)["ResourcePolicy"] == policy
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName=name)
    with refused("ValidationException"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)
