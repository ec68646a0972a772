"""The only door to the task queue: work is enqueued when the transaction that asked for it has committed."""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def enqueue_on_commit(task_name: str, /, *, after_seconds: float = 0, **kwargs: Any) -> None:
    """Send a task by name after commit, to run at once or after some seconds; ids only.

    A broker that is down loses nothing: what matters is a row (outbox, sync run) that periodic work finds again. The
    same work asked for twice in a transaction is sent once.
    """
    job = (task_name, tuple(sorted(kwargs.items())), after_seconds)
    held = set(transaction.get_connection().savepoint_ids)
    for savepoints, waiting, _ in transaction.get_connection().run_on_commit:
        # One asked for in a savepoint that may still be undone does not count for what lies outside of it.
        if getattr(waiting, "job", None) == job and savepoints <= held:
            return

    def send() -> None:
        _send(task_name, kwargs, after_seconds)

    send.job = job  # type: ignore[attr-defined]  # functions take attributes
    # Not a partial: Django names the function whose failure it reports, and a partial has no name.
    transaction.on_commit(send, robust=True)


def _send(task_name: str, kwargs: dict[str, Any], after_seconds: float) -> None:
    try:
        current_app.send_task(task_name, kwargs=kwargs, countdown=after_seconds or None, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("Task %s was not enqueued (%s); the periodic sweep will do its work.", task_name, error)
