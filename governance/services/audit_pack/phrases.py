"""Phrases of an audit pack's document."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def state(problems: list[str], left_out: list[dict[str, str]]) -> dict[str, str]:
    """Return the box on the cover: whether what is here holds, and whether all of it is here."""
    if problems:
        return {"tone": "bad", "title": "Not everything holds", "text": "\n".join(problems)}
    if left_out:
        text = f"What is here holds. {len(left_out)} things are left out: the summary names each with the reason."
        return {"tone": "warn", "title": "Not everything is here", "text": text}
    text = (
        "Every entry of the audit trail in this pack gives its hash, every row of data is what the trail says, and"
        " every piece of evidence is what was attached. Run verify.py to see for yourself."
    )
    return {"tone": "good", "title": "Checked when it was built", "text": text}


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 decision was", "12 decisions were"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def at(text: str | None) -> str:
    """Return a stored moment as "2026-11-21 13:05 UTC"."""
    if not text:
        return ""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def short(text: str | None) -> str:
    """Return a stored moment for a column whose head says that times are UTC: "2026-11-21 13:05"."""
    return at(text).removesuffix(" UTC")


def by(person: str, moment: str | None) -> str:
    """Return by whom and when, as far as it is known."""
    return ", ".join(part for part in (f"by {person}" if person else "", at(moment)) if part)


def figure(value: Any) -> str:
    """Return the value of a metric; what is absent is not reported, never zero."""
    return "not reported" if value is None else str(value)
