"""Bound how many requests go at once to one service of one account and region, and go slower where AWS asks for it.

AWS throttles per account and region (its answer is "Rate exceeded"), so each has a gate of its own: a throttled
account waits at its gate and no other notices. A gate belongs to one process. Passes over one account and region
exclude each other across all workers already, so one process does nearly all of an account's work; counting across
processes would cost a round trip for every request and gain nothing but exactness.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

DEFAULT_CONCURRENCY = 8
# Twice the longest answer a client waits for: whoever waits longer would be better off asking later.
PATIENCE_SECONDS = 40.0
_widest = DEFAULT_CONCURRENCY


class GateClosed(Exception):
    """Nobody left the gate in time: the account answers too slowly for what is asked of it."""


def configure(concurrency: int) -> None:
    """Set how many requests at once every gate lets through, from now on. Raises ValueError below 1."""
    global _widest  # noqa: PLW0603 - one number for the process, set once at start
    if concurrency < 1:
        raise ValueError(f"At least one request must be let through, not {concurrency}.")
    _widest = concurrency


def widest() -> int:
    """Return how many requests at once a gate lets through at most."""
    return _widest


class Gate:
    """Let at most `widest()` requests through at once; half as many after each throttle, and one more after each
    full round without one. Thread-safe.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._busy = 0
        self._limit: int | None = None
        self._good = 0

    @property
    def limit(self) -> int:
        """How many requests at once go through now."""
        return min(widest(), self._limit or widest())

    @contextmanager
    def passage(self, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
        """Hold one place for the block. Raises GateClosed when none becomes free in time."""
        deadline = time.monotonic() + patience_seconds
        with self._condition:
            while self._busy >= self.limit:
                left = deadline - time.monotonic()
                if left <= 0 or not self._condition.wait(left):
                    raise GateClosed(f"{self._busy} requests are under way and none ended in {patience_seconds:g} s")
            self._busy += 1
        try:
            yield
        finally:
            with self._condition:
                self._busy -= 1
                self._condition.notify()

    def throttled(self) -> None:
        """Halve the width: AWS said "slow down"."""
        with self._condition:
            self._limit, self._good = max(1, self.limit // 2), 0

    def answered(self) -> None:
        """Count an answer that was no throttle; a full round of them widens the gate by one."""
        with self._condition:
            if self._limit is None:
                return
            self._good += 1
            if self._good >= self._limit:
                self._limit, self._good = self._limit + 1, 0
                self._condition.notify()
            if self._limit >= widest():
                self._limit = None
                self._condition.notify_all()
