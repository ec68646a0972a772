"""The outbox and the findings as their pages show them."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When

from portal.core import access
from portal.core.actors import Actor

from ..choices import FindingState, OutboxState, Severity
from ..models import Finding, OutboxMessage

_GRAVEST_FIRST = [Severity.CRITICAL, Severity.SERIOUS, Severity.WARNING, Severity.INFO]


def outbox(actor: Actor) -> QuerySet[Any]:
    """Return the outbox as far as the actor may see it: given up first, then waiting, then done, newest first."""
    order = Case(
        When(state=OutboxState.FAILED, then=Value(0)),
        When(state=OutboxState.PENDING, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return (
        OutboxMessage.objects.visible_to(actor)
        .select_related("version__group")
        .annotate(urgency=order)
        .order_by("urgency", "-id")
    )


def outbox_counts(actor: Actor) -> dict[str, int]:
    """Return how many messages wait and how many were given up."""
    found = OutboxMessage.objects.visible_to(actor).exclude(state=OutboxState.DELIVERED)
    return dict(found.values_list("state").annotate(total=Count("pk")).order_by("state"))


def message(actor: Actor, pk: int) -> OutboxMessage:
    """Return one outbox message. Raises NotFound."""
    return access.get(OutboxMessage, actor, pk=pk)


def findings(actor: Actor) -> QuerySet[Any]:
    """Return the findings an actor may see: standing ones first, the gravest of them first."""
    gravity = Case(
        *[When(severity=severity, then=Value(index)) for index, severity in enumerate(_GRAVEST_FIRST)],
        output_field=IntegerField(),
    )
    standing = Case(
        When(state__in=[FindingState.OPEN, FindingState.ACKNOWLEDGED], then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    return (
        Finding.objects.visible_to(actor)
        .select_related("use_case", "group", "version__group", "account", "owner")
        .annotate(gravity=gravity, closed=standing)
        .order_by("closed", "gravity", "-last_seen_at", "-pk")
    )


def finding(actor: Actor, pk: int) -> Finding:
    """Return one finding with its subjects. Raises NotFound."""
    access.get(Finding, actor, pk=pk)
    return findings(actor).get(pk=pk)


def standing_by_severity(actor: Actor) -> dict[str, int]:
    """Return how many findings stand, by severity."""
    rows = Finding.objects.visible_to(actor).standing().values_list("severity").annotate(total=Count("pk"))
    return dict(rows.order_by("severity"))
