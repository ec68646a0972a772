"""Event queues of the sandbox AWS: batches, repetitions, echoes, and what cannot be taken in."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from governance.models import AuditEvent, Finding, OutboxMessage, StageEvent
from governance.services import delivery, parked_events, registry_events
from governance.services.event_intake import Trouble
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from registry.aws import events, sagemaker
from registry.aws.session import AwsSession
from registry.choices import EventProblem
from registry.models import AwsAccount, EventQueueHealth, ModelVersion, ParkedEvent
from registry.selectors.events import health_of
from registry.services import versions
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.factories.walk import approve_once
from tests.governance.conftest import Place
from tests.refusals import refused, sql
from tests.sandbox import Sandbox
from tests.scene import undone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore not wait between its own retries."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *a, **k: 0)


@pytest.fixture
def queue(aws: Sandbox, place: Place) -> str:
    """A queue of the hub that hands a message out again at once, so that no test waits."""
    url = aws_story.event_queue()
    hub().sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    return url


def hub() -> AwsSession:
    return aws_story.session(HUB)


def account() -> AwsAccount:
    return AwsAccount.objects.get(account_id=HUB)


def say(url: str, arn: str, *, resource: str = "", **detail: Any) -> None:
    """Send a state change as EventBridge does, with the version's own times unless others are given."""
    if not resource:
        described = hub().sagemaker.describe_model_package(ModelPackageName=arn)
        times = described.get("LastModifiedTime") or described["CreationTime"]
        detail = {
            "ModelPackageStatus": described["ModelPackageStatus"],
            "ModelApprovalStatus": described["ModelApprovalStatus"],
            "LastModifiedTime": times.isoformat(timespec="milliseconds"),
            **detail,
        }
    body = {
        "source": "aws.sagemaker",
        "detail-type": events.STATE_CHANGE,
        "time": "2026-05-03T14:05:12Z",
        "detail": {"ModelPackageArn": arn, **detail},
    }
    hub().sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))


def waiting(url: str) -> int:
    size = events.measure(hub(), url)
    return size.waiting + size.in_flight


def described(aws: Sandbox) -> int:
    return len(aws.calls(service="sagemaker", operation="DescribeModelPackage"))


def test_a_batch_is_read_once_per_version_and_repetitions_cost_no_request(aws: Sandbox, queue: str) -> None:
    aws.fault(error="duplicate_events", service="sagemaker", copies=3, times=None)
    group = aws_story.new_group()
    arns = [aws_story.register(group) for _ in range(3)]
    before = described(aws)
    assert registry_events.read_events() == 9
    assert described(aws) == before + 3
    assert ModelVersion.objects.filter(arn__in=arns).count() == 3
    for arn in arns:
        say(queue, arn)
    before = described(aws)
    assert registry_events.read_events() == 3
    assert described(aws) == before, "what is stored already is not asked again"
    assert StageEvent.objects.filter(version__arn__in=arns).count() == 3
    health = health_of(account())
    assert (health.received, health.taken_in, health.known, health.parked) == (12, 3, 9, 0)
    assert health.is_read
    assert (health.reader, health.parked_now, health.oldest_left_seconds) == ("sweep", 0, None)
    assert health.lag_seconds is not None
    assert waiting(queue) == 0


def test_an_event_that_comes_late_changes_nothing(aws: Sandbox, queue: str) -> None:
    arn = aws_story.register(aws_story.new_group())
    sagemaker.update_version(hub(), arn, client_token=uuid.uuid4().hex, approval_status="Approved")
    sagemaker.update_version(hub(), arn, client_token=uuid.uuid4().hex, approval_status="Rejected")
    registry_events.read_events()
    revision = aws_story.known(arn).revision
    say(queue, arn, ModelApprovalStatus="Approved", LastModifiedTime="2026-05-03T14:05:12.100Z")
    before = described(aws)
    assert registry_events.read_events() == 1
    assert described(aws) == before
    assert (aws_story.known(arn).aws_approval_status, aws_story.known(arn).revision) == ("Rejected", revision)


