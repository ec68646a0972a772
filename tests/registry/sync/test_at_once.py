"""Several readers at once, each with a connection of its own; and one that loses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection

from governance.models import StageEvent, StageRecord
from governance.selectors.audit import verify
from governance.services import intake, sync
from portal.core.actors import Actor
from portal.core.locks import advisory_lock
from registry.models import AwsAccount, ModelVersion, SyncRun
from registry.services import accounts
from registry.services.versions import VersionChange
from registry.sync import run
from tests import aws_story
from tests.aws_story import HUB
from tests.factories.walk import all_accounts
from tests.governance.test_concurrency import at_once
from tests.sandbox import Sandbox


@pytest.fixture(autouse=True)
def alone(committed_db: str, aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.core.jobs._send", lambda *args, **kwargs: None)
    all_accounts()


def test_events_a_search_and_a_full_pass_meet_the_same_new_versions() -> None:
    aws_story.synced()
    group = aws_story.new_group()
    arns = [aws_story.register(group) for _ in range(4)]

    def hint(order: int) -> object:
        hub = AwsAccount.objects.get(account_id=HUB)
        return run.take_in_versions(
            actor=sync.ACTOR,
            account=hub,
            session=accounts.reach(hub),
            arns=arns[::order],
            listeners=sync.LISTENERS,
        )

    results = at_once(
        lambda: hint(1),
        lambda: hint(-1),
        lambda: sync.sync_account(account_id=HUB, requested_by="test"),
        lambda: sync.sync_changes(account_id=HUB),
    )
    assert not [one for one in results if isinstance(one, BaseException)], results
    for rows in (
        ModelVersion.objects.filter(arn__in=arns),
        StageRecord.objects.filter(version__arn__in=arns),
        StageEvent.objects.filter(version__arn__in=arns),
    ):
        assert rows.count() == len(arns)
    assert verify().is_intact


def test_a_pass_that_loses_its_connection_and_with_it_its_lock_does_not_go_on() -> None:
    """Django connects anew without a word, and another worker may hold the lock by then."""
    arn = aws_story.register(aws_story.new_group())
    later = aws_story.register(aws_story.new_group())

    def absorb(actor: Actor, changes: Sequence[VersionChange]) -> None:
        intake.absorb_versions(actor, changes)
        if any(change.version.arn == arn for change in changes):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    hub = AwsAccount.objects.get(account_id=HUB)
    listeners = replace(sync.LISTENERS, on_versions=absorb)
    with pytest.raises(DatabaseError):
        run.full_pass(actor=sync.ACTOR, account=hub, region="us-east-1", requested_by="test", listeners=listeners)
    assert not ModelVersion.objects.filter(arn__in=[arn, later]).exists()
    assert SyncRun.objects.get(account=hub).state == "running", "its row is the next one's"
    made = aws_story.synced()
    assert (made.state, made.resumed) == ("succeeded", 1)


def test_a_lock_is_held_no_longer_than_its_connection() -> None:
    with advisory_lock("of a connection") as held:
        assert held
        connection.close()
        connection.ensure_connection()
        assert not held
