"""What happened in the company, as data: each step is one thing one person or pipeline did at one moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

DAYS = 92
_OPENS, _CLOSES = 8 * 60 + 20, 17 * 60 + 40


@dataclass(frozen=True)
class Step:
    """One deed: `verb` is a method of the player, `about` its arguments. `at` is in UTC."""

    at: datetime
    verb: str
    about: dict[str, Any] = field(default_factory=dict)


def working(moment: datetime) -> datetime:
    """Return the moment itself when people work then, or else the next one, a little into that morning."""
    minutes = moment.hour * 60 + moment.minute
    if minutes >= _CLOSES:
        moment = _morning(moment + timedelta(days=1), moment)
    elif minutes < _OPENS:
        moment = _morning(moment, moment)
    while moment.weekday() >= 5:
        moment = _morning(moment + timedelta(days=1), moment)
    return moment


def _morning(day: datetime, moment: datetime) -> datetime:
    # Not everybody opens his mail on the stroke of eight: what came late is spread over the morning.
    minute = _OPENS + (moment.hour * 60 + moment.minute * 7 + moment.second) % 170
    return day.replace(hour=minute // 60, minute=minute % 60)


def worked(moment: datetime) -> datetime:
    """Return the moment itself when people work then, or else the end of the last day on which they did."""
    while moment.weekday() >= 5:
        moment = (moment - timedelta(days=1)).replace(hour=16, minute=moment.minute)
    if moment.hour * 60 + moment.minute < _OPENS:
        return worked((moment - timedelta(days=1)).replace(hour=16, minute=moment.minute))
    return moment if moment.hour * 60 + moment.minute < _CLOSES else moment.replace(hour=16)


def begun(today: date) -> datetime:
    """Return the first morning of the story that is told on `today`: a Monday about three months ago."""
    first = today - timedelta(days=DAYS)
    first -= timedelta(days=first.weekday())
    return datetime(first.year, first.month, first.day, 8, 31, tzinfo=UTC)
