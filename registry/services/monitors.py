"""Model Monitor taken in: schedules, the series of their executions, alerts, and the constraints they compare with."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import monitoring
from ..aws.errors import AwsError, AwsNotFound
from ..aws.monitoring import ExecutionRecord, ScheduleRecord
from ..aws.session import AwsSession
from ..choices import Stage
from ..models import (
    AwsAccount,
    Deployment,
    MonitoringAlert,
    MonitoringConstraints,
    MonitoringExecution,
    MonitoringSchedule,
)
from ..reports import model_quality, monitor
from ..reports.document import ReportProblem, Unreadable
from ..reports.monitor import approved_addresses, endpoint_name
from . import report_files

# A change may be listed a little later than it is stamped; what is read twice is the same row.
OVERLAP = timedelta(minutes=10)
# The first reading goes so far back; from then on every change is taken in.
FIRST_READING = timedelta(days=90)
VIOLATED = "CompletedWithViolations"
_FINISHED = ("Completed", VIOLATED)
_VIOLATIONS, _STATISTICS = "constraint_violations.json", "statistics.json"


class Counts(Protocol):
    """What a pass counts."""

    created: int
    updated: int
    unchanged: int
    missing: int
    problems: list[str]


def read(actor: Actor, account: AwsAccount, session: AwsSession, counts: Counts) -> None:
    """Take in what Model Monitor says in the account and region of a session.

    A schedule is described anew when a list says that it changed; executions are those that changed since the last
    pass. What cannot be read of one schedule is a problem of the pass, and the rest goes on. Raises AwsError when a
    list fails; what was taken in before it stays.
    """
    region, now = session.account.region, timezone.now()
    listed = {summary.name: summary for summary in monitoring.list_schedules(session) if summary.name}
    known = {row.name: row for row in MonitoringSchedule.objects.filter(account=account, region=region)}
    for name, summary in listed.items():
        row = known.get(name)
        if row is not None and not row.problem and row.missing_since is None and _is_as_listed(row, summary):
            with operation(actor, "read the monitoring schedules"):
                MonitoringSchedule.objects.filter(pk=row.pk).update(read_at=now)
            counts.unchanged += 1
            continue
        try:
            record = monitoring.describe_schedule(session, name)
        except AwsNotFound:  # deleted since it was listed
            continue
        except AwsError as error:
            counts.problems.append(f"Monitoring schedule {name}: {error}")
            continue
        known[name] = _take_schedule(actor, account, region, record, now, counts)
        if record.problem:
            counts.problems.append(f"Monitoring schedule {name}: {record.problem}")
    with operation(actor, "read the monitoring schedules"):
        gone = MonitoringSchedule.objects.filter(account=account, region=region, missing_since=None)
        counts.missing += gone.exclude(name__in=list(listed)).update(missing_since=now)
    _executions(actor, session, known, now, counts)
    here = [known[name] for name in listed if name in known]
    _alerts(actor, session, here, now, counts)
    _constraints(actor, account, session, here, now)


def _is_as_listed(row: MonitoringSchedule, summary: monitoring.ScheduleSummary) -> bool:
    return (row.aws_created_at, row.aws_modified_at, row.status) == (
        summary.created_at,
        summary.modified_at,
        summary.status[:20],
    )


def _take_schedule(
    actor: Actor, account: AwsAccount, region: str, record: ScheduleRecord, now: datetime, counts: Counts
) -> MonitoringSchedule:
    summary, definition = record.summary, record.definition
    fields: dict[str, Any] = {
        "arn": summary.arn[:2048],
        "monitor_type": summary.monitor_type[:20],
        "endpoint": summary.endpoint[:63],
        "status": summary.status[:20],
        "failure_reason": record.failure_reason,
        "expression": record.expression[:256],
        "definition_name": record.definition_name[:63],
        "constraints_url": definition.constraints[:1024],
        "statistics_url": definition.statistics[:1024],
        "output_url": definition.output[:1024],
        "problem": record.problem,
        "aws_created_at": summary.created_at,
        "aws_modified_at": summary.modified_at,
        "read_at": now,
        "missing_since": None,
    }
    with operation(actor, "read the monitoring schedules"):
        rows = MonitoringSchedule.objects.select_for_update().filter(account=account, region=region)
        row = rows.filter(name=summary.name).first()
        if row is None:
            counts.created += 1
            return MonitoringSchedule.objects.create(account=account, region=region, name=summary.name, **fields)
        if record.problem:  # what was known of its definition before is better than nothing
            for name in ("endpoint", "constraints_url", "statistics_url", "output_url"):
                fields[name] = fields[name] or getattr(row, name)
        changed = [name for name, value in fields.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, fields[name])
        row.save(update_fields=changed)
        if set(changed) <= {"read_at"}:
            counts.unchanged += 1
        else:
            counts.updated += 1
    return row


def _executions(
    actor: Actor, session: AwsSession, known: Mapping[str, MonitoringSchedule], now: datetime, counts: Counts
) -> None:
    rows = MonitoringExecution.objects.filter(schedule__in=[row.pk for row in known.values()])
    newest = rows.order_by("-aws_modified_at").values_list("aws_modified_at", flat=True).first()
    since = newest - OVERLAP if newest else now - FIRST_READING
    taken: set[int] = set()
    for record in monitoring.list_executions(session, modified_after=since):
        schedule = known.get(record.schedule)
        if schedule is None:  # of a schedule that was deleted before the portal saw it
            continue
        taken.add(_take_execution(actor, session, schedule, record, now, counts).pk)
    # A report that was denied or not there yet may be readable by now: the newest of each schedule is tried again.
    for schedule in known.values():
        last = MonitoringExecution.objects.filter(schedule=schedule).order_by("-scheduled_at").first()
        if last is not None and last.report_problem and last.pk not in taken:
            with operation(actor, "read the results of monitoring"):
                for name, value in {
                    **_results(session, schedule, last.status, last.processing_job_arn),
                    "read_at": now,
                }.items():
                    setattr(last, name, value)
                last.save()
            taken.add(last.pk)
    problems = MonitoringExecution.objects.filter(pk__in=taken).exclude(report_problem="").select_related("schedule")
    counts.problems += [f"{one}: {one.report_sentence}" for one in problems.order_by("pk")]


def _take_execution(
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
    if status not in _FINISHED or not (measures or status == VIOLATED):
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


def _alerts(
    actor: Actor, session: AwsSession, schedules: Iterable[MonitoringSchedule], now: datetime, counts: Counts
) -> None:
    for schedule in schedules:
        try:
            listed = list(monitoring.list_alerts(session, schedule.name))
        except AwsNotFound:  # deleted since it was listed
            continue
        except AwsError as error:
            counts.problems.append(f"Alerts of {schedule.name}: {error}")
            continue
        known = {row.name: row for row in MonitoringAlert.objects.filter(schedule=schedule)}
        for record in listed:
            row = known.get(record.name)
            fields: dict[str, Any] = {
                "status": record.status[:20],
                "datapoints": record.datapoints,
                "period": record.period,
                "aws_created_at": record.created_at,
                "changed_at": record.changed_at,
                "missing_since": None,
                "read_at": now,
            }
            if row is None or row.changed_at != record.changed_at:
                try:
                    fields["history"] = monitoring.alert_history(session, schedule.name, record.name)
                except AwsError as error:
                    counts.problems.append(f"History of alert {record.name}: {error}")
            with operation(actor, "read the alerts of monitoring"):
                MonitoringAlert.objects.update_or_create(schedule=schedule, name=record.name, defaults=fields)
        with operation(actor, "read the alerts of monitoring"):
            gone = MonitoringAlert.objects.filter(schedule=schedule, missing_since=None)
            gone.exclude(name__in=[record.name for record in listed]).update(missing_since=now)


def _constraints(
    actor: Actor, account: AwsAccount, session: AwsSession, schedules: Collection[MonitoringSchedule], now: datetime
) -> None:
    """Read the constraints of each schedule, and those that the versions in production there were approved with."""
    wanted = {row.constraints_url for row in schedules if row.constraints_url}
    baselines: dict[str, list[Mapping[str, Any]]] = {}
    running = Deployment.objects.running().filter(
        account=account, region=session.account.region, stage=Stage.PRODUCTION
    )
    for endpoint, found in running.values_list("endpoint", "version__drift_baselines"):
        baselines.setdefault(endpoint_name(endpoint), []).append(found)
    for row in schedules:
        for found in baselines.get(row.endpoint.lower(), ()):
            wanted.update(approved_addresses(row.monitor_type, found))
    known = {
        one.address: one for one in MonitoringConstraints.objects.filter(account=account, address__in=list(wanted))
    }
    for address in sorted(wanted):
        row_known = known.get(address)
        unless = row_known.etag if row_known is not None and not row_known.problem else ""
        file = report_files.read(session, address, unless_etag=unless)
        fields: dict[str, Any] = {"read_at": now}
        if not file.is_unchanged:
            fields |= {
                "etag": file.etag[:128],
                "problem": file.problem.value if file.problem else "",
                "sentence": file.sentence,
            }
            if not file.problem:
                try:
                    fields["limits"] = monitor.limits(file.content)
                except Unreadable as error:
                    fields |= {"problem": error.problem.value, "sentence": error.sentence}
        with operation(actor, "read the constraints of monitoring"):
            MonitoringConstraints.objects.update_or_create(account=account, address=address, defaults=fields)
