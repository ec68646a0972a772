"""Writing a decision only onto what it was about: others' changes, later words, versions that are gone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import FindingKind, OutboxKind
from governance.models import Finding, OutboxMessage
from governance.services import delivery, outbox, reread
from governance.services.carriers import CARRIERS, Carrier, write_back
from governance.services.carriers.carrier import Hopeless, NotYet, TryAgain, remember
from governance.services.retirement import retire
from portal.core.errors import WrongState
from portal.core.vocabulary import Stage, Status
from registry.aws import sagemaker
from registry.aws.records import AccountRef
from registry.aws.session import AwsSession
from registry.models import ModelVersion
from tests import aws_story
from tests.aws_story import HUB
from tests.factories import Cast, at_stage
from tests.factories.walk import approve_once
from tests.sandbox import Sandbox

from .conftest import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(aws: Sandbox, place: Place) -> ModelVersion:
    return aws_story.claimed(place.people, place.project)


@pytest.fixture
def somebody(aws: Sandbox) -> AwsSession:
    """A person in the hub who is not the portal."""
    return AwsSession(AccountRef(HUB, "us-east-1", f"arn:aws:iam::{HUB}:role/Studio"))


def messages(subject: ModelVersion) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(version=subject).order_by("pk"))


def states(subject: ModelVersion) -> list[tuple[str, str]]:
    return [(message.kind, message.state) for message in messages(subject)]


def change(session: AwsSession, subject: ModelVersion, **what: Any) -> None:
    sagemaker.update_version(session, subject.arn, client_token=uuid.uuid4().hex, **what)


def said(subject: ModelVersion) -> str:
    return sagemaker.describe_version(aws_story.session(HUB), subject.arn).approval_status


def reject(people: Cast, subject: ModelVersion) -> None:
    subject.refresh_from_db()
    at_stage(people, subject, Stage(subject.stage), Status.REJECTED)


# --- what others changed


def test_the_version_says_at_once_what_was_written(made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    assert delivery.deliver_due() == 2
    described = sagemaker.describe_version(aws_story.session(HUB), made.arn)
    made.refresh_from_db()
    assert (made.aws_approval_status, made.aws_stage, made.aws_stage_status) == ("Approved", "Development", "Approved")
    assert made.aws_modified_at == described.last_modified_at
    assert messages(made)[0].note == ""


def test_a_change_outside_the_content_is_overwritten_and_noted(
    made: ModelVersion, people: Cast, somebody: AwsSession
) -> None:
    approve_once(people, made)
    change(somebody, made, approval_status="Rejected", approval_description="not like this")
    assert delivery.deliver_due() == 2
    assert said(made) == "Approved"
    note = messages(made)[0].note
    assert "Studio" in note
    assert "before this write it said Rejected" in note
    assert "Its content is what was decided on." in note


def test_the_portals_own_writes_are_no_foreign_change(made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    made.refresh_from_db()
    approve_once(people, made)
    assert delivery.deliver_due() == 4
    assert [message.note for message in messages(made)] == [""] * len(messages(made))


def test_approval_is_not_written_onto_a_content_nobody_approved(
    made: ModelVersion, people: Cast, somebody: AwsSession
) -> None:
    approve_once(people, made)
    change(somebody, made, metadata={"algorithm": "guesswork"})
    assert delivery.deliver_due() == 0
    failed = messages(made)[0]
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert "Have it approved anew" in failed.last_error
    assert "Studio" in failed.last_error
    assert said(made) == "PendingManualApproval"
    assert Finding.objects.standing().filter(version=made, kind=FindingKind.WRITE_BACK_FAILED).exists()
    # What was approved is outdated as soon as the version was read anew, which was asked for.
    reread.take_in_version(version_id=made.pk)
    made.refresh_from_db()
    assert made.metadata == {"algorithm": "guesswork", "validation_auc": "0.78"}
    assert Finding.objects.standing().filter(version=made, kind=FindingKind.CONTENT_CHANGED).exists()


def test_a_rejection_is_written_onto_any_content(made: ModelVersion, people: Cast, somebody: AwsSession) -> None:
    reject(people, made)
    change(somebody, made, approval_status="Approved", metadata={"algorithm": "guesswork"})
    assert delivery.deliver_due() == 1
    assert said(made) == "Rejected"
    assert "Its content moved, too." in messages(made)[0].note


def test_a_version_that_is_gone_is_given_up(made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    aws_story.session(HUB).sagemaker.delete_model_package(ModelPackageName=made.arn)
    assert delivery.deliver_due() == 0
    assert (messages(made)[0].state, messages(made)[0].attempts) == ("failed", 1)
    assert "gone from AWS" in messages(made)[0].last_error
    reread.take_in_version(version_id=made.pk)
    made.refresh_from_db()
    assert made.missing_since is None, "one read may be late; a complete pass tells"
    assert aws_story.synced().error == ""
    made.refresh_from_db()
    assert made.missing_since is not None


def test_another_version_under_the_same_arn_is_left_alone(made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    message = messages(made)[0]
    message.payload["expected"]["created_at"] = (made.aws_created_at - timedelta(days=1)).isoformat()
    message.save(update_fields=["payload"])
    assert delivery.deliver_due() == 0
    assert "another version under this ARN" in messages(made)[0].last_error
    assert said(made) == "PendingManualApproval"


def test_what_a_read_does_not_show_yet_counts_as_written(
    made: ModelVersion, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve_once(people, made)
    old = sagemaker.describe_version(aws_story.session(HUB), made.arn)
    monkeypatch.setattr(sagemaker, "describe_version", lambda *args: old)
    assert delivery.deliver_due() == 2
    made.refresh_from_db()
    assert (made.aws_approval_status, made.aws_stage_status) == ("Approved", "Approved")


# --- later words


def test_a_rejection_overtakes_an_approval_that_does_not_get_through(
    aws: Sandbox, made: ModelVersion, people: Cast
) -> None:
    approve_once(people, made)
    aws.fault(service="sagemaker", operation="UpdateModelPackage", error="AccessDeniedException", times=1)
    assert delivery.deliver_due() == 0
    assert Finding.objects.standing().filter(version=made, kind=FindingKind.WRITE_BACK_FAILED).exists()
    reject(people, made)
    aws.forget()
    assert delivery.deliver_due() == 1
    assert states(made) == [
        ("write_back", "superseded"),
        ("deployment_order", "superseded"),
        ("write_back", "delivered"),
    ]
    approval, order, rejection = messages(made)
    assert approval.superseded_by == order.superseded_by == rejection
    assert "was decided later and took its place" in order.note
    assert [call["parameters"]["ModelApprovalStatus"] for call in aws.calls(operation="UpdateModelPackage")] == [
        "Rejected"
    ]
    assert aws.calls(service="events", operation="PutEvents") == []
    assert not Finding.objects.standing().filter(version=made, kind=FindingKind.WRITE_BACK_FAILED).exists()
    with pytest.raises(WrongState, match="later word"):
        outbox.retry(actor=people.engineer.actor, message_id=approval.pk)


def test_a_retirement_supersedes_what_was_never_sent(aws: Sandbox, made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    retire(actor=people.officer.actor, subject_type=ModelVersion, subject_id=made.pk, reason="not needed any more")
    assert delivery.deliver_due() == 1
    assert states(made)[0] == ("write_back", "superseded")
    assert said(made) == "Rejected"


def test_a_word_decided_while_another_is_prepared_stops_it(
    made: ModelVersion, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the write somebody rejects."""
    approve_once(people, made)
    original, done = write_back._foreign_change, []

    def meanwhile(message: OutboxMessage, record: Any) -> str:
        if not done:
            done.append(True)
            reject(people, made)
        return original(message, record)

    monkeypatch.setattr(write_back, "_foreign_change", meanwhile)
    assert delivery.deliver_due() == 1
    assert [state for _, state in states(made)] == ["superseded", "superseded", "delivered"]
    assert messages(made)[0].attempts == 0
    assert said(made) == "Rejected"


