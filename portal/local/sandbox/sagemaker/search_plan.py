"""Choose which packages a Search has to look at, so that asking for the latest changes does not read them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import search
from .common import Record
from .index import Ordered, Packages, moment_of

_BOUNDS = {
    "GreaterThan": (0, False),
    "GreaterThanOrEqualTo": (0, True),
    "LessThan": (1, False),
    "LessThanOrEqualTo": (1, True),
}


@dataclass
class Plan:
    """An order, the places in it that can match, and what else must hold there."""

    order: Ordered
    low: int
    high: int
    holds: Callable[[Record], bool] | None

    @property
    def total(self) -> int:
        """How many packages match."""
        if self.holds is None:
            return self.high - self.low
        return sum(1 for r in self.order.rows(self.low, self.high) if self.holds(r))

    def walk(self, descending: bool) -> Callable[[list[Any] | None], Iterator[Record]]:
        """What gives the matching packages in order, from behind a key."""

        def rows(last: list[Any] | None) -> Iterator[Record]:
            found = self.order.walk(self.low, self.high, descending, last)
            return found if self.holds is None else filter(self.holds, found)

        return rows

    def key(self, record: Record) -> list[Any]:
        """The key of a package in the order."""
        return list(moment_of(record, self.order.member))


def _filters(expression: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The filters that must hold each by itself; none of an expression that is an Or."""
    if not expression or expression.get("Operator") == "Or":
        return []
    return list(expression.get("Filters") or [])


def _range(order: Ordered, filters: list[dict[str, Any]]) -> tuple[int, int, int]:
    """The places the filters on the order's moment leave, and how many filters these are."""
    low, high, used = 0, len(order), 0
    for one in filters:
        if one["Name"] != order.member or one.get("Operator") not in _BOUNDS or one.get("Value") is None:
            continue
        side, included = _BOUNDS[one["Operator"]]
        at: datetime = search.moment(one["Value"])
        if side == 0:
            low = max(low, order.within(after=at, with_after=included)[0])
        else:
            high = min(high, order.within(before=at, with_before=included)[1])
        used += 1
    return low, max(low, high), used


def plan(packages: Packages, expression: dict[str, Any] | None, sort_by: str | None) -> tuple[Plan, bool]:
    """The plan for a search, and whether its order is the one that was asked for."""
    filters = _filters(expression)
    named = next(
        (
            f["Value"]
            for f in filters
            if f["Name"] == "ModelPackageGroupName" and f.get("Operator", "Equals") == "Equals" and f.get("Value")
        ),
        None,
    )
    wanted = sort_by or "LastModifiedTime"
    if named is not None:
        order = packages.of_group(named)
    else:
        order = packages.created if wanted == "CreationTime" else packages.modified
    low, high, used = _range(order, filters)
    rest = bool(expression) and used < sum(
        len((expression or {}).get(n) or []) for n in ("Filters", "NestedFilters", "SubExpressions")
    )
    holds = (lambda r: search.matches(r, expression)) if rest else None
    return Plan(order, low, high, holds), order.member == wanted
