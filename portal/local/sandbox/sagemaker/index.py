"""Find packages without looking at all of them: by group, and in the order they were made or changed.

A registry of a hundred thousand versions is listed a hundred at a time; what a page costs must follow the page.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from .common import Record

Key = tuple[float, int, str]


def moment_of(record: Record, member: str) -> Key:
    """Where a package stands in time: the moment, then version and ARN."""
    return record[member].timestamp(), record.get("ModelPackageVersion") or 0, record["ModelPackageArn"]


class Ordered:
    """Packages in the order of a moment, for bisection."""

    def __init__(self, member: str) -> None:
        self.member = member
        self._keys: list[Key] = []
        self._rows: list[Record] = []
        self._in_order = True

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, record: Record) -> None:
        """Put a package in its place; the latest one is the cheapest."""
        key = moment_of(record, self.member)
        self._in_order = self._in_order and (not self._keys or self._keys[-1] < key)
        self._keys.append(key)
        self._rows.append(record)

    def remove(self, record: Record) -> None:
        """Take a package away, before its moment changes."""
        self._sort()
        place = bisect_left(self._keys, moment_of(record, self.member))
        del self._keys[place], self._rows[place]

    def _sort(self) -> None:
        if not self._in_order:
            both = sorted(zip(self._keys, self._rows, strict=True), key=lambda pair: pair[0])
            self._keys, self._rows = [k for k, _ in both], [r for _, r in both]
            self._in_order = True

    def within(
        self,
        after: datetime | None = None,
        before: datetime | None = None,
        with_after: bool = False,
        with_before: bool = False,
    ) -> tuple[int, int]:
        """The places of what happened between two moments, which count themselves only when told so."""
        self._sort()
        low, high = 0, len(self._keys)
        if after is not None:
            stamp = after.timestamp()
            low = bisect_left(self._keys, (stamp,)) if with_after else bisect_right(self._keys, (stamp, 1 << 62, ""))
        if before is not None:
            stamp = before.timestamp()
            high = bisect_right(self._keys, (stamp, 1 << 62, "")) if with_before else bisect_left(self._keys, (stamp,))
        return low, max(low, high)

    def rows(self, low: int, high: int) -> list[Record]:
        """The packages in these places."""
        self._sort()
        return self._rows[low:high]

    def walk(self, low: int, high: int, descending: bool, last: Any = None) -> Iterator[Record]:
        """The packages in these places in order, from behind the one whose key is ``last``."""
        self._sort()
        if last is not None:
            behind = tuple(last)
            if descending:
                high = min(high, bisect_left(self._keys, behind))
            else:
                low = max(low, bisect_right(self._keys, behind))
        places = range(high - 1, low - 1, -1) if descending else range(low, high)
        return (self._rows[place] for place in places)


class Packages(dict[str, Record]):
    """Packages by ARN, with the orders they are asked for in."""

    def __init__(self) -> None:
        super().__init__()
        self.created = Ordered("CreationTime")
        self.modified = Ordered("LastModifiedTime")
        self._of_group: dict[str, Ordered] = {}

    def of_group(self, name: str) -> Ordered:
        """The versions of a group by creation."""
        return self._of_group.get(name) or Ordered("CreationTime")

    def _orders(self, record: Record) -> list[Ordered]:
        name = record.get("ModelPackageGroupName")
        own = [self._of_group.setdefault(name, Ordered("CreationTime"))] if name else []
        return [self.created, self.modified, *own]

    def __setitem__(self, arn: str, record: Record) -> None:
        if arn in self:
            del self[arn]
        super().__setitem__(arn, record)
        for order in self._orders(record):
            order.add(record)

    def __delitem__(self, arn: str) -> None:
        record = self[arn]
        for order in self._orders(record):
            order.remove(record)
        super().__delitem__(arn)

    def change(self, record: Record, change: Callable[[], None]) -> None:
        """Let a package change, its last change included."""
        self.modified.remove(record)
        try:
            change()
        finally:
            self.modified.add(record)
