"""Records: a whole answer is read, an answer with holes does no harm, ARNs are refused by name."""

from __future__ import annotations

import copy
import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from registry.aws.records import (
    ContainerRecord,
    GroupRecord,
    Identity,
    InvitationRecord,
    LifeCycle,
    MalformedArn,
    PermissionRecord,
    UnversionedPackage,
    VersionRecord,
    VersionSummary,
    parse_group_arn,
    parse_model_package_arn,
)
from registry.aws.values import json_safe, plain_text
from tests.aws import recorded
from tests.aws.wire import check_shape, service_model


def test_recorded_answers_fit_botocores_shapes() -> None:
    check_shape("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION)
    check_shape("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_BARE_VERSION)
    check_shape("sagemaker", "Search", {"Results": [{"ModelPackage": recorded.DESCRIBE_VERSION}]})
    check_shape("sagemaker", "ListModelPackageGroups", {"ModelPackageGroupSummaryList": [recorded.GROUP_SUMMARY]})


def test_search_and_describe_share_every_field_the_record_reads() -> None:
    # One parser reads both; a field that moved in one of the two shapes would be lost in silence.
    model = service_model("sagemaker")
    described = model.operation_model("DescribeModelPackage").output_shape.members
    searched = model.shape_for("ModelPackage").members
    assert set(described) ^ set(searched) == {"ManagedStorageType", "Tags"}
    for name in set(described) & set(searched):
        assert described[name].type_name == searched[name].type_name, name


def test_version_from_a_whole_answer() -> None:
    version = VersionRecord.from_describe(recorded.DESCRIBE_VERSION)

    assert version.arn == recorded.VERSION_ARN
    assert version.group_arn == recorded.GROUP_ARN, "the group's own case, which the version's ARN has lost"
    assert (version.group_name, version.account_id, version.region, version.version) == (
        "Credit-Risk",
        "111111111111",
        "us-east-1",
        7,
    )
    assert version.life_cycle == LifeCycle("Development", "Approved", "AR-12")
    assert version.approval_status == "Approved"
    assert version.approval_description == "AR-12 by second.officer under policy 3"
    assert [container.model_data_url for container in version.containers] == [
        "s3://ml-artifacts-dev/credit-risk/7/model.tar.gz",
        "s3://ml-artifacts-dev/credit-risk/7/post/",
    ]
    assert version.containers[1].model_data_etag == "0cc175b9c0f1b6a831c399e269772661"
    assert version.metrics["Bias"]["Report"]["S3Uri"] == "s3://ml-artifacts-dev/7/bias.json"
    assert version.drift_baselines["ModelQuality"]["Constraints"]["ContentType"] == "application/json"
    assert version.metadata == {"algorithm": "xgboost", "validation_auc": "0.78"}
    assert (version.card_content, version.card_status) == (recorded.CARD, "Draft")
    assert version.training_job_arn == recorded.TRAINING_JOB_ARN
    assert version.created_by == Identity(
        arn="arn:aws:sts::222222222222:assumed-role/DataScientist/data.scientist",
        principal_id="AROAEXAMPLE:data.scientist",
        source_identity="data.scientist",
        user_profile="arn:aws:sagemaker:us-east-1:222222222222:user-profile/d-abc/data-scientist",
    )
    assert version.last_modified_by is not None
    assert version.last_modified_by.source_identity == "model-governance-portal"
    assert (version.created_at, version.last_modified_at) == (recorded.CREATED_AT, recorded.MODIFIED_AT)


def test_raw_is_the_whole_answer_in_json() -> None:
    answer = {**recorded.DESCRIBE_VERSION, "ResponseMetadata": {"RequestId": "x"}}
    raw = VersionRecord.from_describe(answer).raw

    assert json.loads(json.dumps(raw)) == raw
    assert set(raw) == set(recorded.DESCRIBE_VERSION)
    assert raw["LastModifiedTime"] == "2024-05-03T14:05:10+00:00"
    assert raw["ModelLifeCycle"] == recorded.DESCRIBE_VERSION["ModelLifeCycle"]


def test_version_from_the_barest_answer() -> None:
    version = VersionRecord.from_describe(recorded.DESCRIBE_BARE_VERSION)

    assert version.group_name == "credit-risk"
    assert (version.life_cycle, version.card_content, version.created_by, version.training_job_arn) == (None,) * 4
    assert (version.containers, version.metrics, version.metadata) == ((), {}, {})
    assert (version.approval_status, version.approval_description, version.source_uri) == ("", "", "")


@pytest.mark.parametrize("field", sorted(set(recorded.DESCRIBE_VERSION) - {"ModelPackageArn"}))
@pytest.mark.parametrize("hole", ["absent", "null"])
def test_any_field_may_be_missing(field: str, hole: str) -> None:
    answer = copy.deepcopy(recorded.DESCRIBE_VERSION)
    if hole == "absent":
        del answer[field]
    else:
        answer[field] = None
    assert VersionRecord.from_describe(answer).version == 7


def test_card_is_kept_as_given_even_when_it_is_no_json() -> None:
    answer = {
        **recorded.DESCRIBE_VERSION,
        "ModelCard": {"ModelCardContent": "{broken", "ModelCardStatus": "Draft"},
    }
    assert VersionRecord.from_describe(answer).card_content == "{broken"


def test_group_name_given_as_arn_is_cut_to_the_name() -> None:
    answer = {**recorded.DESCRIBE_VERSION, "ModelPackageGroupName": recorded.GROUP_ARN}
    assert VersionRecord.from_describe(answer).group_arn == recorded.GROUP_ARN


@pytest.mark.parametrize(
    "changes",
    [
        {"MetadataProperties": {"GeneratedBy": "notebook"}, "SourceUri": recorded.TRAINING_JOB_ARN},
        {"MetadataProperties": None, "SourceUri": recorded.TRAINING_JOB_ARN},
    ],
)
def test_training_job_from_the_source_uri(changes: dict[str, object]) -> None:
    version = VersionRecord.from_describe({**recorded.DESCRIBE_VERSION, **changes})
    assert version.training_job_arn == recorded.TRAINING_JOB_ARN


def test_records_are_frozen() -> None:
    version = VersionRecord.from_describe(recorded.DESCRIBE_VERSION)
    with pytest.raises(dataclasses.FrozenInstanceError):
        version.approval_status = "Rejected"  # type: ignore[misc]


def test_summary_carries_what_a_list_tells() -> None:
    summary = VersionSummary.from_summary(recorded.version_summary(3, ModelApprovalStatus="Rejected"))
    assert (summary.version, summary.approval_status) == (3, "Rejected")
    assert (summary.life_cycle_stage, summary.life_cycle_status) == ("Development", "PendingApproval")
    assert VersionSummary.from_summary(recorded.version_summary(3, ModelLifeCycle=None)).life_cycle_stage == ""


def test_group_keeps_its_case_and_owner() -> None:
    group = GroupRecord.from_describe(recorded.GROUP_SUMMARY)
    assert (group.name, group.account_id, group.description) == (
        "Credit-Risk",
        "111111111111",
        "Credit risk models",
    )


def test_arns_are_taken_apart() -> None:
    assert parse_model_package_arn(recorded.VERSION_ARN).version == 7
    assert parse_model_package_arn(recorded.VERSION_ARN.replace("arn:aws:", "arn:aws-cn:")).partition == "aws-cn"
    assert parse_group_arn(recorded.GROUP_ARN).name == "Credit-Risk"


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "credit-risk/7",
        recorded.GROUP_ARN,
        f"{recorded.VERSION_ARN}/8",
        f"{recorded.VERSION_ARN}\n",
        "arn:aws:s3:::b",
    ],
)
def test_what_is_no_version_arn_is_refused_by_name(arn: str) -> None:
    with pytest.raises(MalformedArn, match="should look like"):
        parse_model_package_arn(arn)


