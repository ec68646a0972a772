"""The runs of monitoring schedules taken in: how each ended, and what it left in S3."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import OuterRef, Subquery

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import monitoring
from ..aws.errors import AwsError, AwsNotFound
from ..aws.monitoring import ExecutionRecord
from ..aws.session import AwsSession
from ..models import AwsAccount, MonitoringExecution, MonitoringSchedule
from ..reports import model_quality, monitor
from ..reports.document import ReportProblem, Unreadable
from . import report_files

# A change may be listed a little later than it is stamped; what is read twice is the same row.
OVERLAP = timedelta(minutes=30)
# The first reading goes so far back; from then on every change is taken in.
FIRST_READING = timedelta(days=90)
# Runs are kept so long: this month beside the same of last year. What they measured stays reported at its stage.
KEEP = timedelta(days=400)
VIOLATED = "CompletedWithViolations"
FINISHED = ("Completed", VIOLATED)
_VIOLATIONS, _STATISTICS = "constraint_violations.json", "statistics.json"


class Counts(Protocol):
    """What a pass counts."""

    created: int
    updated: int
    unchanged: int
    missing: int
    problems: list[str]


def read(
    actor: Actor, session: AwsSession, schedules: Collection[MonitoringSchedule], now: datetime, counts: Counts
) -> None:
    """Take in the runs of these schedules, which are all that AWS has, that changed since they were read last.

    One listing for all that were read before, and one for each that was not. How far a schedule is read is only noted
    when the listing came to its end, so that nothing is left out when AWS breaks off in the middle. Raises AwsError.
    """
    known = {row.name: row for row in schedules}
    taken: set[int] = set()
    since = min((row.read_until for row in schedules if row.read_until is not None), default=None)
    if since is not None:
        read_before = {row.name: row for row in schedules if row.read_until is not None}
        _take_all(
            actor,
            session,
            read_before,
            monitoring.list_executions(session, modified_after=since - OVERLAP),
            now,
            counts,
            taken,
        )
    for name, row in known.items():
        if row.read_until is None:
            listed = monitoring.list_executions(session, modified_after=now - FIRST_READING, schedule=name)
            _take_all(actor, session, {name: row}, listed, now, counts, taken)
    _retry(actor, session, schedules, taken, now)
    problems = MonitoringExecution.objects.filter(pk__in=taken).exclude(report_problem="").select_related("schedule")
    counts.problems += [f"{one}: {one.report_sentence}" for one in problems.order_by("pk")]


def prune(actor: Actor, account: AwsAccount, region: str, now: datetime) -> int:
    """Remove the runs of an account and region that are older than they are kept; returns how many.

    The newest of each schedule that finished stays whatever its age: it is what is known of it.
    """
    own = MonitoringExecution.objects.filter(schedule=OuterRef("schedule"), status__in=FINISHED)
    newest = own.order_by("-scheduled_at").values("pk")[:1]
    old = MonitoringExecution.objects.filter(
        schedule__account=account, schedule__region=region, scheduled_at__lt=now - KEEP
    )
    with operation(actor, "remove old runs of monitoring"):
        removed, _ = old.exclude(pk=Subquery(newest)).delete()
    return removed


def _take_all(
    actor: Actor,
    session: AwsSession,
    known: Mapping[str, MonitoringSchedule],
    listed: Iterator[ExecutionRecord],
    now: datetime,
    counts: Counts,
    taken: set[int],
) -> None:
    for record in listed:
        schedule = known.get(record.schedule)
        if schedule is None:  # of a schedule that was deleted before the portal saw it
            continue
        taken.add(_take(actor, session, schedule, record, now, counts).pk)
    with operation(actor, "read the results of monitoring"):
        MonitoringSchedule.objects.filter(pk__in=[row.pk for row in known.values()]).update(read_until=now)


def _retry(
    actor: Actor, session: AwsSession, schedules: Collection[MonitoringSchedule], taken: set[int], now: datetime
) -> None:
    """Read the report of each schedule's newest run again where it was denied or not there: it may be by now."""
    runs = MonitoringExecution.objects.filter(schedule=OuterRef("pk")).order_by("-scheduled_at")
    rows = MonitoringSchedule.objects.filter(pk__in=[row.pk for row in schedules])
    newest = rows.annotate(newest=Subquery(runs.values("pk")[:1])).values_list("newest", flat=True)
    waiting = MonitoringExecution.objects.filter(pk__in=list(newest)).exclude(report_problem="").exclude(pk__in=taken)
    for last in waiting.select_related("schedule").order_by("pk"):
        found = _results(session, last.schedule, last.status, last.processing_job_arn)
        with operation(actor, "read the results of monitoring"):
            for name, value in {**found, "read_at": now}.items():
                setattr(last, name, value)
            last.save()
        taken.add(last.pk)


