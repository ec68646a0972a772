"""The outbox against the sandbox AWS: in order, retried, given up loudly, done again without doing it twice."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from governance.choices import FindingKind, OutboxKind, OutboxState
from governance.models import ApprovalRequest, Finding, OutboxMessage
from governance.services import delivery, outbox
from governance.services.carriers import CARRIERS, Carrier
from portal.core.errors import Forbidden, NotFound, WrongState
from portal.core.locks import _key
from portal.core.vocabulary import Stage
from registry.aws import sagemaker
from registry.models import AwsAccount, ModelVersion
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.committed import database_url
from tests.factories import Cast, at_stage, group, person, version
from tests.factories.walk import approve_once
from tests.sandbox import Sandbox

from .conftest import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore not wait between its own retries."""
    monkeypatch.setattr("botocore.retryhandler.delay_exponential", lambda *a, **k: 0, raising=False)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *a, **k: 0)


@pytest.fixture
def made(aws: Sandbox, place: Place) -> ModelVersion:
    return aws_story.claimed(place.people, place.project)


def approve(people: Cast, subject: ModelVersion) -> ApprovalRequest:
    return approve_once(people, subject)


def messages(subject: ModelVersion) -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(version=subject).order_by("pk"))


def due_now() -> None:
    OutboxMessage.objects.pending().update(next_attempt_at=timezone.now())


def updates(aws: Sandbox, subject: ModelVersion) -> list[dict[str, Any]]:
    """Every UpdateModelPackage that was performed on this version."""
    return [
        call
        for call in aws.calls(service="sagemaker", operation="UpdateModelPackage")
        if call["performed"] and call["parameters"]["ModelPackageArn"] == subject.arn
    ]


def orders(aws: Sandbox) -> list[dict[str, Any]]:
    return [call for call in aws.calls(service="events", operation="PutEvents") if call["performed"]]


def test_a_decision_reaches_sagemaker_and_then_orders_the_deployment(
    aws: Sandbox, made: ModelVersion, people: Cast
) -> None:
    request = approve(people, made)
    assert [m.state for m in messages(made)] == ["pending", "pending"]
    aws.forget()
    assert delivery.deliver_due() == 2
    described = sagemaker.describe_version(aws_story.session(HUB), made.arn)
    assert described.approval_status == "Approved"
    assert request.public_id in described.approval_description
    assert people.owner.username in described.approval_description
    assert described.life_cycle is not None
    assert (described.life_cycle.stage, described.life_cycle.status) == ("Development", "Approved")
    written = [
        (call["service"], call["operation"])
        for call in aws.calls()
        if call["operation"] in ("UpdateModelPackage", "PutEvents") and call["performed"]
    ]
    assert written == [("sagemaker", "UpdateModelPackage"), ("events", "PutEvents")]
    assert [(m.state, m.attempts, m.last_error) for m in messages(made)] == [("delivered", 1, "")] * 2
    assert all(m.delivered_at for m in messages(made))
    assert delivery.deliver_due() == 0


def test_the_clients_token_is_the_messages(aws: Sandbox, made: ModelVersion, people: Cast) -> None:
    approve(people, made)
    delivery.deliver_due()
    (call,) = updates(aws, made)
    assert call["client_token"] == str(messages(made)[0].token)


def test_every_stage_is_written_back_in_order(aws: Sandbox, made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION)
    delivery.deliver_due()
    said = [call["parameters"]["ModelLifeCycle"]["Stage"] for call in updates(aws, made)]
    assert said == ["Development", "QA", "PreProduction"]
    assert {m.state for m in messages(made)} == {"delivered"}


