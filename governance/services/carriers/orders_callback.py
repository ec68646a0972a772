"""Ordering by telling a pipeline that waits at a callback step to go on, and refusing by telling it that it may not."""

from __future__ import annotations

import uuid
from typing import Any

from portal.core import sealing
from portal.core.operations import operation
from portal.core.vocabulary import Stage
from registry.aws import pipelines
from registry.aws.errors import AwsError
from registry.aws.session import AwsSession

from ...choices import CallbackOutcome, OrderAction, OutboxKind, OutboxState
from ...models import OutboxMessage, WaitingCallback
from .. import callback_rows
from .carrier import ACTOR, NotYet, session_of

# A step that comes wakes its order at once; this is for what was missed.
LOOK_AGAIN_SECONDS = 60.0
_LONGEST_REASON = 200


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Answer every step that waits for this word, and write each answer down before the next.

    An order waits (NotYet) for the decision's own write-back and then for a pipeline to ask; a refusal tells those
    that wait, and is done when none does. Raises AwsError.
    """
    detail = message.payload["detail"]
    is_refusal = detail["action"] == OrderAction.REFUSE
    later = OutboxMessage.objects.filter(ordering_key=message.ordering_key, pk__gt=message.pk).order_by("pk").first()
    if later is not None and not _told_before(message):
        return {"note": f"Not sent: {later.summary}."}
    if not is_refusal and _decision_on_its_way(message):
        raise NotYet("the decision to reach SageMaker first", seconds=3)
    waiting = list(
        WaitingCallback.objects.waiting()
        .for_order(detail["modelPackageArn"], detail["stage"], detail["targetAccount"])
        .select_related("home", "account")
    )
    told = [callback for callback in waiting if _tell(message, callback, is_refusal)]
    earlier = _told_before(message)
    if is_refusal:
        return {"note": _count(len(earlier) or len(told), "told that it may not go on")}
    if not told and not earlier:
        stage = Stage(detail["stage"]).label
        gone = " (the one that waited does so no more)" if waiting else ""
        raise NotYet(
            f"a pipeline to ask whether it may deploy to {detail['targetAccount']} for {stage}{gone}",
            seconds=LOOK_AGAIN_SECONDS,
        )
    executions = [callback.execution_arn for callback in (*told, *earlier) if callback.execution_arn]
    return {"reference": executions[0] if executions else "", "note": _count(len(earlier), "told to go on")}


def _decision_on_its_way(message: OutboxMessage) -> bool:
    """Whether the write-back this order follows has not reached SageMaker yet."""
    return (
        OutboxMessage.objects.filter(kind=OutboxKind.WRITE_BACK, version_id=message.version_id, pk__lt=message.pk)
        .exclude(state__in=[OutboxState.DELIVERED, OutboxState.SUPERSEDED])
        .exists()
    )


def _told_before(message: OutboxMessage) -> list[WaitingCallback]:
    """Return the steps this very message has answered, in this attempt or in one whose worker died."""
    rows = WaitingCallback.objects.filter(answered_by=message).exclude(outcome=CallbackOutcome.GONE)
    return list(rows.order_by("pk"))


def _tell(message: OutboxMessage, callback: WaitingCallback, is_refusal: bool) -> bool:
    """Answer one step and write that down; False when it waited no more."""
    session = session_of(callback.home.account_id, callback.region)
    token = sealing.unseal(callback.token, purpose=callback_rows.PURPOSE).decode()
    outcome = CallbackOutcome.REFUSED if is_refusal else CallbackOutcome.RELEASED
    note = ""
    try:
        callback.execution_arn = _send(session, message, token, is_refusal, callback) or callback.execution_arn
    except pipelines.CallbackGone as error:
        if _was_us(session, message, token, callback.execution_arn):
            note = "An earlier attempt had answered it; its worker died before it could say so."
        else:
            outcome, note = CallbackOutcome.GONE, f"It waited no more when it was to be answered. {error.message}"
    with operation(ACTOR, f"answer a waiting pipeline for outbox message {message.pk}"):
        callback_rows.answer(callback=callback, outcome=outcome, message=message, note=note)
    return outcome is not CallbackOutcome.GONE


def _send(session: AwsSession, message: OutboxMessage, token: str, is_refusal: bool, callback: WaitingCallback) -> str:
    detail = message.payload["detail"]
    # One token per message and step: AWS would take a second step under the same one for a repetition.
    client_token = str(uuid.uuid5(message.token, callback.token_digest))
    if is_refusal:
        return pipelines.send_failure(
            session,
            token=token,
            reason=f"{pipelines.shortened(detail['reason'], _LONGEST_REASON)} (order {message.token})",
            client_token=client_token,
        )
    outputs = {
        "decision": "approved",
        "approval_request": detail["approvalRequest"] or "",
        "order_id": str(message.token),
    }
    return pipelines.send_success(session, token=token, outputs=outputs, client_token=client_token)


def _was_us(session: AwsSession, message: OutboxMessage, token: str, execution_arn: str) -> bool:
    """Whether the step's answer carries this order's id, as far as SageMaker still tells."""
    if not execution_arn:
        return False
    try:
        said = pipelines.answered(session, execution_arn, token)
    except AwsError as error:
        if error.retryable:
            raise
        return False
    return said is not None and str(message.token) in said


def _count(steps: int, what: str) -> str:
    if not steps:
        return "No pipeline waited for it."
    return f"One pipeline was {what}." if steps == 1 else f"{steps} pipelines were {what}."
