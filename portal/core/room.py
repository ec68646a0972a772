"""Room for the frames of a deep call, taken once instead of over and over.

CPython keeps the frames of Python functions in pieces of 16 KiB, each asked of the operating system when the one before
is full and given back when its first frame returns (`push_chunk` in Python/pystate.c). A call that loops just below
such a border asks and gives back each time around: pages with templates did so four hundred times, which took a
third of their time. A frame that is large itself gets a large piece, and what it calls lies in the rest of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# In words of eight bytes: somewhat above a mebibyte, so that the piece has two and what is called has the other one.
_WORDS = 140_000


def with_room(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, called with a mebibyte of room for the frames of what it calls."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    call.__code__ = call.__code__.replace(co_stacksize=_WORDS)
    return call
