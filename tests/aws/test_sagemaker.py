"""SageMaker: requests as they go over the wire, answers as they come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from registry.aws import sagemaker
from registry.aws.errors import AwsConflict, AwsDenied, AwsInvalid, AwsNotFound, AwsThrottled
from registry.aws.records import ContainerRecord, GroupRecord, LifeCycle
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire

ARN = recorded.VERSION_ARN
GROUP = GroupRecord.from_describe(recorded.GROUP_SUMMARY)


def group_page(names: list[str], token: str = "") -> dict[str, Any]:
    prefix = recorded.GROUP_ARN.rpartition("/")[0]
    return {
        "ModelPackageGroupSummaryList": [
            {**recorded.GROUP_SUMMARY, "ModelPackageGroupName": name, "ModelPackageGroupArn": f"{prefix}/{name}"}
            for name in names
        ],
        **({"NextToken": token} if token else {}),
    }


def test_groups_are_listed_through_empty_pages(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "ListModelPackageGroups", group_page(["a", "b"], "t1"))
    wire.answer("sagemaker", "ListModelPackageGroups", group_page([], "t2"))
    wire.answer("sagemaker", "ListModelPackageGroups", group_page(["c"]))
    assert [group.name for group in sagemaker.list_groups(session)] == ["a", "b", "c"]
    asked = wire.asked("ListModelPackageGroups")
    assert [request.get("NextToken") for request in asked] == [None, "t1", "t2"]
    assert {request["MaxResults"] for request in asked} == {100}
    assert {request["CrossAccountFilterOption"] for request in asked} == {"SameAccount"}


def test_groups_of_others_are_asked_for_by_name(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "ListModelPackageGroups", group_page(["a"]))
    list(sagemaker.list_groups(session, cross_account=True))
    assert wire.asked("ListModelPackageGroups")[0]["CrossAccountFilterOption"] == "CrossAccount"


def test_a_list_is_lazy(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "ListModelPackageGroups", group_page(["a", "b"], "t1"))
    assert next(iter(sagemaker.list_groups(session))).name == "a"
    assert len(wire.requests) == 1


def test_versions_are_listed_by_the_groups_arn(wire: Wire, session: AwsSession) -> None:
    pages = [[recorded.version_summary(n) for n in range(1, 101)], [], [recorded.version_summary(101)]]
    for number, page in enumerate(pages):
        token = {"NextToken": f"t{number}"} if number < 2 else {}
        wire.answer("sagemaker", "ListModelPackages", {"ModelPackageSummaryList": page, **token})
    assert [version.version for version in sagemaker.list_versions(session, GROUP)] == list(range(1, 102))
    assert {asked["ModelPackageGroupName"] for asked in wire.asked("ListModelPackages")} == {GROUP.arn}
    assert session.counters.snapshot().pages == 3


def test_version_is_described(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION)
    version = sagemaker.describe_version(session, ARN)
    assert wire.asked("DescribeModelPackage") == [{"ModelPackageName": ARN}]
    assert (version.card_content, version.last_modified_at) == (recorded.CARD, recorded.MODIFIED_AT)
    assert "ResponseMetadata" not in version.raw


def test_search_asks_in_utc_and_rounds_down(wire: Wire, session: AwsSession) -> None:
    alone = {
        **recorded.DESCRIBE_VERSION,
        "ModelPackageArn": "arn:aws:sagemaker:us-east-1:111111111111:model-package/alone",
    }
    wire.answer("sagemaker", "Search", {"Results": [], "NextToken": "t1"})
    wire.answer(
        "sagemaker", "Search", {"Results": [{"ModelPackage": alone}, {"ModelPackage": recorded.DESCRIBE_VERSION}, {}]}
    )
    since = datetime(2024, 5, 3, 16, 5, 10, 999999, tzinfo=timezone(timedelta(hours=2)))
    found = list(sagemaker.search_versions_modified_since(session, since))

    assert [version.arn for version in found] == [ARN], "packages outside groups are left out"
    asked = wire.asked("Search")[0]
    assert asked["SearchExpression"]["Filters"] == [
        {"Name": "LastModifiedTime", "Operator": "GreaterThanOrEqualTo", "Value": "2024-05-03T14:05:10"}
    ]
    assert (asked["Resource"], asked["SortBy"], asked["SortOrder"]) == ("ModelPackage", "LastModifiedTime", "Ascending")


def test_search_needs_a_time_zone(wire: Wire, session: AwsSession) -> None:
    with pytest.raises(AwsInvalid, match="has no time zone"):
        next(sagemaker.search_versions_modified_since(session, datetime(2024, 1, 1)))  # noqa: DTZ001


def test_update_sends_what_it_was_given_and_no_more(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "UpdateModelPackage", {"ModelPackageArn": ARN}, times=2)
    sagemaker.update_version(session, ARN, client_token="outbox-1", approval_status="Rejected")
    sagemaker.update_version(
        session,
        ARN,
        client_token="outbox-2",
        approval_status="Approved",
        approval_description="AR-12 by second.officer under policy 3",
        life_cycle=LifeCycle("Development", "Approved", "AR-12"),
        metadata={"use_case": "UC-0001"},
    )
    assert wire.asked("UpdateModelPackage") == [
        {"ModelPackageArn": ARN, "ClientToken": "outbox-1", "ModelApprovalStatus": "Rejected"},
        {
            "ModelPackageArn": ARN,
            "ClientToken": "outbox-2",
            "ModelApprovalStatus": "Approved",
            "ApprovalDescription": "AR-12 by second.officer under policy 3",
            "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Approved", "StageDescription": "AR-12"},
            "CustomerMetadataProperties": {"use_case": "UC-0001"},
        },
    ]


def test_a_retried_update_repeats_its_token(wire: Wire, session: AwsSession) -> None:
    wire.refuse("UpdateModelPackage", "InternalFailure", status=500)
    wire.answer("sagemaker", "UpdateModelPackage", {"ModelPackageArn": ARN})
    sagemaker.update_version(session, ARN, client_token="outbox-1", approval_status="Approved")
    assert [asked["ClientToken"] for asked in wire.asked("UpdateModelPackage")] == ["outbox-1", "outbox-1"]


def test_an_empty_update_is_refused(wire: Wire, session: AwsSession) -> None:
    with pytest.raises(AwsInvalid, match="NothingToWrite"):
        sagemaker.update_version(session, ARN, client_token="outbox-1")


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("ConflictException", "being updated", AwsConflict),
        ("ThrottlingException", "Rate exceeded", AwsThrottled),
        ("AccessDeniedException", "not authorized", AwsDenied),
        ("ValidationException", "Model package does not exist", AwsNotFound),
    ],
)
def test_a_refused_update_is_named(
    wire: Wire, session: AwsSession, code: str, message: str, kind: type[Exception]
) -> None:
    wire.refuse("UpdateModelPackage", code, message, times=4 if kind is AwsThrottled else 1)
    with pytest.raises(kind):
        sagemaker.update_version(session, ARN, client_token="outbox-1", approval_status="Approved")


def test_version_is_registered(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "CreateModelPackage", {"ModelPackageArn": ARN})
    container = ContainerRecord(
        image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        image_digest="sha256:" + "ab" * 32,
        model_data_url="s3://ml-artifacts-hub/credit-risk/model.tar.gz",
        framework="XGBOOST",
        framework_version="1.7",
    )
    assert (
        sagemaker.register_version(
            session,
            group=GROUP,
            description="Model to detect credit risk",
            containers=[container, ContainerRecord("post:3")],
            content_types=["text/csv"],
            response_types=["text/csv"],
            metadata={"algorithm": "xgboost"},
            card_content=recorded.CARD,
            life_cycle=LifeCycle("Development", "PendingApproval"),
            client_token="register-1",
        )
        == ARN
    )
    assert wire.asked("CreateModelPackage") == [
        {
            "ModelPackageGroupName": GROUP.arn,
            "ModelPackageDescription": "Model to detect credit risk",
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": container.image,
                        "ImageDigest": container.image_digest,
                        "ModelDataUrl": container.model_data_url,
                        "Framework": "XGBOOST",
                        "FrameworkVersion": "1.7",
                    },
                    {"Image": "post:3"},
                ],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "ClientToken": "register-1",
            "CustomerMetadataProperties": {"algorithm": "xgboost"},
            "ModelCard": {"ModelCardContent": recorded.CARD, "ModelCardStatus": "Draft"},
            "ModelLifeCycle": {"Stage": "Development", "StageStatus": "PendingApproval"},
        }
    ]


def test_card_longer_than_aws_takes_is_refused(wire: Wire, session: AwsSession) -> None:
    with pytest.raises(AwsInvalid, match=r"ModelCard\.ModelCardContent has 100001 characters"):
        sagemaker.register_version(
            session,
            group="credit-risk",
            description="",
            containers=[ContainerRecord("i")],
            content_types=["text/csv"],
            response_types=["text/csv"],
            metadata={},
            card_content="x" * 100001,
            client_token="t",
        )


def test_group_is_made_and_described(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupArn": GROUP.arn})
    wire.answer("sagemaker", "DescribeModelPackageGroup", {**recorded.GROUP_SUMMARY, "CreatedBy": recorded.DEVELOPER})
    arn = sagemaker.create_group(session, name="Credit-Risk", description="d", tags={"project": "credit-risk"})
    assert wire.asked("CreateModelPackageGroup") == [
        {
            "ModelPackageGroupName": "Credit-Risk",
            "ModelPackageGroupDescription": "d",
            "Tags": [{"Key": "project", "Value": "credit-risk"}],
        }
    ]
    assert sagemaker.describe_group(session, arn) == GROUP
    assert wire.asked("DescribeModelPackageGroup") == [{"ModelPackageGroupName": GROUP.arn}]


def test_a_group_name_aws_does_not_take_is_refused(wire: Wire, session: AwsSession) -> None:
    with pytest.raises(AwsInvalid, match="credit risk"):
        sagemaker.create_group(session, name="credit risk")


def test_a_group_that_exists_is_a_conflict(wire: Wire, session: AwsSession) -> None:
    wire.refuse("CreateModelPackageGroup", "ValidationException", "Model Package Group already exists: arn:x")
    with pytest.raises(AwsConflict):
        sagemaker.create_group(session, name="credit-risk")


def test_group_policy_is_read_and_written(wire: Wire, session: AwsSession) -> None:
    policy = '{"Version":"2012-10-17","Statement":[]}'
    wire.answer("sagemaker", "PutModelPackageGroupPolicy", {"ModelPackageGroupArn": GROUP.arn})
    wire.answer("sagemaker", "GetModelPackageGroupPolicy", {"ResourcePolicy": policy})
    sagemaker.put_group_policy(session, "credit-risk", policy)
    assert sagemaker.get_group_policy(session, "credit-risk") == policy
    assert wire.asked("PutModelPackageGroupPolicy") == [
        {"ModelPackageGroupName": "credit-risk", "ResourcePolicy": policy}
    ]


@pytest.mark.parametrize("message", ["Cannot find resource policy for: arn:x", "Group x has no resource policy."])
def test_a_group_without_policy_has_none(wire: Wire, session: AwsSession, message: str) -> None:
    wire.refuse("GetModelPackageGroupPolicy", "ValidationException", message)
    assert sagemaker.get_group_policy(session, "credit-risk") is None


def test_a_missing_group_and_a_denied_policy_are_errors(wire: Wire, session: AwsSession) -> None:
    wire.refuse("GetModelPackageGroupPolicy", "ValidationException", "Group credit-policy does not exist")
    wire.refuse("GetModelPackageGroupPolicy", "AccessDeniedException", "no resource policy allows the action")
    with pytest.raises(AwsNotFound):
        sagemaker.get_group_policy(session, "credit-policy")
    with pytest.raises(AwsDenied):
        sagemaker.get_group_policy(session, "credit-policy")


def test_group_record_comes_from_the_owner_of_the_arn() -> None:
    shared = {**recorded.GROUP_SUMMARY, "ModelPackageGroupArn": GROUP.arn.replace("111111111111", "999999999999")}
    assert GroupRecord.from_describe(shared).account_id == "999999999999"
    assert GroupRecord.from_describe(shared).created_at == datetime(2024, 5, 2, 9, 30, tzinfo=UTC)
