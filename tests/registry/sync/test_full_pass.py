"""The sync against the sandbox AWS: what it brings in, and what becomes of it when AWS or a message is broken."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import requests
from django.utils import timezone

from governance.models import Finding, StageEvent
from governance.services import delivery, registry_events, share_sync, sync
from governance.tasks import sync_account
from portal.core.locks import _key
from registry.aws import sagemaker
from registry.aws.records import VersionRecord
from registry.aws.session import reset_sessions
from registry.models import AwsAccount, ModelGroup, ModelVersion, ParkedEvent, ResourceShare, ShareInvitation, SyncRun
from registry.sync import apply
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.committed import database_url
from tests.factories.walk import approve_once
from tests.governance.conftest import Place
from tests.sandbox import Sandbox, free_port

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore not wait between its own retries."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *a, **k: 0)


def test_a_full_pass_brings_in_a_new_version_and_counts_what_it_did(aws: Sandbox, place: Place) -> None:
    group = aws_story.new_group()
    arn = aws_story.register(group)
    run = aws_story.synced()
    assert (run.state, run.error) == ("succeeded", "")
    assert run.created >= 1
    assert run.calls >= 3
    version = aws_story.known(arn)
    assert (version.stage, version.status, version.number) == ("development", "pending", 1)
    assert version.aws_approval_status == "PendingManualApproval"
    again = aws_story.synced()
    assert (again.created, again.updated) == (0, 0)
    assert again.unchanged >= 1
    assert StageEvent.objects.filter(version=version).count() == 1


def test_a_pass_sees_what_was_approved_outside(aws: Sandbox, place: Place) -> None:
    arn = aws_story.register(aws_story.new_group())
    aws_story.synced()
    sagemaker.update_version(aws_story.session(HUB), arn, client_token="t-1", approval_status="Approved")
    run = aws_story.synced()
    assert run.updated >= 1
    version = aws_story.known(arn)
    assert version.aws_approval_status == "Approved"
    assert version.status == "pending", "AWS's word alone moves nothing in the portal"


def test_the_registrant_is_recognised_across_accounts(aws: Sandbox, place: Place) -> None:
    group = aws_story.new_group()
    aws_story.share(group)
    arn = aws_story.register(group, by=DEVELOPMENT)
    aws_story.synced()
    assert f":{DEVELOPMENT}:" in aws_story.known(arn).registrant_arn
    assert f":{HUB}:" in arn


def test_shares_and_invitations_are_recorded(aws: Sandbox, place: Place) -> None:
    group = aws_story.new_group()
    aws_story.share(group)
    aws_story.synced()
    for account_id in (HUB, DEVELOPMENT):
        (run,) = share_sync.sync_shares(account_id=account_id, requested_by="test")
        assert run.error == ""
    share = ResourceShare.objects.get(groups__arn=group)
    assert share.principals == [DEVELOPMENT]
    assert share.permission_arns[0].endswith("AllowRegister")
    assert ShareInvitation.objects.get(share_arn=share.arn).status == "ACCEPTED"


def test_a_version_that_aws_deleted_is_missing_and_comes_back_as_another(aws: Sandbox, place: Place) -> None:
    group = aws_story.new_group()
    arn = aws_story.register(group)
    aws_story.synced()
    version = aws_story.known(arn)
    aws_story.session(HUB).sagemaker.delete_model_package(ModelPackageName=arn)
    assert aws_story.synced().missing >= 1
    version.refresh_from_db()
    assert version.missing_since is not None
    assert Finding.objects.standing().filter(version=version, kind="missing_in_aws").exists()


@pytest.mark.parametrize("error", ["ThrottlingException", "InternalFailure", "AccessDeniedException"])
def test_a_pass_that_aws_does_not_let_through_says_so_and_loses_nothing(aws: Sandbox, place: Place, error: str) -> None:
    group = aws_story.new_group()
    known, fresh = aws_story.register(group), ""
    aws_story.synced()
    fresh = aws_story.register(group)
    aws.fault(service="sagemaker", operation="ListModelPackages", error=error, times=None)
    run = aws_story.synced()
    assert run.state == "failed"
    assert "ListModelPackages" in run.error
    if error == "ThrottlingException":
        assert run.throttles > 0
    assert aws_story.known(known).missing_since is None, "nothing is missing unless the listing was complete"
    assert not ModelVersion.objects.filter(arn=fresh).exists()
    aws.forget()
    assert aws_story.synced().state == "succeeded"
    assert aws_story.known(fresh).status == "pending"


def test_a_failed_pass_is_tried_again_and_gives_up_in_the_end(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(
        "governance.tasks.enqueue_on_commit", lambda name, **kwargs: asked.append({"name": name, **kwargs})
    )
    aws.fault(service="sagemaker", operation="ListModelPackageGroups", error="ThrottlingException", times=None)
    for attempt in (1, 2, 3, 4):
        sync_account(account_id=HUB, requested_by="test", attempt=attempt)
    assert [(call["after_seconds"], call["attempt"]) for call in asked] == [(15, 2), (30, 3), (60, 4)]


def test_one_version_that_cannot_be_recorded_does_not_hide_the_others(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = aws_story.new_group()
    bad, good = aws_story.register(group), aws_story.register(group)
    really = apply.versions.take_in_all

    def refuse_one(*, records: list[VersionRecord], **kwargs: Any) -> object:
        if bad in [record.arn for record in records]:
            raise ValueError("cannot be recorded")
        return really(records=records, **kwargs)

    monkeypatch.setattr(apply.versions, "take_in_all", refuse_one)
    run = aws_story.synced()
    assert run.state == "failed"
    assert bad in run.error
    assert aws_story.known(good).status == "pending"


def test_two_passes_of_one_account_never_overlap(aws: Sandbox, place: Place) -> None:
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [_key(f"sync:{HUB}:us-east-1")])
        assert sync.sync_account(account_id=HUB, requested_by="test") == []
        other.execute("SELECT pg_advisory_unlock(%s)", [_key(f"sync:{HUB}:us-east-1")])
    assert not SyncRun.objects.filter(account__account_id=HUB).exists()
    assert aws_story.synced().state == "succeeded"


def test_a_pass_whose_worker_was_killed_is_taken_up_behind_the_last_group_it_did(aws: Sandbox, place: Place) -> None:
    """The groups up to the one noted are not listed again; what an earlier worker counted stays counted."""
    groups = [aws_story.new_group() for _ in range(3)]
    aws_story.synced()
    arns = [aws_story.register(group) for group in groups]
    hub = AwsAccount.objects.get(account_id=HUB)
    killed = SyncRun.objects.create(
        account=hub, region="us-east-1", kind="full", requested_by="test", after=groups[1], calls=7, created=2
    )
    aws.forget()
    run = aws_story.synced()
    assert run.pk == killed.pk
    assert (run.state, run.resumed) == ("succeeded", 1)
    assert run.created == 3
    assert run.groups_done == run.groups
    listed = [call["parameters"]["ModelPackageGroupName"] for call in aws.calls(operation="ListModelPackages")]
    assert groups[2] in listed
    assert groups[0] not in listed
    assert run.calls > 7
    assert aws_story.known(arns[2]).status == "pending"


def test_a_pass_left_too_long_ago_is_closed_and_another_begun(aws: Sandbox, place: Place) -> None:
    hub = AwsAccount.objects.get(account_id=HUB)
    killed = SyncRun.objects.create(account=hub, region="us-east-1", kind="full", requested_by="test")
    SyncRun.objects.filter(pk=killed.pk).update(started_at=timezone.now() - timedelta(hours=2))
    assert aws_story.synced().pk != killed.pk
    killed.refresh_from_db()
    assert killed.state == "failed"
    assert "next pass" in killed.error


def test_an_event_brings_a_version_in_and_its_repetition_changes_nothing(aws: Sandbox, place: Place) -> None:
    aws_story.event_queue()
    arn = aws_story.register(aws_story.new_group())
    assert registry_events.read_events() >= 1
    version = aws_story.known(arn)
    revision = version.revision
    _say_again(aws, arn)
    _say_again(aws, arn)
    assert registry_events.read_events() == 2
    version.refresh_from_db()
    assert version.revision == revision
    assert StageEvent.objects.filter(version=version).count() == 1
    assert registry_events.read_events() == 0


def test_events_in_any_order_end_in_what_aws_says_now(aws: Sandbox, place: Place) -> None:
    aws_story.event_queue()
    arn = aws_story.register(aws_story.new_group())
    session = aws_story.session(HUB)
    sagemaker.update_version(session, arn, client_token="a-1", approval_status="Approved")
    sagemaker.update_version(session, arn, client_token="a-2", approval_status="Rejected")
    registry_events.read_events()
    _say_again(aws, arn, approval_status="Approved")
    registry_events.read_events()
    assert aws_story.known(arn).aws_approval_status == "Rejected"


def test_the_echo_of_our_own_write_back_moves_nothing(aws: Sandbox, place: Place) -> None:
    aws_story.event_queue()
    version = aws_story.claimed(place.people, place.project)
    approve_once(place.people, version)
    delivery.deliver_due()
    events = StageEvent.objects.filter(version=version).count()
    assert registry_events.read_events() >= 1
    version.refresh_from_db()
    assert (version.stage, version.status) == ("qa", "pending")
    assert version.aws_approval_status == "Approved"
    assert StageEvent.objects.filter(version=version).count() == events


def test_an_unreadable_message_is_kept_as_a_finding_and_does_not_stop_the_others(aws: Sandbox, place: Place) -> None:
    url = aws_story.event_queue()
    aws_story.session(HUB).sqs.send_message(QueueUrl=url, MessageBody="{not json")
    arn = aws_story.register(aws_story.new_group())
    registry_events.read_events()
    finding = Finding.objects.standing().get(kind="event_unreadable")
    assert ParkedEvent.objects.get(message_id=finding.evidence["message_id"]).original == "{not json"
    assert aws_story.known(arn).status == "pending"


def test_an_event_whose_version_cannot_be_described_stays_on_the_queue(aws: Sandbox, place: Place) -> None:
    url = aws_story.event_queue()
    arn = aws_story.register(aws_story.new_group())
    aws.fault(service="sagemaker", operation="DescribeModelPackage", error="InternalFailure", times=None)
    assert registry_events.read_events() == 0
    assert not ModelVersion.objects.filter(arn=arn).exists()
    waiting = aws_story.session(HUB).sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    in_flight = int(waiting["ApproximateNumberOfMessages"]) + int(waiting["ApproximateNumberOfMessagesNotVisible"])
    assert in_flight == 1


def test_an_event_about_a_deleted_version_leaves_it_to_a_complete_pass(aws: Sandbox, place: Place) -> None:
    """What one read does not find may only be late; what a complete listing and a second look do not find is gone."""
    aws_story.event_queue()
    arn = aws_story.register(aws_story.new_group())
    registry_events.read_events()
    aws_story.session(HUB).sagemaker.delete_model_package(ModelPackageName=arn)
    _say_again(aws, arn)
    assert registry_events.read_events() >= 1
    assert aws_story.known(arn).missing_since is None
    assert aws_story.synced().missing == 1
    assert aws_story.known(arn).missing_since is not None


def test_a_group_shared_or_made_while_nobody_read_is_read_by_whoever_takes_the_pass_up(
    aws: Sandbox, place: Place
) -> None:
    """It stands before the group noted last, and was not there when those were read."""
    arns = [aws_story.register(aws_story.new_group()) for _ in range(2)]
    hub = AwsAccount.objects.get(account_id=HUB)
    aws_story.synced()
    early, last = (aws_story.known(arn).group for arn in arns)
    # As if it had not been there: the portal knows it under a name of its own.
    ModelVersion.objects.filter(arn=arns[0]).update(arn=arns[0].replace(early.name, "another"))
    ModelGroup.objects.filter(pk=early.pk).update(arn=early.arn.replace(early.name, "another"))
    SyncRun.objects.create(account=hub, region="us-east-1", kind="full", requested_by="killed", after=last.arn)
    run = aws_story.synced()
    assert (run.state, run.resumed, run.groups_done) == ("succeeded", 1, run.groups)
    assert aws_story.known(arns[0]).status == "pending"


def test_a_broken_queue_of_one_account_is_no_error_for_the_rest(aws: Sandbox, place: Place) -> None:
    aws_story.event_queue()
    AwsAccount.objects.filter(account_id=DEVELOPMENT).update(event_queue_url=f"{aws.url}/{DEVELOPMENT}/no-such-queue")
    arn = aws_story.register(aws_story.new_group())
    assert registry_events.read_events() >= 1
    assert aws_story.known(arn).status == "pending"


def test_aws_that_does_not_answer_at_all_fails_the_pass_with_its_reason(
    aws: Sandbox, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    reset_sessions()
    run = aws_story.synced()
    assert run.state == "failed"
    assert run.error
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{free_port()}", timeout=1)


def _say_again(aws: Sandbox, arn: str, **detail: str) -> None:
    """Put a state-change event on the bus, as AWS does more than once and in no order."""
    body = {"ModelPackageArn": arn, "ModelApprovalStatus": detail.get("approval_status", "PendingManualApproval")}
    aws_story.session(HUB).events.put_events(
        Entries=[
            {
                "Source": "aws.sagemaker",
                "DetailType": "SageMaker Model Package State Change",
                "Detail": json.dumps(body),
                "Resources": [arn],
            }
        ]
    )
