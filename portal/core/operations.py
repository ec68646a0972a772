"""One operation = one transaction that knows its actor, its reason and its correlation id.

The audit trigger reads the three from the transaction (`set_config(..., true)`), so they are right for every
row the transaction writes, however it writes it, and gone when it ends.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

from .actors import Actor
from .errors import InvalidInput

_correlation: ContextVar[str] = ContextVar("correlation", default="")


def correlation_id() -> str:
    """Return the id that ties together everything one request or task caused."""
    return _correlation.get()


@contextmanager
def correlated(value: str = "") -> Iterator[str]:
    """Give everything inside one correlation id: a request's, a task's, or a fresh one."""
    token = _correlation.set(value or uuid.uuid4().hex)
    try:
        yield _correlation.get()
    finally:
        _correlation.reset(token)


@contextmanager
def operation(actor: Actor, reason: str = "") -> Iterator[None]:
    """Run the block in a transaction that the audit trigger can attribute.

    A nested operation joins the outer transaction and puts the outer actor and reason back when it ends. Raises
    InvalidInput, before anything is written, for a reason with a character that the database cannot hold.
    """
    if "\x00" in reason:
        raise InvalidInput("The text contains a NUL character, which cannot be stored. Leave it out.")
    # The ledger and the outbox read the id from here and the trigger from the transaction: it must be the same one.
    is_nested = connection.in_atomic_block
    with correlated(correlation_id()), transaction.atomic():
        before = _told() if is_nested else ("", "", "")
        _tell(actor.label, reason or before[1], correlation_id())
        yield
        # What a transaction was told is gone when it ends: only an outer one must be told its own again.
        if is_nested:
            _tell(*before)


def _told() -> tuple[str, str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('app.actor', true), ''),"
            " coalesce(current_setting('app.reason', true), ''),"
            " coalesce(current_setting('app.correlation', true), '')"
        )
        found = cursor.fetchone()
    assert found is not None
    return found


def _tell(actor: str, reason: str, correlation: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.actor', %s, true), set_config('app.reason', %s, true),"
            " set_config('app.correlation', %s, true)",
            [actor, reason[:2000], correlation],
        )
