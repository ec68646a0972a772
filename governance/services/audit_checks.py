"""Checks of the audit trail that a worker carries out, kept with what they found."""

from __future__ import annotations

import time

from django.db import DatabaseError
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import DomainError
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import advisory_lock, hold_until_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere

from ..choices import AuditCheckScope, AuditCheckState
from ..models import AuditCheck
from ..selectors.audit_trail import last_sound_anchor
from . import verification

_OPEN = (AuditCheckState.WAITING, AuditCheckState.RUNNING)
_LOCK = "audit check"
_TASK = "governance.check_audit_trail"
# How often a running check says how far it has come.
_PROGRESS_SECONDS = 1.0


def request(*, actor: Actor, scope: AuditCheckScope) -> AuditCheck:
    """Have a worker check the whole trail, or what is new since the last sound check; returns the check to watch.

    While one of that scope waits or runs it is returned instead of another, and handed to a worker again, in case the
    first one was lost. Raises Forbidden.
    """
    require_anywhere(actor, Act.SEE_AUDIT)
    with operation(actor, "check the audit trail"):
        hold_until_commit(_LOCK)
        check = AuditCheck.objects.filter(scope=scope, state__in=_OPEN).first()
        if check is None:
            check = AuditCheck.objects.create(scope=scope, requested_by_id=actor.user_id)
        enqueue_on_commit(_TASK, check_id=check.pk)
    return check


def run(*, actor: Actor, check_id: int) -> AuditCheck | None:
    """Carry out a check that was asked for and write down what it found; None when it is done or being done already.

    Belongs outside any transaction, so that others see how far it has come. A worker that is killed leaves the check
    open; it is begun anew when the task is delivered again or somebody asks for it again.
    """
    with advisory_lock(f"{_LOCK} {check_id}") as held:
        check = AuditCheck.objects.filter(pk=check_id, state__in=_OPEN).first()
        if not held or check is None:
            return None
        since = last_sound_anchor() if check.scope == AuditCheckScope.RECENT else None
        _write(actor, check, state=AuditCheckState.RUNNING, started_at=timezone.now(), since=since, rows=0)
        AuditCheck.objects.filter(pk=check_id).update(rows_to_check=verification.entries_behind(since))
        try:
            found = verification.verify(since=since, progress=_Progress(check))
        except (DomainError, DatabaseError) as error:
            reason = error.detail if isinstance(error, DomainError) else f"The database stopped the check: {error}"
            _write(actor, check, state=AuditCheckState.FAILED, finished_at=timezone.now(), problem=reason)
            return check
        _write(
            actor,
            check,
            state=AuditCheckState.SOUND if found.is_intact else AuditCheckState.BROKEN,
            finished_at=timezone.now(),
            rows=found.rows,
            verified_to=found.verified_to,
            anchor=found.anchor,
            first_bad_sequence=found.first_bad_sequence,
            first_bad_anchor=found.first_bad_anchor,
            problem=found.problem,
        )
        return check


class _Progress:
    """Writes down how many entries have been read, at most once a second; alone that leaves no entry in the trail."""

    def __init__(self, check: AuditCheck) -> None:
        self.check = check
        self.next_at = time.monotonic() + _PROGRESS_SECONDS

    def __call__(self, rows: int) -> None:
        if time.monotonic() >= self.next_at:
            AuditCheck.objects.filter(pk=self.check.pk).update(rows=rows)
            self.next_at = time.monotonic() + _PROGRESS_SECONDS


def _write(actor: Actor, check: AuditCheck, **values: object) -> None:
    for name, value in values.items():
        setattr(check, name, value)
    with operation(actor, "check the audit trail"):
        check.save(update_fields=list(values))
