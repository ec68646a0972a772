"""The database backend: it notices a closed connection, reads times as UTC, plans what is said to be planned, and lets go."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from portal.core.database import prepared

pytestmark = pytest.mark.django_db


def _asked(statement: str, *parameters: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
        assert row is not None
        return row[0]


def test_times_are_read_as_utc_whole() -> None:
    at = _asked("SELECT timestamptz '2026-02-03 04:05:06.000007+02'")
    assert at == datetime(2026, 2, 3, 2, 5, 6, 7, tzinfo=UTC)
    assert isinstance(at, datetime)
    assert at.tzinfo is UTC


def test_a_statement_asked_again_and_again_is_planned_once() -> None:
    statement = "SELECT count(*) FROM registry_modelversion WHERE number = %s"
    with prepared():
        for number in range(5):
            assert _asked(statement, number) == 0
    assert _asked("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%WHERE number = $1'") == 1
    assert not connection.prepares  # type: ignore[attr-defined]


def test_a_connection_the_server_has_closed_is_noticed_without_a_statement() -> None:
    spare = connection.copy()
    try:
        with spare.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        assert spare.is_usable()
        assert _asked("SELECT pg_terminate_backend(%s, 5000)", pid) is True
        assert not spare.is_usable()
    finally:
        spare.close()


def test_what_is_read_in_portions_may_be_let_go_of_late() -> None:
    kept = "SELECT count(*) FROM pg_cursors WHERE name LIKE '\\_django%%'"
    with transaction.atomic():
        left = connection.chunked_cursor()
        left.execute("SELECT generate_series(1, 10000)")
        assert left.fetchmany(2) == [(1,), (2,)]
        assert _asked(kept) == 1
        transaction.set_rollback(True)
    # Its savepoint is gone, and the cursor with it: nothing of this transaction may suffer.
    assert _asked(kept) == 0
    left.close()
    standing = connection.chunked_cursor()
    standing.execute("SELECT 1")
    assert _asked(kept) == 1
    standing.close()
    assert _asked(kept) == 0
