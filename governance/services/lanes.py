"""The outbox side by side: one task per lane, so that a slow account or a long copy holds up nothing else.

A lane is an account, what takes minutes there apart. Each is served by one worker process at a time, so an account
that is throttled takes at most one, and what is slow takes `OUTBOX_SLOW_TASKS` of them in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from portal.core.jobs import awake, enqueue_on_commit
from portal.core.locks import advisory_lock

from ..models import OutboxMessage
from . import delivery
from .outbox import DELIVER, SLOW_LANE


def wake() -> list[str]:
    """Enqueue a task for every lane that has something due; returns the lanes."""
    lanes = list(OutboxMessage.objects.due().order_by("lane").values_list("lane", flat=True).distinct())
    for lane in lanes:
        enqueue_on_commit(DELIVER, lane=lane)
    return lanes


def deliver_lane(lane: str) -> int:
    """Carry out what is due in one lane, unless another worker does; returns how many messages were delivered.

    While a lane is served nobody is woken for it: whoever serves it says that he is done, and looks once more.
    """
    delivered = 0
    while True:
        newest = _newest(lane)
        with _served(lane) as is_ours:
            if not is_ours:
                return delivered
            delivered += delivery.deliver_due(lane=lane)
        # In this order: what is written before the look is seen by it, what comes after it wakes somebody.
        awake(DELIVER, lane=lane)
        if _newest(lane) == newest:
            return delivered


def _newest(lane: str) -> int:
    return OutboxMessage.objects.filter(lane=lane).order_by("-pk").values_list("pk", flat=True).first() or 0


@contextmanager
def _served(lane: str) -> Iterator[bool]:
    """Hold the lane, and for a slow one a place among the few that may be slow at once."""
    with advisory_lock(f"outbox-lane:{lane}") as held:
        if not held or not lane.endswith(SLOW_LANE):
            yield bool(held)
            return
        for place in range(settings.OUTBOX_SLOW_TASKS):
            with advisory_lock(f"outbox-slow:{place}") as has_place:
                if has_place:
                    yield True
                    return
        # The sweep comes back to it.
        yield False
