"""Type x value of custom attributes, by hand: what is kept of what is given, and what is refused.

`{owner}`, `{stranger}` and `{gone}` stand for sign-in names of the scene: one of the project's people, one of
another project's, and one who may not sign in any more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

REFUSED = object()
CHOICES = ("gold", "Silver", "=1+1", "a, b")
_LONG = "x" * 10_000
_INFINITE: tuple[Any, ...] = (math.inf, -math.inf, math.nan, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"))


@dataclass(frozen=True)
class Case:
    """One value given to an attribute of one type, and what is kept; REFUSED when nothing is."""

    type: str
    given: Any
    kept: Any

    @property
    def label(self) -> str:
        """The name pytest shows."""
        return f"{self.type}-{ascii(self.given)[:30]}-{'refused' if self.kept is REFUSED else 'kept'}"


def _cases(of_type: str, kept: list[tuple[Any, Any]], refused: list[Any]) -> list[Case]:
    good = [Case(of_type, given, value) for given, value in kept]
    return [*good, *(Case(of_type, given, REFUSED) for given in refused)]


CASES: list[Case] = [
    *_cases(
        "text",
        [
            ("plain", "plain"),
            ("  outer blanks go \n", "outer blanks go"),
            ("two\r\nlines\rand\ta tab", "two\nlines\nand\ta tab"),
            ("=1+1", "=1+1"),
            ("Zürich 数据 🚀", "Zürich 数据 🚀"),
            ("x" * 2000, "x" * 2000),
            (f" {'x' * 2000} ", "x" * 2000),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("0", "0"),
            ("null", "null"),
        ],
        ["", "   ", "\t\n", "x" * 2001, _LONG, "a\0b", "\0", "bell\x07", "half \ud800", 1, 0, 1.5, True, ["a"], {"a": 1}],
    ),
    *_cases(
        "number",
        [
            (0, 0),
            (-0.0, 0),
            (5, 5),
            (5.0, 5),
            (-3.25, -3.25),
            (0.1, 0.1),
            (1e-7, 1e-7),
            (10**15, 10**15),
            (-(10**15), -(10**15)),
            (1e-15, 1e-15),
            (Decimal("1.50"), 1.5),
            (Decimal("1E+3"), 1000),
            (Decimal("-0"), 0),
        ],
        [
            10**30, -(10**30), 10**15 + 1, 1e16, 1e300, 1e-16, 1e-300, *_INFINITE, Decimal("1e999999999"),
            Decimal("1e-999999999"), Decimal("0.1234567890123456789"), 10**4000, True, False, "5", "1e400", "NaN", "",
            "0x10", [1], {"value": 1}, 1j,
        ],
    ),
    *_cases(
        "date",
        [
            ("2026-02-28", "2026-02-28"),
            ("2024-02-29", "2024-02-29"),
            (date(2026, 2, 28), "2026-02-28"),
            ("1000-01-01", "1000-01-01"),
            ("2999-12-31", "2999-12-31"),
        ],
        [
            "2026-02-30", "2026-02-29", "2026-13-01", "2026-00-10", "0000-01-01", "0999-12-31", "3000-01-01",
            "20260228", "2026-W09-6", "2026-2-28", "28.02.2026", "2026-02-28T00:00:00", "2026-02-28\n", " 2026-02-28",
            "٢٠٢٦-٠٢-٢٨", "+2026-02-28", "-026-02-28", "today", "", "\0", 20260228, 0, True,
            datetime(2026, 2, 28), [], {},  # noqa: DTZ001 - no moment is a day
        ],
    ),
    *_cases(
        "choice",
        [("gold", "gold"), ("Silver", "Silver"), ("=1+1", "=1+1"), ("a, b", "a, b")],
        ["Gold", "silver", " gold", "gold\0", "", "b", "bronze", 0, True, ["gold"], {"gold": 1}, _LONG],
    ),
    *_cases(
        "user",
        [("{owner}", "{owner}")],
        ["{stranger}", "{gone}", "nobody.at.all", "", "\0", "half \ud800", " {owner}", "{OWNER}", 1, 10**30, True, 1.5, ["{owner}"], _LONG],
    ),
]  # fmt: skip