def test_who_reads_first_and_writes_last_turns_nothing_back(aws: Sandbox, queue: str) -> None:
    arn = aws_story.register(aws_story.new_group())
    first = sagemaker.describe_version(hub(), arn)
    sagemaker.update_version(hub(), arn, client_token=uuid.uuid4().hex, approval_status="Approved")
    registry_events.read_events()
    version = aws_story.known(arn)
    versions.take_in(actor=Actor.system("test"), group=version.group, record=first)
    again = aws_story.known(arn)
    assert (again.aws_approval_status, again.revision) == ("Approved", version.revision)


def test_our_own_write_back_is_recognised_and_nothing_behind_it_is_missed(
    aws: Sandbox, queue: str, place: Place
) -> None:
    version = aws_story.claimed(place.people, place.project)
    registry_events.read_events()
    approve_once(place.people, version)
    delivery.deliver_due()
    # Somebody changes it as well, what is stored is older than both, and only our own event arrives.
    hub().sagemaker.update_model_package(ModelPackageArn=version.arn, CustomerMetadataProperties={"team": "risk"})
    ModelVersion.objects.filter(pk=version.pk).update(aws_modified_at=version.aws_created_at)
    kept = list(hub().sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()))
    hub().sqs.purge_queue(QueueUrl=queue)
    own = next(m for m in kept if "ModelLifeCycle" in json.loads(m["Body"])["detail"]["UpdatedModelPackageFields"])
    messages = OutboxMessage.objects.count()
    for total in (1, 2):
        hub().sqs.send_message(QueueUrl=queue, MessageBody=own["Body"])
        before = described(aws)
        assert registry_events.read_events() == 1
        assert health_of(account()).own == total
        assert aws_story.known(version.arn).metadata.get("team") == "risk"
        assert described(aws) == before + (total == 1)
    assert OutboxMessage.objects.count() == messages, "an echo orders nothing"


def test_what_fails_for_good_is_parked_with_the_third_delivery_and_replayed_when_it_can_be(
    aws: Sandbox, queue: str, place: Place
) -> None:
    admin, engineer = place.people.admin.actor, place.people.engineer.actor
    arn = aws_story.register(aws_story.new_group())
    aws.fault(service="sagemaker", operation="DescribeModelPackage", error="AccessDeniedException", times=None)
    assert registry_events.read_events() == 0
    assert health_of(account()).oldest_left_seconds is not None
    assert registry_events.read_events() == 0
    assert not ParkedEvent.objects.exists()
    assert registry_events.read_events() == 1
    parked = ParkedEvent.objects.get()
    assert (parked.problem, parked.state, parked.attempts, parked.model_package_arn) == (
        EventProblem.REFUSED, "parked", 3, arn,
    )  # fmt: skip
    assert "AccessDenied" in parked.error
    assert waiting(queue) == 0
    finding = Finding.objects.standing().get(kind="event_unreadable")
    assert finding.evidence["parked"] == 1

    with pytest.raises(Forbidden):
        parked_events.replay(actor=engineer, event_id=parked.pk)
    with pytest.raises(NotFound):
        parked_events.replay(actor=place.people.scientist.actor, event_id=parked.pk)
    again = parked_events.replay(actor=admin, event_id=parked.pk)
    assert (again.state, again.attempts, again.settled_by) == ("parked", 4, None)
    aws.forget()
    done = parked_events.replay(actor=admin, event_id=parked.pk)
    assert (done.state, done.settled_by) == ("replayed", place.people.admin)
    assert aws_story.known(arn).status == "pending"
    finding.refresh_from_db()
    assert finding.state == "resolved"
    with pytest.raises(WrongState):
        parked_events.replay(actor=admin, event_id=parked.pk)
    told = AuditEvent.objects.of_object("registry_parkedevent", parked.pk).first()
    assert (told.actor, told.changes["state"]) == (admin.label, ["parked", "replayed"])


