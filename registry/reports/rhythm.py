"""When a monitoring schedule is due, and whether it kept to it.

Source: SageMaker Developer Guide, "The cron expression for monitoring schedules": hourly, daily, or every so many hours
from one on, always in UTC; a run may begin up to 20 minutes after its time.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Protocol

HOUR = timedelta(hours=1)
# A run is listed when it begins, which may be late; what was missed once may still come.
_GRACE = 2 * HOUR
_CRON = re.compile(r"cron\(\s*0\s+(\*|\d{1,2})(?:/(\d{1,2}))?\s+\S+\s+\*\s+\*\s+\*\s*\)", re.IGNORECASE)
_OVER = {"Failed": "failed", "Stopped": "was stopped"}


class Schedule(Protocol):
    """What is asked of a schedule: as AWS described it, and until when its runs are known."""

    status: str
    failure_reason: str
    expression: str
    aws_created_at: datetime | None
    aws_modified_at: datetime | None
    read_until: datetime | None


class Run(Protocol):
    """What is asked of the newest run of a schedule."""

    status: str
    failure_reason: str
    scheduled_at: datetime
    report_problem: str
    report_sentence: str


def trouble(schedule: Schedule, newest: Run | None) -> str:
    """Return in words why a schedule does not do what it is there for: "has not run since ..."; "" while it does.

    One that somebody stopped is no trouble of its own. `newest` is its newest run, None before there was one.
    """
    if schedule.status == "Failed":
        return _with("failed", schedule.failure_reason)
    if schedule.status != "Scheduled":
        return ""
    due = overdue(schedule, newest.scheduled_at if newest else None)
    if due:
        return due
    if newest is not None and newest.status in _OVER:
        return _with(f"{_OVER[newest.status]} at its run of {_moment(newest.scheduled_at)}", newest.failure_reason)
    if newest is not None and newest.status == "Completed" and newest.report_problem:
        return _with(f"left results at {_moment(newest.scheduled_at)} that could not be read", newest.report_sentence)
    return ""


def overdue(schedule: Schedule, last: datetime | None) -> str:
    """Return in words that a schedule let twice its time pass without a run; "" when it did not, or nobody can tell.

    Judged by what is known: until `read_until`, and not before the schedule was last changed.
    """
    gap, known = longest_gap(schedule.expression), schedule.read_until
    begins = max(filter(None, (last, schedule.aws_modified_at or schedule.aws_created_at)), default=None)
    if gap is None or known is None or begins is None or known - begins <= 2 * gap + _GRACE:
        return ""
    every = "every hour" if gap == HOUR else "every day" if gap == 24 * HOUR else f"every {gap // HOUR} hours"
    since = f"has not run since {_moment(last)}" if last else "has never run"
    return f"{since}, though it is due {every}"


def longest_gap(expression: str) -> timedelta | None:
    """Return the longest time between two runs of a schedule; None for one that runs once, or by no known rule."""
    found = _CRON.fullmatch(expression.strip())
    if found is None:
        return None
    first, step = found.groups()
    if first == "*" and step is None:
        return HOUR
    begin, every = 0 if first == "*" else int(first), int(step) if step else 24
    if begin > 23 or not 1 <= every <= 24:
        return None
    hours = list(range(begin, 24, every))
    return max(after - hour for hour, after in zip(hours, [*hours[1:], hours[0] + 24], strict=True)) * HOUR


def _with(words: str, reason: str) -> str:
    said = " ".join(reason.split()).rstrip(".")
    return f"{words} ({said[:300]})" if said else words


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