def test_throttling_is_waited_out_and_nothing_overtakes(
    aws: Sandbox, made: ModelVersion, people: Cast, impatient: None
) -> None:
    approve(people, made)
    aws.fault(service="sagemaker", operation="UpdateModelPackage", error="ThrottlingException", times=None)
    assert delivery.deliver_due() == 0
    first, second = messages(made)
    assert (first.state, first.attempts, second.attempts) == ("pending", 1, 0)
    assert "ThrottlingException" in first.last_error
    wait = first.next_attempt_at - timezone.now()
    assert timedelta(seconds=1) < wait < timedelta(seconds=3)
    assert delivery.deliver_due() == 0, "not before its time"
    assert messages(made)[0].attempts == 1
    due_now()
    assert delivery.deliver_due() == 0
    assert messages(made)[0].next_attempt_at - timezone.now() > wait * 1.2, "each time it waits longer"
    assert orders(aws) == []

    aws.forget()
    due_now()
    assert delivery.deliver_due() == 2
    assert [(m.state, m.last_error) for m in messages(made)] == [("delivered", "")] * 2
    assert len(updates(aws, made)) == 1
    assert not Finding.objects.filter(version=made, kind=FindingKind.WRITE_BACK_FAILED).exists()


def test_an_aws_that_does_not_answer_loses_nothing(
    aws: Sandbox, made: ModelVersion, people: Cast, impatient: None
) -> None:
    approve(people, made)
    aws.fault(service="sagemaker", error="drop", times=None)
    assert delivery.deliver_due() == 0
    assert messages(made)[0].state == OutboxState.PENDING
    aws.forget()
    due_now()
    assert delivery.deliver_due() == 2


def give_up(aws: Sandbox, subject: ModelVersion, people: Cast) -> OutboxMessage:
    approve(people, subject)
    aws.fault(service="sagemaker", operation="UpdateModelPackage", error="AccessDeniedException", times=None)
    assert delivery.deliver_due() == 0
    return messages(subject)[0]


def test_what_cannot_succeed_is_given_up_and_said(aws: Sandbox, made: ModelVersion, people: Cast, place: Place) -> None:
    failed = give_up(aws, made, people)
    assert (failed.state, failed.attempts) == ("failed", 1)
    found = Finding.objects.standing().get(version=made, kind=FindingKind.WRITE_BACK_FAILED)
    assert found.severity == "serious"
    assert found.evidence["outbox_message"] == failed.pk
    assert "AccessDenied" in found.summary
    # The deployment waits for ever behind it, however often the worker comes round.
    due_now()
    assert delivery.deliver_due() == 0
    assert messages(made)[1].state == OutboxState.PENDING
    assert orders(aws) == []
    # Others do not wait.
    aws.forget()
    other = aws_story.claimed(people, place.project)
    approve(people, other)
    assert delivery.deliver_due() == 2
    assert messages(made)[0].state == OutboxState.FAILED


def test_after_a_retry_by_hand_everything_follows(aws: Sandbox, made: ModelVersion, people: Cast) -> None:
    failed = give_up(aws, made, people)
    aws.forget()
    for nobody in (people.scientist, people.owner, people.officer, people.auditor):
        with pytest.raises(Forbidden):
            outbox.retry(actor=nobody.actor, message_id=failed.pk)
    with pytest.raises(NotFound):
        outbox.retry(actor=people.stranger.actor, message_id=failed.pk)
    assert outbox.retry(actor=people.engineer.actor, message_id=failed.pk).state == OutboxState.PENDING
    assert delivery.deliver_due() == 2
    found = Finding.objects.get(version=made, kind=FindingKind.WRITE_BACK_FAILED)
    assert (found.state, found.closing_note) == ("resolved", "It was carried out.")
    with pytest.raises(WrongState):
        outbox.retry(actor=people.admin.actor, message_id=failed.pk)


def test_after_the_last_attempt_it_is_given_up(aws: Sandbox, made: ModelVersion, people: Cast, impatient: None) -> None:
    approve(people, made)
    first = messages(made)[0]
    OutboxMessage.objects.filter(pk=first.pk).update(attempts=delivery.MOST_ATTEMPTS - 1)
    aws.fault(service="sagemaker", error="ThrottlingException", times=None)
    delivery.deliver_due()
    first.refresh_from_db()
    assert (first.state, first.attempts) == ("failed", delivery.MOST_ATTEMPTS)
    assert "given up after 12 attempts" in Finding.objects.get(version=made, kind="write_back_failed").summary


