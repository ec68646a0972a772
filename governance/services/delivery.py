"""Carrying out the outbox: at least once, in order per version, with the effect of exactly once.

A message is done under an advisory lock of its ordering key, outside any transaction, so a killed worker leaves
it pending and unlocked. Doing it again is harmless: a write-back first looks whether AWS already says what it
would write, SageMaker knows its token, a copy is compared, and an order carries its own id for the receiver.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.locks import advisory_lock
from portal.core.operations import operation
from registry.aws import events, s3, sagemaker
from registry.aws.errors import AwsConflict, AwsError
from registry.aws.records import LifeCycle
from registry.aws.session import AwsSession
from registry.models import AwsAccount
from registry.services import accounts
from registry.services import versions as registry_versions

from ..choices import FindingKind, OutboxKind, OutboxState
from ..models import OutboxMessage
from . import findings
from .outbox import wait_before

logger = logging.getLogger(__name__)

ACTOR = Actor.system("outbox")
MOST_ATTEMPTS = 12
DEPLOYMENT_ORDERED = "Model Deployment Ordered"


def deliver_due(limit: int = 100) -> int:
    """Carry out what is due, oldest first; returns how many messages were delivered."""
    delivered = 0
    # Only the first undelivered message of a key can be carried out: those behind one that failed must not take the
    # places of others.
    earlier = OutboxMessage.objects.filter(ordering_key=OuterRef("ordering_key"), pk__lt=OuterRef("pk"))
    heads = OutboxMessage.objects.due().filter(~Exists(earlier.exclude(state=OutboxState.DELIVERED)))
    for key in list(heads.order_by("pk").values_list("ordering_key", flat=True)[:limit]):
        with advisory_lock(f"outbox:{key}") as held:
            while held and _deliver_next(key):
                delivered += 1
    return delivered


def _deliver_next(key: str) -> bool:
    """Carry out the first pending message of a key; False when there is none, it is not due, or it failed."""
    message = (
        OutboxMessage.objects.filter(ordering_key=key)
        .exclude(state=OutboxState.DELIVERED)
        .select_related("version__group__account")
        .order_by("id")
        .first()
    )
    # A message that failed for good holds back those behind it: order matters more than speed.
    if message is None or message.state != OutboxState.PENDING or message.next_attempt_at > timezone.now():
        return False
    with operation(ACTOR, f"attempt outbox message {message.pk}"):
        message.attempts += 1
        message.started_at = timezone.now()
        message.save(update_fields=["attempts", "started_at"])
    try:
        result = _CARRIERS[OutboxKind(message.kind)](message)
    except AwsError as error:
        _failed(message, str(error), error.retryable or isinstance(error, AwsConflict))
        return False
    except Exception as error:
        # Whatever it was, the message is kept, shown and tried again; nothing behind it overtakes it.
        logger.exception("Outbox message %s failed", message.pk)
        _failed(message, f"{type(error).__name__}: {error}", retryable=True)
        return False
    with operation(ACTOR, f"deliver outbox message {message.pk}"):
        message.state = OutboxState.DELIVERED
        message.delivered_at = timezone.now()
        message.last_error = ""
        message.save(update_fields=["state", "delivered_at", "last_error"])
        _note_result(message, result)
        _clear_finding(message)
    return True


def _clear_finding(message: OutboxMessage) -> None:
    """Resolve the finding about a version once none of its messages is given up any more."""
    version = message.version
    if version is None or OutboxMessage.objects.filter(version=version, state=OutboxState.FAILED).exists():
        return
    findings.clear(FindingKind.WRITE_BACK_FAILED, version, "It was carried out.")


def _failed(message: OutboxMessage, error: str, retryable: bool) -> None:
    final = not retryable or message.attempts >= MOST_ATTEMPTS
    with operation(ACTOR, f"outbox message {message.pk} failed"):
        message.last_error = error
        message.state = OutboxState.FAILED if final else OutboxState.PENDING
        wait = wait_before(message.attempts) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
        message.next_attempt_at = timezone.now() + (timedelta() if final else wait)
        message.save(update_fields=["last_error", "state", "next_attempt_at"])
        if final and message.version is not None:
            findings.observe(
                FindingKind.WRITE_BACK_FAILED,
                message.version,
                f"{message.summary}: given up after {message.attempts} attempts. {error}",
                {"outbox_message": message.pk, "error": error},
            )


def _session(account_id: str, region: str) -> AwsSession:
    return accounts.reach(AwsAccount.objects.get(account_id=account_id), region)


def _write_back(message: OutboxMessage) -> dict[str, Any]:
    payload = message.payload
    session = _session(payload["account_id"], payload["region"])
    wanted = LifeCycle(payload["stage"], payload["stage_status"], payload["stage_description"])
    current = sagemaker.describe_version(session, payload["model_package_arn"])
    if (
        current.approval_status == payload["approval_status"]
        and current.approval_description == payload["approval_description"]
        and current.life_cycle == wanted
    ):
        # An earlier attempt got through and its worker died before saying so.
        return {}
    sagemaker.update_version(
        session,
        payload["model_package_arn"],
        client_token=str(message.token),
        approval_status=payload["approval_status"],
        approval_description=payload["approval_description"],
        life_cycle=wanted,
    )
    return {}


def _order_deployment(message: OutboxMessage) -> dict[str, Any]:
    payload = message.payload
    session = _session(payload["account_id"], payload["region"])
    detail = {**payload["detail"], "orderId": str(message.token)}
    event_id = events.put_deployment_order(
        session,
        bus=payload["bus"],
        detail=detail,
        detail_type=DEPLOYMENT_ORDERED,
        resources=[detail["modelPackageArn"]],
    )
    return {"event_id": event_id}


def _copy_artifact(message: OutboxMessage) -> dict[str, Any]:
    payload = message.payload
    result = s3.copy(
        _session(payload["source_account_id"], payload["region"]),
        _session(payload["target_account_id"], payload["region"]),
        payload["source_url"],
        payload["target_url"],
    )
    return {"url": result.url, "sha256": result.sha256}


_CARRIERS = {
    OutboxKind.WRITE_BACK: _write_back,
    OutboxKind.DEPLOYMENT_ORDER: _order_deployment,
    OutboxKind.ARTIFACT_COPY: _copy_artifact,
}


def _note_result(message: OutboxMessage, result: dict[str, Any]) -> None:
    if message.kind == OutboxKind.ARTIFACT_COPY and message.version is not None:
        registry_versions.record_artifact_copy(
            actor=ACTOR, version=message.version, url=result["url"], sha256=result["sha256"]
        )
