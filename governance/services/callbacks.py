"""Pipelines that wait at a callback step: told of by people and pipelines, read from queues, found in SageMaker."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import DomainError, InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import Stage, Status
from registry.aws import pipelines
from registry.aws.errors import AwsError
from registry.aws.session import AwsSession
from registry.models import AwsAccount, ModelVersion
from registry.services import accounts

from ..choices import CallbackSource, ChannelKind, PipelineHome
from ..lifecycle import MODEL_STAGES
from ..models import DeploymentChannel, WaitingCallback
from ..selectors.channels import Way, way_for
from . import callback_rows, deployment_orders

logger = logging.getLogger(__name__)

READER = Actor.system("callbacks")
# A step that waits longer than that has long timed out.
_SINCE = timedelta(days=30)


def post(
    *,
    actor: Actor,
    model_package_arn: str,
    stage: Stage,
    account_id: str,
    token: str,
    execution_arn: str = "",
) -> tuple[WaitingCallback, bool]:
    """Write down that a pipeline waits for the word whether a version may be deployed; True when it is new.

    A token posted twice is one. What was decided before it came is answered at once. Raises NotFound, Forbidden,
    InvalidInput naming the fields, WrongState when orders for this account and stage take another way.
    """
    with operation(actor, "a pipeline waits"):
        version = access.get(ModelVersion, actor, arn=model_package_arn)
        require(actor, Act.REPORT_DEPLOYMENT, version.scope_project_id)
        account = _account(account_id)
        way = _awaited(version, account, stage)
        return _take_in(
            way=way,
            version=version,
            model_package_arn=version.arn,
            account=account,
            stage=stage,
            token=token,
            execution_arn=execution_arn,
            source=CallbackSource.API,
        )


def read_all() -> int:
    """Read the queues of the channels that have one, and look for waiting steps of those that name a pipeline.

    Returns how many new ones were found. A channel that cannot be read says so, and holds up no other.
    """
    found = 0
    for channel in DeploymentChannel.objects.awaiting_callbacks().select_related("account").order_by("pk"):
        problems: list[str] = []
        for hub in AwsAccount.objects.hubs() if channel.runs_in == PipelineHome.HUB else [channel.account]:
            try:
                session = accounts.reach(hub)
                found += _read_queue(session, hub, channel, problems) if channel.queue_url else 0
                found += _look_for_steps(session, hub, channel, problems) if channel.pipeline else 0
            except AwsError as error:
                problems.append(str(error))
        _say(channel, problems)
    return found


def _read_queue(session: AwsSession, home: AwsAccount, channel: DeploymentChannel, problems: list[str]) -> int:
    found = 0
    while messages := pipelines.receive_callbacks(session, channel.queue_url):
        for message in messages:
            if message.problem:
                # It stays in the queue, whose own dead letters keep it for whoever mends it.
                problems.append(message.problem)
                continue
            given = message.arguments
            arn = given.get("model_package_arn") or _registered(session, message.execution_arn, message.token)
            is_new = _take_in_found(
                home,
                problems,
                arn=arn,
                stage=given.get("stage") or channel.stage,
                account_id=given.get("account") or given.get("target_account") or channel.account.account_id,
                token=message.token,
                execution_arn=message.execution_arn,
                source=CallbackSource.QUEUE,
            )
            if is_new is not None:
                pipelines.forget_callback(session, channel.queue_url, message)
                found += is_new
    return found


def _look_for_steps(session: AwsSession, home: AwsAccount, channel: DeploymentChannel, problems: list[str]) -> int:
    found = 0
    since = timezone.now() - _SINCE
    for step in pipelines.waiting_callbacks(
        session, pipeline=channel.pipeline, step_name=channel.step_name, since=since
    ):
        if not step.model_package_arn or not channel.stage:
            # Its queue or the pipeline itself must say what it waits for.
            continue
        found += bool(
            _take_in_found(
                home,
                problems,
                arn=step.model_package_arn,
                stage=channel.stage,
                account_id=channel.account.account_id,
                token=step.token,
                execution_arn=step.execution_arn,
                step_name=step.step_name,
                source=CallbackSource.LOOKUP,
            )
        )
    return found


def _registered(session: AwsSession, execution_arn: str, token: str) -> str:
    """Return the version that an execution has registered, "" when it registered none before it waited."""
    for step in pipelines.callbacks_of(session, execution_arn):
        if step.token == token:
            return step.model_package_arn
    return ""


def _take_in_found(
    home: AwsAccount,
    problems: list[str],
    *,
    arn: str,
    stage: str,
    account_id: str,
    token: str,
    execution_arn: str,
    source: CallbackSource,
    step_name: str = "",
) -> bool | None:
    """Take in a step somebody did not post; None when it cannot be used, and why is among the problems.

    `home` is the account it was found in: what a message says of the rest is the word of whoever can send there.
    """
    if not arn:
        problems.append(f"{execution_arn} waits, but neither its message nor its steps name a version.")
        return None
    try:
        with operation(READER, "a pipeline waits"):
            account = _account(account_id)
            version = ModelVersion.objects.filter(arn=arn).select_related("group__account").first()
            if version is None:
                problems.append(f"{arn} is not known yet; its step waits until a sync has found it.")
                return None
            way = _awaited(version, account, _stage(stage))
            if way.account.pk != home.pk:
                raise WrongState(
                    f"It waits in {home}, and for {_stage(stage).label} in {account} the portal answers steps of"
                    f" {way.account}."
                )
            _, is_new = _take_in(
                way=way,
                version=version,
                model_package_arn=arn,
                account=account,
                stage=_stage(stage),
                token=token,
                execution_arn=execution_arn,
                step_name=step_name,
                source=source,
            )
            return is_new
    except DomainError as refusal:
        problems.append(f"{execution_arn or arn}: {refusal.detail}")
        return None


def _take_in(
    *,
    way: Way,
    version: ModelVersion,
    model_package_arn: str,
    account: AwsAccount,
    stage: Stage,
    token: str,
    execution_arn: str,
    source: CallbackSource,
    step_name: str = "",
) -> tuple[WaitingCallback, bool]:
    _check(way, token, execution_arn)
    callback, is_new = callback_rows.write(
        token=token,
        model_package_arn=model_package_arn,
        version=version,
        account=account,
        stage=stage,
        home=way.account,
        region=way.region,
        execution_arn=execution_arn,
        step_name=step_name,
        source=source,
    )
    if not is_new:
        if (callback.model_package_arn, callback.stage, callback.account_id) != (model_package_arn, stage, account.pk):
            raise WrongState("This token is known already, for another version, stage or account.")
        return callback, False
    if version.status in (Status.REJECTED, Status.RETIRED):
        deployment_orders.refuse_waiting(
            version=version, who="portal", reason=f"It is {Status(version.status).label.lower()}."
        )
    else:
        deployment_orders.wake(model_package_arn=model_package_arn, stage=stage, account_id=account.account_id)
    return callback, True


def _awaited(version: ModelVersion, account: AwsAccount, stage: Stage) -> Way:
    """Return the way of this version's orders. Raises WrongState unless they answer waiting steps."""
    way = way_for(hub=version.group.account, region=version.group.region, account=account, stage=stage)
    if way.kind is not ChannelKind.CALLBACK:
        raise WrongState(
            f"Orders for {stage.label} in {account} go out {way.words}, so nobody would answer this step. An ML admin"
            " sets the channel of this account and stage to waiting pipeline steps first."
        )
    return way


