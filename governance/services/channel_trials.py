"""Trying a channel without ordering anything: a message marked as a test, or a look at the pipeline."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from portal.core import webhooks
from portal.core.errors import DomainError
from registry.aws import events, pipelines
from registry.aws.errors import AwsError
from registry.aws.session import AwsSession
from registry.models import AwsAccount
from registry.services import accounts

from ..choices import ChannelKind
from ..models import DeploymentChannel
from ..selectors.channels import Way, of_channel
from .carriers import orders_event_bridge, orders_webhook


@dataclass(frozen=True)
class Trial:
    """What came of it: whether an order would get through as far as this shows, and what was answered in words."""

    is_sound: bool
    said: str


def of(channel: DeploymentChannel) -> Trial:
    """Try one channel, from the first enabled hub. Raises nothing: what went wrong is what it says."""
    hub = AwsAccount.objects.hubs().first()
    if hub is None:
        return Trial(False, "No enabled account is a hub, so there is nowhere to order from.")
    way = of_channel(channel, hub=hub, region=hub.region)
    try:
        return _TRIALS[way.kind](channel, way)
    except (AwsError, webhooks.WebhookFailed) as error:
        return Trial(False, str(error))
    except DomainError as error:
        return Trial(False, error.detail)


def _order(channel: DeploymentChannel) -> dict[str, Any]:
    """Return what a test says: it names no version, so that nobody can deploy one because of it."""
    return {
        "test": True,
        "action": "none",
        "orderId": str(uuid.uuid4()),
        "targetAccount": channel.account.account_id,
        "stage": channel.stage or None,
    }


def _event_bridge(channel: DeploymentChannel, way: Way) -> Trial:
    detail = _order(channel)
    event_id = events.put_deployment_order(
        accounts.reach(way.account, way.region),
        bus=way.settings["bus"],
        detail=detail,
        detail_type=orders_event_bridge.TEST_ORDERED,
    )
    return Trial(
        True,
        f"EventBridge took the test {detail['orderId']} as event {event_id}. Whether a rule matches, it does not say.",
    )


def _webhook(channel: DeploymentChannel, way: Way) -> Trial:
    data = _order(channel)
    answer = webhooks.send(
        channel.url,
        secrets=orders_webhook.secrets_of(channel),
        message_id=data["orderId"],
        body=orders_webhook.body_of(orders_webhook.TEST, data, timezone.now()),
    )
    return Trial(
        True, f"The receiver at {answer.address} took the test {data['orderId']} and answered {answer.status}."
    )


def _pipeline(channel: DeploymentChannel, way: Way) -> Trial:
    pipeline = pipelines.describe_pipeline(accounts.reach(way.account, way.region), channel.pipeline)
    if pipeline.status != "Active":
        return Trial(False, f"The pipeline {pipeline.name} is {pipeline.status.lower()}.")
    unknown = sorted(set(channel.parameters) - set(pipeline.parameters))
    missing = sorted(pipeline.needed - set(channel.parameters))
    problems = []
    if unknown:
        problems.append(f"it has no parameter {', '.join(unknown)}")
    if missing:
        problems.append(f"it needs {', '.join(missing)}, which nothing fills")
    if problems:
        return Trial(False, f"The pipeline {pipeline.name} could not be started: {'; '.join(problems)}.")
    removal = (
        "" if "action" in channel.parameters.values() else " Removals go to the hub's bus: it is not told the action."
    )
    return Trial(
        True, f"The pipeline {pipeline.name} is there and takes these parameters. It was not started.{removal}"
    )


def _callback(channel: DeploymentChannel, way: Way) -> Trial:
    session = accounts.reach(way.account, way.region)
    said = []
    if channel.pipeline:
        said.append(_waiting(session, channel))
    if channel.queue_url:
        waiting = pipelines.queue_length(session, channel.queue_url)
        said.append(f"The queue is there, with about {waiting} message{'' if waiting == 1 else 's'}.")
    return Trial(True, " ".join(said) or "Nothing to look at: steps are posted to the API.")


def _waiting(session: AwsSession, channel: DeploymentChannel) -> str:
    pipelines.describe_pipeline(session, channel.pipeline)
    steps = pipelines.waiting_callbacks(session, pipeline=channel.pipeline, step_name=channel.step_name)
    return f"The pipeline {channel.pipeline} is there; {len(steps)} of its steps wait now."


_TRIALS = {
    ChannelKind.EVENT_BRIDGE: _event_bridge,
    ChannelKind.PIPELINE: _pipeline,
    ChannelKind.CALLBACK: _callback,
    ChannelKind.WEBHOOK: _webhook,
}
