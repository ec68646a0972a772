"""A schedule that failed, whose runs fail, or that silently lets its time pass is seen; one that rests is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from registry.reports.rhythm import longest_gap, overdue, trouble

HOURLY, DAILY = "cron(0 * ? * * *)", "cron(0 3 ? * * *)"
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@dataclass
class Schedule:
    status: str = "Scheduled"
    failure_reason: str = ""
    expression: str = HOURLY
    aws_created_at: datetime | None = NOON - timedelta(days=30)
    aws_modified_at: datetime | None = NOON - timedelta(days=30)
    read_until: datetime | None = NOON


@dataclass
class Run:
    status: str = "Completed"
    scheduled_at: datetime = NOON - timedelta(hours=1)
    failure_reason: str = ""
    report_problem: str = ""
    report_sentence: str = ""


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        (HOURLY, 1),
        (DAILY, 24),
        ("cron(0 0/6 ? * * *)", 6),
        ("cron(0 17/12 ? * * *)", 24),
        ("cron(0 10/5 ? * * *)", 14),
        ("NOW", None),
        ("", None),
        ("cron(0 99 ? * * *)", None),
        ("cron(0 3/0 ? * * *)", None),
        ("cron(15 10 ? * 6L 2022-2023)", None),
    ],
)
def test_the_longest_gap_of_a_schedule(expression: str, hours: int | None) -> None:
    assert longest_gap(expression) == (None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize(
    ("schedule", "last", "told"),
    [
        (Schedule(), NOON - timedelta(hours=4), ""),
        (Schedule(), NOON - timedelta(hours=5), "has not run since 2026-03-29 07:00 UTC, though it is due every hour"),
        (Schedule(expression=DAILY), NOON - timedelta(hours=50), ""),
        (
            Schedule(expression=DAILY),
            NOON - timedelta(hours=51),
            "has not run since 2026-03-27 09:00 UTC, though it is due every day",
        ),
        (Schedule(expression="cron(0 0/6 ? * * *)"), None, "has never run, though it is due every 6 hours"),
        # Begun anew an hour ago, of a rhythm nobody knows, or never listed: nobody can tell.
        (Schedule(aws_modified_at=NOON - timedelta(hours=1)), None, ""),
        (Schedule(expression="NOW"), None, ""),
        (Schedule(read_until=None), None, ""),
        (Schedule(aws_modified_at=None, aws_created_at=None), None, ""),
    ],
)
def test_what_let_its_time_pass(schedule: Schedule, last: datetime | None, told: str) -> None:
    assert overdue(schedule, last) == told


@pytest.mark.parametrize(
    ("schedule", "newest", "told"),
    [
        (Schedule(), Run(), ""),
        (Schedule(), Run("InProgress"), ""),
        (Schedule("Stopped"), Run("Failed"), ""),
        (Schedule("Pending"), None, ""),
        (Schedule("Failed", "Role  cannot be\nassumed."), None, "failed (Role cannot be assumed)"),
        (Schedule(), Run("Failed", failure_reason="No data."), "failed at its run of 2026-03-29 11:00 UTC (No data)"),
        (Schedule(), Run("Stopped"), "was stopped at its run of 2026-03-29 11:00 UTC"),
        (
            Schedule(),
            Run(report_problem="not_json", report_sentence="It is not JSON."),
            "left results at 2026-03-29 11:00 UTC that could not be read (It is not JSON)",
        ),
        # What it found is told as violations, which could not be read.
        (Schedule(), Run("CompletedWithViolations", report_problem="missing"), ""),
        (
            Schedule(),
            Run("Failed", NOON - timedelta(days=2)),
            "has not run since 2026-03-27 12:00 UTC, though it is due every hour",
        ),
    ],
)
def test_what_keeps_a_schedule_from_its_work(schedule: Schedule, newest: Run | None, told: str) -> None:
    assert trouble(schedule, newest) == told
