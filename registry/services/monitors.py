"""Model Monitor taken in: schedules, alerts, and the constraints they compare with; their runs by `monitor_runs`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import monitoring
from ..aws.errors import AwsError, AwsNotFound
from ..aws.monitoring import ScheduleRecord
from ..aws.session import AwsSession
from ..models import AwsAccount, ModelVersion, MonitoringAlert, MonitoringConstraints, MonitoringSchedule
from ..reports import monitor
from ..reports.document import Unreadable
from ..reports.monitor import approved_addresses
from ..selectors.placements import placements
from . import accounts, monitor_runs, report_files
from .monitor_runs import Counts


def read(actor: Actor, account: AwsAccount, session: AwsSession, counts: Counts) -> None:
    """Take in what Model Monitor says in the account and region of a session.

    A schedule is described anew when a list says that it changed; executions are those that changed since the last
    pass. What cannot be read of one schedule is a problem of the pass, and the rest goes on. Raises AwsError when a
    list fails; what was taken in before it stays.
    """
    region, now = session.account.region, timezone.now()
    listed = {summary.name: summary for summary in monitoring.list_schedules(session) if summary.name}
    unchanged: list[int] = []
    known = {row.name: row for row in MonitoringSchedule.objects.filter(account=account, region=region)}
    for name, summary in listed.items():
        row = known.get(name)
        if row is not None and not row.problem and row.missing_since is None and _is_as_listed(row, summary):
            unchanged.append(row.pk)
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
        counts.unchanged += MonitoringSchedule.objects.filter(pk__in=unchanged).update(read_at=now)
        gone = MonitoringSchedule.objects.filter(account=account, region=region, missing_since=None)
        counts.missing += gone.exclude(name__in=list(listed)).update(missing_since=now)
    here = [known[name] for name in listed if name in known]
    monitor_runs.read(actor, session, here, now, counts)
    _alerts(actor, session, here, now, counts)
    _constraints(actor, account, session, here, now)
    monitor_runs.prune(actor, account, region, now)


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
                "missing_since": None,
                "read_at": now,
            }
            if row is None or row.changed_at != record.changed_at:
                try:
                    fields["history"] = monitoring.alert_history(session, schedule.name, record.name)
                    # Noted with its history only: one that AWS did not give is asked for again.
                    fields["changed_at"] = record.changed_at
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
    """Read the constraints of each schedule, and those that the versions running there were approved with.

    The latter as the account that registered the version, whose files they are: where it runs may not read them.
    """
    region = session.account.region
    running: dict[str, list[ModelVersion]] = {}
    for one in placements(account=account):
        for of, endpoint in one.places:
            if of == region:
                running.setdefault(endpoint, []).append(one.version)
    wanted: dict[AwsAccount, set[str]] = {account: {row.constraints_url for row in schedules if row.constraints_url}}
    for row in schedules:
        for version in running.get(row.endpoint.lower(), ()):
            approved = approved_addresses(row.monitor_type, version.drift_baselines)
            wanted.setdefault(version.group.account, set()).update(approved)
    for owner, addresses in wanted.items():
        if owner.is_enabled:
            _read_constraints(actor, owner, session if owner == account else accounts.reach(owner), addresses, now)


def _read_constraints(
    actor: Actor, account: AwsAccount, session: AwsSession, wanted: Collection[str], now: datetime
) -> None:
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
