"""Take in what CloudWatch counted of the endpoints that are known in an account, hour by hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from django.db.models.functions import Lower
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import cloudwatch
from ..aws.arns import endpoint_name
from ..aws.cloudwatch import EndpointMetric, Series
from ..aws.session import AwsSession
from ..models import AwsAccount, Deployment, Endpoint, EndpointSeries
from ..models.endpoint_series import HOUR, MOST_HOURS, joined

# An endpoint whose monitors publish more metrics than a person looks through is told so.
MOST_OF_ENDPOINT = 200
# What is counted late comes within hours: the last three of what is kept are read again.
_AGAIN = 3 * HOUR
_BATCH = 200
_KEY = ("account", "region", "endpoint", "variant", "schedule", "namespace", "metric")
_READ = ("statistic", "begins_at", "points", "problem", "read_at")


class Counts(Protocol):
    """What a pass tells of itself."""

    created: int
    updated: int
    unchanged: int
    problems: list[str]


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read the hours of every metric CloudWatch has of the endpoints known in an account's region, and keep them.

    What was read before is asked for again from its last hours on, anything else for ninety days. A metric that
    CloudWatch no longer names keeps what it has. Raises AwsError. Source: cloudwatch ListMetrics, GetMetricData.
    """
    region = session.account.region
    known = endpoint_names(account, region)
    if not known:
        return
    # Without their hours: ninety days of every series are more than a worker has memory for.
    kept = EndpointSeries.objects.filter(account=account, region=region).annotate(small=Lower("endpoint"))
    rows = {_metric_of(row): row for row in kept.filter(small__in=known).defer("points")}
    metrics = _bounded([m for m in cloudwatch.endpoint_metrics(session) if m.endpoint.lower() in known], tally)
    until = timezone.now().replace(minute=0, second=0, microsecond=0)
    by_start: dict[datetime, list[EndpointMetric]] = defaultdict(list)
    for metric in dict.fromkeys([*metrics, *rows]):
        by_start[_start(rows.get(metric), until)].append(metric)
    for start, asked in sorted(by_start.items()):
        size = cloudwatch.queries_a_call(start, until)
        for first in range(0, len(asked), size):
            # What one call brought is kept before the next is made, which may fail.
            found = cloudwatch.hourly(session, asked[first : first + size], start, until)
            _keep(actor, account, region, found, rows, until, tally)
    _prune(actor, account, region, until)


def _prune(actor: Actor, account: AwsAccount, region: str, until: datetime) -> None:
    """Remove the series that no longer have an hour within ninety days: of endpoints that are gone for so long."""
    oldest = until - MOST_HOURS * HOUR
    stale = EndpointSeries.objects.filter(account=account, region=region, read_at__lt=oldest)
    with operation(actor, "remove old endpoint metrics"):
        stale.delete()


def _bounded(metrics: Iterable[EndpointMetric], tally: Counts) -> list[EndpointMetric]:
    by_endpoint: dict[str, list[EndpointMetric]] = defaultdict(list)
    for metric in metrics:
        by_endpoint[metric.endpoint].append(metric)
    for endpoint, own in by_endpoint.items():
        if len(own) > MOST_OF_ENDPOINT:
            tally.problems.append(
                f"{endpoint} has {len(own)} metrics in CloudWatch; the first {MOST_OF_ENDPOINT} of them are read."
            )
    return [metric for own in by_endpoint.values() for metric in own[:MOST_OF_ENDPOINT]]


def _start(row: EndpointSeries | None, until: datetime) -> datetime:
    """Return from when on a series is asked for: its last hours again when it was read without a problem."""
    oldest = until - MOST_HOURS * HOUR
    if row is None or row.problem:
        return oldest
    read = row.read_at.replace(minute=0, second=0, microsecond=0)
    return max(oldest, min(read, until) - _AGAIN)


def _keep(
    actor: Actor,
    account: AwsAccount,
    region: str,
    found: Iterable[Series],
    rows: Mapping[EndpointMetric, EndpointSeries],
    until: datetime,
    tally: Counts,
) -> None:
    now, written = timezone.now(), []
    found = list(found)
    kept = EndpointSeries.objects.in_bulk([rows[one.metric].pk for one in found if one.metric in rows])
    for series in found:
        metric, row = series.metric, rows.get(series.metric)
        row = kept.get(row.pk) if row else None
        if series.problem:
            tally.problems.append(f"{metric.name} of {metric.endpoint}: {series.problem}")
        before = (row.begins_at, row.points) if row else (None, [])
        begins_at, points = joined(*before, dict(series.points), until)
        if row is None:
            tally.created += 1
        elif (begins_at, points) == before:
            tally.unchanged += 1
        else:
            tally.updated += 1
        written.append(
            EndpointSeries(
                account=account,
                region=region,
                endpoint=metric.endpoint,
                variant=metric.variant,
                schedule=metric.schedule,
                namespace=metric.namespace,
                metric=metric.name,
                statistic=metric.statistic,
                begins_at=begins_at,
                points=points,
                problem=series.problem,
                read_at=now,
            )
        )
    with operation(actor, "read endpoint metrics"):
        EndpointSeries.objects.bulk_create(
            written, batch_size=_BATCH, update_conflicts=True, unique_fields=_KEY, update_fields=_READ
        )


def endpoint_names(account: AwsAccount, region: str) -> frozenset[str]:
    """Return the names of the endpoints the portal knows in an account's region, in small letters.

    An ARN, which may be what was reported, has the name in small letters, CloudWatch as it was given.
    """
    reported = Deployment.objects.filter(account=account, region=region).exclude(endpoint="")
    found = Endpoint.objects.filter(account=account, region=region).standing()
    return frozenset(
        [
            *(endpoint_name(one).lower() for one in reported.values_list("endpoint", flat=True).distinct()),
            *(name.lower() for name in found.values_list("name", flat=True)),
        ]
    )


def _metric_of(row: EndpointSeries) -> EndpointMetric:
    return EndpointMetric(row.namespace, row.metric, row.endpoint, row.variant, row.schedule)