def test_what_passes_by_itself_stays_on_the_queue(aws: Sandbox, queue: str) -> None:
    arn = aws_story.register(aws_story.new_group())
    aws.fault(service="sagemaker", operation="DescribeModelPackage", error="ThrottlingException", times=None)
    for _ in range(5):
        assert registry_events.read_events() == 0
    assert not ParkedEvent.objects.exists()
    assert "Throttling" in health_of(account()).error
    aws.forget()
    assert registry_events.read_events() == 1
    assert aws_story.known(arn).status == "pending"


def test_one_bad_version_hides_no_other_and_a_bug_parks_only_its_event(
    aws: Sandbox, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = aws_story.new_group()
    bad, good = aws_story.register(group), aws_story.register(group)
    really = sagemaker.describe_version

    def describe(session: AwsSession, arn: str) -> Any:
        if arn == bad:
            raise KeyError("a field nobody expected")
        return really(session, arn)

    monkeypatch.setattr("registry.aws.sagemaker.describe_version", describe)
    for handled in (1, 0, 1):
        assert registry_events.read_events() == handled
    assert aws_story.known(good).status == "pending"
    assert ParkedEvent.objects.get().problem == EventProblem.NOT_RECORDED


@pytest.mark.parametrize(
    ("owner", "region", "problem"),
    [
        ("999999999999", "us-east-1", EventProblem.UNKNOWN_ACCOUNT),
        (DEVELOPMENT, "us-east-1", EventProblem.DISABLED_ACCOUNT),
        (HUB, "eu-nowhere-9", EventProblem.UNKNOWN_ACCOUNT),
    ],
)
def test_events_of_accounts_the_portal_does_not_read_are_parked_and_no_call_is_made_there(
    aws: Sandbox, queue: str, owner: str, region: str, problem: EventProblem
) -> None:
    AwsAccount.objects.filter(account_id=DEVELOPMENT).update(is_enabled=False)
    say(queue, f"arn:aws:sagemaker:{region}:{owner}:model-package/theirs/1", resource="x")
    before = described(aws)
    assert registry_events.read_events() == 1
    assert described(aws) == before
    assert ParkedEvent.objects.get().problem == problem


@pytest.mark.parametrize(
    "body",
    ["{not json", "[" * 50_000, '{"detail": {}}\x00\ud800 end', "\U0001f4a3" * 64_000, ""],
    ids=["words", "deep", "nul", "long", "empty"],
)
def test_every_byte_of_a_poison_message_is_kept(place: Place, body: str) -> None:
    event = events.read_message({"MessageId": "m-1", "Body": body, "Attributes": {"ApproximateReceiveCount": "2"}})
    parked = parked_events.park(account(), event, Trouble(EventProblem.UNREADABLE, "no\x00sense", final=True))
    parked.refresh_from_db()
    assert parked.original == body
    assert "\x00" not in parked.text
    assert (parked.error, parked.attempts) == ("no\ufffdsense", 2)
    parked_events.park(account(), event, Trouble(EventProblem.UNREADABLE, "again", final=True))
    parked.refresh_from_db()
    assert (ParkedEvent.objects.count(), parked.attempts) == (1, 3)
    told = AuditEvent.objects.of_object("registry_parkedevent", parked.pk).last()
    assert told.changes["body"] == "(not copied)"


def test_dismissing_takes_a_reason_and_removes_nothing(place: Place) -> None:
    admin = place.people.admin.actor
    event = events.read_message({"MessageId": "m-1", "Body": "{not json"})
    trouble = Trouble(EventProblem.UNREADABLE, "unreadable", final=True)
    parked = parked_events.park(account(), event, trouble)
    with pytest.raises(InvalidInput) as refusal:
        parked_events.dismiss(actor=admin, event_id=parked.pk, reason=" ")
    assert "reason" in refusal.value.errors
    done = parked_events.dismiss(actor=admin, event_id=parked.pk, reason="A test message.")
    assert (done.state, done.note, done.settled_by) == ("dismissed", "A test message.", place.people.admin)
    assert not Finding.objects.standing().filter(kind="event_unreadable").exists()
    with pytest.raises(WrongState):
        parked_events.dismiss(actor=admin, event_id=parked.pk, reason="Again.")
    assert parked_events.park(account(), event, trouble).state == "dismissed", "the queue does not undo what was said"
    with undone(), refused("history_kept"):
        sql("DELETE FROM registry_parkedevent")
    with undone(), refused("parked_event_pinned"):
        sql("UPDATE registry_parkedevent SET body = 'x'")
    with undone(), refused("parked_event_moves"):
        sql("UPDATE registry_parkedevent SET state = 'parked', settled_at = NULL, settled_by_id = NULL, note = ''")
    with undone(), refused("parked_event_settled"):
        sql("UPDATE registry_parkedevent SET note = ''")


def test_dead_letters_are_taken_in_or_parked_where_they_lie(aws: Sandbox, queue: str, place: Place) -> None:
    dead = events.dead_letter_url(hub(), queue)
    arn = aws_story.register(aws_story.new_group())
    hub().sqs.purge_queue(QueueUrl=queue)
    say(dead, arn)
    hub().sqs.send_message(QueueUrl=dead, MessageBody="{not json")
    registry_events.read_events()
    assert health_of(account()).dead_letters == 2
    asked = parked_events.request_redrive(actor=place.people.admin.actor, account_id=HUB)
    tally = registry_events.take_in_dead_letters(account_id=asked.account_id)
    assert (tally.received, tally.taken_in, tally.parked) == (2, 1, 1)
    assert aws_story.known(arn).status == "pending"
    assert health_of(account()).dead_letters == 0
    with pytest.raises(Forbidden):
        parked_events.request_redrive(actor=place.people.auditor.actor, account_id=HUB)


def test_a_queue_that_cannot_be_read_or_measured_says_so_and_recovers(aws: Sandbox, queue: str) -> None:
    aws.fault(service="sqs", operation="GetQueueAttributes", error="AccessDeniedException", times=None)
    arn = aws_story.register(aws_story.new_group())
    assert registry_events.read_events() == 1
    assert aws_story.known(arn).status == "pending"
    health = health_of(account())
    assert (health.waiting, health.is_read) == (None, True)
    assert "GetQueueAttributes" in health.measure_error
    aws.fault(service="sqs", operation="ReceiveMessage", error="AccessDeniedException", times=None)
    registry_events.read_events()
    registry_events.read_events()
    health = health_of(account())
    assert (health.failures, health.is_read) == (2, False)
    assert "ReceiveMessage" in health.error
    assert health.failing_since is not None
    aws.forget()
    registry_events.read_events()
    health = health_of(account())
    assert (health.failures, health.failing_since, health.error, health.is_read) == (0, None, "", True)


def test_a_heartbeat_leaves_no_trace_in_the_trail(aws: Sandbox, queue: str) -> None:
    registry_events.read_events()
    entries = AuditEvent.objects.count()
    hub().sqs.send_message(
        QueueUrl=queue, MessageBody=json.dumps({"source": "other", "detail-type": "x", "detail": {}})
    )
    assert registry_events.read_events() == 1
    assert EventQueueHealth.objects.get(account__account_id=HUB).other == 1
    assert AuditEvent.objects.count() == entries


def test_nobody_but_a_person_is_named_for_what_the_system_replays(place: Place) -> None:
    other = {"source": "other", "detail-type": "x", "detail": {}}
    event = events.read_message({"MessageId": uuid.uuid4().hex, "Body": json.dumps(other)})
    parked = parked_events.park(account(), event, Trouble(EventProblem.NOT_RECORDED, "once"))
    done = parked_events.replay(actor=Actor.system("test"), event_id=parked.pk)
    assert (done.state, done.settled_by) == ("replayed", None)