@pytest.mark.parametrize("arn", ["", "credit-risk", recorded.VERSION_ARN, f"{recorded.GROUP_ARN}/1"])
def test_what_is_no_group_arn_is_refused_by_name(arn: str) -> None:
    with pytest.raises(MalformedArn, match="should look like"):
        parse_group_arn(arn)


def test_package_without_group_is_refused_by_name() -> None:
    with pytest.raises(UnversionedPackage, match="belongs to no model package group"):
        parse_model_package_arn("arn:aws:sagemaker:us-east-1:111111111111:model-package/alone")


def test_values_fit_json_and_postgresql() -> None:
    berlin = timezone(timedelta(hours=2))
    assert json_safe({"at": datetime(2024, 1, 1, 2, tzinfo=berlin), "n": (1, None, b"x\x00")}) == {
        "at": "2024-01-01T00:00:00+00:00",
        "n": [1, None, "x\ufffd"],
    }
    assert plain_text("a\x00b\ud800c\u00e9\U0001f600") == "a\ufffdb\ufffdc\u00e9\U0001f600"


def test_invitation_expires_twelve_hours_after_it_was_sent() -> None:
    invitation = InvitationRecord.from_aws(recorded.INVITATION)
    assert (invitation.sender, invitation.receiver) == ("111111111111", "222222222222")
    assert invitation.expires_at == datetime(2024, 5, 2, 21, 30, tzinfo=UTC)
    assert InvitationRecord.from_aws({"receiverArn": "arn:aws:iam::2:role/x"}).receiver == "arn:aws:iam::2:role/x"


@pytest.mark.parametrize(
    ("policy", "actions"),
    [
        (
            '{"Effect":"Allow","Action":["sagemaker:ListModelPackages","sagemaker:DescribeModelPackage"]}',
            ("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
        ),
        ('{"Statement":[{"Effect":"Allow","Action":"a:B"},{"Effect":"Deny","Action":"a:C"}]}', ("a:B",)),
        ('{"Effect":"Allow"}', ()),
        ("not json", ()),
        ("[" * 100_000, ()),
        (None, ()),
    ],
)
def test_permission_actions_are_read_from_the_policy_template(policy: str | None, actions: tuple[str, ...]) -> None:
    assert PermissionRecord.from_aws({"arn": "p", "permission": policy}).actions == actions


def test_container_without_artifact() -> None:
    assert ContainerRecord.from_aws({"Image": "i"}) == ContainerRecord("i")
