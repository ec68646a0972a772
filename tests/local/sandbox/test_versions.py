"""Versions: numbered, kept whole, changed in part, described in batches, listed with filters."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.local.sandbox.world import DEVELOPMENT, HUB, Aws, fresh_account, refused, specification, unique

CARD = json.dumps({"model_overview": {"model_creator": "credit risk team"}, "note": "ÄÖÜ" * 10})
FULL: dict[str, Any] = {
    "ModelPackageDescription": "Model to detect credit risk",
    "ModelApprovalStatus": "PendingManualApproval",
    "CustomerMetadataProperties": {"algorithm": "xgboost", "validation_auc": "0.78"},
    "ModelCard": {"ModelCardContent": CARD, "ModelCardStatus": "Draft"},
    "ModelLifeCycle": {"Stage": "Development", "StageStatus": "PendingApproval", "StageDescription": "first"},
    "SourceUri": "arn:aws:sagemaker:us-east-1:222222222222:model/credit",
    "MetadataProperties": {"CommitId": "abc", "Repository": "git.example/credit", "GeneratedBy": "pipeline"},
    "ModelMetrics": {
        "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://reports/quality.json"}}
    },
    "SkipModelValidation": "All",
    "Domain": "MACHINE_LEARNING",
    "Task": "CLASSIFICATION",
    "ModelPackageRegistrationType": "Registered",
    "InferenceSpecification": specification(),
}


def test_a_version_is_kept_whole_and_names_its_maker(aws: Aws) -> None:
    group = aws.group(name=unique("Credit-Risk"))
    arn = aws.version(group, **FULL)
    name = group.rsplit("/", 1)[1]
    assert arn == f"arn:aws:sagemaker:us-east-1:{HUB}:model-package/{name}/1"
    found = aws.read(arn)
    assert {k: found[k] for k in FULL} == FULL
    assert (found["ModelPackageGroupName"], found["ModelPackageVersion"]) == (name, 1)
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelPackageStatusDetails"]["ValidationStatuses"][0]["Status"] == "Completed"
    assert found["CreationTime"] == found["LastModifiedTime"]
    assert found["CreatedBy"]["IamIdentity"]["Arn"] == f"arn:aws:sts::{HUB}:assumed-role/Engineer/somebody"
    assert "LastModifiedBy" not in found


def test_a_version_without_a_status_waits_for_approval(aws: Aws) -> None:
    assert aws.read(aws.version(aws.group()))["ModelApprovalStatus"] == "PendingManualApproval"


def test_numbers_rise_and_a_deleted_one_does_not_come_back(aws: Aws) -> None:
    group, sagemaker = aws.group(), aws.client("sagemaker")
    first, second = aws.version(group), aws.version(group.rsplit("/", 1)[1])
    sagemaker.delete_model_package(ModelPackageName=second)
    third = aws.version(group)
    assert [arn.rsplit("/", 1)[1] for arn in (first, second, third)] == ["1", "2", "3"]
    with refused("ValidationException") as message:
        aws.read(second)
    assert message() == f"ModelPackage {second} does not exist."


def test_an_update_changes_what_was_sent_and_nothing_else(aws: Aws) -> None:
    arn = aws.version(aws.group(), **FULL)
    before = aws.read(arn)
    aws.update(arn, ModelApprovalStatus="Approved", ApprovalDescription="by two officers")
    after = aws.read(arn)
    changed = {"ModelApprovalStatus": "Approved", "ApprovalDescription": "by two officers"}
    assert after["LastModifiedTime"] > before["LastModifiedTime"]
    assert after["LastModifiedBy"]["IamIdentity"]["Arn"].endswith("assumed-role/Engineer/somebody")
    stamps = {"LastModifiedTime": after["LastModifiedTime"], "LastModifiedBy": after["LastModifiedBy"]}
    assert after == {**before, **changed, **stamps}


def test_each_field_can_be_changed_alone(aws: Aws) -> None:
    arn = aws.version(aws.group(), **FULL)
    stage = {"Stage": "QA", "StageStatus": "InProgress"}
    container = specification("s3://ml-artifacts-hub/copy.tar.gz")
    aws.update(arn, ModelLifeCycle=stage)
    aws.update(arn, InferenceSpecification=container)
    aws.update(arn, SourceUri="s3://elsewhere/model")
    aws.update(arn, ModelCard={"ModelCardStatus": "Approved"})
    found = aws.read(arn)
    assert found["ModelLifeCycle"] == stage
    assert found["InferenceSpecification"] == container
    assert found["SourceUri"] == "s3://elsewhere/model"
    assert found["ModelCard"] == {"ModelCardContent": CARD, "ModelCardStatus": "Approved"}
    untouched = ("CustomerMetadataProperties", "ModelApprovalStatus", "ModelMetrics", "ModelPackageDescription")
    assert {k: found[k] for k in untouched} == {k: FULL[k] for k in untouched}


def test_metadata_merges_and_keys_are_removed(aws: Aws) -> None:
    arn = aws.version(aws.group(), CustomerMetadataProperties={"kept": "1", "changed": "1", "gone": "1"})
    aws.update(
        arn, CustomerMetadataProperties={"changed": "2", "new": "2"}, CustomerMetadataPropertiesToRemove=["gone", "no"]
    )
    assert aws.read(arn)["CustomerMetadataProperties"] == {"kept": "1", "changed": "2", "new": "2"}
    aws.update(arn, CustomerMetadataPropertiesToRemove=["kept", "changed", "new"])
    assert "CustomerMetadataProperties" not in aws.read(arn)
    aws.update(arn, CustomerMetadataProperties={f"k{n}": "v" for n in range(50)})
    with refused("ValidationException"):
        aws.update(arn, CustomerMetadataProperties={"one-more": "v"})
    assert len(aws.read(arn)["CustomerMetadataProperties"]) == 50


@pytest.mark.parametrize("stage", ["Quality Assurance", "pre_production", "-dev", "dev-", "x" * 64])
def test_a_stage_that_does_not_fit_the_pattern_changes_nothing(aws: Aws, stage: str) -> None:
    group = aws.group()
    life = {"Stage": stage, "StageStatus": "Approved"}
    with refused("ValidationException") as message:
        aws.version(group, ModelLifeCycle=life)
    assert "modelLifeCycle.stage" in message()
    arn = aws.version(group)
    assert arn.endswith("/1")
    with refused("ValidationException"):
        aws.update(arn, ModelLifeCycle=life, ModelApprovalStatus="Approved")
    assert aws.read(arn)["ModelApprovalStatus"] == "PendingManualApproval"


def test_stages_with_hyphens_fit(aws: Aws) -> None:
    life = {"Stage": "pre-production", "StageStatus": "On-Hold-2"}
    assert aws.read(aws.version(aws.group(), ModelLifeCycle=life))["ModelLifeCycle"] == life


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"ModelApprovalStatus": "Perhaps"}, "modelApprovalStatus"),
        ({"ModelCard": {"ModelCardContent": "x" * 100_001, "ModelCardStatus": "Draft"}}, "modelCard.modelCardContent"),
        ({"CustomerMetadataProperties": {"k": "v" * 257}}, "customerMetadataProperties"),
        ({"ModelPackageDescription": "x" * 1025}, "modelPackageDescription"),
    ],
)
def test_what_is_beyond_the_limits_is_refused(aws: Aws, wrong: dict[str, Any], named: str) -> None:
    with refused("ValidationException") as message:
        aws.version(aws.group(), **wrong)
    assert f"at '{named}" in message()


def test_a_client_token_makes_a_repetition_harmless(aws: Aws) -> None:
    group, token = aws.group(), uuid.uuid4().hex
    name = group.rsplit("/", 1)[1]
    queue = aws.listener({"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [name]}})
    first = aws.version(group, ClientToken=token)
    assert aws.version(group, ClientToken=token) == first
    assert len(aws.received(queue)) == 1
    with refused("ConflictException"):
        aws.version(group, ClientToken=token, ModelPackageDescription="another")
    change = uuid.uuid4().hex
    aws.update(first, ModelApprovalStatus="Approved", ClientToken=change)
    stamp = aws.read(first)["LastModifiedTime"]
    aws.update(first, ModelApprovalStatus="Approved", ClientToken=change)
    assert aws.read(first)["LastModifiedTime"] == stamp
    assert len(aws.received(queue)) == 1
    with refused("ConflictException"):
        aws.update(first, ModelApprovalStatus="Rejected", ClientToken=change)
    listed = aws.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [v["ModelApprovalStatus"] for v in listed] == ["Approved"]


def test_one_client_token_at_the_same_moment_makes_one_version(aws: Aws) -> None:
    group, token = aws.group(), uuid.uuid4().hex
    with ThreadPoolExecutor(6) as pool:
        arns = set(pool.map(lambda _: aws.version(group, ClientToken=token), range(6)))
    assert len(arns) == 1


def test_a_batch_describes_what_it_can_and_says_what_it_cannot(aws: Aws) -> None:
    group = aws.group()
    arns = [aws.version(group, **FULL) for _ in range(2)]
    absent, foreign = group.replace("-group/", "/") + "/99", aws.version(aws.group(DEVELOPMENT), DEVELOPMENT)
    found = aws.client("sagemaker").batch_describe_model_package(ModelPackageArnList=[*arns, absent, foreign])
    assert set(found["ModelPackageSummaries"]) == set(arns)
    summary = found["ModelPackageSummaries"][arns[0]]
    assert summary["InferenceSpecification"] == FULL["InferenceSpecification"]
    assert summary["ModelApprovalStatus"] == "PendingManualApproval"
    assert not {"ModelLifeCycle", "ModelCard", "CustomerMetadataProperties", "CreatedBy"} & set(summary)
    errors = found["BatchDescribeModelPackageErrorMap"]
    assert {arn: error["ErrorCode"] for arn, error in errors.items()} == {
        absent: "ValidationException",
        foreign: "AccessDeniedException",
    }
    assert "does not exist" in errors[absent]["ErrorResponse"]
    with refused("ValidationException"):
        aws.client("sagemaker").batch_describe_model_package(ModelPackageArnList=[arns[0]] * 101)


def test_versions_are_filtered_sorted_and_paged(aws: Aws) -> None:
    group, sagemaker = aws.group(), aws.client("sagemaker")
    arns = [aws.version(group) for _ in range(5)]
    aws.update(arns[1], ModelApprovalStatus="Approved", ModelLifeCycle={"Stage": "QA", "StageStatus": "Approved"})

    def listed(**asked: Any) -> list[int]:
        found = sagemaker.list_model_packages(ModelPackageGroupName=group, **asked)["ModelPackageSummaryList"]
        return [v["ModelPackageVersion"] for v in found]

    assert listed() == [1, 2, 3, 4, 5]
    assert listed(SortOrder="Descending", SortBy="Name") == [5, 4, 3, 2, 1]
    assert listed(ModelApprovalStatus="Approved") == [2]
    after = aws.read(arns[2])["CreationTime"]
    assert set(listed(CreationTimeAfter=after)) <= {4, 5}
    (approved,) = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")[
        "ModelPackageSummaryList"
    ]
    assert approved["ModelLifeCycle"] == {"Stage": "QA", "StageStatus": "Approved"}
    assert not {"LastModifiedTime", "CustomerMetadataProperties", "ModelCard"} & set(approved)
    paginator = sagemaker.get_paginator("list_model_packages")
    pages = paginator.paginate(ModelPackageGroupName=group, PaginationConfig={"PageSize": 2})
    assert [len(p["ModelPackageSummaryList"]) for p in pages] == [2, 2, 1]


def test_rows_that_come_and_go_between_pages_hide_none_and_repeat_none(aws: Aws) -> None:
    group, sagemaker = aws.group(), aws.client("sagemaker")
    arns = [aws.version(group) for _ in range(4)]
    asked = {"ModelPackageGroupName": group, "MaxResults": 2}
    first = sagemaker.list_model_packages(**asked)
    sagemaker.delete_model_package(ModelPackageName=arns[0])
    aws.version(group)
    second = sagemaker.list_model_packages(**asked, NextToken=first["NextToken"])
    assert [v["ModelPackageVersion"] for v in second["ModelPackageSummaryList"]] == [3, 4]


def test_without_a_group_only_unversioned_packages_are_listed_by_default(aws: Aws) -> None:
    account = fresh_account()
    sagemaker = aws.client("sagemaker", account)
    versioned = aws.version(aws.group(account), account)
    made = sagemaker.create_model_package(ModelPackageName="alone", InferenceSpecification=specification())
    alone = made["ModelPackageArn"]

    def listed(**asked: str) -> set[str]:
        return {v["ModelPackageArn"] for v in sagemaker.list_model_packages(**asked)["ModelPackageSummaryList"]}

    assert listed() == {alone}
    assert listed(ModelPackageType="Versioned") == {versioned}
    assert listed(ModelPackageType="Both") == {alone, versioned}
    with refused("ConflictException"):
        sagemaker.create_model_package(ModelPackageName="alone", InferenceSpecification=specification())
    sagemaker.add_tags(ResourceArn=alone, Tags=[{"Key": "a", "Value": "1"}])
    assert sagemaker.list_tags(ResourceArn=alone)["Tags"] == [{"Key": "a", "Value": "1"}]
    with refused("ValidationException"):
        sagemaker.add_tags(ResourceArn=versioned, Tags=[{"Key": "a", "Value": "1"}])


def test_only_an_approved_version_becomes_a_model(aws: Aws) -> None:
    arn, sagemaker = aws.version(aws.group()), aws.client("sagemaker")
    model = {
        "ModelName": unique("model"),
        "PrimaryContainer": {"ModelPackageName": arn},
        "ExecutionRoleArn": f"arn:aws:iam::{HUB}:role/Engineer",
    }
    with refused("ValidationException") as message:
        sagemaker.create_model(**model)
    assert "PendingManualApproval" in message()
    aws.update(arn, ModelApprovalStatus="Approved")
    sagemaker.create_model(**model)
    found = sagemaker.describe_model(ModelName=model["ModelName"])
    assert found["PrimaryContainer"]["ModelPackageName"] == arn
