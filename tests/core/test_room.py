"""A call with room: the same answers and errors, and no piece of memory asked for and given back in a loop."""

from __future__ import annotations

import resource
import sys

import pytest

from portal.core.room import with_room


def _deep(levels: int) -> int:
    if levels:
        return _deep(levels - 1)
    return sum(_small(number) for number in range(2_000))


def _small(number: int) -> int:
    return number % 2


def _faults(levels: int) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    assert with_room(_deep)(levels) == 1_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_it_passes_on_what_it_is_given_and_answers() -> None:
    assert with_room(divmod)(7, 2) == (3, 1)
    assert with_room(int)("12", base=16) == 18
    with pytest.raises(ZeroDivisionError):
        with_room(divmod)(1, 0)


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="it is about CPython's pieces")
def test_at_no_depth_memory_is_asked_for_again_and_again() -> None:
    """Each piece that is asked for anew costs a page fault; a loop at a border would ask two thousand times."""
    assert max(_faults(levels) for levels in range(150)) < 1_000


def test_it_nests() -> None:
    assert with_room(with_room(_deep))(3) == 1_000
