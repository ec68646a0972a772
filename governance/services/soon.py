"""Carrying out one order while the person who gave it waits: some seconds, no longer, and a worker does the rest."""

from __future__ import annotations

import logging
from contextvars import copy_context
from threading import BoundedSemaphore, Thread
from time import monotonic, sleep

from django.db import connection, connections

from . import delivery

logger = logging.getLogger(__name__)

# An AWS that does not answer must not take all threads and connections of a web process.
_hands = BoundedSemaphore(4)
_PAUSE = 0.05


def carry_out(key: str, *, seconds: float = 4.0) -> None:
    """Carry out what one ordering key of the outbox has to do, and wait for that at most some seconds.

    Nothing depends on it: the order is committed, the workers know of it, and what takes longer goes on without the
    caller. Inside a transaction there is nothing to carry out yet, so nothing happens. Never raises.
    """
    if connection.in_atomic_block or not _hands.acquire(blocking=False):
        return
    try:
        thread = Thread(
            target=copy_context().run, args=(_carry_out, key, monotonic() + seconds), daemon=True, name=f"outbox {key}"
        )
        thread.start()
    except RuntimeError:
        _hands.release()
        return
    thread.join(seconds)


def _carry_out(key: str, deadline: float) -> None:
    try:
        # A worker that was woken by the same commit may be at it already.
        while not delivery.deliver_key(key) and monotonic() < deadline:
            sleep(_PAUSE)
    except Exception:
        logger.exception("The order of %s is left to the workers", key)
    finally:
        connections.close_all()
        _hands.release()
