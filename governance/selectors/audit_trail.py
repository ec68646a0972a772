"""The audit trail as its page shows it: operations, newest first."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from portal.core.actors import Actor

from ..models import AuditEvent


def trail(actor: Actor) -> QuerySet[Any]:
    """Return every entry, newest first, for those who may read the trail; nothing for others."""
    return AuditEvent.objects.visible_to(actor).order_by("-sequence")


def tables(actor: Actor) -> list[str]:
    """Return the tables that have entries, by name."""
    return sorted(AuditEvent.objects.visible_to(actor).order_by().values_list("table", flat=True).distinct())
