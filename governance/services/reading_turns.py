"""Whose turn it is to be read of AWS: passes wait for a place, so that decisions on their way to AWS wait for none.

Twenty accounts of four regions make seven hundred passes of nine kinds. They have a queue of their own, of which
`PORTAL_READINGS_AT_ONCE` worker processes take at a time; and an account whose pass took long, because it is throttled
or does not answer, leaves the place to others for twice as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from portal.core.locks import advisory_lock
from registry.choices import READING_KINDS, SyncKind, SyncState
from registry.models import AwsAccount, SyncRun

# A pass within this time is nothing others would notice.
_SHORT = timedelta(seconds=10)
_LONGEST_REST = timedelta(minutes=15)


@contextmanager
def place() -> Iterator[bool]:
    """Hold one of the few places for the block; what it yields is false when there is none."""
    for number in range(settings.PORTAL_READINGS_AT_ONCE):
        with advisory_lock(f"read-place:{number}") as held:
            if held:
                yield True
                return
    yield False


def rest_of(account: AwsAccount) -> float:
    """Return for how many seconds an account leaves its turn to others, 0 when it may be read."""
    ended = SyncRun.objects.filter(account=account, kind__in=READING_KINDS).exclude(state=SyncState.RUNNING)
    last = ended.order_by("-started_at").first()
    if last is None or last.finished_at is None or last.finished_at - last.started_at < _SHORT:
        return 0.0
    rest = min(2 * (last.finished_at - last.started_at), _LONGEST_REST)
    return max((last.finished_at + rest - timezone.now()).total_seconds(), 0.0)


def was_made(account: AwsAccount, region: str, kind: SyncKind, asked_at: datetime) -> bool:
    """Return whether a pass began since it was asked for: then it has seen what the one asked for would see."""
    return SyncRun.objects.filter(account=account, region=region, kind=kind, started_at__gte=asked_at).exists()


def seconds_to_wait(attempt: int) -> float:
    """Return after how long to ask for a place again: soon at first, half a minute where many wait."""
    return float(min(2 ** min(attempt, 5), 30))