def _take(
    actor: Actor,
    session: AwsSession,
    schedule: MonitoringSchedule,
    record: ExecutionRecord,
    now: datetime,
    counts: Counts,
) -> MonitoringExecution:
    row = MonitoringExecution.objects.filter(schedule=schedule, scheduled_at=record.scheduled_at).first()
    if row is not None and row.aws_modified_at == record.modified_at and not row.report_problem:
        counts.unchanged += 1
        return row
    fields: dict[str, Any] = {
        "status": record.status[:30],
        "failure_reason": record.failure_reason,
        "endpoint": record.endpoint[:63],
        "processing_job_arn": record.processing_job_arn[:2048],
        "aws_created_at": record.created_at,
        "aws_modified_at": record.modified_at,
        "read_at": now,
        **_results(session, schedule, record.status, record.processing_job_arn),
    }
    with operation(actor, "read the results of monitoring"):
        row, is_new = MonitoringExecution.objects.update_or_create(
            schedule=schedule, scheduled_at=record.scheduled_at, defaults=fields
        )
    if is_new:
        counts.created += 1
    else:
        counts.updated += 1
    return row


def _results(session: AwsSession, schedule: MonitoringSchedule, status: str, job: str) -> dict[str, Any]:
    """Read what a run left in S3: its violations where AWS says that there are some, its metrics where it measured."""
    found: dict[str, Any] = {
        "output_url": "",
        "violations": [],
        "violation_count": 0 if status == "Completed" else None,
        "metrics": None,
        "report_problem": "",
        "report_sentence": "",
    }
    measures = schedule.monitor_type == "ModelQuality"
    if status not in FINISHED or not (measures or status == VIOLATED):
        return found
    if not job:
        return found | _problem(
            ReportProblem.MISSING, "AWS names no processing job, so nobody can say where its results are."
        )
    try:
        output = monitoring.job_output(session, job)
    except AwsNotFound:
        return found | _problem(
            ReportProblem.MISSING, f"The processing job {job.rsplit('/', 1)[-1]} is not there any more."
        )
    except AwsError as error:
        return found | _problem(ReportProblem.UNREACHABLE, f"The processing job could not be read: {error}")
    found["output_url"] = output[:1024]
    if status == VIOLATED:
        found |= _violations(session, f"{output}/{_VIOLATIONS}")
    if measures and not found["report_problem"]:
        found |= _metrics(session, f"{output}/{_STATISTICS}")
    return found


def _violations(session: AwsSession, address: str) -> dict[str, Any]:
    file = report_files.read(session, address)
    if file.problem:
        return _problem(file.problem, f"{_VIOLATIONS}: {file.sentence}")
    try:
        listed = monitor.violations(file.content)
    except Unreadable as error:
        return _problem(error.problem, f"{_VIOLATIONS}: {error.sentence}")
    shown = [
        {"subject": one.subject, "check": one.check, "description": one.description}
        for one in listed[: monitor.MOST_VIOLATIONS]
    ]
    return {"violations": shown, "violation_count": len(listed)}


def _metrics(session: AwsSession, address: str) -> dict[str, Any]:
    file = report_files.read(session, address)
    if file.problem:
        return _problem(file.problem, f"{_STATISTICS}: {file.sentence}")
    measured = {
        metric.name: metric.value
        for quality in model_quality.parse(file.content)
        for metric in quality.metrics
        if metric.value is None or math.isfinite(metric.value)
    }
    if not measured:
        return _problem(ReportProblem.WRONG_TYPE, f"{_STATISTICS}: It is JSON, but has no metrics of model quality.")
    return {"metrics": dict(list(measured.items())[: monitor.MOST_VIOLATIONS])}


def _problem(problem: ReportProblem, sentence: str) -> dict[str, Any]:
    return {"report_problem": problem.value, "report_sentence": sentence[:2000]}
