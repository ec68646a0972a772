"""What CloudWatch counted of endpoints, as pages and the API show it: by variant, over some days, with its gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.db.models.functions import Lower

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import NotFound

from ..aws.arns import endpoint_name
from ..aws.cloudwatch import INSTANCES, MODEL_QUALITY, SAGEMAKER
from ..models import AwsAccount, Deployment, Endpoint, EndpointSeries, EndpointVariant, ModelVersion
from ..models.endpoint_series import HOUR

DAY = timedelta(days=1)
# Beyond a week a point is a day: an hour is less than a person can see.
DAYS = (1, 7, 30, 90)
HOURLY_DAYS = 7
# What a person reads in one figure.
MOST_QUALITY = 12

Points = list[tuple[datetime, float | None]]


@dataclass(frozen=True)
class Measure:
    """A metric in plain words, with what turns its number into the unit it is shown in."""

    namespace: str
    metric: str
    words: str
    factor: float = 1


@dataclass(frozen=True)
class Kind:
    """Measures that share an axis."""

    title: str
    unit: str
    measures: tuple[Measure, ...]
    note: str = ""


KINDS = (
    Kind(
        "Requests",
        "in an hour",
        (
            Measure(SAGEMAKER, "Invocations", "Requests"),
            Measure(SAGEMAKER, "Invocation4XXErrors", "Refused as malformed (4xx)"),
            Measure(SAGEMAKER, "Invocation5XXErrors", "Failed (5xx)"),
        ),
    ),
    Kind(
        "Time to answer",
        "milliseconds, average",
        (
            Measure(SAGEMAKER, "ModelLatency", "The model", 0.001),
            Measure(SAGEMAKER, "OverheadLatency", "SageMaker around it", 0.001),
        ),
    ),
    Kind(
        "Use of its instances",
        "percent, average",
        (
            Measure(INSTANCES, "CPUUtilization", "Processor"),
            Measure(INSTANCES, "MemoryUtilization", "Memory"),
            Measure(INSTANCES, "DiskUtilization", "Disk"),
            Measure(INSTANCES, "GPUUtilization", "GPU"),
        ),
        "Each processor core and each GPU counts a hundred, so several of them come to more.",
    ),
)


@dataclass(frozen=True)
class EndpointAt:
    """One endpoint by its name, in its account and region."""

    account: AwsAccount
    region: str
    name: str


@dataclass(frozen=True)
class Shown:
    """Measures of one kind over the days shown: the points of each that is reported, and the words of those not."""

    kind: Kind
    series: tuple[tuple[Measure, Points], ...]
    unreported: tuple[str, ...]
    # A schedule measures when it runs, so most hours are to have nothing.
    is_by_run: bool = False


@dataclass(frozen=True)
class Part:
    """One variant, or one monitoring schedule, of an endpoint."""

    variant: str
    schedule: str
    shown: tuple[Shown, ...]


@dataclass(frozen=True)
class Metrics:
    """What is known of one endpoint: when it was read last (its oldest series), until when, and what went wrong."""

    at: EndpointAt
    parts: tuple[Part, ...]
    read_at: datetime | None
    until: datetime | None
    problems: tuple[str, ...]


def series(actor: Actor) -> QuerySet[EndpointSeries]:
    """Return the series an actor may see."""
    return EndpointSeries.objects.visible_to(actor).select_related("account")


def metrics(actor: Actor, account_id: str, region: str, name: str, days: int = HOURLY_DAYS) -> Metrics:
    """Return what is known of an endpoint over its last days. Raises NotFound for one the actor knows nothing of."""
    here = series(actor).filter(account__account_id=account_id, region=region, endpoint__iexact=name)
    rows = list(here.order_by("pk"))
    at = EndpointAt(rows[0].account, region, rows[0].endpoint) if rows else _known(actor, account_id, region, name)
    return _metrics(at, rows, days)


def metrics_of_version(actor: Actor, version: ModelVersion, days: int = HOURLY_DAYS) -> list[Metrics]:
    """Return what is known of each endpoint a version runs on, or was reported to run on."""
    found = endpoints_of(actor, version)
    if not found:
        return []
    # A reported ARN has the name in small letters, CloudWatch as it was given.
    rows = series(actor).annotate(small=Lower("endpoint"))
    rows = rows.filter(account__in={one.account.pk for one in found}, small__in={one.name.lower() for one in found})
    by_endpoint: dict[tuple[int, str, str], list[EndpointSeries]] = defaultdict(list)
    for row in rows.order_by("pk"):
        by_endpoint[row.account_id, row.region, row.endpoint.lower()].append(row)
    return [_metrics(one, by_endpoint[one.account.pk, one.region, one.name.lower()], days) for one in found]


def endpoints_of(actor: Actor, version: ModelVersion) -> list[EndpointAt]:
    """Return the endpoints of a version: those reported of its deployments, and those read from AWS."""
    reported = Deployment.objects.visible_to(actor).filter(version=version).exclude(endpoint="")
    found = [
        EndpointAt(row.account, row.region, endpoint_name(row.endpoint)) for row in reported.select_related("account")
    ]
    served = EndpointVariant.objects.visible_to(actor).filter(version=version, missing_since=None)
    found += [
        EndpointAt(row.endpoint.account, row.endpoint.region, row.endpoint.name)
        for row in served.select_related("endpoint__account")
    ]
    # What was read from AWS comes last: its spelling stays.
    by_name = {(one.account.pk, one.region, one.name.lower()): one for one in found}
    return sorted(by_name.values(), key=lambda one: (one.account.account_id, one.region, one.name))


def _known(actor: Actor, account_id: str, region: str, name: str) -> EndpointAt:
    here = {"account__account_id": account_id, "region": region}
    reported = access.visible(Deployment, actor).filter(**here).select_related("account").order_by("pk")
    rows: list[Deployment | Endpoint] = [
        row for row in reported if row.endpoint and endpoint_name(row.endpoint).lower() == name.lower()
    ]
    rows += Endpoint.objects.visible_to(actor).filter(**here, name__iexact=name).select_related("account")
    if not rows:
        raise NotFound("There is no such endpoint.")
    return EndpointAt(rows[0].account, region, name)


def _metrics(at: EndpointAt, rows: Sequence[EndpointSeries], days: int) -> Metrics:
    ends = [row.ends_at for row in rows if row.ends_at is not None]
    until = max(ends, default=None)
    parts: dict[tuple[str, str], list[EndpointSeries]] = defaultdict(list)
    for row in rows:
        parts[row.variant, row.schedule].append(row)
    return Metrics(
        at=at,
        parts=tuple(
            Part(variant, schedule, _quality(own, until, days) if schedule else _counted(own, until, days))
            for (variant, schedule), own in sorted(parts.items(), key=lambda part: (part[0][1], part[0][0]))
        ),
        read_at=min((row.read_at for row in rows), default=None),
        until=until,
        problems=tuple(dict.fromkeys(f"{row.metric}: {row.problem}" for row in rows if row.problem)),
    )


def _counted(rows: Iterable[EndpointSeries], until: datetime | None, days: int) -> tuple[Shown, ...]:
    by_metric = {(row.namespace, row.metric): row for row in rows}
    found = []
    for kind in KINDS:
        of_kind = [(one, by_metric.get((one.namespace, one.metric))) for one in kind.measures]
        found.append(_shown(kind, of_kind, until, days))
    return tuple(found)


def _quality(rows: Sequence[EndpointSeries], until: datetime | None, days: int) -> tuple[Shown, ...]:
    found = []
    named = sorted((row for row in rows if row.namespace == MODEL_QUALITY), key=lambda row: row.metric)
    for row in named[:MOST_QUALITY]:
        measure = Measure(row.namespace, row.metric, row.metric)
        found.append(_shown(Kind(row.metric, "average", (measure,)), [(measure, row)], until, days, is_by_run=True))
    return tuple(found)


def _shown(
    kind: Kind,
    rows: Iterable[tuple[Measure, EndpointSeries | None]],
    until: datetime | None,
    days: int,
    *,
    is_by_run: bool = False,
) -> Shown:
    told, untold = [], []
    for measure, row in rows:
        found = points(row, until, days, measure.factor) if row is not None and until is not None else []
        if any(value is not None for _, value in found):
            told.append((measure, found))
        else:
            untold.append(measure.words)
    return Shown(kind, tuple(told), tuple(untold), is_by_run)


def points(row: EndpointSeries, until: datetime, days: int, factor: float = 1) -> Points:
    """Return a series over the days before `until`: an hour each up to a week, else a day each; null is a gap.

    A day is the sum of its hours for what is counted, and their average for what is measured.
    """
    held = dict(row.hours())
    if days <= HOURLY_DAYS:
        places = [until - back * HOUR for back in range(days * 24, 0, -1)]
        hourly = [(at, held.get(at)) for at in places]
        return [(at, None if value is None else value * factor) for at, value in hourly]
    found: Points = []
    for back in range(days, 0, -1):
        begins = until - back * DAY
        hours = [value for hour in range(24) if (value := held.get(begins + hour * HOUR)) is not None]
        total = sum(hours) if row.statistic == "Sum" else sum(hours) / len(hours) if hours else 0
        found.append((begins, total * factor if hours else None))
    return found
