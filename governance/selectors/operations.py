"""The outbox as its page shows it, and how many findings stand."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, QuerySet, Value, When

from portal.core import access
from portal.core.actors import Actor

from ..choices import OutboxState
from ..models import Finding, OutboxMessage


def outbox(actor: Actor) -> QuerySet[Any]:
    """Return the outbox as far as the actor may see it: given up first, then waiting, then done, newest first."""
    order = Case(
        When(state=OutboxState.FAILED, then=Value(0)),
        When(state=OutboxState.PENDING, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    given_up_before = OutboxMessage.objects.filter(
        ordering_key=OuterRef("ordering_key"), pk__lt=OuterRef("pk"), state=OutboxState.FAILED
    )
    return (
        OutboxMessage.objects.visible_to(actor)
        .select_related("version__group", "group")
        .defer("payload")
        .annotate(urgency=order, is_held=Exists(given_up_before))
        .order_by("urgency", "-id")
    )


def outbox_counts(actor: Actor) -> dict[str, int]:
    """Return how many messages wait and how many were given up."""
    found = OutboxMessage.objects.visible_to(actor).undelivered()
    return dict(found.values_list("state").annotate(total=Count("pk")).order_by("state"))


def message(actor: Actor, pk: int) -> OutboxMessage:
    """Return one outbox message. Raises NotFound."""
    return access.get(OutboxMessage, actor, pk=pk)


def standing_by_severity(actor: Actor) -> dict[str, int]:
    """Return how many findings stand, by severity."""
    rows = Finding.objects.visible_to(actor).standing().values_list("severity").annotate(total=Count("pk"))
    return dict(rows.order_by("severity"))
