"""A pass over what AWS holds beside the registry: what it says of itself when it goes well, badly, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest

from governance.services import readings
from governance.services.readings import Reading, Tally
from portal.core.actors import Actor
from portal.core.errors import InvalidInput
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
