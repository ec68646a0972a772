"""Webhooks: who is told of events, and of which. Made, changed, tried and taken away by ML admins."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from portal.core import access, sealing, webhooks
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, StaleEdit, WrongState
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import DeliveryState, WebhookEnd, WebhookState
from registry.models import Project, User

from ..models import Webhook, WebhookDelivery
from ..policies.webhook_events import ALL, TEST, is_known, sources_of
from . import webhook_delivery
from .webhook_delivery import LIMITS, PURPOSE, SEND
from .webhook_spread import ACTOR, message_id
from .webhook_standing import disable as close

# How long the former secret goes on signing beside the new one, unless less is asked for.
GRACE = timedelta(hours=24)
LONGEST_GRACE = timedelta(days=7)
# What was sent, or never could be, is looked at for so long and then removed.
KEPT = timedelta(days=30)
LONGEST_NAME = 100
MOST_EVENTS = 60
EDITABLE = ("name", "url", "events")


@dataclass(frozen=True)
class Made:
    """A webhook, and its new secret: shown this once, "" when none was made."""

    webhook: Webhook
    secret: str = ""


def create(
    *, actor: Actor, name: str, url: str, events: Collection[str] = (ALL,), project_id: int | None = None
) -> Made:
    """Have an address told of events from now on: of one project, or without one of all of them.

    `events` are names of the catalogue, families such as `approval.*`, or `*`. Raises NotFound for a project the actor
    does not see, Forbidden, InvalidInput naming the fields.
    """
    with operation(actor, "set up a webhook"):
        project = access.get(Project, actor, pk=project_id) if project_id is not None else None
        require(actor, Act.MANAGE_WEBHOOKS, project_id)
        webhook = Webhook(project=project, created_by=User.objects.get(pk=actor.user_id))
        _apply(webhook, {"name": name, "url": url, "events": events})
        secret = _new_secret(webhook)
        webhook.save()
        return Made(webhook, secret)


def edit(*, actor: Actor, webhook_id: int, revision: int, **changes: Any) -> Webhook:
    """Change name, URL or events of a webhook, from the revision it was read at. What waits goes to the new URL.

    Raises NotFound, Forbidden, StaleEdit, InvalidInput naming the fields.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise InvalidInput("Unknown fields.", errors={name: ["A webhook has no such field."] for name in unknown})
    with operation(actor, "change a webhook"):
        webhook = access.for_update(Webhook, actor, Act.MANAGE_WEBHOOKS, pk=webhook_id)
        if webhook.revision != revision:
            raise StaleEdit("Somebody changed this webhook since you read it. Read it again and repeat your edit.")
        moved = "url" in changes and changes["url"] != webhook.url
        _apply(webhook, changes)
        if moved:
            _begin_anew(webhook)
        webhook.revision += 1
        webhook.save()
        return webhook


def enable(*, actor: Actor, webhook_id: int) -> Webhook:
    """Write down and send events again, beginning with what waits. Raises NotFound, Forbidden, WrongState if it is."""
    with operation(actor, "enable a webhook"):
        webhook = access.for_update(Webhook, actor, Act.MANAGE_WEBHOOKS, pk=webhook_id)
        if webhook.is_active:
            raise WrongState("This webhook is enabled already.")
        webhook.state, webhook.ended_by = WebhookState.ACTIVE, ""
        webhook.disabled_at, webhook.disabled_reason = None, ""
        _begin_anew(webhook)
        webhook.revision += 1
        webhook.save()
        return webhook


def disable(*, actor: Actor, webhook_id: int, reason: str = "") -> Webhook:
    """Stop: no event is written for it any more, and what waits is kept. Raises NotFound, Forbidden, WrongState."""
    reason = _text(reason, "reason", 2000)
    with operation(actor, "disable a webhook"):
        webhook = access.for_update(Webhook, actor, Act.MANAGE_WEBHOOKS, pk=webhook_id)
        if not webhook.is_active:
            raise WrongState("This webhook is disabled already.")
        close(webhook, WebhookEnd.PERSON, reason)
        return webhook


