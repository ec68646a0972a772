"""Single values of a report: a number is a number, and everything else is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

Number = int | float
LONGEST_NAME = 200
LONGEST_SHOWN = 40
MOST_VALUES = 10


def number(value: Any) -> Number | None:
    """Return a finite number, None for null, true, false, text ("NaN" too) and everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def said_instead(value: Any) -> str:
    """Return what a report says in place of a number, for people: "NaN" as it stands there; "" for a number or null."""
    if value is None or number(value) is not None:
        return ""
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else name(value)
    return f"The report says {shown[:LONGEST_SHOWN]!r}, which is no number." if shown else ""


def name(value: Any) -> str:
    """Return a name or a value of data as short text: "gender", "1", "(0.5, 0.99]"; several of them joined."""
    if value is None:
        return ""
    if isinstance(value, list):
        shown = ", ".join(map(name, value[:MOST_VALUES]))
        return _short(f"{shown} and {len(value) - MOST_VALUES} more" if len(value) > MOST_VALUES else shown)
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}\u2026"


def section(value: Any) -> Mapping[str, Any]:
    """Return a named part of a report, empty when it is something else."""
    return value if isinstance(value, Mapping) else {}


def sections(value: Any) -> Iterable[Mapping[str, Any]]:
    """Return the named parts of a list, or the one that stands in place of a list."""
    if isinstance(value, Mapping):
        return (value,)
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()


def count(value: Any, key: str) -> int:
    """Return how often something is named `key` in a part of a report, however deep."""
    if isinstance(value, Mapping):
        return (key in value) + sum(count(inner, key) for inner in value.values())
    return sum(count(inner, key) for inner in value) if isinstance(value, list) else 0