def test_a_write_in_doubt_is_waited_for_before_the_word_that_supersedes_it(made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    approval = messages(made)[0]
    OutboxMessage.objects.filter(pk=approval.pk).update(attempts=1, started_at=timezone.now(), in_doubt=True)
    reject(people, made)
    assert delivery.deliver_due() == 0
    approval.refresh_from_db()
    assert approval.state == "pending"
    assert "may still arrive" in approval.waiting_for
    assert delivery.deliver_due() == 0, "and every sweep looks again"
    # It never arrived, and now it cannot any more.
    OutboxMessage.objects.filter(pk=approval.pk).update(started_at=timezone.now() - timedelta(minutes=3))
    assert delivery.deliver_due() == 1
    assert [state for _, state in states(made)] == ["superseded", "superseded", "delivered"]


def test_a_write_in_doubt_that_arrived_was_delivered(aws: Sandbox, made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    assert delivery.deliver_due() == 2
    OutboxMessage.objects.filter(pk=messages(made)[0].pk).update(
        state="pending", delivered_at=None, started_at=timezone.now(), in_doubt=True
    )
    reject(people, made)
    assert delivery.deliver_due() == 1
    assert [state for _, state in states(made)] == ["delivered", "delivered", "delivered"]
    assert "had arrived" in messages(made)[0].note
    assert said(made) == "Rejected"


# --- other outcomes of an attempt


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the next attempts of a write-back end with."""
    ends: list[Any] = []

    def carry(message: OutboxMessage) -> dict[str, Any]:
        end = ends.pop(0)
        if callable(end):
            end = end(message)
        if isinstance(end, Exception):
            raise end
        return {"note": end}

    monkeypatch.setitem(CARRIERS, OutboxKind.WRITE_BACK, Carrier(carry, patience=timedelta(hours=1)))
    return ends


def put() -> OutboxMessage:
    return outbox.put(kind=OutboxKind.WRITE_BACK, ordering_key=uuid.uuid4().hex, payload={}, summary="a message")


def again(message: OutboxMessage, **change: Any) -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(next_attempt_at=timezone.now(), **change)
    delivery.deliver_due()
    message.refresh_from_db()


def test_waiting_is_no_attempt_and_ends_with_patience(outcomes: list[Any], place: Place) -> None:
    outcomes += [TryAgain("busy"), NotYet("the pipeline", seconds=30), NotYet("the pipeline", seconds=30)]
    message = put()
    again(message)
    assert (message.state, message.attempts, message.last_error) == ("pending", 1, "busy")
    again(message)
    assert (message.attempts, message.last_error, message.waiting_for) == (0, "", "the pipeline")
    assert timedelta(seconds=25) < message.next_attempt_at - timezone.now() <= timedelta(seconds=30)
    assert message.waiting_since is not None
    again(message, waiting_since=timezone.now() - timedelta(hours=2))
    assert message.state == "failed"
    assert "in vain for: the pipeline" in message.last_error


def test_progress_outlives_an_attempt(outcomes: list[Any], place: Place) -> None:
    def one_part(message: OutboxMessage) -> Exception | str:
        parts = message.progress.get("parts", 0) + 1
        remember(message, parts=parts)
        return NotYet("the next part", seconds=0) if parts < 3 else f"{parts} parts"

    outcomes += [one_part, one_part, one_part]
    message = put()
    for _ in range(3):
        again(message)
    assert (message.state, message.note, message.progress) == ("delivered", "3 parts", {"parts": 3})
    assert (message.waiting_for, message.waiting_since) == ("", None)


def test_what_is_hopeless_is_not_repeated(outcomes: list[Any], place: Place) -> None:
    outcomes.append(Hopeless("nothing can help"))
    message = put()
    again(message)
    assert (message.state, message.attempts, message.last_error) == ("failed", 1, "nothing can help")


def test_what_cannot_be_written_down_is_kept(
    outcomes: list[Any], place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes += ["done", "done"]
    broken = CARRIERS[OutboxKind.WRITE_BACK]

    def refuse(message: OutboxMessage, result: dict[str, Any]) -> None:
        raise ValueError("no room")

    monkeypatch.setitem(CARRIERS, OutboxKind.WRITE_BACK, Carrier(broken.carry, refuse))
    message = put()
    again(message)
    assert (message.state, message.delivered_at) == ("pending", None)
    assert "not written down: ValueError: no room" in message.last_error
    monkeypatch.setitem(CARRIERS, OutboxKind.WRITE_BACK, broken)
    again(message)
    assert message.state == "delivered"
    assert "not written down" in caplog.text


def test_a_word_does_not_wait_for_an_order_that_waits(outcomes: list[Any], place: Place) -> None:
    outcomes.append("written")
    carrier = CARRIERS[OutboxKind.DEPLOYMENT_ORDER]
    key = uuid.uuid4().hex

    def carry(message: OutboxMessage) -> dict[str, Any]:
        raise NotYet("the pipeline", seconds=60)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CARRIERS, OutboxKind.DEPLOYMENT_ORDER, Carrier(carry, patience=carrier.patience))
        detail = {"detail": {"action": "deploy", "deploymentId": 7}}
        order = outbox.put(kind=OutboxKind.DEPLOYMENT_ORDER, ordering_key=key, payload=detail, summary="an order")
        approval = {"approval_status": "Approved"}
        word = outbox.put(kind=OutboxKind.WRITE_BACK, ordering_key=key, payload=approval, summary="a word")
        same = outbox.put(kind=OutboxKind.DEPLOYMENT_ORDER, ordering_key=key, payload=detail, summary="the same place")
        assert delivery.deliver_due() == 1
    for message in (order, word, same):
        message.refresh_from_db()
    assert (order.state, word.state, same.state) == ("pending", "delivered", "pending")
    assert (order.waiting_for, same.attempts, same.started_at) == ("the pipeline", 0, None)
