"""Spreading events: from each change that was written down, a delivery for every webhook that wants it (ADR 0017).

The trigger wrote the change in its own transaction; here, in one transaction, its deliveries are made and the change is
taken off the list. A worker that is killed has made all of them or none, and the next one does it again.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.locks import advisory_lock
from portal.core.operations import operation

from ..models import Webhook, WebhookDelivery, WebhookEvent
from ..policies.webhook_events import matches
from ..selectors.webhook_data import News, news_of

logger = logging.getLogger(__name__)

ACTOR = Actor.system("webhooks")
BATCH = 200


def spread_due() -> int:
    """Make the deliveries of everything that was written down and is not spread yet; returns how many were made."""
    made = 0
    if not _waiting().exists():
        return made
    with advisory_lock("webhooks:spread") as held:
        while held and (batch := list(_waiting().order_by("pk")[:BATCH])):
            made += _spread(batch)
    return made


def message_id() -> str:
    """Return a fresh id of a message, as `webhook-id` carries it."""
    return f"msg_{uuid.uuid4().hex}"


def _waiting() -> QuerySet[WebhookEvent]:
    return WebhookEvent.objects.filter(next_attempt_at__lte=timezone.now())


def _spread(batch: Sequence[WebhookEvent]) -> int:
    """Spread a batch; when it cannot be, spread one after the other, so that one keeps up no other."""
    try:
        return _deliveries_of(batch)
    except Exception as error:
        if len(batch) > 1:
            logger.exception("A batch of %s events was not spread; each is tried alone", len(batch))
            return sum(_spread([event]) for event in batch)
        logger.exception("Event %s was not spread", batch[0].pk)
        _put_off(batch[0], error)
        return 0


def _deliveries_of(batch: Sequence[WebhookEvent]) -> int:
    with operation(ACTOR, "spread events"):
        webhooks = list(Webhook.objects.active().order_by("pk"))
        made = [delivery for news in news_of(batch) for delivery in _of(news, webhooks)] if webhooks else []
        WebhookDelivery.objects.bulk_create(made)
        WebhookEvent.objects.filter(pk__in=[event.pk for event in batch]).delete()
    return len(made)


def _of(news: News, webhooks: Sequence[Webhook]) -> Iterable[WebhookDelivery]:
    for name in news.types:
        bodies: dict[int | None, str] = {}
        for webhook in webhooks:
            scope = webhook.project_id
            # What happened before it was made is not its business.
            if news.event.happened_at < webhook.created_at or not news.concerns(scope):
                continue
            if not matches(webhook.events, name):
                continue
            if scope not in bodies:
                bodies[scope] = news.body(name, scope)
            yield WebhookDelivery(
                webhook=webhook,
                message_id=message_id(),
                sequence=news.event.pk,
                type=name,
                subject=news.about.key,
                subject_name=news.about.name[:300],
                body=bodies[scope],
            )


def _put_off(event: WebhookEvent, error: Exception) -> None:
    with operation(ACTOR, "spread an event later"):
        wait = timedelta(seconds=min(30 * 2.0**event.attempts, 3600.0))
        WebhookEvent.objects.filter(pk=event.pk).update(
            attempts=event.attempts + 1,
            problem=f"{type(error).__name__}: {error}"[:2000].replace("\0", ""),
            next_attempt_at=timezone.now() + wait,
        )
