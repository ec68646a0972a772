"""Statements asked so often that the database should plan them once per connection, not each time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from django.db import connection

# A connection plans a statement anew for the first few times, then keeps the plan.
_BEFORE_KEPT = 5


def fetch_one(statement: str, parameters: Mapping[str, str | None]) -> tuple[Any, ...] | None:
    """Return the first row of a constant statement, None without one, as `fetch_all` does."""
    return next(iter(fetch_all(statement, parameters)), None)


def fetch_all(statement: str, parameters: Mapping[str, str | None]) -> list[tuple[Any, ...]]:
    """Return the rows of a constant statement. Raises django.db errors.

    Parameters are text and cast in the statement, as in `%(ids)s::bigint[]`: with types that depend on their values
    there would be a plan for each. Columns of JSON arrive parsed, those of jsonb as text.
    """
    with connection.cursor() as checked, connection.wrap_database_errors:
        session = checked.connection
        if session.prepare_threshold is None:
            # Django turns this off for connection poolers that hand a session from one to the next between
            # transactions; the portal's locks rule those out anyway.
            session.prepare_threshold = _BEFORE_KEPT
        with psycopg.Cursor(session) as cursor:
            return cursor.execute(statement.encode(), parameters).fetchall()


def array(values: Iterable[int]) -> str:
    """Return numbers as the text of an array: {1,2}."""
    return f"{{{','.join(map(str, values))}}}"
