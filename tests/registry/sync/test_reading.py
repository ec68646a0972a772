"""Reading ahead: in order, bounded, and ended by the first failure."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar

import pytest

from registry.sync.reading import in_order

told: ContextVar[str] = ContextVar("told", default="")


def test_results_come_in_order_however_long_each_takes() -> None:
    def read(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0)
        return number * number

    assert list(in_order(range(20), read, at_once=4)) == [(number, number * number) for number in range(20)]


def test_no_more_are_read_at_once_than_asked_for() -> None:
    lock = threading.Lock()
    now = most = 0

    def read(number: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    assert len(list(in_order(range(30), read, at_once=3))) == 30
    assert most == 3


def test_a_slow_consumer_lets_no_more_pile_up_than_twice_that() -> None:
    begun: list[int] = []
    results = in_order(range(100), begun.append, at_once=2)
    next(results)
    time.sleep(0.05)
    assert len(begun) <= 4
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(begun) <= 5


def test_a_failure_comes_in_its_place_and_ends_the_reading() -> None:
    def read(number: int) -> int:
        if number == 5:
            raise ValueError("no answer")
        return number

    results = in_order(range(1000), read, at_once=2)
    assert [next(results)[0] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="no answer"):
        next(results)


def test_each_reading_sees_the_context_of_who_asked() -> None:
    """What a session counts is a matter of the context: a call in a thread counts for the pass that asked for it."""
    told.set("this pass")
    assert {said for _, said in in_order(range(5), lambda _: told.get(), at_once=2)} == {"this pass"}
