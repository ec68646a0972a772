"""Which way an order takes, said in the words people read and the settings a message carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Prefetch, QuerySet

from portal.core import access, kept
from portal.core.actors import Actor
from portal.core.permissions import Act, require_anywhere
from portal.core.vocabulary import Stage
from registry.models import AwsAccount, Deployment

from ..choices import ChannelKind, OrderAction, PipelineHome
from ..models import DeploymentChannel, DeploymentOrder, WaitingCallback

# What a pipeline's parameter can be given of an order, and where the order has it.
ORDER_WORDS: dict[str, str] = {
    "model_package_arn": "modelPackageArn",
    "model_package_group": "modelPackageGroupName",
    "model_package_version": "modelPackageVersion",
    "stage": "stage",
    "target_account": "targetAccount",
    "target_region": "targetRegion",
    "order_id": "orderId",
    "action": "action",
    "mode": "mode",
    "artifact_url": "artifactUrl",
    "content_digest": "contentDigest",
    "approval_request": "approvalRequest",
    "endpoint": "endpoint",
    "deployment_id": "deploymentId",
}


_SERVING = kept.Kept(lambda account_id, stage: DeploymentChannel.objects.serving(account_id, stage)[:1], int, str)


@dataclass(frozen=True)
class Way:
    """How one order leaves: `words` complete "ordered ...", `asked` what is asked of, `settings` go with the message.

    `caveat` says why it is not the way the channel names, "" when it is.
    """

    kind: ChannelKind
    account: AwsAccount
    region: str
    words: str
    asked: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    caveat: str = ""


def way_for(
    *, hub: AwsAccount, region: str, account: AwsAccount, stage: str, action: OrderAction = OrderAction.DEPLOY
) -> Way:
    """Return the way an order for an account's stage takes now: its own channel's, the account's, or the hub's bus.

    Removals cannot be answered to a waiting step, nor be told a pipeline that is not given the action: they go to the
    hub's bus.
    """
    channel = _SERVING.first(account.pk, stage)
    if channel is None:
        return _event_bridge(hub, region, hub.event_bus)
    kind = ChannelKind(channel.kind)
    if action is not OrderAction.DEPLOY:
        if kind is ChannelKind.CALLBACK:
            return _event_bridge(hub, region, hub.event_bus, "A waiting step can only be told to go on, not to remove.")
        if kind is ChannelKind.PIPELINE and "action" not in channel.parameters.values():
            return _event_bridge(
                hub, region, hub.event_bus, f"The pipeline {_short(channel.pipeline)} is not told the action."
            )
    return of_channel(channel, hub=hub, region=region)


def of_channel(channel: DeploymentChannel, *, hub: AwsAccount, region: str) -> Way:
    """Return the way orders of a channel take, seen from a hub and a region of it."""
    kind = ChannelKind(channel.kind)
    if kind is ChannelKind.EVENT_BRIDGE:
        return _event_bridge(hub, region, channel.bus or hub.event_bus, channel_id=channel.pk)
    if kind is ChannelKind.WEBHOOK:
        host = urlsplit(channel.url).hostname or channel.url
        return Way(
            kind,
            hub,
            region,
            words=f"by a signed webhook to {host}",
            asked=f"Webhook to {host}",
            settings={"id": channel.pk, "kind": kind.value, "url": channel.url},
        )
    home = hub if channel.runs_in == PipelineHome.HUB else channel.account
    home_region = region if channel.runs_in == PipelineHome.HUB else channel.account.region
    settings = {"id": channel.pk, "kind": kind.value, "pipeline": channel.pipeline}
    if kind is ChannelKind.PIPELINE:
        name = _short(channel.pipeline)
        return Way(
            kind,
            home,
            home_region,
            words=f"by starting the pipeline {name} in {home}",
            asked=f"Pipeline {name} in {home}",
            settings={**settings, "parameters": dict(channel.parameters)},
        )
    return Way(
        kind,
        home,
        home_region,
        words=f"by telling the pipeline that waits for it in {home} to go on",
        asked=f"The pipeline that waits in {home}",
        settings=settings,
    )


def channels(actor: Actor) -> QuerySet[DeploymentChannel]:
    """Return every channel an actor may see, with its account."""
    return DeploymentChannel.objects.visible_to(actor).select_related("account").order_by("account__alias", "stage")


def channels_of(actor: Actor, account_id: str) -> QuerySet[DeploymentChannel]:
    """Return the channels of one account. Raises NotFound for an account the actor may not see."""
    account = access.get(AwsAccount, actor, account_id=account_id)
    return channels(actor).filter(account=account)


def channel(actor: Actor, channel_id: int) -> DeploymentChannel:
    """Return one channel with its account. Raises NotFound."""
    return access.get(DeploymentChannel, actor, pk=channel_id)


def channel_list(actor: Actor) -> QuerySet[DeploymentChannel]:
    """Return the list of channels. Raises Forbidden for who may not see operations: an empty list would be untrue."""
    require_anywhere(actor, Act.SEE_OPERATIONS)
    return channels(actor)


def callbacks(actor: Actor) -> QuerySet[WaitingCallback]:
    """Return the steps that wait or waited, with what their representation needs."""
    return WaitingCallback.objects.visible_to(actor).select_related("version__group", "account", "home")


def with_orders(deployments: QuerySet[Any]) -> QuerySet[Any]:
    """Have deployments know their orders, the last one first, with one query for however many of them."""
    orders = DeploymentOrder.objects.select_related("message").order_by("-pk")
    return deployments.prefetch_related(Prefetch("orders", queryset=orders))


def last_order(deployment: Deployment) -> DeploymentOrder | None:
    """Return how a deployment the caller has seen was ordered last."""
    return DeploymentOrder.objects.filter(deployment=deployment).select_related("message").order_by("-pk").first()


def accounts_to_serve(actor: Actor) -> QuerySet[AwsAccount]:
    """Return the accounts a channel can be made for."""
    return AwsAccount.objects.visible_to(actor).order_by("alias")


def scope_words(stage: str) -> str:
    """Say what a channel is for."""
    return Stage(stage).label if stage else "Every stage without its own"


def _event_bridge(hub: AwsAccount, region: str, bus: str, caveat: str = "", channel_id: int | None = None) -> Way:
    named = "the default bus" if bus == "default" else f"the bus {_short(bus)}"
    return Way(
        ChannelKind.EVENT_BRIDGE,
        hub,
        region,
        words=f"by an EventBridge event on {named} of {hub}",
        asked="EventBridge",
        settings={"id": channel_id, "kind": ChannelKind.EVENT_BRIDGE.value, "bus": bus},
        caveat=caveat,
    )


def _short(name: str) -> str:
    """Return the last part of an ARN, a name as it is."""
    return name.rsplit("/", 1)[-1] if name.startswith("arn:") else name
