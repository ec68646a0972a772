"""Reading the event queues: what arrives is taken in or kept, and only then deleted from the queue."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from portal.core.errors import InvalidInput
from portal.core.locks import advisory_lock
from registry.aws import events
from registry.aws.errors import AwsError
from registry.aws.records import RegistryEvent
from registry.aws.session import AwsSession
from registry.models import AwsAccount
from registry.services import accounts, event_health
from registry.services.event_health import SWEEP, Tally

from . import parked_events
from .event_intake import take_in
from .sync import ACTOR

logger = logging.getLogger(__name__)

# SQS counts deliveries for us. What fails for a reason that stays is parked with the third of them: some minutes.
MOST_DELIVERIES = 3
_MOST_BATCHES = 200


def lock_name(account: AwsAccount) -> str:
    """Return the name of the advisory lock whose holder alone reads an account's queue."""
    return f"events:{account.account_id}"


def read_events(*, wait_seconds: int = 0) -> int:
    """Take in what the registry events of every account hint at; returns how many messages were handled.

    The sweep for installations without a listener, and for what one left behind: an account that a listener reads is
    passed over. A message is deleted only after its version has been taken in or the message is kept, so a killed
    worker or an AWS that does not answer means it is delivered again.
    """
    handled = 0
    for account in AwsAccount.objects.enabled().exclude(event_queue_url=""):
        with advisory_lock(lock_name(account)) as held:
            if held:
                handled += _sweep(account, wait_seconds)
    return handled


def receive(account: AwsAccount, *, wait_seconds: int, reader: str) -> list[RegistryEvent]:
    """Say that the reader is there, then wait for messages of an account's queue. Raises AwsError.

    The caller holds the account's lock. What the queue holds is measured now and then on the way.
    """
    row = event_health.beat(actor=ACTOR, account=account, reader=reader)
    session = accounts.reach(account)
    if event_health.is_to_be_measured(row):
        _measure(account, session)
    return events.receive(session, account.event_queue_url, wait_seconds=wait_seconds)


def handle(
    account: AwsAccount, received: Sequence[RegistryEvent], *, queue_url: str = "", patient: bool = True
) -> Tally:
    """Take in or keep what was received, delete it from the queue, note how it went. Raises AwsError, DatabaseError.

    What failed for a passing reason stays on the queue. Without patience what fails for a lasting one is kept at once.
    """
    taken = take_in(received)
    tally = Tally(received=len(received), taken_in=taken.versions, known=taken.known, own=taken.own, other=taken.other)
    done: list[RegistryEvent] = []
    for event in received:
        trouble = taken.troubles.get(event.message_id)
        if trouble is not None:
            if not (trouble.final or (trouble.lasting and (not patient or event.receives >= MOST_DELIVERIES))):
                tally.oldest_left_at = _older(tally.oldest_left_at, event)
                tally.left_because = trouble.error
                continue
            parked_events.park(account, event, trouble)
            tally.parked += 1
        # How long a dead letter lay says nothing of how fast the queue is read.
        tally.oldest_at = None if queue_url else _older(tally.oldest_at, event)
        done.append(event)
    tally.handled = len(done)
    # Deleted last: whoever is killed before this line is told again, and finds everything stored.
    if done:
        events.delete(accounts.reach(account), queue_url or account.event_queue_url, done)
    event_health.noted(account=account, tally=tally)
    return tally


def take_in_dead_letters(*, account_id: str) -> Tally:
    """Take in or keep what SQS gave up as dead letters of an account's event queue; returns what became of them.

    Dead letters are read where they lie instead of being moved back: one that fails again is parked and does not go
    round once more. What fails for a passing reason stays where it is. Raises InvalidInput, AwsError.
    Source: sqs ReceiveMessage on the queue of dead letters.
    """
    account = AwsAccount.objects.enabled().filter(account_id=account_id).exclude(event_queue_url="").first()
    if account is None:
        raise InvalidInput(f"There is no enabled account {account_id} with an event queue.")
    session = accounts.reach(account)
    event_health.beat(actor=ACTOR, account=account, reader=SWEEP)
    url = events.dead_letter_url(session, account.event_queue_url)
    total = Tally()
    if not url:
        return total
    for _ in range(_MOST_BATCHES):
        received = events.receive(session, url, wait_seconds=0)
        if not received:
            break
        tally = handle(account, received, queue_url=url, patient=False)
        for name in ("received", "handled", "taken_in", "known", "own", "other", "parked"):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        if not tally.handled:
            break
    _measure(account, session)
    return total


def _sweep(account: AwsAccount, wait_seconds: int) -> int:
    handled = 0
    try:
        for _ in range(_MOST_BATCHES):
            received = receive(account, wait_seconds=wait_seconds, reader=SWEEP)
            if not received:
                event_health.noted(account=account, tally=Tally())
                break
            tally = handle(account, received)
            handled += tally.handled
            if tally.handled < len(received):
                break
    except AwsError as error:
        logger.warning("Events of %s: %s", account, error)
        event_health.failed(account=account, error=str(error))
    return handled


def _measure(account: AwsAccount, session: AwsSession) -> None:
    try:
        size = events.measure(session, account.event_queue_url)
    except AwsError as error:
        # Not to know how much waits is no reason not to read it.
        event_health.measured(account=account, size=None, error=str(error))
    else:
        event_health.measured(account=account, size=size)


def _older(than: datetime | None, event: RegistryEvent) -> datetime | None:
    moments = [moment for moment in (than, event.queued_at) if moment is not None]
    return min(moments, default=None)