def _check(way: Way, token: str, execution_arn: str) -> None:
    errors: dict[str, list[str]] = {}
    if pipelines.CALLBACK_TOKEN.fullmatch(token) is None:
        errors["callback_token"] = ["A callback token has ten letters and digits."]
    if execution_arn:
        match = pipelines.EXECUTION_ARN.fullmatch(execution_arn)
        if match is None:
            errors["pipeline_execution_arn"] = ["This is not the ARN of a pipeline execution."]
        elif match["account"] != way.account.account_id:
            errors["pipeline_execution_arn"] = [
                f"It runs in {match['account']}, and the channel expects its pipelines in {way.account.account_id}."
            ]
    if errors:
        raise InvalidInput("The step cannot be answered with this.", errors=errors)


def _account(account_id: str) -> AwsAccount:
    account = AwsAccount.objects.filter(account_id=account_id).first()
    if account is None:
        raise InvalidInput("There is no such account.", errors={"account": [f"{account_id} is not registered."]})
    return account


def _stage(stage: str) -> Stage:
    if stage not in [known.value for known in MODEL_STAGES]:
        raise InvalidInput(
            "It names no stage.",
            errors={"stage": [f"Name one of {', '.join(known.value for known in MODEL_STAGES)}."]},
        )
    return Stage(stage)


def _say(channel: DeploymentChannel, problems: list[str]) -> None:
    said = "\n".join(dict.fromkeys(problems))[:4000]
    if said != channel.last_error:
        with operation(READER, "read the channel's waiting steps"):
            DeploymentChannel.objects.filter(pk=channel.pk).update(last_error=said)