def remove(*, actor: Actor, webhook_id: int, revision: int | None = None) -> None:
    """Take a webhook away with what waits for it and what was sent to it; with a revision, only as it was read.

    Raises NotFound, Forbidden, StaleEdit.
    """
    with operation(actor, "remove a webhook"):
        webhook = access.for_update(Webhook, actor, Act.MANAGE_WEBHOOKS, pk=webhook_id)
        if revision is not None and webhook.revision != revision:
            raise StaleEdit("Somebody changed this webhook since you read it. Read it again and repeat your removal.")
        webhook.delete()


def rotate_secret(*, actor: Actor, webhook_id: int, grace: timedelta = GRACE) -> Made:
    """Sign with a new secret from now on; for the grace (0 to 7 days) the former one signs beside it.

    Raises NotFound, Forbidden, InvalidInput.
    """
    if not timedelta() <= grace <= LONGEST_GRACE:
        raise InvalidInput(
            "This grace cannot be given.", errors={"grace_hours": [f"Give 0 to {LONGEST_GRACE.days * 24} hours."]}
        )
    with operation(actor, "rotate a webhook's secret"):
        webhook = access.for_update(Webhook, actor, Act.MANAGE_WEBHOOKS, pk=webhook_id)
        until: datetime | None = timezone.now() + grace if grace else None
        webhook.former_secret, webhook.former_secret_until = (webhook.secret if until else ""), until
        secret = _new_secret(webhook)
        webhook.revision += 1
        webhook.save(update_fields=["secret", "former_secret", "former_secret_until", "revision"])
        return Made(webhook, secret)


def try_out(*, actor: Actor, webhook_id: int, limits: webhooks.Limits = LIMITS) -> WebhookDelivery:
    """Send a `webhook.test` now, also to one that is disabled, and return the delivery with what was answered.

    It is sent once, and says nothing about how the receiver stands. Raises NotFound, Forbidden, sealing.Unreadable.
    """
    with operation(actor, "try a webhook"):
        # Not locked: under an Idempotency-Key this is one transaction with the answer that is awaited, and whatever is
        # sent meanwhile is written down on the same row.
        webhook = access.get(Webhook, actor, pk=webhook_id)
        require(actor, Act.MANAGE_WEBHOOKS, webhook.scope_project_id)
        now = timezone.now()
        told = {"type": TEST, "timestamp": now.isoformat(), "data": {"webhook": webhook.pk, "sent_by": actor.label}}
        delivery = WebhookDelivery.objects.create(
            webhook=webhook,
            message_id=message_id(),
            type=TEST,
            subject=f"test:{uuid.uuid4().hex}",
            subject_name="A test",
            body=webhooks.encoded(told).decode(),
            # Nobody else sends it: it is over before anybody sees it waiting.
            state=DeliveryState.FAILED,
            ended_at=now,
            last_error="It was not answered.",
        )
        sending = webhook_delivery.begun(delivery)
    outcome = webhook_delivery.attempt(sending, limits)
    with operation(actor, "a webhook was tried"):
        webhook_delivery.end_attempt(sending, outcome)
        delivery.state = DeliveryState.FAILED if outcome.failed else DeliveryState.DELIVERED
        delivery.ended_at, delivery.last_status = timezone.now(), outcome.status or None
        delivery.last_error = str(outcome.failed or "")[:2000]
        delivery.save(update_fields=["state", "ended_at", "last_status", "last_error"])
    return delivery