def test_another_message_of_the_version_does_not_hide_the_failure(
    aws: Sandbox, made: ModelVersion, people: Cast
) -> None:
    give_up(aws, made, people)
    other = outbox.put(
        kind=OutboxKind.ARTIFACT_COPY,
        ordering_key=f"artifact:{made.arn}",
        version=made,
        summary="copy",
        payload={},
    )
    delivery._clear_finding(other)
    assert Finding.objects.standing().filter(version=made, kind=FindingKind.WRITE_BACK_FAILED).exists()


# --- once and not twice


def test_killed_between_the_call_and_the_mark_it_is_not_done_twice(
    aws: Sandbox, made: ModelVersion, people: Cast
) -> None:
    approve(people, made)
    assert delivery.deliver_due() == 2
    # What a killed worker leaves: AWS did it, the portal does not know.
    OutboxMessage.objects.filter(pk=messages(made)[0].pk).update(state=OutboxState.PENDING, delivered_at=None)
    due_now()
    assert delivery.deliver_due() == 1
    assert len(updates(aws, made)) == 1


@pytest.mark.parametrize("error", ["drop", "InternalFailure"])
def test_an_answer_that_got_lost_changes_the_version_once(
    aws: Sandbox, made: ModelVersion, people: Cast, impatient: None, error: str
) -> None:
    approve(people, made)
    before = sagemaker.describe_version(aws_story.session(HUB), made.arn)
    aws.fault(service="sagemaker", operation="UpdateModelPackage", error=error, after=True, times=None)
    assert delivery.deliver_due() == 0
    after = sagemaker.describe_version(aws_story.session(HUB), made.arn)
    assert (before.approval_status, after.approval_status) == ("PendingManualApproval", "Approved")
    sent = updates(aws, made)
    assert {call["client_token"] for call in sent} == {str(messages(made)[0].token)}
    aws.forget()
    due_now()
    assert delivery.deliver_due() == 2
    assert updates(aws, made) == [], "AWS says already what would be written"
    again = sagemaker.describe_version(aws_story.session(HUB), made.arn)
    assert again.last_modified_at == after.last_modified_at


def test_two_workers_do_not_carry_out_the_same_message(aws: Sandbox, made: ModelVersion, people: Cast) -> None:
    """The lock is a session's: whoever finds it taken leaves the version alone."""
    approve(people, made)
    with psycopg.connect(database_url(), autocommit=True) as elsewhere:
        elsewhere.execute("SELECT pg_advisory_lock(%s)", [_key(f"outbox:{made.arn}")])
        assert delivery.deliver_due() == 0
        assert messages(made)[0].attempts == 0
        # Closing the connection would release it too, but the server takes its time to notice.
        elsewhere.execute("SELECT pg_advisory_unlock(%s)", [_key(f"outbox:{made.arn}")])
    assert delivery.deliver_due() == 2


# --- artifacts


def test_the_artifact_of_the_development_account_is_copied_into_the_hub(aws: Sandbox, place: Place) -> None:
    people = place.people
    ours, theirs = aws_story.unique("hub"), aws_story.unique("dev")
    AwsAccount.objects.filter(account_id=HUB).update(artifact_buckets=[ours])
    AwsAccount.objects.filter(account_id=DEVELOPMENT).update(artifact_buckets=[theirs])
    body = gzip.compress(b"model" * 1000)
    aws_story.session(HUB).s3.create_bucket(Bucket=ours)
    aws_story.session(DEVELOPMENT).s3.create_bucket(Bucket=theirs)
    aws_story.session(DEVELOPMENT).s3.put_object(Bucket=theirs, Key="runs/7/model.tar.gz", Body=body)

    arn = aws_story.new_group()
    aws_story.share(arn)
    registered = aws_story.register(arn, by=DEVELOPMENT, artifact=f"s3://{theirs}/runs/7/model.tar.gz")
    assert aws_story.synced().error == ""
    made = aws_story.known(registered)
    assert made.hub_artifact_url == ""
    assert delivery.deliver_due() == 1
    made.refresh_from_db()
    assert made.artifact_url == f"s3://{theirs}/runs/7/model.tar.gz"
    assert made.hub_artifact_url == f"s3://{ours}/{made.group.name}/1/model.tar.gz"
    assert len(made.hub_artifact_sha256) == 64
    copied = aws_story.session(HUB).s3.get_object(Bucket=ours, Key=f"{made.group.name}/1/model.tar.gz")
    assert copied["Body"].read() == body
    # What is ordered to run is the hub's copy.
    aws_story.claim(people, place.project, made.group)
    approve(people, made)
    order = OutboxMessage.objects.get(version=made, kind=OutboxKind.DEPLOYMENT_ORDER)
    assert order.payload["detail"]["artifactUrl"] == made.hub_artifact_url


