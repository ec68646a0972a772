"""Model Monitor read, and what it measured reported to the stages of what it watches."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound, WrongState
from registry.aws.session import AwsSession
from registry.models import AwsAccount, Deployment
from registry.services import monitors

from ..choices import MetricKind, Status
from ..models import MetricReport, StageRecord
from ..selectors.monitor_findings import Watched, running, watching
from . import metrics

if TYPE_CHECKING:
    from .readings import Tally

SOURCE = "SageMaker Model Monitor"


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
    """Take in what Model Monitor says in an account and region, then report what is new of it.

    Raises AwsError when a list fails; what was taken in before it stays.
    """
    monitors.read(actor, account, session, tally)
    tally.problems += report(actor=actor, account=account, region=session.account.region)


def report(*, actor: Actor, account: AwsAccount, region: str) -> list[str]:
    """Report the newest numbers of model quality and the number of violations to what runs on the endpoints watched.

    What was reported already is not reported again, and what is not known is left out or null. Returns what could not
    be reported, in words.
    """
    known = watching([account.pk])
    problems = []
    for deployment, names in running():
        if (deployment.account_id, deployment.region) != (account.pk, region):
            continue
        for name in names:
            watched = known.get((account.pk, region, name), [])
            found, captured_at = measured(watched)
            if not found or captured_at is None:
                continue
            record = _record(deployment)
            if record is None or _is_told(record, found, captured_at):
                continue
            try:
                metrics.report(
                    actor=actor,
                    record_id=record.pk,
                    kind=MetricKind.MONITORING,
                    metrics=found,
                    source=SOURCE,
                    endpoint=watched[0].schedule.endpoint,
                    captured_at=captured_at,
                )
            except (InvalidInput, WrongState, NotFound) as refused:
                problems.append(f"Monitoring of {name} was not reported: {refused}")
    return problems


def measured(watched: list[Watched]) -> tuple[dict[str, Any], datetime | None]:
    """Return what the newest runs on one endpoint measured, and when the newest of them was scheduled.

    Numbers of model quality by their name, `violation_count` over all monitors (null while one is not known) and
    `violations` by type. Empty when nothing is known.
    """
    runs = [(one.schedule, one.last) for one in watched if one.last is not None]
    found: dict[str, Any] = {}
    counts: dict[str, int | None] = {}
    for schedule, last in sorted(runs, key=lambda pair: pair[1].scheduled_at):
        found |= last.metrics or {}
        known = last.violation_count
        before = counts.get(schedule.monitor_type, 0)
        counts[schedule.monitor_type] = None if known is None or before is None else before + known
    if runs and (found or any(count is not None for count in counts.values())):
        numbers = [count for count in counts.values() if count is not None]
        found["violation_count"] = sum(numbers) if len(numbers) == len(counts) else None
        found["violations"] = counts
    return found, max((last.scheduled_at for _, last in runs), default=None)


def _record(deployment: Deployment) -> StageRecord | None:
    """The stage record that speaks for a deployment."""
    rows = StageRecord.objects.filter(version=deployment.version_id, stage=deployment.stage)
    rows = rows.filter(Q(account=deployment.account_id) | Q(account=None)).exclude(status=Status.RETIRED)
    return rows.order_by(F("account").asc(nulls_last=True)).first()


def _is_told(record: StageRecord, found: dict[str, Any], captured_at: datetime) -> bool:
    told = MetricReport.objects.filter(record=record, kind=MetricKind.MONITORING, source=SOURCE)
    return told.filter(captured_at=captured_at, metrics=found).exists()
