"""Carrying out the outbox: at least once, in order per version, with the effect of exactly once.

A message is done under an advisory lock of its ordering key, outside any transaction, so a killed worker leaves
it pending and unlocked. Doing it again is harmless: a write-back first looks whether AWS already says what it
would write, SageMaker knows its token, a copy is compared, and an order carries its own id for the receiver.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from portal.core.jobs import enqueue_on_commit
from portal.core.locks import advisory_lock
from portal.core.operations import operation
from registry.aws.errors import AwsConflict, AwsError

from ..choices import FindingKind, OutboxKind, OutboxState
from ..models import OutboxMessage
from . import findings
from .carriers import CARRIERS
from .carriers.carrier import ACTOR, Hopeless, NotYet
from .outbox import DELIVER, wait_before

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 12


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
        .select_related("version__group__account", "group__account", "account")
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
        result = CARRIERS[OutboxKind(message.kind)].carry(message)
    except NotYet as wait:
        _waits(message, wait)
        return False
    except Hopeless as error:
        _failed(message, str(error), retryable=False)
        return False
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
        message.last_error = message.waiting_for = ""
        message.waiting_since = None
        message.save(update_fields=["state", "delivered_at", "last_error", "waiting_for", "waiting_since"])
        CARRIERS[OutboxKind(message.kind)].delivered(message, result)
        _clear_finding(message)
    return True


def _clear_finding(message: OutboxMessage) -> None:
    """Resolve the finding about a message's subject once none of its messages is given up any more."""
    for name in ("version", "group", "account"):
        subject = getattr(message, name)
        if subject is not None:
            if not OutboxMessage.objects.filter(**{name: subject}, state=OutboxState.FAILED).exists():
                findings.clear(FindingKind.WRITE_BACK_FAILED, subject, "It was carried out.")
            return


def _waits(message: OutboxMessage, wait: NotYet) -> None:
    """Put a message off that only waits; its attempts start anew, for AWS has just answered."""
    now = timezone.now()
    since = message.waiting_since or now
    patience = CARRIERS[OutboxKind(message.kind)].patience
    if now - since >= patience:
        _failed(message, f"Waited since {since:%Y-%m-%d %H:%M} UTC in vain for: {wait.waits_for}.", retryable=False)
        return
    with operation(ACTOR, f"outbox message {message.pk} waits"):
        message.attempts = 0
        message.last_error = ""
        message.waiting_for = wait.waits_for
        message.waiting_since = since
        message.next_attempt_at = now + min(timedelta(seconds=wait.seconds), since + patience - now)
        message.save(update_fields=["attempts", "last_error", "waiting_for", "waiting_since", "next_attempt_at"])
        enqueue_on_commit(DELIVER, after_seconds=wait.seconds)


def _failed(message: OutboxMessage, error: str, retryable: bool) -> None:
    final = not retryable or message.attempts >= MOST_ATTEMPTS
    with operation(ACTOR, f"outbox message {message.pk} failed"):
        message.last_error = error
        message.state = OutboxState.FAILED if final else OutboxState.PENDING
        wait = wait_before(message.attempts) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
        message.next_attempt_at = timezone.now() + (timedelta() if final else wait)
        message.save(update_fields=["last_error", "state", "next_attempt_at"])
        if not final:
            return
        CARRIERS[OutboxKind(message.kind)].given_up(message, error)
        subject = message.version or message.group or message.account
        if subject is not None:
            findings.observe(
                FindingKind.WRITE_BACK_FAILED,
                subject,
                f"{message.summary}: given up after {message.attempts} attempts. {error}",
                {"outbox_message": message.pk, "error": error},
            )