def test_an_artifact_that_is_not_there_is_said(aws: Sandbox, place: Place) -> None:
    ours, theirs = aws_story.unique("hub"), aws_story.unique("dev")
    AwsAccount.objects.filter(account_id=HUB).update(artifact_buckets=[ours])
    AwsAccount.objects.filter(account_id=DEVELOPMENT).update(artifact_buckets=[theirs])
    for account_id, bucket in ((HUB, ours), (DEVELOPMENT, theirs)):
        aws_story.session(account_id).s3.create_bucket(Bucket=bucket)
    made = aws_story.claimed(place.people, place.project, artifact=f"s3://{theirs}/gone.tar.gz")
    assert delivery.deliver_due() == 0
    (copy,) = messages(made)
    assert copy.state == OutboxState.FAILED
    assert "gone.tar.gz" in copy.summary + copy.last_error
    assert Finding.objects.standing().filter(version=made, kind=FindingKind.WRITE_BACK_FAILED).exists()
    # A decision does not wait for it; what it deploys does.
    approve(place.people, made)
    assert delivery.deliver_due() == 1
    assert [m.state for m in messages(made)] == ["failed", "delivered", "pending"]
    assert "the copy of the artifact" in messages(made)[2].waiting_for


# --- many messages, without AWS


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    done: list[int] = []

    def carry(message: OutboxMessage) -> dict[str, Any]:
        if message.payload.get("poison"):
            raise RuntimeError("nobody thought of this")
        done.append(message.pk)
        return {}

    monkeypatch.setitem(CARRIERS, OutboxKind.WRITE_BACK, Carrier(carry))
    return done


def put(key: str, **payload: Any) -> OutboxMessage:
    return outbox.put(kind=OutboxKind.WRITE_BACK, ordering_key=key, payload=payload, summary="a message")


def test_messages_that_are_held_back_do_not_starve_the_others(carried: list[int], place: Place) -> None:
    blocker = put("blocked")
    OutboxMessage.objects.filter(pk=blocker.pk).update(state=OutboxState.FAILED)
    for _ in range(30):
        put("blocked")
    fresh = [put(f"free-{number}") for number in range(3)]
    assert delivery.deliver_due(limit=10) == 3
    assert carried == [message.pk for message in fresh]


def test_whatever_goes_wrong_the_message_is_kept(
    carried: list[int], place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    poison, behind, other = put("a", poison=True), put("a"), put("b")
    assert delivery.deliver_due() == 1
    assert carried == [other.pk]
    poison.refresh_from_db()
    assert (poison.state, poison.last_error) == ("pending", "RuntimeError: nobody thought of this")
    assert OutboxMessage.objects.get(pk=behind.pk).attempts == 0
    assert "nobody thought of this" in caplog.text


def test_the_wait_doubles_up_to_five_minutes() -> None:
    waits = [outbox.wait_before(attempt).total_seconds() for attempt in range(1, 15)]
    assert waits[:4] == [2, 4, 8, 16]
    assert max(waits) == 300
    assert waits == sorted(waits)


def test_a_version_nobody_sees_is_retried_by_nobody(place: Place, people: Cast) -> None:
    approve_once(people, version(group(place.project, people)))
    message = OutboxMessage.objects.latest("pk")
    with pytest.raises(NotFound):
        outbox.retry(actor=person().actor, message_id=message.pk)
    with pytest.raises(NotFound):
        outbox.retry(actor=people.engineer.actor, message_id=0)
    assert outbox.retry(actor=people.engineer.actor, message_id=message.pk).pk == message.pk
