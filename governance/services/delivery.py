"""Carrying out the outbox: at least once, in order per version, with the effect of exactly once.

A message is done under an advisory lock of its ordering key, outside any transaction, so a killed worker leaves
it pending and unlocked. Doing it again is harmless: a write-back first looks whether AWS already says what it
would write, SageMaker knows its token, a copy is compared, and an order carries its own id for the receiver.
Whose turn it is, and which words were superseded, `selectors.outbox_order` decides (ADR 0012).
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from enum import Enum, auto
from time import monotonic

from django.utils import timezone

from portal.core import kept
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import advisory_lock
from portal.core.operations import operation
from registry.aws.errors import AwsConflict, AwsError, AwsThrottled, AwsUnavailable

from ..choices import FindingKind, OutboxKind, OutboxState
from ..models import OutboxMessage
from ..selectors.outbox_order import FLIGHT, entry_of, turn
from . import findings
from .carriers import CARRIERS, Carrier
from .carriers.carrier import ACTOR, Hopeless, NotYet, Overtaken, TryAgain
from .outbox import DELIVER, wait_before

logger = logging.getLogger(__name__)

_MESSAGE = kept.Kept(
    lambda pk: (
        OutboxMessage.objects.select_for_update(of=("self",))
        .select_related("version__group__account", "group__account", "account")
        .filter(pk=pk)
    ),
    int,
)
MOST_ATTEMPTS = 12
# Well below the time a task may run, so that a long lane goes on in the next task instead of being killed.
LONGEST_SECONDS = 300


class Step(Enum):
    """What came of one turn of a key."""

    DELIVERED = auto()
    AGAIN = auto()
    NOTHING = auto()
    SLOWED = auto()


def deliver_due(limit: int = 100, *, lane: str | None = None) -> int:
    """Carry out what is due, oldest first, in one lane or in all; returns how many messages were delivered.

    An account that is throttled or does not answer ends its lane for this time, and no other.
    """
    delivered = 0
    deadline = monotonic() + LONGEST_SECONDS
    slowed: set[str] = set()
    for its_lane, key in OutboxMessage.objects.ready_keys(lane):
        if delivered >= limit or monotonic() > deadline:
            enqueue_on_commit(DELIVER, lane=lane)
            break
        if its_lane in slowed:
            continue
        with advisory_lock(f"outbox:{key}") as held:
            while held:
                step = _take_turn(key, lane)
                delivered += step is Step.DELIVERED
                if step is Step.SLOWED:
                    slowed.add(its_lane)
                if step in (Step.NOTHING, Step.SLOWED):
                    break
    return delivered


def deliver_key(key: str) -> bool:
    """Carry out what one ordering key has to do now; False when somebody else is at it."""
    with advisory_lock(f"outbox:{key}") as held:
        while held and _take_turn(key, None) not in (Step.NOTHING, Step.SLOWED):
            pass
        return bool(held)


def _take_turn(key: str, lane: str | None) -> Step:
    now = timezone.now()
    waiting = {message.pk: message for message in OutboxMessage.objects.undelivered_of(key)}
    todo = turn([entry_of(message, now) for message in waiting.values()])
    for pk, by in todo.superseded.items():
        _supersede(waiting[pk], waiting[by])
    if todo.look is not None:
        return _look(waiting[todo.look], now)
    if todo.carry is None:
        return Step.NOTHING
    message = waiting[todo.carry]
    if lane is not None and message.lane != lane:
        # It has its own worker; the key's lock is free for it when this one lets go.
        enqueue_on_commit(DELIVER, after_seconds=1, lane=message.lane)
        return Step.NOTHING
    return _attempt(message.pk)


def _attempt(pk: int) -> Step:
    """Carry out one message and write down what came of it."""
    message = _begun(pk)
    if message is None:
        return Step.AGAIN
    carrier = _carrier(message)
    try:
        result = carrier.carry(message)
    except NotYet as wait:
        _waits(message, wait)
        # What does not depend on it goes on; one that wants to go on itself makes room for other keys first.
        return Step.AGAIN if wait.seconds >= 1 else Step.NOTHING
    except Overtaken:
        _stood_back(message)
        return Step.AGAIN
    except Hopeless as error:
        _failed(message, str(error), retryable=False)
        return Step.AGAIN
    except TryAgain as error:
        _failed(message, str(error), retryable=True)
        return Step.AGAIN
    except AwsError as error:
        # Without an answer nobody knows whether the request arrived.
        in_doubt = isinstance(error, AwsUnavailable)
        _failed(message, str(error), error.retryable or isinstance(error, AwsConflict), in_doubt=in_doubt)
        return Step.SLOWED if isinstance(error, AwsThrottled | AwsUnavailable) else Step.AGAIN
    except Exception as error:
        # Whatever it was, the message is kept, shown and tried again; nothing behind it overtakes it.
        logger.exception("Outbox message %s failed", message.pk)
        _failed(message, f"{type(error).__name__}: {error}", retryable=True, in_doubt=True)
        return Step.AGAIN
    try:
        _delivered(message, result)
    except Exception as error:
        logger.exception("Outbox message %s was carried out, but not written down", message.pk)
        message = OutboxMessage.objects.get(pk=pk)
        words = f"Carried out, but not written down: {type(error).__name__}: {error}"
        _failed(message, words, retryable=True, in_doubt=True)
        return Step.AGAIN
    return Step.DELIVERED


def _begun(pk: int) -> OutboxMessage | None:
    """Write down that an attempt begins, before AWS hears of it; None when it is pending no more."""
    with operation(ACTOR, f"attempt outbox message {pk}"):
        message = _MESSAGE.get(pk)
        if message.state != OutboxState.PENDING:
            return None
        message.attempts += 1
        message.started_at = timezone.now()
        message.ended_at = None
        message.in_doubt = True
        kept.update(message, "attempts", "started_at", "ended_at", "in_doubt")
    return message


def _delivered(message: OutboxMessage, result: dict[str, object]) -> None:
    with operation(ACTOR, f"deliver outbox message {message.pk}"):
        message.state = OutboxState.DELIVERED
        message.delivered_at = timezone.now()
        message.note = str(result.get("note") or "")
        message.last_error = message.waiting_for = ""
        message.waiting_since = None
        _end(message, "state", "delivered_at", "note", "last_error", "waiting_for", "waiting_since")
        _carrier(message).delivered(message, result)
        _clear_finding(message)


def _supersede(message: OutboxMessage, by: OutboxMessage) -> None:
    """Close a message whose place a later word took; it stays listed, with what took its place."""
    with operation(ACTOR, f"outbox message {message.pk} was superseded"):
        message.state = OutboxState.SUPERSEDED
        message.superseded_by = by
        message.note = f"Not sent: “{by.summary}” was decided later and took its place."
        if message.in_doubt:
            message.note = f"“{by.summary}” took its place. An attempt got no answer, so it may have arrived before."
        message.waiting_for = ""
        message.waiting_since = None
        _end(message, "state", "superseded_by", "note", "waiting_for", "waiting_since")
        _carrier(message).superseded(message, by)
        _clear_finding(message)


def _look(message: OutboxMessage, now: datetime) -> Step:
    """See whether a superseded write arrived whose answer nobody knows; until that is sure the next word waits."""
    try:
        has_landed = _carrier(message).landed(message)
    except AwsError as error:
        logger.warning("Outbox message %s could not be looked after: %s", message.pk, error)
        has_landed = False
    if has_landed:
        _delivered(message, {"note": "It had arrived when its worker died; a later word follows it."})
        return Step.AGAIN
    if message.waiting_for:
        return Step.NOTHING
    # Only time ends the doubt, so the words behind it are due then; until then every sweep looks.
    until = (message.started_at or now) + FLIGHT
    with operation(ACTOR, f"outbox message {message.pk} may still arrive"):
        message.waiting_for = "an earlier attempt that may still arrive at AWS; what supersedes this follows it"
        message.waiting_since = message.waiting_since or now
        message.next_attempt_at = until
        message.save(update_fields=["waiting_for", "waiting_since", "next_attempt_at"])
        enqueue_on_commit(DELIVER, after_seconds=max((until - now).total_seconds(), 0.0) + 1, lane=message.lane)
    return Step.NOTHING


def _stood_back(message: OutboxMessage) -> None:
    """End an attempt that stopped before it wrote anything; it counts as none."""
    with operation(ACTOR, f"outbox message {message.pk} was overtaken"):
        message.attempts -= 1
        _end(message, "attempts")


def _waits(message: OutboxMessage, wait: NotYet) -> None:
    """Put a message off that only waits; its attempts start anew, for AWS has just answered."""
    now = timezone.now()
    since = message.waiting_since or now
    patience = _carrier(message).patience
    if now - since >= patience:
        _failed(message, f"Waited since {since:%Y-%m-%d %H:%M} UTC in vain for: {wait.waits_for}.", retryable=False)
        return
    with operation(ACTOR, f"outbox message {message.pk} waits"):
        message.attempts = 0
        message.last_error = ""
        message.waiting_for = wait.waits_for
        message.waiting_since = since
        message.next_attempt_at = now + min(timedelta(seconds=wait.seconds), since + patience - now)
        _end(message, "attempts", "last_error", "waiting_for", "waiting_since", "next_attempt_at")
        enqueue_on_commit(DELIVER, after_seconds=wait.seconds, lane=message.lane)


def _failed(message: OutboxMessage, error: str, retryable: bool, *, in_doubt: bool = False) -> None:
    final = not retryable or message.attempts >= MOST_ATTEMPTS
    with operation(ACTOR, f"outbox message {message.pk} failed"):
        message.last_error = error
        message.state = OutboxState.FAILED if final else OutboxState.PENDING
        wait = wait_before(message.attempts) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
        message.next_attempt_at = timezone.now() + (timedelta() if final else wait)
        _end(message, "last_error", "state", "next_attempt_at", in_doubt=in_doubt)
        if not final:
            return
        _carrier(message).given_up(message, error)
        subject = message.version or message.group or message.account
        if subject is not None:
            findings.observe(
                FindingKind.WRITE_BACK_FAILED,
                subject,
                f"{message.summary}: given up after {message.attempts} attempts. {error}",
                {"outbox_message": message.pk, "error": error},
            )


def _end(message: OutboxMessage, *fields: str, in_doubt: bool = False) -> None:
    """Save the fields with the end of the attempt: whoever sees it ended knows that its worker lived."""
    message.ended_at = timezone.now()
    message.in_doubt = in_doubt
    kept.update(message, *fields, "ended_at", "in_doubt")


def _clear_finding(message: OutboxMessage) -> None:
    """Resolve the finding about a message's subject once none of its messages is given up any more."""
    for name in ("version", "group", "account"):
        subject = getattr(message, name)
        if subject is not None:
            if not OutboxMessage.objects.filter(**{name: subject}, state=OutboxState.FAILED).exists():
                words = "It was carried out." if message.state == OutboxState.DELIVERED else "It was superseded."
                findings.clear(FindingKind.WRITE_BACK_FAILED, subject, words)
            return


def _carrier(message: OutboxMessage) -> Carrier:
    return CARRIERS[OutboxKind(message.kind)]
