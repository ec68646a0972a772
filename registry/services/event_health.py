"""How the event queue of each account is doing, written down by whoever reads it: one row, one statement a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws.events import QueueSize
from ..models import AwsAccount, EventQueueHealth

SWEEP = "sweep"
# Asking costs a request or three; the numbers are approximate anyway.
MEASURE_EVERY = timedelta(seconds=30)
_LONGEST_READER = 200


@dataclass
class Tally:
    """What became of the messages of one reading; `handled` of the `received` are done with, the rest come back.

    `oldest_at` is when the oldest handled message was queued, `oldest_left_at` the same of those left on the queue, and
    `left_because` why one of them was.
    """

    received: int = 0
    handled: int = 0
    taken_in: int = 0
    known: int = 0
    own: int = 0
    other: int = 0
    parked: int = 0
    oldest_at: datetime | None = None
    oldest_left_at: datetime | None = None
    left_because: str = ""


def beat(*, actor: Actor, account: AwsAccount, reader: str) -> EventQueueHealth:
    """Say that a reader is there and about to wait for messages; returns the row."""
    now = timezone.now()
    wanted = {"reader": reader[:_LONGEST_READER], "heartbeat_at": now}
    if not EventQueueHealth.objects.filter(account=account).update(**wanted):
        with operation(actor, "begin to read the event queue"):
            EventQueueHealth.objects.get_or_create(account=account, defaults=wanted)
    return EventQueueHealth.objects.get(account=account)


def is_to_be_measured(row: EventQueueHealth) -> bool:
    """Whether what the queue holds is known for too long to be believed."""
    return row.measured_at is None or timezone.now() - row.measured_at >= MEASURE_EVERY


def measured(*, account: AwsAccount, size: QueueSize | None, error: str = "") -> None:
    """Write down what a queue holds; None when AWS would not say, with its reason."""
    values: dict[str, Any] = {"measured_at": timezone.now(), "measure_error": error}
    values |= {name: getattr(size, name) if size else None for name in ("waiting", "in_flight", "dead_letters")}
    if size is not None and size.waiting == size.in_flight == 0:
        values["oldest_left_at"] = None
    EventQueueHealth.objects.filter(account=account).update(**values)


def noted(*, account: AwsAccount, tally: Tally) -> None:
    """Add one reading to the account's counters; a reading that was answered ends what failed before."""
    now = timezone.now()
    values: dict[str, Any] = {"failures": 0, "failing_since": None, "error": tally.left_because}
    for name in ("received", "taken_in", "known", "own", "other", "parked"):
        if count := getattr(tally, name):
            values[name] = F(name) + count
    if tally.handled:
        values["last_handled_at"] = now
    if tally.oldest_at is not None:
        values["lag_ms"] = max(0, int((now - tally.oldest_at).total_seconds() * 1000))
    if tally.oldest_left_at is not None:
        # LEAST of PostgreSQL passes over NULL.
        values["oldest_left_at"] = Least(F("oldest_left_at"), tally.oldest_left_at)
    rows = EventQueueHealth.objects.filter(account=account)
    if tally.received:
        rows.update(**values)
    else:
        rows.exclude(failures=0).update(**values)


def failed(*, account: AwsAccount, error: str) -> None:
    """Write down that the queue could not be read, and since when."""
    now = timezone.now()
    rows = EventQueueHealth.objects.filter(account=account)
    rows.filter(failing_since=None).update(failing_since=now)
    rows.update(failures=F("failures") + 1, error=error)
