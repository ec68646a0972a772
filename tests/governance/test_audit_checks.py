"""Checks of the trail that a worker carries out: asked for once, watched, repeated after a crash, kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import AuditCheckScope, AuditCheckState
from governance.models import AuditAnchor, AuditCheck, AuditEvent
from governance.selectors import audit, audit_trail
from governance.services import audit_checks, verification
from governance.tasks import check_audit_trail
from portal.core.errors import Forbidden, Unavailable
from portal.core.vocabulary import Role
from tests.factories import person
from tests.factories.people import SYSTEM
from tests.refusals import refused, sql

from .anchored import Anchored, owner
from .test_concurrency import at_once

Enqueued = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> Enqueued:
    """What was handed to workers."""
    found: Enqueued = []
    monkeypatch.setattr("portal.core.jobs._send", lambda name, kwargs, after: found.append((name, kwargs)))
    return found


def done(check: AuditCheck) -> AuditCheck:
    assert audit_checks.run(actor=SYSTEM, check_id=check.pk) is not None
    check.refresh_from_db()
    return check


def test_a_check_is_asked_for_carried_out_and_kept(anchored: Anchored, enqueued: Enqueued) -> None:
    auditor = person(Role.AUDITOR)
    check = audit_checks.request(actor=auditor.actor, scope=AuditCheckScope.ALL)
    assert (check.state, check.requested_by) == ("waiting", auditor)
    assert enqueued == [("governance.check_audit_trail", {"check_id": check.pk})]
    check_audit_trail(**enqueued[0][1])
    check.refresh_from_db()
    assert (check.state, check.problem, check.anchor, check.since) == ("sound", "", 3, None)
    assert check.started_at is not None
    assert check.finished_at is not None
    assert check.started_at <= check.finished_at
    assert check.rows == check.rows_to_check == AuditEvent.objects.filter(sequence__lte=check.verified_to).count()
    standing = audit_trail.standing(auditor.actor)
    assert (standing.last, standing.under_way, standing.is_late) == (check, None, False)
    anchored_to = AuditAnchor.objects.latest("number").last_sequence
    assert standing.unanchored == AuditEvent.objects.filter(sequence__gt=anchored_to).count()


def test_what_is_new_begins_behind_the_last_sound_check(anchored: Anchored, enqueued: Enqueued) -> None:
    first = done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.RECENT))
    assert (first.since, first.state) == (None, "sound"), "before there is a sound check everything is new"
    anchored.grow("five")
    anchored.anchored()
    second = done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.RECENT))
    assert (second.since, second.anchor, second.state) == (3, 4, "sound")
    assert second.rows < first.rows


def test_what_a_check_finds_is_written_down(anchored: Anchored, enqueued: Enqueued) -> None:
    row = anchored.chain()[1]
    with owner():
        sql("UPDATE governance_auditevent SET reason = 'x' WHERE sequence = %s", row.sequence)
    check = done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL))
    assert (check.state, check.first_bad_sequence) == ("broken", row.sequence)
    assert f"Row {row.sequence}" in check.problem
    assert audit_trail.last_sound_anchor() is None


def test_a_break_is_not_forgotten_over_what_is_new(anchored: Anchored, enqueued: Enqueued) -> None:
    """A sound end says nothing about the middle: only the whole trail, sound again, ends the alarm."""
    done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL))
    row = anchored.chain()[1]
    with owner():
        sql("UPDATE governance_auditevent SET reason = 'x' WHERE sequence = %s", row.sequence)
    assert done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.RECENT)).state == "sound"
    found = done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL))
    again = done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.RECENT))
    assert (again.state, again.since) == ("broken", None), "while it is broken, what is new is everything"
    assert audit_trail.standing(SYSTEM).broken == found
    with owner():
        sql("UPDATE governance_auditevent SET reason = %s WHERE sequence = %s", row.reason, row.sequence)
    assert done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL)).state == "sound"
    assert audit_trail.standing(SYSTEM).broken is None


@pytest.mark.parametrize("broken", [Unavailable("The storage does not answer."), None])
def test_a_check_that_cannot_be_done_says_so(
    anchored: Anchored, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch, broken: Exception | None
) -> None:
    def fails(**_: object) -> None:
        if broken:
            raise broken
        sql("SELECT 1 / 0")

    check = audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL)
    with monkeypatch.context() as patched:
        patched.setattr(verification, "verify", fails)
        assert done(check).state == AuditCheckState.FAILED
    assert ("storage" if broken else "division by zero") in check.problem
    again = done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL))
    assert (again.pk, again.state) != (check.pk, check.state)


def test_asking_twice_is_asking_once(anchored: Anchored, enqueued: Enqueued) -> None:
    results = at_once(*[lambda: audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL)] * 4)
    assert len({check.pk for check in results if isinstance(check, AuditCheck)}) == 1, results
    assert AuditCheck.objects.count() == 1
    assert len(enqueued) == 4, "the first worker may be lost"
    assert audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.RECENT).pk != AuditCheck.objects.earliest("pk").pk


def test_two_workers_carry_a_check_out_once(anchored: Anchored, enqueued: Enqueued) -> None:
    check = audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL)
    calls: list[Callable[[], object]] = [lambda: audit_checks.run(actor=SYSTEM, check_id=check.pk)] * 3
    assert sum(result is not None for result in at_once(*calls)) == 1
    assert audit_checks.run(actor=SYSTEM, check_id=check.pk) is None, "it is done"
    assert audit_checks.run(actor=SYSTEM, check_id=10**15) is None


def test_a_check_whose_worker_died_is_begun_anew(
    anchored: Anchored, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(**_: object) -> None:
        raise Killed

    check = audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL)
    with monkeypatch.context() as patched:
        patched.setattr(verification, "verify", killed)
        with pytest.raises(Killed):
            audit_checks.run(actor=SYSTEM, check_id=check.pk)
    check.refresh_from_db()
    assert check.state == AuditCheckState.RUNNING
    assert audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL).pk == check.pk
    assert done(check).state == AuditCheckState.SOUND


def test_how_far_it_has_come_is_seen_and_not_audited(
    anchored: Anchored, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BATCH", 100)
    monkeypatch.setattr(audit_checks, "_PROGRESS_SECONDS", 0.0)
    seen: list[int] = []
    call = audit_checks._Progress.__call__

    def watched(self: Any, rows: int) -> None:
        call(self, rows)
        seen.append(AuditCheck.objects.get(pk=self.check.pk).rows)

    monkeypatch.setattr(audit_checks._Progress, "__call__", watched)
    check = done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL))
    assert seen == sorted(seen)
    assert seen[0] < seen[-1] == check.rows
    trail = AuditEvent.objects.filter(table="governance_auditcheck", object_id=str(check.pk))
    assert [row.action for row in trail.order_by("sequence")] == ["insert", "update", "update"]


def test_nobody_takes_it_up(anchored: Anchored, enqueued: Enqueued, monkeypatch: pytest.MonkeyPatch) -> None:
    check = audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL)
    assert not audit_trail.standing(SYSTEM).is_late
    later = timezone.now() + timedelta(minutes=2)
    monkeypatch.setattr("governance.selectors.audit_trail.timezone.now", lambda: later)
    standing = audit_trail.standing(SYSTEM)
    assert (standing.under_way, standing.is_late) == (check, True)


def test_the_schedule_asks_for_the_whole_trail(anchored: Anchored, enqueued: Enqueued) -> None:
    check_audit_trail()
    [(name, kwargs)] = enqueued
    check = AuditCheck.objects.get(pk=kwargs["check_id"])
    assert (name, check.scope, check.requested_by) == ("governance.check_audit_trail", "all", None)


def test_only_who_may_read_the_trail_asks(anchored: Anchored, enqueued: Enqueued) -> None:
    for actor in (person().actor, person(Role.ML_ENGINEER).actor):
        with pytest.raises(Forbidden):
            audit_checks.request(actor=actor, scope=AuditCheckScope.ALL)
        with pytest.raises(Forbidden):
            audit_trail.standing(actor)
        assert not AuditCheck.objects.visible_to(actor).exists()
    assert (AuditCheck.objects.count(), enqueued) == (0, [])


def test_checks_are_kept(anchored: Anchored, enqueued: Enqueued) -> None:
    done(audit_checks.request(actor=SYSTEM, scope=AuditCheckScope.ALL))
    with refused("history_kept"):
        sql("DELETE FROM governance_auditcheck")
    with refused("audit_check_ends_with_a_time"):
        sql("UPDATE governance_auditcheck SET finished_at = NULL")
