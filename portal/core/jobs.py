"""The only door to the task queue: work is enqueued when the transaction that asked for it has committed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


# Longer than a task waits in a queue that moves; then what was sent is taken for lost, and sent again.
ON_ITS_WAY_SECONDS = 30


def enqueue_on_commit(task_name: str, /, *, after_seconds: float = 0, **kwargs: Any) -> None:
    """Send a task by name after commit, to run at once or after some seconds; ids only.

    A broker that is down loses nothing: what matters is a row (outbox, sync run) that periodic work finds again. The
    same work asked for twice in a transaction is sent once.
    """
    _on_commit(task_name, kwargs, after_seconds, _send)


def wake_on_commit(task_name: str, /, **kwargs: Any) -> None:
    """Send a task after commit that looks for whatever is due, unless one is on its way: a hundred rows, one task.

    The task must say `awake` with the same arguments before it looks for the last time. What was committed before that
    it finds; what comes later sends the next one.
    """
    _on_commit(task_name, kwargs, 0, _wake)


def awake(task_name: str, /, **kwargs: Any) -> None:
    """Say that a task sent by `wake_on_commit` is about to look, so that the next row sends another."""
    try:
        cache.delete(_mark(task_name, kwargs))
    except RedisError as error:
        logger.warning("Task %s stays marked as on its way for some seconds (%s).", task_name, error)


def _on_commit(task_name: str, kwargs: dict[str, Any], after_seconds: float, how: Callable[..., object]) -> None:
    job = (task_name, tuple(sorted(kwargs.items())), after_seconds)
    held = set(transaction.get_connection().savepoint_ids)
    for savepoints, waiting, _ in transaction.get_connection().run_on_commit:
        # One asked for in a savepoint that may still be undone does not count for what lies outside of it.
        if getattr(waiting, "job", None) == job and savepoints <= held:
            return

    def send() -> None:
        how(task_name, kwargs, after_seconds)

    send.job = job  # type: ignore[attr-defined]  # functions take attributes
    # Not a partial: Django names the function whose failure it reports, and a partial has no name.
    transaction.on_commit(send, robust=True)


def _mark(task_name: str, kwargs: dict[str, Any]) -> str:
    return f"on-its-way:{task_name}?{urlencode(sorted(kwargs.items()))}"


def _wake(task_name: str, kwargs: dict[str, Any], after_seconds: float) -> None:
    try:
        if not cache.add(_mark(task_name, kwargs), "", ON_ITS_WAY_SECONDS):
            return
    except RedisError:
        # Then the broker is down as well, and says so.
        pass
    if not _send(task_name, kwargs, after_seconds):
        awake(task_name, **kwargs)


def _send(task_name: str, kwargs: dict[str, Any], after_seconds: float) -> bool:
    """Send a task; returns whether the broker took it."""
    try:
        current_app.send_task(task_name, kwargs=kwargs, countdown=after_seconds or None, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("Task %s was not enqueued (%s); the periodic sweep will do its work.", task_name, error)
        return False
    return True
