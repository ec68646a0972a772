"""Sending events to webhooks: at least once, in order per subject, and nobody waits for somebody else's receiver.

One worker process at a time sends, and several receivers at once: what waits for an answer is a thread, what is written
down is written by the process itself. An attempt is counted and listed before it is made; a killed worker leaves its
delivery pending, and whoever comes next sends the same bytes under the same id again. A receiver that does not answer,
or asks for patience, is left alone as a whole for growing times; what only one event meets, holds up only its subject.
"""

from __future__ import annotations

import logging
import random
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from portal.core import sealing, webhooks
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import advisory_lock
from portal.core.operations import operation
from portal.core.vocabulary import DeliveryState, WebhookState

from ..models import Webhook, WebhookAttempt, WebhookDelivery
from .webhook_spread import ACTOR
from .webhook_standing import PATIENCE, Patience, note_failure, note_success

logger = logging.getLogger(__name__)

SEND = "governance.send_webhooks"
PURPOSE = "webhooks"
# For everything together; one receiver has at most so many of them.
AT_ONCE = 24
AT_ONCE_EACH = 4
# Well below the time a task may run: what is left then is the next task's.
LONGEST_SECONDS = 240
LIMITS = webhooks.Limits(connect=3, read=10, total=15)


@dataclass(frozen=True)
class Sending:
    """One attempt on its way: everything the thread needs, so that it never asks the database."""

    delivery_id: int
    webhook_id: int
    attempt_id: int
    url: str
    secrets: tuple[str, ...]
    message_id: str
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt; `failed` None when it was taken."""

    status: int
    said: str
    duration_ms: int
    failed: webhooks.WebhookFailed | None = None


def send_due(*, patience: Patience = PATIENCE, limits: webhooks.Limits = LIMITS) -> int:
    """Send everything that is due, until nothing is and no answer is awaited; returns how many were taken.

    Returns 0 at once while another process sends.
    """
    if not _due_webhooks(timezone.now()).exists():
        return 0
    with advisory_lock("webhooks:send") as held:
        if not held:
            return 0
        taken = 0
        deadline = monotonic() + LONGEST_SECONDS
        under_way: dict[Future[Outcome], Sending] = {}
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            while held:
                is_late = monotonic() > deadline
                if not is_late:
                    for sending in _begin(list(under_way.values())):
                        under_way[pool.submit(attempt, sending, limits)] = sending
                if not under_way:
                    if is_late:
                        enqueue_on_commit(SEND)
                    break
                done, _ = wait(under_way, timeout=0.2, return_when=FIRST_COMPLETED)
                if done:
                    taken += _end([(under_way.pop(future), future.result()) for future in done], patience)
        return taken


def attempt(sending: Sending, limits: webhooks.Limits) -> Outcome:
    """Send one message and say what came of it; raises nothing."""
    began = monotonic()

    def spent() -> int:
        return round((monotonic() - began) * 1000)

    try:
        answer = webhooks.send(
            sending.url,
            secrets=sending.secrets,
            message_id=sending.message_id,
            body=sending.body,
            limits=limits,
        )
    except webhooks.WebhookFailed as error:
        return Outcome(error.status, error.said, spent(), error)
    except Exception as error:
        # Whatever it was, it is listed and tried again.
        logger.exception("Message %s was not sent", sending.message_id)
        words = f"{type(error).__name__}: {error}".replace("\0", "")
        return Outcome(0, "", spent(), webhooks.WebhookFailed(words, retryable=True))
    return Outcome(answer.status, answer.said, spent())


def secrets_of(webhook: Webhook) -> tuple[str, ...]:
    """Return what signs now: the secret, and the former one while its grace lasts. Raises sealing.Unreadable."""
    sealed = [webhook.secret]
    if webhook.former_secret_until is not None and webhook.former_secret_until > timezone.now():
        sealed.append(webhook.former_secret)
    return tuple(sealing.unseal(one, purpose=PURPOSE).decode() for one in sealed)


def _due_webhooks(now: datetime) -> QuerySet[Webhook]:
    due = WebhookDelivery.objects.pending().filter(webhook=OuterRef("pk"), next_attempt_at__lte=now)
    awake = Webhook.objects.active().filter(Q(quiet_until=None) | Q(quiet_until__lte=now))
    return awake.filter(Exists(due)).order_by("pk")


def _begin(under_way: list[Sending]) -> list[Sending]:
    """Choose what is sent next, at most so many as there is room for, and write down that it is."""
    room = AT_ONCE - len(under_way)
    if room <= 0:
        return []
    now = timezone.now()
    chosen: list[WebhookDelivery] = []
    busy = {sending.delivery_id for sending in under_way}
    for webhook in _due_webhooks(now):
        its_own = sum(sending.webhook_id == webhook.pk for sending in under_way)
        # One that took nothing last time is asked by one message whether it does now.
        most = min((1 if webhook.failures else AT_ONCE_EACH) - its_own, room - len(chosen))
        if most > 0:
            rows = WebhookDelivery.objects.filter(webhook=webhook).next_ones(now).exclude(pk__in=busy)
            for delivery in rows[:most]:
                delivery.webhook = webhook
                chosen.append(delivery)
    return _begun(chosen) if chosen else []


def _begun(chosen: list[WebhookDelivery]) -> list[Sending]:
    found = []
    with operation(ACTOR, "send events to webhooks"):
        for delivery in chosen:
            try:
                found.append(begun(delivery))
            except sealing.Unreadable as error:
                _unsigned(delivery, error.detail)
    return found


def begun(delivery: WebhookDelivery) -> Sending:
    """Count and list an attempt before it is made. Runs in the caller's operation. Raises sealing.Unreadable."""
    secrets, now = secrets_of(delivery.webhook), timezone.now()
    delivery.attempts += 1
    delivery.tried_since = delivery.tried_since or now
    delivery.save(update_fields=["attempts", "tried_since"])
    listed = WebhookAttempt.objects.create(delivery=delivery, number=delivery.attempts, started_at=now)
    return Sending(
        delivery.pk,
        delivery.webhook_id,
        listed.pk,
        delivery.webhook.url,
        secrets,
        delivery.message_id,
        delivery.body.encode(),
    )


