"""The pipelines that wait for a decision: which one releases them, what they will be told, what they were told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from portal.core.actors import Actor
from portal.core.vocabulary import Stage
from registry.aws.pipelines import EXECUTION_ARN
from registry.models import AwsAccount, Deployment, ModelVersion, PipelineStep

from ..choices import CallbackOutcome, ChannelKind, RequestState
from ..models import ApprovalRequest, OutboxMessage, WaitingCallback
from . import policy as policies
from .channels import way_for


@dataclass(frozen=True)
class WaitingStep:
    """One step that waits or waited; `is_released` tells that approving the request it is shown with lets it go on.

    `since` is when the step began as SageMaker says, else when the portal heard of it.
    """

    callback: WaitingCallback
    pipeline: str
    step_name: str
    since: datetime
    is_released: bool = False

    @property
    def is_waiting(self) -> bool:
        return self.callback.outcome == CallbackOutcome.WAITING

    @property
    def asks(self) -> str:
        """What it asks, in words."""
        return f"whether it may deploy to {self.callback.account} for {Stage(self.callback.stage).label}"

    @property
    def told(self) -> str:
        """What it was told, "" while it waits."""
        return {
            CallbackOutcome.RELEASED: "It was told to go on",
            CallbackOutcome.REFUSED: "It was told that it may not go on",
            CallbackOutcome.GONE: "It was not told: it waited no more",
        }.get(CallbackOutcome(self.callback.outcome), "")


def waiting_for_version(actor: Actor, version: ModelVersion) -> list[WaitingStep]:
    """Return the steps that wait for a version the caller has seen, or waited for it, the last to come first."""
    rows = WaitingCallback.objects.visible_to(actor).filter(model_package_arn=version.arn)
    return _shown(rows.select_related("account", "home").order_by("-pk")[:50], frozenset())


def waiting_for_request(request: ApprovalRequest, told: Iterable[OutboxMessage]) -> list[WaitingStep]:
    """Return the steps that wait while a request is open; once it is decided, those its decision has to do with.

    `told` are the messages of its decisions: a step one of them answered stays shown with the answer.
    """
    version = request.version
    if version is None:
        return []
    rows = WaitingCallback.objects.filter(model_package_arn=version.arn).select_related("account", "home")
    if request.state == RequestState.OPEN:
        waiting = list(rows.waiting().order_by("pk"))
        return _shown(waiting, _released_by(request, version)) if waiting else []
    messages = list(told)
    ordered = frozenset(
        (str(message.payload["detail"].get("stage")), str(message.payload["detail"].get("targetAccount")))
        for message in messages
        if isinstance(message.payload.get("detail"), dict)
    )
    keys = {message.pk for message in messages}
    found = _shown(rows.order_by("pk"), ordered)
    return [one for one in found if one.callback.answered_by_id in keys or (one.is_waiting and one.is_released)]


def _released_by(request: ApprovalRequest, version: ModelVersion) -> frozenset[tuple[str, str]]:
    """Return for which stages and accounts the approval of a request orders a deployment by answering a step."""
    if request.renews:
        return frozenset()
    following = policies.stage_after(version, request.policy)
    if following is not None:
        stage, accounts = following, list(AwsAccount.objects.serving(following))
    else:
        stage = Stage(request.stage)
        rows = Deployment.objects.filter(version=version, stage=stage).select_related("account")
        accounts = [deployment.account for deployment in rows]
    hub, region = version.group.account, version.group.region
    return frozenset(
        (str(stage), account.account_id)
        for account in accounts
        if way_for(hub=hub, region=region, account=account, stage=stage).kind is ChannelKind.CALLBACK
    )


def _shown(rows: Iterable[WaitingCallback], released: frozenset[tuple[str, str]]) -> list[WaitingStep]:
    callbacks = list(rows)
    arns = {callback.execution_arn for callback in callbacks if callback.execution_arn}
    begun: dict[str, list[PipelineStep]] = {}
    if arns:
        steps = PipelineStep.objects.filter(execution__arn__in=arns, kind="Callback").select_related("execution")
        for step in steps.order_by("position"):
            begun.setdefault(step.execution.arn, []).append(step)
    return [_one(callback, begun.get(callback.execution_arn, []), released) for callback in callbacks]


def _one(callback: WaitingCallback, steps: list[PipelineStep], released: frozenset[tuple[str, str]]) -> WaitingStep:
    match = EXECUTION_ARN.fullmatch(callback.execution_arn)
    # A message of its queue does not name the step; where the execution has one callback step, it is that.
    named = [step for step in steps if step.name == callback.step_name] or (steps if len(steps) == 1 else [])
    return WaitingStep(
        callback=callback,
        pipeline=match["pipeline"] if match else "",
        step_name=callback.step_name or (named[0].name if named else ""),
        since=(named[0].started_at if named else None) or callback.received_at,
        is_released=(callback.stage, callback.account.account_id) in released,
    )
