"""Writing to the outbox: in the transaction that decides, for the worker that carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.core import access, kept
from portal.core.actors import Actor
from portal.core.errors import WrongState
from portal.core.jobs import wake_on_commit
from portal.core.operations import operation
from portal.core.permissions import Act, may, require_anywhere
from registry.models import AwsAccount, ModelGroup, ModelVersion

from ..choices import OutboxKind, OutboxState
from ..models import OutboxMessage

DELIVER = "governance.deliver_outbox"
# What can take minutes has a lane beside its account's, so that a decision never waits behind it.
SLOW = frozenset({OutboxKind.ARTIFACT_COPY})
SLOW_LANE = ":slow"


def put(
    *,
    kind: OutboxKind,
    ordering_key: str,
    payload: dict[str, Any],
    summary: str,
    version: ModelVersion | None = None,
    group: ModelGroup | None = None,
    account: AwsAccount | None = None,
    request_id: int | None = None,
) -> OutboxMessage:
    """Write one message in the caller's operation; a worker is woken when it commits.

    Messages with the same `ordering_key` are carried out in the order they were written. Name the one thing it is
    about: a version, a group or an account. Its lane is the account that owns it.
    """
    where = lane_of(kind, account or (version.group.account if version else group.account if group else None))
    message = kept.insert(
        OutboxMessage(
            kind=kind,
            ordering_key=ordering_key,
            lane=where,
            payload=payload,
            summary=summary,
            version=version,
            group=group,
            account=account,
            request_id_copy=request_id,
            next_attempt_at=timezone.now(),
        )
    )
    wake_on_commit(DELIVER, lane=where)
    return message


def lane_of(kind: OutboxKind, account: AwsAccount | None) -> str:
    """Name the lane of a message: its account's twelve digits, and what is slow there apart."""
    return f"{account.account_id if account else ''}{SLOW_LANE if kind in SLOW else ''}"


def retry(*, actor: Actor, message_id: int) -> OutboxMessage:
    """Give a failed or waiting message its next attempt now, and as many after it as a new one has.

    Raises NotFound, Forbidden, WrongState when it was delivered or superseded.
    """
    with operation(actor, "retry outbox message"):
        message = access.for_update(OutboxMessage, actor, Act.RETRY_OUTBOX, pk=message_id)
        if message.state == OutboxState.DELIVERED:
            raise WrongState("This has been carried out already; there is nothing to retry.")
        if message.state == OutboxState.SUPERSEDED:
            raise WrongState("A later word took the place of this one; there is nothing to retry.")
        _try_now(message)
        return message


@dataclass(frozen=True)
class Retried:
    """How many messages were given their next attempt, and how many were left because of their projects."""

    retried: int
    left: int


def retry_failed(*, actor: Actor, account_id: str) -> Retried:
    """Give every message that was given up in one account its next attempt now, each as `retry` would.

    Those of projects where the actor may not do that are left and counted; so is what a worker holds at this moment.
    Raises Forbidden without the role anywhere, NotFound for an account he does not see.
    """
    require_anywhere(actor, Act.RETRY_OUTBOX)
    account = access.get(AwsAccount, actor, account_id=account_id)
    with operation(actor, f"retry what was given up in {account.account_id}"):
        failed = OutboxMessage.objects.visible_to(actor).filter(
            state=OutboxState.FAILED, lane__startswith=account.account_id
        )
        rows = failed.select_related("version__group", "group").select_for_update(of=("self",), skip_locked=True)
        allowed = [row for row in rows.order_by("pk") if may(actor, Act.RETRY_OUTBOX, row.scope_project_id)]
        total = failed.count()
        for message in allowed:
            _try_now(message)
        return Retried(len(allowed), total - len(allowed))


def _try_now(message: OutboxMessage) -> None:
    message.state = OutboxState.PENDING
    message.attempts = 0
    message.waiting_since = None
    message.next_attempt_at = timezone.now()
    message.save(update_fields=["state", "attempts", "waiting_since", "next_attempt_at"])
    wake_on_commit(DELIVER, lane=message.lane)


def wait_before(attempt: int) -> timedelta:
    """Return how long to wait after the n-th failed attempt: 2 s doubling to 5 minutes."""
    return timedelta(seconds=min(2.0**attempt, 300.0))
