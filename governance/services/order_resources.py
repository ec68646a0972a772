"""Which buses, pipelines and queues of an account deployment orders use: what its permissions are checked for."""

from __future__ import annotations

from registry.choices import AccountPurpose
from registry.models import AwsAccount
from registry.services.preflight import Uses

from ..choices import ChannelKind, PipelineHome
from ..models import DeploymentChannel


def used_in(account: AwsAccount) -> Uses:
    """Return what enabled channels use in an account: events go to the hub's buses, pipelines run where they live."""
    is_hub = AccountPurpose.HUB in account.purposes
    buses, pipelines, queues = [], [], []
    for channel in DeploymentChannel.objects.filter(is_enabled=True).order_by("pk"):
        if channel.kind == ChannelKind.EVENT_BRIDGE:
            if is_hub and channel.bus:
                buses.append(channel.bus)
        elif is_hub if channel.runs_in == PipelineHome.HUB else channel.account_id == account.pk:
            pipelines += [channel.pipeline] if channel.pipeline else []
            queues += [channel.queue_url] if channel.queue_url else []
    return Uses(tuple(buses), tuple(pipelines), tuple(queues))
