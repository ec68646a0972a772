"""Webhooks as their pages and the API show them: how each stands, what was sent to it, what came of each attempt."""

from __future__ import annotations

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from portal.core import access
from portal.core.actors import Actor
from portal.core.permissions import Act, may, require_anywhere
from portal.core.vocabulary import DeliveryState
from registry.models import Project

from ..models import Webhook, WebhookAttempt, WebhookDelivery


def webhooks(actor: Actor) -> QuerySet[Webhook]:
    """Return the webhooks an actor may see, with how they stand.

    `waiting` and `given_up` count deliveries, `taken_at` is when one was taken last.
    """
    of_it = WebhookDelivery.objects.filter(webhook=OuterRef("pk")).order_by()
    counted = of_it.values("webhook").annotate(total=Count("pk")).values("total")
    last = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), state=DeliveryState.DELIVERED, sequence__gt=0)
    return (
        Webhook.objects.visible_to(actor)
        .select_related("project", "created_by")
        .annotate(
            waiting=Coalesce(Subquery(counted.filter(state=DeliveryState.PENDING)), 0),
            given_up=Coalesce(Subquery(counted.filter(state=DeliveryState.FAILED, sequence__gt=0)), 0),
            taken_at=Subquery(last.order_by("-pk").values("ended_at")[:1]),
        )
    )


def webhook_list(actor: Actor) -> QuerySet[Webhook]:
    """Return the list of webhooks. Raises Forbidden for who may see none anywhere: an empty list would be untrue."""
    require_anywhere(actor, Act.SEE_WEBHOOKS)
    return webhooks(actor)


def webhook(actor: Actor, webhook_id: int) -> Webhook:
    """Return one webhook with how it stands. Raises NotFound."""
    access.get(Webhook, actor, pk=webhook_id)
    return webhooks(actor).get(pk=webhook_id)


def deliveries(actor: Actor, webhook_id: int) -> QuerySet[WebhookDelivery]:
    """Return what is or was sent to one webhook, newest first. Raises NotFound."""
    found = access.get(Webhook, actor, pk=webhook_id)
    return WebhookDelivery.objects.filter(webhook=found).select_related("webhook").order_by("-pk")


def no_deliveries() -> QuerySet[WebhookDelivery]:
    """Return none of them, for the schema."""
    return WebhookDelivery.objects.none()


def with_attempts(rows: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
    """Have deliveries know their attempts, the last one first."""
    return rows.prefetch_related(Prefetch("tries", queryset=WebhookAttempt.objects.order_by("-pk")))


def delivery(actor: Actor, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    """Return one delivery with its attempts. Raises NotFound."""
    return access.get(WebhookDelivery, actor, pk=delivery_id, webhook_id=webhook_id)


def attempts(of: WebhookDelivery) -> list[WebhookAttempt]:
    """Return the attempts of a delivery the caller has seen, the last one first."""
    return list(WebhookAttempt.objects.filter(delivery=of).order_by("-pk"))


def projects_to_serve(actor: Actor) -> QuerySet[Project]:
    """Return the projects the actor may set up webhooks for."""
    seen = Project.objects.visible_to(actor).order_by("key")
    if may(actor, Act.MANAGE_WEBHOOKS):
        return seen
    return seen.filter(Q(pk__in=[pk for pk in actor.grants.by_project if may(actor, Act.MANAGE_WEBHOOKS, pk)]))
