"""What the database itself refuses, by the name of the constraint or trigger that refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction


@contextmanager
def refused(by: str) -> Iterator[None]:
    """Expect the block to be refused by the constraint or trigger of that name; what it wrote is undone."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        yield
    cause = refusal.value.__cause__
    name = getattr(getattr(cause, "diag", None), "constraint_name", None)
    assert name == by, f"refused by {name}, not {by}: {refusal.value}"


def sql(statement: str, *parameters: object) -> int:
    """Run one statement as psql would; returns the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters) or None)
        return cursor.rowcount


@contextmanager
def as_replica() -> Iterator[None]:
    """Switch ordinary triggers off for the block, as a superuser or a replication worker can."""
    sql("SET LOCAL session_replication_role = replica")
    yield
    # A refusal rolls the savepoint back, and this setting with it.
    sql("SET LOCAL session_replication_role = origin")
