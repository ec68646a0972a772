"""Model Monitor and CloudWatch's model quality read, and what they measured reported to the stages of what runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound, WrongState
from registry.aws.cloudwatch import MODEL_QUALITY
from registry.aws.session import AwsSession
from registry.models import AwsAccount, EndpointSeries
from registry.services import endpoint_metrics, monitors

from ..choices import MetricKind, Status
from ..models import MetricReport, StageRecord
from ..selectors.monitor_findings import Runs, Watched, running, watching
from . import metrics

if TYPE_CHECKING:
    from .readings import Tally

SOURCE = "SageMaker Model Monitor"
# Of what CloudWatch has of an endpoint, so many numbers of model quality are reported.
_MOST_NUMBERS = 200


@dataclass(frozen=True)
class Published:
    """The newest number CloudWatch has of a metric of model quality, and the hour it is of."""

    endpoint: str
    metric: str
    at: datetime
    value: float


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
    """Take in what Model Monitor says in an account and region, then report what is new of it.

    Raises AwsError when a list fails; what was taken in before it stays.
    """
    monitors.read(actor, account, session, tally)
    tally.problems += report(actor=actor, account=account, region=session.account.region)


def read_metrics(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
    """Take in what CloudWatch counted of the endpoints, then report what is new of model quality. Raises AwsError."""
    endpoint_metrics.read(actor, account, session, tally)
    tally.problems += report(actor=actor, account=account, region=session.account.region)


def report(*, actor: Actor, account: AwsAccount, region: str) -> list[str]:
    """Report the newest numbers of model quality and the number of violations to what runs on the endpoints watched.

    A number is that of the newest run, or of CloudWatch's model quality where that is newer or the run has none. What
    was reported already is not reported again, and what is not known is left out or null. Returns what could not be
    reported, in words.
    """
    known, numbers = watching([account.pk]), _published(account, region)
    rows = [row for row in running() if row.account.pk == account.pk]
    problems = []
    for row in rows:
        for place in row.places:
            _, of, name = place
            watched = known.get(place, [])
            found, captured_at = measured(watched, numbers.get(name, ())) if of == region else ({}, None)
            if not found or captured_at is None:
                continue
            record = _record(row)
            endpoint = watched[0].schedule.endpoint if watched else numbers[name][0].endpoint
            here = [one.version.pk for one in rows if place in one.places]
            if record is None or _is_told(record, found, captured_at, endpoint, here):
                continue
            try:
                metrics.report(
                    actor=actor,
                    record_id=record.pk,
                    kind=MetricKind.MONITORING,
                    metrics=found,
                    source=SOURCE,
                    endpoint=endpoint,
                    captured_at=captured_at,
                )
            except (InvalidInput, WrongState, NotFound) as refused:
                problems.append(f"Monitoring of {name} was not reported: {refused}")
    return problems


def measured(watched: Sequence[Watched], published: Iterable[Published] = ()) -> tuple[dict[str, Any], datetime | None]:
    """Return what was measured last on one endpoint, and when the newest of it was.

    Numbers of model quality by their name, `violation_count` over all monitors (null while one is not known),
    `violations` by type, `alerts_raised` where there are alerts, and `status` in words. Empty when nothing is known.
    """
    runs = [(one.schedule, one.last) for one in watched if one.last is not None]
    found: dict[str, Any] = {}
    moments: dict[str, datetime] = {}
    counts: dict[str, int | None] = {}
    for schedule, last in sorted(runs, key=lambda pair: pair[1].scheduled_at):
        for name, value in (last.metrics or {}).items():
            found[name], moments[name] = value, last.scheduled_at
        known = last.violation_count
        before = counts.get(schedule.monitor_type, 0)
        counts[schedule.monitor_type] = None if known is None or before is None else before + known
    for one in published:
        if found.get(one.metric) is None or one.at > moments[one.metric]:
            found[one.metric], moments[one.metric] = one.value, one.at
    if runs and (found or any(count is not None for count in counts.values())):
        total = [count for count in counts.values() if count is not None]
        found["violation_count"] = sum(total) if len(total) == len(counts) else None
        found["violations"] = counts
        if any(one.alerts for one in watched):
            found["alerts_raised"] = sum(len(one.standing) for one in watched)
        found["status"] = _status(watched, found["violation_count"])
    newest = max((last.scheduled_at for _, last in runs), default=None)
    return found, max([moment for moment in (newest, *moments.values()) if moment is not None], default=None)


def _status(watched: Iterable[Watched], violations: int | None) -> str:
    """How the monitors of an endpoint stand, the worst of it."""
    if any(one.standing for one in watched):
        return "in alert"
    if violations:
        return "violations"
    if any(one.trouble for one in watched):
        return "not working"
    return "not known" if violations is None else "no violations"


def _published(account: AwsAccount, region: str) -> dict[str, list[Published]]:
    """What CloudWatch has of model quality, by the endpoint's name in small letters."""
    rows = EndpointSeries.objects.filter(account=account, region=region, namespace=MODEL_QUALITY)
    found: dict[str, list[Published]] = {}
    # One series after the other: ninety days of each are not needed at once.
    for row in rows.order_by("endpoint", "metric", "schedule", "pk").iterator(chunk_size=100):
        own, last = found.setdefault(row.endpoint.lower(), []), row.last
        if last is not None and len(own) < _MOST_NUMBERS:
            own.append(Published(row.endpoint, row.metric, *last))
    return found


def _record(row: Runs) -> StageRecord | None:
    """The stage record that speaks for a version where it runs; without one, that of the stage it has come to.

    What runs before it was approved there is monitored all the same: the endpoint says where.
    """
    rows = StageRecord.objects.filter(version=row.version.pk).exclude(status=Status.RETIRED)
    rows = rows.filter(Q(account=row.account) | Q(account=None))
    for stage in (row.stage, row.version.stage):
        found = rows.filter(stage=stage).order_by(F("account").asc(nulls_last=True)).first() if stage else None
        if found is not None:
            return found
    return None


def _is_told(
    record: StageRecord, found: dict[str, Any], captured_at: datetime, endpoint: str, here: Collection[int]
) -> bool:
    """Whether this was reported already: for the record, or for a version that ran there before and no longer does.

    An endpoint may be moved to another version; what was measured before is not that version's.
    """
    told = MetricReport.objects.filter(kind=MetricKind.MONITORING, source=SOURCE, endpoint=endpoint)
    if told.filter(record=record, captured_at=captured_at, metrics=found).exists():
        return True
    if record.account_id is None:  # of any account, where an endpoint may have the same name
        return False
    others = told.filter(record__account=record.account_id, captured_at__gte=captured_at)
    return others.exclude(record__version__in=list(here)).exists()
