"""PostgreSQL advisory locks: they die with their connection, so a killed worker never blocks the next one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


class Held:
    """Whether a session lock is held: true until its connection is lost, for the lock is lost with it.

    Django connects anew without a word, so whoever works on under a lock asks again before each step.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def __bool__(self) -> bool:
        session = connection.connection
        return session is not None and session is self._session and not session.closed


@contextmanager
def advisory_lock(name: str) -> Iterator[Held]:
    """Hold a session lock of that name for the block; what it yields is false when somebody else holds it.

    Belongs outside any transaction that may fail: a failed transaction could not release it.
    """
    key = _key(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        row = cursor.fetchone()
    held = Held(connection.connection if row and row[0] else None)
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def try_until_commit(name: str) -> bool:
    """Take a lock of that name until the surrounding transaction ends; False when somebody else holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_key(name)])
        row = cursor.fetchone()
    return bool(row and row[0])


def hold_until_commit(name: str) -> None:
    """Wait for a lock of that name and keep it until the surrounding transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_key(name)])
