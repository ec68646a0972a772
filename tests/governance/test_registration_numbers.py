"""Numbers of registrations: one each, and nobody waits for another's transaction to end."""

from __future__ import annotations

import threading

from django.db import connection, transaction

from registry.services.registrations import _next_number

from .test_concurrency import at_once


def test_one_that_is_not_committed_yet_holds_up_no_other(committed_db: str) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def hold() -> int:
        with transaction.atomic():
            number = _next_number()
            begun.set()
            assert may_end.wait(20)
        return number

    def pass_by() -> int:
        assert begun.wait(20)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            number = _next_number()
        may_end.set()
        return number

    first, second = at_once(hold, pass_by)
    assert isinstance(first, int)
    assert isinstance(second, int)
    assert second > first
