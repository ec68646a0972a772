"""A pass over what AWS holds beside the registry: what it says of itself when it goes well, badly, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from governance.services import reading_turns, readings
from governance.services.readings import Reading, Tally
from portal.celery import app
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound
from registry.aws.errors import AwsDenied
from registry.aws.session import AwsSession, Counters
from registry.choices import READING_KINDS, REGISTRY_PASSES, SyncKind, SyncState
from registry.models import AwsAccount, SyncRun
from registry.sync import runs

from .conftest import Place

pytestmark = pytest.mark.django_db
HUB = "111111111111"
Read = Callable[[Actor, AwsAccount, AwsSession, Tally], None]


def read(monkeypatch: pytest.MonkeyPatch, step: Read) -> SyncRun:
    monkeypatch.setattr(readings, "READINGS", {SyncKind.CARDS: Reading(step)})
    [run] = readings.read_account(account_id=HUB, kind=SyncKind.CARDS, requested_by="test")
    run.refresh_from_db()
    return run


def test_what_was_taken_in_is_counted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
        tally.created, tally.updated, tally.unchanged, tally.missing = 1, 2, 3, 4

    run = read(monkeypatch, step)
    assert (run.state, run.kind, run.error) == (SyncState.SUCCEEDED, SyncKind.CARDS, "")
    assert (run.created, run.updated, run.unchanged, run.missing) == (1, 2, 3, 4)
    assert run.finished_at is not None


def test_what_aws_refuses_is_said_in_its_words(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
        tally.created = 1
        raise AwsDenied(
            service="sagemaker", operation="ListModelCards", account_id=HUB, code="AccessDenied", message="not allowed"
        )

    run = read(monkeypatch, step)
    assert (run.state, run.created) == (SyncState.FAILED, 1)
    assert "not allowed" in run.error


def test_an_answer_nobody_expected_fails_the_pass_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
        raise KeyError("ModelCardName")

    run = read(monkeypatch, step)
    assert run.state == SyncState.FAILED
    assert "KeyError" in run.error


def test_many_problems_are_told_once_each_and_counted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
        tally.problems += ["The same."] * 2 + [f"Problem {number}." for number in range(30)]

    run = read(monkeypatch, step)
    assert run.state == SyncState.FAILED
    assert run.error.count("The same.") == 1
    assert run.error.endswith("And 11 more.")


def test_a_killed_pass_is_said_to_have_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    account = AwsAccount.objects.get(account_id=HUB)
    left = SyncRun.objects.create(account=account, region="us-east-1", kind=SyncKind.CARDS, requested_by="test")
    read(monkeypatch, lambda actor, account, session, tally: None)
    left.refresh_from_db()
    assert (left.state, left.error) == (SyncState.FAILED, runs.ENDED)


def test_a_pass_under_way_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "READINGS", {SyncKind.CARDS: Reading(lambda actor, account, session, tally: None)})
    monkeypatch.setattr(readings, "advisory_lock", lambda name: nullcontext(False))
    assert readings.read_account(account_id=HUB, kind=SyncKind.CARDS, requested_by="test") == []


def test_an_account_nobody_enabled_is_not_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    AwsAccount.objects.filter(account_id=HUB).update(is_enabled=False)
    with pytest.raises(InvalidInput):
        read(monkeypatch, lambda actor, account, session, tally: None)


def test_a_registry_pass_leaves_other_kinds_alone(place: Place) -> None:
    account = AwsAccount.objects.get(account_id=HUB)
    others = [
        SyncRun.objects.create(account=account, region="us-east-1", kind=kind, requested_by="test")
        for kind in (*READING_KINDS, SyncKind.SHARES)
    ]
    own = SyncRun.objects.create(account=account, region="us-east-1", kind=SyncKind.FULL, requested_by="test")
    begun = runs.begin(account, "us-east-1", SyncKind.FULL, "test", Counters())
    assert begun.run.pk == own.pk
    assert {SyncRun.objects.get(pk=run.pk).state for run in others} == {SyncState.RUNNING}


def test_every_kind_is_one_or_the_other() -> None:
    assert {*READING_KINDS, *REGISTRY_PASSES, SyncKind.SHARES} == set(SyncKind)
    assert set(readings.READINGS) <= set(READING_KINDS)


def in_turn(region: str = "us-east-1", asked_at: datetime | None = None) -> float | None:
    return readings.read_in_turn(
        account_id=HUB,
        region=region,
        kind=SyncKind.CARDS,
        requested_by="test",
        asked_at=asked_at or timezone.now(),
    )


@pytest.fixture
def passes(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The regions that were read."""
    read: list[str] = []
    step = lambda actor, account, session, tally: read.append(session.account.region)  # noqa: E731 - one line
    monkeypatch.setattr(readings, "READINGS", {SyncKind.CARDS: Reading(step)})
    return read


