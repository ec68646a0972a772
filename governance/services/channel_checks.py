"""What each kind of channel is told, and what of it cannot be right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from portal.core import webhooks
from portal.core.errors import InvalidInput

from ..choices import ChannelKind
from ..models import DeploymentChannel
from ..selectors.channels import ORDER_WORDS
from .carriers.orders_pipeline import LITERAL

OF_KIND: dict[ChannelKind, tuple[str, ...]] = {
    ChannelKind.EVENT_BRIDGE: ("bus",),
    ChannelKind.PIPELINE: ("pipeline", "runs_in", "parameters"),
    ChannelKind.CALLBACK: ("runs_in", "queue_url", "pipeline", "step_name"),
    ChannelKind.WEBHOOK: ("url",),
}
SETTINGS = tuple(dict.fromkeys(name for names in OF_KIND.values() for name in names))
MOST_PARAMETERS = 50
_LONGEST_LITERAL = 1024

# As SageMaker, SQS and EventBridge write them; what they still refuse, the order's own error says.
_PIPELINE = re.compile(r"(arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:pipeline/)?[A-Za-z0-9](-*[A-Za-z0-9]){0,255}")
_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,256}")
_BUS = re.compile(r"(arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/)?[A-Za-z0-9._/-]{1,200}")
_STEP = re.compile(r"[A-Za-z0-9_-]{1,64}")


def put(channel: DeploymentChannel, given: Mapping[str, Any]) -> None:
    """Set what was given, and everything its kind has no use for back to nothing.

    Raises InvalidInput naming what was given and belongs to another kind.
    """
    for name in ("kind", "is_enabled"):
        if name in given:
            setattr(channel, name, given[name])
    if channel.kind not in [kind.value for kind in ChannelKind]:
        raise InvalidInput("There is no such channel.", errors={"kind": ["Choose one of the kinds."]})
    kind = ChannelKind(channel.kind)
    foreign = {
        name: [f"{kind.label}: there is no such setting."]
        for name in SETTINGS
        if name not in OF_KIND[kind] and name != "runs_in" and given.get(name)
    }
    if foreign:
        raise InvalidInput("Some settings are another kind's.", errors=foreign)
    nothing = DeploymentChannel()
    for name in SETTINGS:
        if name not in OF_KIND[kind]:
            setattr(channel, name, getattr(nothing, name))
        elif name in given:
            value = given[name]
            setattr(channel, name, value.strip() if isinstance(value, str) else value)


def check(channel: DeploymentChannel) -> None:
    """Raise InvalidInput naming every setting that cannot be right."""
    errors = _CHECKS[ChannelKind(channel.kind)](channel)
    if errors:
        raise InvalidInput("Some fields need your attention.", errors=errors)


def _event_bridge(channel: DeploymentChannel) -> dict[str, list[str]]:
    if channel.bus and _BUS.fullmatch(channel.bus) is None:
        return {"bus": ["Give the name or the ARN of an event bus, or nothing for the hub's own."]}
    return {}


def _pipeline(channel: DeploymentChannel) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if _PIPELINE.fullmatch(channel.pipeline) is None:
        errors["pipeline"] = ["Give the name or the ARN of a SageMaker pipeline."]
    found = _parameters(channel.parameters)
    if found:
        errors["parameters"] = found
    return errors


def _parameters(given: Any) -> list[str]:
    if not isinstance(given, dict) or not given:
        return ["Name at least the parameter that takes the version's ARN: ModelPackageArn = model_package_arn."]
    if len(given) > MOST_PARAMETERS:
        return [f"Name at most {MOST_PARAMETERS} parameters."]
    errors = []
    for name, word in given.items():
        if _PARAMETER.fullmatch(name) is None:
            errors.append(f"{name[:80]!r} is not the name of a pipeline parameter.")
        elif not isinstance(word, str):
            errors.append(f"{name}: give a word, or a text behind {LITERAL}.")
        elif word.startswith(LITERAL):
            if len(word) > _LONGEST_LITERAL or not word.isprintable():
                errors.append(f"{name}: the text is longer than {_LONGEST_LITERAL} characters or not one line.")
        elif word not in ORDER_WORDS:
            errors.append(f"{name}: an order has no {word[:80]!r}. It has {', '.join(ORDER_WORDS)}.")
    if not errors and "model_package_arn" not in given.values():
        errors.append("No parameter takes model_package_arn, so the pipeline would not know what to deploy.")
    return errors


def _callback(channel: DeploymentChannel) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if channel.pipeline and _PIPELINE.fullmatch(channel.pipeline) is None:
        errors["pipeline"] = ["Give the name or the ARN of a SageMaker pipeline, or nothing."]
    if channel.pipeline and not channel.stage:
        errors["pipeline"] = ["For every stage at once nobody knows which one a step found there waits for."]
    if channel.step_name and _STEP.fullmatch(channel.step_name) is None:
        errors["step_name"] = ["This is not the name of a pipeline step."]
    if channel.step_name and not channel.pipeline:
        errors["step_name"] = ["Name the pipeline it belongs to."]
    if channel.queue_url:
        try:
            parts = urlsplit(channel.queue_url)
            is_url = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.path.count("/") >= 1
        except ValueError:
            is_url = False
        if not is_url or not channel.queue_url.isprintable() or " " in channel.queue_url:
            errors["queue_url"] = ["Give the URL of an SQS queue."]
    return errors


def _webhook(channel: DeploymentChannel) -> dict[str, list[str]]:
    if not channel.url:
        return {"url": ["Give the URL that takes the orders."]}
    try:
        webhooks.check_url(channel.url)
    except webhooks.AddressRefused as refusal:
        return {"url": [str(refusal)]}
    return {}


_CHECKS = {
    ChannelKind.EVENT_BRIDGE: _event_bridge,
    ChannelKind.PIPELINE: _pipeline,
    ChannelKind.CALLBACK: _callback,
    ChannelKind.WEBHOOK: _webhook,
}