def redeliver(*, actor: Actor, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    """Have a message sent again, now: the same id and the same bytes. One that waits gets its next attempt now.

    Raises NotFound, Forbidden, WrongState while the webhook is disabled, or for a test.
    """
    with operation(actor, "send an event to a webhook again"):
        webhook = access.for_update(Webhook, actor, Act.MANAGE_WEBHOOKS, pk=webhook_id)
        found = access.get(WebhookDelivery, actor, pk=delivery_id, webhook=webhook)
        delivery = WebhookDelivery.objects.select_for_update(of=("self",)).get(pk=found.pk)
        if not webhook.is_active:
            raise WrongState("This webhook is disabled; nothing is sent to it. Enable it first.")
        if delivery.type == TEST:
            raise WrongState("A test is sent once. Send another one.")
        delivery.state, delivery.ended_at = DeliveryState.PENDING, None
        delivery.tried_since, delivery.next_attempt_at = None, timezone.now()
        delivery.save(update_fields=["state", "ended_at", "tried_since", "next_attempt_at"])
        Webhook.objects.filter(pk=webhook.pk).update(quiet_until=None)
        enqueue_on_commit(SEND)
        return delivery


def encrypt_anew(*, actor: Actor) -> int:
    """Encrypt the webhooks' secrets with the newest key; returns how many webhooks.

    Raises Forbidden, sealing.Unreadable when no configured key opens one of them: nothing is changed then.
    """
    with operation(actor, "encrypt the webhooks' secrets anew"):
        require(actor, Act.MANAGE_KEYS)
        rows = list(Webhook.objects.select_for_update(of=("self",)).order_by("pk"))
        for webhook in rows:
            for name in ("secret", "former_secret"):
                if sealed := getattr(webhook, name):
                    setattr(webhook, name, sealing.seal(sealing.unseal(sealed, purpose=PURPOSE), purpose=PURPOSE))
            webhook.save(update_fields=["secret", "former_secret"])
        return len(rows)


def prune(*, now: datetime | None = None) -> int:
    """Remove deliveries that were made longer than thirty days ago, unless an enabled webhook still waits for them.

    Returns how many were removed.
    """
    old = WebhookDelivery.objects.filter(created_at__lt=(now or timezone.now()) - KEPT)
    over = old.exclude(state=DeliveryState.PENDING, webhook__state=WebhookState.ACTIVE)
    with operation(ACTOR, "remove what was sent to webhooks long ago"):
        return over.delete()[1].get("governance.WebhookDelivery", 0)


def _apply(webhook: Webhook, given: Mapping[str, Any]) -> None:
    """Put what was given on the webhook and check it. Raises InvalidInput naming the fields."""
    errors: dict[str, list[str]] = {}
    if "name" in given:
        try:
            webhook.name = _text(given["name"], "name", LONGEST_NAME)
            if not webhook.name:
                errors["name"] = ["Give it a name."]
        except InvalidInput as refusal:
            errors |= refusal.errors
    if "url" in given:
        webhook.url = str(given["url"]).strip()
        try:
            webhooks.check_url(webhook.url)
        except webhooks.AddressRefused as refusal:
            errors["url"] = [str(refusal)]
    if "events" in given:
        wanted = list(dict.fromkeys(given["events"]))
        unknown = [pattern for pattern in wanted if not is_known(pattern)]
        if not wanted:
            errors["events"] = ["Choose at least one event."]
        elif len(wanted) > MOST_EVENTS or unknown:
            named = ", ".join(unknown[:5])
            errors["events"] = [f"There is no event {named[:200]!r}." if unknown else "Choose fewer events."]
        webhook.events = [ALL] if ALL in wanted else wanted
        webhook.sources = sources_of(webhook.events)
    if errors:
        raise InvalidInput("Some fields need your attention.", errors=errors)


def _text(given: str, field: str, most: int) -> str:
    text = given.strip()
    if len(text) > most or "\0" in text:
        raise InvalidInput(
            "Some fields need your attention.", errors={field: [f"Give at most {most} characters, without NUL."]}
        )
    return text


def _begin_anew(webhook: Webhook) -> None:
    """Forget how the receiver stood: what waits is due now and has all its time again."""
    webhook.failures, webhook.failing_since, webhook.quiet_until = 0, None, None
    WebhookDelivery.objects.pending().filter(webhook=webhook).update(next_attempt_at=timezone.now(), tried_since=None)
    enqueue_on_commit(SEND)


def _new_secret(webhook: Webhook) -> str:
    secret = webhooks.new_secret()
    webhook.secret = sealing.seal(secret.encode(), purpose=PURPOSE)
    return secret