def _unsigned(delivery: WebhookDelivery, why: str) -> None:
    later = timezone.now() + timedelta(minutes=5)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(last_error=why, next_attempt_at=later)


def _end(ended: list[tuple[Sending, Outcome]], patience: Patience) -> int:
    """Write down what came of some attempts; returns how many were taken."""
    with operation(ACTOR, "write down what webhooks answered"):
        for sending, outcome in ended:
            end_attempt(sending, outcome)
            _settle(sending, outcome, patience)
    return sum(outcome.failed is None for _, outcome in ended)


def end_attempt(sending: Sending, outcome: Outcome) -> None:
    """Write down what came of an attempt. Runs in the caller's operation."""
    WebhookAttempt.objects.filter(pk=sending.attempt_id).update(
        ended_at=timezone.now(),
        duration_ms=outcome.duration_ms,
        http_status=outcome.status or None,
        answer=outcome.said,
        error=str(outcome.failed or "")[:2000],
    )


def _settle(sending: Sending, outcome: Outcome, patience: Patience) -> None:
    """Mark a delivery taken, put it off, or give it up; whoever removed the webhook meanwhile finds nothing to do."""
    rows = Webhook.objects.select_for_update(of=("self",), no_key=True)
    webhook = rows.filter(pk=sending.webhook_id).first()
    delivery = WebhookDelivery.objects.select_for_update(of=("self",)).filter(pk=sending.delivery_id).first()
    if webhook is None or delivery is None:
        return
    now = timezone.now()
    delivery.last_status = outcome.status or None
    delivery.last_error = str(outcome.failed or "")[:2000]
    if outcome.failed is None:
        delivery.state, delivery.ended_at = DeliveryState.DELIVERED, now
        note_success(webhook)
    else:
        rests = note_failure(webhook, outcome.failed, now, patience)
        is_over = now - (delivery.tried_since or now) >= patience.give_up_after
        if is_over and webhook.state == WebhookState.ACTIVE:
            delivery.state, delivery.ended_at = DeliveryState.FAILED, now
        own = patience.wait_before(delivery.attempts) * random.uniform(*patience.jitter)  # noqa: S311 - no secret
        asked = outcome.failed.retry_after
        if asked is not None:
            own = max(own, timedelta(seconds=min(asked, patience.longest.total_seconds())))
        # One of several that met a receiver which does not answer is due with it, and not later for its own sake.
        delivery.next_attempt_at = (webhook.quiet_until or now) if rests else now + own
    delivery.save(update_fields=["state", "ended_at", "last_status", "last_error", "next_attempt_at"])
