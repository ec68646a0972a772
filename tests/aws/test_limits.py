"""Limits: what AWS would refuse is refused before it is sent, by AWS's own model."""

from __future__ import annotations

from typing import Any

import pytest

from registry.aws import sagemaker
from registry.aws.errors import AwsInvalid
from registry.aws.limits import require_valid
from registry.aws.records import LifeCycle
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire, service_model


def update(**fields: Any) -> dict[str, Any]:
    return {"ModelPackageArn": recorded.VERSION_ARN, "ClientToken": "outbox-17", **fields}


def life_cycle(stage: str = "QA", status: str = "Approved", description: str = "AR-1") -> dict[str, Any]:
    return update(ModelLifeCycle={"Stage": stage, "StageStatus": status, "StageDescription": description})


@pytest.mark.parametrize(
    "request_",
    [
        update(ApprovalDescription="x" * 1024),
        update(ApprovalDescription=""),
        update(ApprovalDescription="AR-12 by Zoë: ok → QA"),
        update(ModelApprovalStatus="PendingManualApproval"),
        update(ClientToken="a" * 36),
        update(CustomerMetadataProperties={"use case": "Größe 1/2 @ a=b"}),
        *(life_cycle(stage) for stage in ("Development", "QA", "PreProduction", "pre-production", "Archived")),
        *(life_cycle(status=s) for s in ("PendingApproval", "Approved", "Rejected", "Retired", "a" * 63)),
        life_cycle(description="x" * 1024),
    ],
)
def test_what_aws_takes_passes(session: AwsSession, request_: dict[str, Any]) -> None:
    require_valid(session, "sagemaker", "UpdateModelPackage", request_)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (update(ApprovalDescription="x" * 1025), "ApprovalDescription has 1025 characters, at most 1024 are allowed"),
        (update(ApprovalDescription="one\ntwo"), "line breaks are not allowed"),
        (update(ModelApprovalStatus="approved"), "not one of Approved, Rejected, PendingManualApproval"),
        (update(ClientToken="a" * 37), "ClientToken has 37 characters"),
        (update(ClientToken="a_b"), "ClientToken is 'a_b'"),
        (update(CustomerMetadataProperties={"k": ""}), r"CustomerMetadataProperties\['k'\] has 0 characters"),
        (update(CustomerMetadataProperties={"k": '{"a":1}'}), r"CustomerMetadataProperties\['k'\] is"),
        (update(CustomerMetadataProperties={"k" * 129: "v"}), "of CustomerMetadataProperties has 129 characters"),
        (update(CustomerMetadataProperties={str(i): "v" for i in range(51)}), "has 51 entries, at most 50"),
        (life_cycle(stage="Quality Assurance"), "ModelLifeCycle.Stage is 'Quality Assurance'"),
        (life_cycle(stage="pre_production"), "ModelLifeCycle.Stage is 'pre_production'"),
        (life_cycle(stage="QA-"), "ModelLifeCycle.Stage"),
        (life_cycle(stage=""), "ModelLifeCycle.Stage"),
        (life_cycle(status="a" * 64), "ModelLifeCycle.StageStatus has 64 characters"),
        (life_cycle(description="x" * 1025), "ModelLifeCycle.StageDescription has 1025 characters"),
        (update(ModelPackageArn="credit-risk/7"), "ModelPackageArn is 'credit-risk/7'"),
    ],
)
def test_what_aws_refuses_is_named(session: AwsSession, request_: dict[str, Any], words: str) -> None:
    with pytest.raises(AwsInvalid, match=words) as caught:
        require_valid(session, "sagemaker", "UpdateModelPackage", request_)
    assert caught.value.code == "FieldLimit"


def test_every_offending_field_is_named_at_once(session: AwsSession) -> None:
    with pytest.raises(AwsInvalid) as caught:
        require_valid(
            session, "sagemaker", "UpdateModelPackage", {**life_cycle(stage="a b"), "ApprovalDescription": "x" * 2000}
        )
    assert "Stage" in caught.value.message
    assert "ApprovalDescription" in caught.value.message


def test_nothing_is_sent_when_a_field_breaks_a_limit(wire: Wire, session: AwsSession) -> None:
    with pytest.raises(AwsInvalid):
        sagemaker.update_version(
            session, recorded.VERSION_ARN, client_token="t", life_cycle=LifeCycle("Quality Assurance", "Approved")
        )
    assert wire.requests == []


def test_nested_lists_are_checked(session: AwsSession) -> None:
    request = {"InferenceSpecification": {"Containers": [{"Image": "ok"}, {"Image": "not ok", "ImageDigest": "md5:1"}]}}
    with pytest.raises(AwsInvalid) as caught:
        require_valid(session, "sagemaker", "CreateModelPackage", request)
    assert "InferenceSpecification.Containers[1].Image is 'not ok'" in caught.value.message
    assert "InferenceSpecification.Containers[1].ImageDigest" in caught.value.message


def test_the_limits_the_portal_relies_on_are_still_in_the_model() -> None:
    members = service_model("sagemaker").operation_model("UpdateModelPackage").input_shape.members
    life_cycle_members = members["ModelLifeCycle"].members
    assert members["ApprovalDescription"].metadata["max"] == 1024
    assert life_cycle_members["StageDescription"].metadata["max"] == 1024
    assert life_cycle_members["Stage"].metadata["pattern"] == "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
