"""The gateway against the sandbox AWS, over HTTP: the registry's story, throttling and a lost answer."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registry.aws import events, ram, sagemaker, sts
from registry.aws.errors import AwsConflict, AwsDenied, AwsInvalid, AwsNotFound, AwsThrottled, AwsUnavailable
from registry.aws.records import ContainerRecord, LifeCycle
from registry.aws.session import AwsSession

CARD = json.dumps({"intended_uses": {"risk_rating": "High"}})


@pytest.fixture
def name() -> str:
    return f"credit-risk-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def shared(hub: AwsSession, development: AwsSession, name: str) -> str:
    """Make a group in the hub, share it with the development account and accept; return its ARN."""
    arn = sagemaker.create_group(hub, name=name, description="Credit risk", tags={"project": "credit-risk"})
    share = ram.create_share(
        hub,
        name=name,
        resource_arns=[arn],
        principals=["222222222222"],
        permission_arns=[ram.PERMISSION_REGISTER],
        client_token=name,
    )
    (invitation,) = (i for i in ram.list_invitations(development) if i.share_arn == share.arn)
    assert (invitation.status, invitation.sender, invitation.receiver) == ("PENDING", "111111111111", "222222222222")
    assert ram.accept_invitation(development, invitation.arn).status == "ACCEPTED"
    assert ram.accept_invitation(development, invitation.arn).status == "ACCEPTED", "accepted twice is accepted"
    return arn


@pytest.fixture
def fault(sandbox: str) -> Iterator[Any]:
    """Return a function that lets the sandbox fail calls; every fault is cleared afterwards."""

    def call(method: str, body: dict[str, Any] | None = None) -> None:
        request = urllib.request.Request(
            f"{sandbox}/sandbox/faults",
            data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status < 300

    yield lambda **body: call("POST", body)
    call("DELETE")


def register(session: AwsSession, group: str, token: str | None = None) -> str:
    return sagemaker.register_version(
        session,
        group=group,
        description="Model to detect credit risk",
        containers=[ContainerRecord("683313688378.dkr.ecr.us-east-1.amazonaws.com/x:1", model_data_url="s3://b/k")],
        content_types=["text/csv"],
        response_types=["text/csv"],
        metadata={"algorithm": "xgboost"},
        card_content=CARD,
        client_token=token or uuid.uuid4().hex,
    )


def drain(session: AwsSession, queue: str, arn: str, count: int) -> list[Any]:
    """Receive and delete until `count` events of a version came, for at most ten seconds."""
    found: list[Any] = []
    deadline = time.monotonic() + 10
    while len(found) < count and time.monotonic() < deadline:
        received = events.receive(session, queue, wait_seconds=1)
        events.delete(session, queue, received)
        found += [event for event in received if event.model_package_arn == arn]
    return found


def test_each_account_is_reached_by_its_role(hub: AwsSession, development: AwsSession) -> None:
    for session, account in ((hub, "111111111111"), (development, "222222222222")):
        identity = sts.caller_identity(session)
        assert identity.account_id == account
        assert identity.arn == f"arn:aws:sts::{account}:assumed-role/ModelGovernancePortal/model-governance-portal"


def test_registered_in_a_spoke_approved_in_the_hub(
    hub: AwsSession, development: AwsSession, shared: str, name: str
) -> None:
    queue = events.ensure_queue_and_rule(hub, queue_name=name, rule_name=name)
    assert events.ensure_queue_and_rule(hub, queue_name=name, rule_name=name) == queue
    assert shared in [group.arn for group in sagemaker.list_groups(development, cross_account=True)]
    assert shared not in [group.arn for group in sagemaker.list_groups(development)]
    group = next(group for group in sagemaker.list_groups(hub) if group.arn == shared)
    started = datetime.now(UTC) - timedelta(seconds=1)

    arn = register(development, shared)
    version = sagemaker.describe_version(hub, arn)
    assert (version.account_id, version.group_arn, version.version) == ("111111111111", shared, 1)
    assert (version.approval_status, version.card_content) == ("PendingManualApproval", CARD)
    assert version.created_by is not None
    assert "222222222222" in version.created_by.arn

    sagemaker.update_version(
        hub,
        arn,
        client_token=uuid.uuid4().hex,
        approval_status="Approved",
        approval_description="AR-12 by model.owner under policy 1",
        life_cycle=LifeCycle("Development", "Approved", "AR-12"),
    )
    approved = sagemaker.describe_version(hub, arn)
    assert (approved.approval_status, approved.life_cycle) == (
        "Approved",
        LifeCycle("Development", "Approved", "AR-12"),
    )
    assert (approved.metadata, approved.card_content) == (version.metadata, CARD), "the rest stays"
    assert approved.last_modified_by is not None
    assert approved.last_modified_by.source_identity == "model-governance-portal"
    (summary,) = sagemaker.list_versions(hub, group)
    assert (summary.approval_status, summary.life_cycle_stage) == ("Approved", "Development")
    assert arn in [found.arn for found in sagemaker.search_versions_modified_since(hub, started)]
    later = datetime.now(UTC) + timedelta(hours=1)
    assert list(sagemaker.search_versions_modified_since(hub, later)) == []

    received = drain(hub, queue, arn, 2)
    assert {event.owner_account_id for event in received} == {"111111111111"}
    written = {field for event in received for field in event.updated_fields}
    assert {"ModelApprovalStatus", "ModelLifeCycle"} <= written
    assert events.receive(hub, queue, wait_seconds=0) == []


def test_a_spoke_cannot_approve(development: AwsSession, shared: str) -> None:
    arn = register(development, shared)
    with pytest.raises(AwsDenied):
        sagemaker.update_version(development, arn, client_token="t", approval_status="Approved")


def test_a_hundred_and_one_versions_take_two_pages(hub: AwsSession, name: str) -> None:
    group = sagemaker.create_group(hub, name=name)
    for _ in range(101):
        register(hub, group)
    with hub.counting() as counted:
        assert [v.version for v in sagemaker.list_versions(hub, group)] == list(range(1, 102))
    assert counted.snapshot().pages == 2


def test_shares_as_their_owner_sees_them(hub: AwsSession, shared: str, name: str) -> None:
    (share,) = (share for share in ram.list_shares(hub, "SELF") if share.name == name)
    (principal,) = ram.list_share_associations(hub, association_type="PRINCIPAL", share_arns=[share.arn])
    (resource,) = ram.list_share_associations(hub, association_type="RESOURCE", share_arns=[share.arn])
    assert (principal.entity, resource.entity) == ("222222222222", shared)
    assert [p.arn for p in ram.list_share_permissions(hub, share.arn)] == [ram.PERMISSION_REGISTER]
    ram.delete_share(hub, share.arn)
    assert all(s.status in {"DELETING", "DELETED"} for s in ram.list_shares(hub, "SELF") if s.arn == share.arn)


def test_shares_as_the_receiver_sees_them(development: AwsSession, shared: str, name: str) -> None:
    (share,) = (share for share in ram.list_shares(development, "OTHER-ACCOUNTS") if share.name == name)
    assert share.owning_account_id == "111111111111"


def test_the_three_managed_permissions_and_their_actions(hub: AwsSession) -> None:
    listed = {permission.arn for permission in ram.list_permissions(hub)}
    assert {ram.PERMISSION_READ, ram.PERMISSION_DEPLOY, ram.PERMISSION_REGISTER} <= listed
    assert "sagemaker:CreateModelPackage" in ram.get_permission(hub, ram.PERMISSION_REGISTER).actions
    assert "sagemaker:UpdateModelPackage" not in ram.get_permission(hub, ram.PERMISSION_REGISTER).actions


def test_group_policy(hub: AwsSession, name: str) -> None:
    sagemaker.create_group(hub, name=name)
    assert sagemaker.get_group_policy(hub, name) is None
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    sagemaker.put_group_policy(hub, name, policy)
    assert json.loads(sagemaker.get_group_policy(hub, name) or "") == json.loads(policy)
    with pytest.raises(AwsNotFound):
        sagemaker.get_group_policy(hub, f"{name}-none")


def test_what_is_missing_or_there_already_is_named(hub: AwsSession, name: str) -> None:
    group = sagemaker.create_group(hub, name=name)
    with pytest.raises(AwsConflict):
        sagemaker.create_group(hub, name=name)
    with pytest.raises(AwsNotFound):
        sagemaker.describe_group(hub, f"{name}-none")
    with pytest.raises(AwsNotFound):
        sagemaker.describe_version(hub, f"{group.replace('model-package-group', 'model-package')}/1")
    with pytest.raises(AwsNotFound):
        list(sagemaker.list_versions(hub, f"{name}-none"))


def test_a_message_nobody_can_read_is_received_and_can_be_deleted(hub: AwsSession, name: str) -> None:
    queue = events.ensure_queue_and_rule(hub, queue_name=name, rule_name=name)
    hub.sqs.send_message(QueueUrl=queue, MessageBody="not an event")
    (event,) = events.receive(hub, queue, wait_seconds=5)
    assert (event.kind, event.body) == (events.KIND_UNREADABLE, "not an event")
    events.delete(hub, queue, [event])


def test_a_deployment_order_reaches_whoever_listens(hub: AwsSession, name: str) -> None:
    queue = hub.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = hub.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    hub.events.put_rule(Name=name, EventPattern=json.dumps({"source": [events.EVENT_SOURCE], "detail-type": [name]}))
    hub.events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    event_id = events.put_deployment_order(hub, bus="default", detail={"order_id": 7}, detail_type=name)
    assert event_id
    (event,) = events.receive(hub, queue, wait_seconds=5)
    assert event.kind == events.KIND_OTHER
    assert json.loads(event.body)["detail"] == {"order_id": 7}


def test_throttling_is_survived_and_counted(hub: AwsSession, name: str, fault: Any) -> None:
    sagemaker.create_group(hub, name=name)
    fault(service="sagemaker", operation="DescribeModelPackageGroup", error="ThrottlingException", times=2)
    with hub.counting() as counted:
        assert sagemaker.describe_group(hub, name).name == name
    assert (counted.snapshot().throttles, counted.snapshot().calls) == (2, 1)


def test_throttling_that_lasts_is_named(sandbox: str, hub: AwsSession, fault: Any) -> None:
    session = AwsSession(hub.account, total_max_attempts=2)
    fault(service="sagemaker", operation="ListModelPackageGroups", error="ThrottlingException", times=2)
    with pytest.raises(AwsThrottled):
        list(sagemaker.list_groups(session))


def test_a_lost_answer_is_written_once(
    hub: AwsSession, development: AwsSession, shared: str, name: str, fault: Any
) -> None:
    # The write is done and its answer lost: botocore asks again with the same token.
    fault(service="sagemaker", operation="CreateModelPackage", error="drop", times=1, after=True)
    arn = register(development, shared, token=f"register-{name}")
    assert [version.arn for version in sagemaker.list_versions(hub, shared)] == [arn]


def test_a_server_that_fails_is_unavailable(hub: AwsSession, fault: Any) -> None:
    session = AwsSession(hub.account, total_max_attempts=2)
    fault(service="sagemaker", operation="ListModelPackageGroups", error="InternalFailure", times=2)
    with pytest.raises(AwsUnavailable):
        list(sagemaker.list_groups(session))


def test_limits_are_those_the_service_has(hub: AwsSession, name: str) -> None:
    # What the gateway lets pass, the service takes; what it refuses never arrives.
    group = sagemaker.create_group(hub, name=name)
    arn = register(hub, group)
    longest = LifeCycle("a" * 63, "b" * 63, "x" * 1024)
    sagemaker.update_version(hub, arn, client_token="t-1", life_cycle=longest, approval_description="y" * 1024)
    assert sagemaker.describe_version(hub, arn).life_cycle == longest
    with pytest.raises(AwsInvalid, match="FieldLimit"):
        sagemaker.update_version(hub, arn, client_token="t-2", life_cycle=LifeCycle("a" * 64, "b"))