def test_what_was_asked_for_twice_is_read_once(passes: list[str]) -> None:
    asked_at = timezone.now()
    assert in_turn(asked_at=asked_at) is None
    assert in_turn(asked_at=asked_at) is None
    assert passes == ["us-east-1"]
    assert in_turn() is None
    assert len(passes) == 2


def test_a_region_or_account_that_is_gone_is_not_read(passes: list[str]) -> None:
    assert in_turn("eu-west-3") is None
    AwsAccount.objects.filter(account_id=HUB).update(is_enabled=False)
    assert in_turn() is None
    assert (passes, SyncRun.objects.filter(kind=SyncKind.CARDS).count()) == ([], 0)


def test_without_a_place_it_is_asked_again(passes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_turns, "advisory_lock", lambda name: nullcontext(False))
    assert in_turn() == 0.0
    assert passes == []
    assert [reading_turns.seconds_to_wait(attempt) for attempt in (1, 3, 9, 10_000)] == [2, 8, 30, 30]


def test_an_account_that_took_long_leaves_its_turn_to_others(passes: list[str]) -> None:
    now, account = timezone.now(), AwsAccount.objects.get(account_id=HUB)
    slow = SyncRun.objects.create(
        account=account, region="us-east-1", kind=SyncKind.LINEAGE, requested_by="test", state=SyncState.FAILED
    )
    SyncRun.objects.filter(pk=slow.pk).update(started_at=now - timedelta(seconds=120), finished_at=now)
    assert 235 < (in_turn() or 0) <= 240
    assert passes == []
    SyncRun.objects.filter(pk=slow.pk).update(
        started_at=now - timedelta(seconds=400), finished_at=now - timedelta(seconds=241)
    )
    assert in_turn() is not None
    SyncRun.objects.filter(pk=slow.pk).update(finished_at=now - timedelta(seconds=395))
    assert in_turn() is None
    assert passes == ["us-east-1"]


def test_a_pass_that_takes_too_long_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
        tally.created = 3
        raise SoftTimeLimitExceeded

    run = read(monkeypatch, step)
    assert (run.state, run.error, run.created) == (SyncState.FAILED, readings.TOO_LONG, 3)
    assert run.finished_at is not None


@pytest.mark.parametrize("failure", [NotFound("There is none."), OSError("broken pipe"), RecursionError("deep\0er")])
def test_nothing_a_pass_meets_leaves_it_running(
    place: Place, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def step(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
        raise failure

    run = read(monkeypatch, step)
    assert run.state == SyncState.FAILED
    assert type(failure).__name__ in run.error


def test_an_account_that_cannot_be_reached_fails_the_pass_in_words(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    AwsAccount.objects.filter(account_id=HUB).update(role_arn="arn:aws:iam::999999999999:role/portal")
    run = read(monkeypatch, lambda actor, account, session, tally: None)
    assert run.state == SyncState.FAILED
    assert "is not a role of account" in run.error


def test_readings_wait_in_a_queue_of_their_own() -> None:
    """Of one exchange and key, both queues would be given every message."""
    queues = {name: app.amqp.router.route({}, name)["queue"] for name in (readings.READ, "governance.deliver_outbox")}
    assert [(queue.name, queue.exchange.name, queue.routing_key) for queue in queues.values()] == [
        ("readings",) * 3,
        ("celery",) * 3,
    ]
    assert set(app.amqp.queues.consume_from) == {"readings", "celery"}
