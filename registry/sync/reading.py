"""Reading AWS ahead of the work: a bounded number of calls at once, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(items: Iterable[T], read: Callable[[T], R], *, at_once: int) -> Iterator[tuple[T, R]]:
    """Yield each item with what `read` returns for it, in the order of the items, `at_once` being read at a time.

    `read` runs in threads, so it must not touch the database. Its exception is raised where its result would have come;
    what was being read behind it is then dropped. No more than twice `at_once` results wait, however slow the consumer.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="aws-read") as pool:
        try:
            for item in items:
                # Each in a copy of the context, so that its calls are counted for whoever asked.
                waiting.append((item, pool.submit(copy_context().run, read, item)))
                if len(waiting) >= 2 * at_once:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
