"""Ordering by a signed webhook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from portal.core import sealing, webhooks

from ...models import DeploymentChannel, OutboxMessage
from .carrier import Hopeless, TryAgain

PURPOSE = "deployment webhooks"
ORDERED = "deployment.ordered"
REMOVAL_ORDERED = "deployment.removal_ordered"
TEST = "deployment.test"


def carry(message: OutboxMessage) -> dict[str, Any]:
    """POST the order; its id is `webhook-id` and `orderId`, the same at every attempt.

    The URL is the one it was ordered for, the secrets are the channel's present ones. Raises TryAgain, Hopeless.
    """
    channel, detail = message.payload["channel"], message.payload["detail"]
    row = DeploymentChannel.objects.filter(pk=channel["id"]).first()
    if row is None or not row.secret:
        raise Hopeless("The channel it was ordered through was removed, and its secret with it. Order it again.")
    order_id = str(message.token)
    body = body_of(
        REMOVAL_ORDERED if detail["action"] == "remove" else ORDERED,
        {**detail, "orderId": order_id},
        message.created_at,
    )
    try:
        answer = webhooks.send(channel["url"], secrets=secrets_of(row), message_id=order_id, body=body)
    except webhooks.WebhookFailed as error:
        raise (TryAgain if error.retryable else Hopeless)(str(error)) from error
    return {"reference": f"HTTP {answer.status}"}


def body_of(kind: str, data: Mapping[str, Any], at: datetime) -> bytes:
    """Return the body of one message: its type, when it was ordered, and the order."""
    return webhooks.encoded({"type": kind, "timestamp": at.isoformat(), "data": data})


def secrets_of(channel: DeploymentChannel) -> list[str]:
    """Return what signs now: the secret, and the former one while its grace lasts. Raises sealing.Unreadable."""
    sealed = [channel.secret]
    if channel.former_secret_until is not None and channel.former_secret_until > timezone.now():
        sealed.append(channel.former_secret)
    return [sealing.unseal(one, purpose=PURPOSE).decode() for one in sealed]
