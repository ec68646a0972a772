"""Single values of a report: a number is a number, and everything else is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

Number = int | float
LONGEST_NAME = 200


def number(value: Any) -> Number | None:
    """Return a finite number, None for null, true, false, text ("NaN" too) and everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def name(value: Any) -> str:
    """Return a name or a value of data as short text: "gender", "1", "(0.5, 0.99]"; several of them joined."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(name, value[:10]))[:LONGEST_NAME]
    return str(value)[:LONGEST_NAME]


def section(value: Any) -> Mapping[str, Any]:
    """Return a named part of a report, empty when it is something else."""
    return value if isinstance(value, Mapping) else {}


def sections(value: Any) -> Iterable[Mapping[str, Any]]:
    """Return the named parts of a list, or the one that stands in place of a list."""
    if isinstance(value, Mapping):
        return (value,)
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()
