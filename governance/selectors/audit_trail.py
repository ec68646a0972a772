"""The audit trail as its page shows it: operations, newest first."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from portal.core.actors import Actor

from ..choices import AuditCheckState
from ..models import AuditCheck, AuditEvent


def trail(actor: Actor) -> QuerySet[Any]:
    """Return every entry, newest first, for those who may read the trail; nothing for others."""
    return AuditEvent.objects.visible_to(actor).order_by("-sequence")


def tables(actor: Actor) -> list[str]:
    """Return the tables that have entries, by name."""
    return sorted(AuditEvent.objects.visible_to(actor).order_by().values_list("table", flat=True).distinct())


def last_sound_anchor() -> int | None:
    """Return the newest anchor of the last check that found all sound, None before there is one."""
    return (
        AuditCheck.objects.filter(state=AuditCheckState.SOUND, anchor__isnull=False)
        .order_by("-finished_at")
        .values_list("anchor", flat=True)
        .first()
    )
