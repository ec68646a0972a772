"""Carrying a deployment order to whoever deploys, on the way that was copied into it when it was ordered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.core.operations import operation
from registry.aws.errors import AwsError

from ...choices import ChannelKind
from ...models import DeploymentChannel, DeploymentOrder, OutboxMessage
from . import orders_callback, orders_event_bridge, orders_pipeline, orders_webhook
from .artifact_copy import url_for_deployment
from .carrier import ACTOR, Carrier, Hopeless, TryAgain

# How long an order waits for a pipeline to come and ask before that becomes a finding.
PATIENCE = timedelta(days=7)

_WAYS: dict[ChannelKind, Callable[[OutboxMessage], dict[str, Any]]] = {
    ChannelKind.EVENT_BRIDGE: orders_event_bridge.carry,
    ChannelKind.PIPELINE: orders_pipeline.carry,
    ChannelKind.CALLBACK: orders_callback.carry,
    ChannelKind.WEBHOOK: orders_webhook.carry,
}


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Carry the order on its way; one written before there were channels goes to the hub's bus.

    Returns the "reference" the other side gave it and a "note" worth keeping. Raises AwsError, TryAgain, NotYet,
    Hopeless.
    """
    channel = message.payload.get("channel") or {}
    detail = message.payload["detail"]
    if message.version is not None and detail.get("action") == "deploy":
        detail["artifactUrl"] = url_for_deployment(message.version)
    try:
        return _WAYS[ChannelKind(channel.get("kind", ChannelKind.EVENT_BRIDGE))](message)
    except (AwsError, TryAgain, Hopeless) as error:
        _say(channel.get("id"), last_error=str(error))
        raise


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Write down how the order went out."""
    DeploymentOrder.objects.filter(message=message).update(
        carried_at=timezone.now(), reference=result.get("reference", ""), note=result.get("note", "")
    )
    channel_id = (message.payload.get("channel") or {}).get("id")
    if channel_id is not None:
        DeploymentChannel.objects.filter(pk=channel_id).update(last_used_at=timezone.now(), last_error="")


def given_up(message: OutboxMessage, error: str) -> None:
    """Write down that the order did not go out."""
    DeploymentOrder.objects.filter(message=message).update(note=f"Given up: {error}")


def superseded(message: OutboxMessage, by: OutboxMessage) -> None:
    """Write down that the order was withdrawn before it went out."""
    DeploymentOrder.objects.filter(message=message).update(note=f"Not sent: {by.summary}.")


def _say(channel_id: int | None, **said: Any) -> None:
    if channel_id is not None:
        with operation(ACTOR, "an order did not go out"):
            DeploymentChannel.objects.filter(pk=channel_id).update(**said)


CARRIER = Carrier(carry, delivered, given_up, patience=PATIENCE, superseded=superseded)
