"""Pure functions that put values in words a person reads: times, names, identifiers, numbers."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import escape
from django.utils.safestring import SafeString

_UNITS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3_600), ("minute", 60))

# Beyond it a number has more digits than anybody reads, and than a float knows.
_WRITTEN_OUT = 10**15
_JOINTS = re.compile(r"(?<=[\w/])([_/-])(?=[A-Za-z])")


def breakable(value: Any) -> SafeString | Any:
    """Let a name or an address of one long word break behind its joints, not in the middle of a word."""
    if not isinstance(value, str) or isinstance(value, SafeString):
        return value
    return SafeString(_JOINTS.sub(r"\1<wbr>", escape(value)))


def as_moment(value: Any) -> datetime | date | None:
    """Read a datetime, a date or their ISO text; naive datetimes are UTC; None when it is none of these."""
    if isinstance(value, str):
        text = value.strip()
        value = (parse_date(text) if len(text) == 10 else None) or parse_datetime(text)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value if isinstance(value, date) else None


def relative_words(moment: datetime | date, now: datetime) -> str:
    """Say how far a moment is from now: "3 minutes ago", "in 2 days", "tomorrow"."""
    if not isinstance(moment, datetime):
        days = (moment - now.date()).days
        near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
        if near:
            return near
        seconds = days * 86_400.0
    else:
        seconds = (moment - now).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return "just now"
    # Rounded to the minute first, so that 59.6 minutes read "1 hour" and not "60 minutes".
    distance = max(60, round(distance / 60) * 60)
    for name, size in _UNITS:
        if distance >= size:
            count = int(distance // size)
            words = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{words} ago" if seconds < 0 else f"in {words}"
    return "just now"


def duration_words(seconds: float | None) -> str:
    """Return a length of time in its largest fitting unit: "4 s", "12 min", "3 h", "2 days"; nothing for none."""
    if seconds is None:
        return ""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def absolute_words(moment: datetime | date) -> str:
    """Give a moment in full: "2026-11-21 04:05:06 UTC", or the day alone for a date."""
    if isinstance(moment, datetime):
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return moment.isoformat()


def split_identifier(value: str, tail: int = 16) -> tuple[str, str]:
    """Part a long identifier before its last `tail` characters; the page shortens only the first part."""
    if len(value) <= tail:
        return "", value
    return value[:-tail], value[-tail:]


def person_name(person: Any) -> str:
    """Name a user object, a copied name, or nobody ("nobody")."""
    if person is None or person == "":
        return "nobody"
    full_name = getattr(person, "get_full_name", None)
    if callable(full_name):
        return str(getattr(person, "display_name", "") or full_name() or person.get_username())
    return str(getattr(person, "name", "") or person)


def initials(name: str) -> str:
    """Take one or two initials: "Dana Scientist" and "data.scientist" both give two letters."""
    parts = [part for part in name.replace(".", " ").replace("_", " ").replace("@", " ").split() if part]
    return "".join(part[0] for part in parts[:2]).upper() or "?"


def number_words(value: Any, digits: int = 4) -> str | None:
    """Write a figure with at most `digits` decimals and no trailing zeros, a very large one by its power of ten.

    None stays None, never 0. What is counted by kind is written out: "DataQuality 3, ModelQuality 0".
    """
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        parts = [f"{key} {number_words(part, digits) or 'not reported'}" for key, part in value.items()]
        return ", ".join(parts) or None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and abs(value) < _WRITTEN_OUT:
        return f"{value:,}"
    if isinstance(value, (int, float, Decimal)):
        number = _as_float(value)
        if math.isfinite(number) and abs(number) >= _WRITTEN_OUT:
            return f"{number:.{digits}g}"
        if number != 0 and abs(number) < 10**-digits:
            return f"{number:.{max(digits - 1, 1)}g}"
        text = f"{number:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def _as_float(value: float | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def json_text(value: Any) -> str:
    """Indent a JSON document for reading; text that already is JSON is indented too."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
