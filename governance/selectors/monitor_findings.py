"""What runs without a monitor, and what a monitor complains of, from what was read of Model Monitor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from portal.core.vocabulary import RiskRating, Stage
from registry.choices import SyncKind, SyncState
from registry.models import (
    Deployment,
    EndpointVariant,
    MonitoringAlert,
    MonitoringExecution,
    MonitoringSchedule,
    SyncRun,
)
from registry.reports.monitor import endpoint_name
from registry.selectors.catalogue import HEAVY

from . import policy as policies
from .observed import Observation, Seen

FINISHED = ("Completed", "CompletedWithViolations")
IN_ALERT = "InAlert"
# What runs with little at stake may do without a monitor.
WATCHED_TIERS = (RiskRating.HIGH, RiskRating.MEDIUM)
_WATCHES = ("Scheduled", "Pending")
_MOST_NAMED = 5

# An account, a region, and the name of an endpoint in small letters.
Place = tuple[int, str, str]


@dataclass
class Watched:
    """One schedule with its newest run that finished, None before there is one, and its alerts."""

    schedule: MonitoringSchedule
    last: MonitoringExecution | None = None
    alerts: list[MonitoringAlert] = field(default_factory=list)

    @property
    def complains(self) -> bool:
        """Whether its newest results violate constraints, or an alert stands."""
        return (self.last is not None and self.last.status == "CompletedWithViolations") or bool(self.standing)

    @property
    def standing(self) -> list[MonitoringAlert]:
        """The alerts that are raised."""
        return [alert for alert in self.alerts if alert.status == IN_ALERT]


def running(only: Collection[int] | None = None, *stages: Stage) -> list[tuple[Deployment, tuple[str, ...]]]:
    """Return what is reported in place, each with the names of the endpoints it runs on as far as they are known.

    The reported endpoint, and without one those that AWS was seen to serve the version from. Three queries.
    """
    rows = Deployment.objects.running()
    if stages:
        rows = rows.filter(stage__in=stages)
    if only is not None:
        rows = rows.filter(version_id__in=list(only))
    found = list(
        rows.select_related("account", "version__group__account")
        .prefetch_related("version__use_cases")
        .defer(*(f"version__{name}" for name in HEAVY))
        .order_by("pk")
    )
    unnamed = [row.version_id for row in found if not row.endpoint]
    served: dict[tuple[int, int, str], set[str]] = defaultdict(set)
    variants = EndpointVariant.objects.filter(
        version__in=unnamed, is_shadow=False, missing_since=None, endpoint__missing_since=None
    )
    for variant in variants.select_related("endpoint"):
        endpoint = variant.endpoint
        served[variant.version_id or 0, endpoint.account_id, endpoint.region].add(endpoint.name.lower())
    return [
        (
            row,
            (endpoint_name(row.endpoint),)
            if row.endpoint
            else tuple(sorted(served[row.version_id, row.account_id, row.region])),
        )
        for row in found
    ]


def watching(accounts: Iterable[int]) -> dict[Place, list[Watched]]:
    """Return the schedules of these accounts that AWS still has by the endpoint they watch; three queries."""
    last = MonitoringExecution.objects.filter(schedule=OuterRef("pk"), status__in=FINISHED).order_by("-scheduled_at")
    rows = list(
        MonitoringSchedule.objects.filter(account__in=set(accounts), missing_since=None)
        .exclude(endpoint="")
        .annotate(newest=Subquery(last.values("pk")[:1]))
        .order_by("name", "pk")
    )
    executions = MonitoringExecution.objects.in_bulk([row.newest for row in rows if row.newest])
    alerts: dict[int, list[MonitoringAlert]] = defaultdict(list)
    for alert in MonitoringAlert.objects.filter(schedule__in=rows, missing_since=None).order_by("name"):
        alerts[alert.schedule_id].append(alert)
    found: dict[Place, list[Watched]] = defaultdict(list)
    for row in rows:
        place = (row.account_id, row.region, row.endpoint.lower())
        found[place].append(Watched(row, executions.get(row.newest or 0), alerts[row.pk]))
    return found


def monitor_missing(now: datetime, only: Collection[int] | None = None) -> Seen:
    """Versions of a high or medium tier that run in production on an endpoint nothing watches.

    A schedule that is stopped or failed watches nothing. Where schedules were never read, nobody can tell.
    """
    places = [
        (row, names)
        for row, names in running(only, Stage.PRODUCTION)
        if names and policies.tier_of(row.version).value in WATCHED_TIERS
    ]
    known = watching(row.account_id for row, _ in places)
    read = _read_places()
    holds, unsure = [], set()
    for row, names in places:
        bare = [name for name in names if not _is_watched(known.get((row.account_id, row.region, name), ()))]
        if not bare:
            continue
        idle = [one.schedule for name in bare for one in known.get((row.account_id, row.region, name), ())]
        observation = Observation(
            row.version,
            f"{row.version.name} runs in production at {', '.join(bare)} in {row.account}, "
            + (
                f"where no monitoring runs: {', '.join(f'{one.name} is {one.status.lower()}' for one in idle)}."
                if idle
                else "where there is no monitoring schedule."
            ),
            {"deployment": row.pk, "endpoints": bare, "region": row.region, "idle": [one.name for one in idle]},
            stage=Stage.PRODUCTION,
            account=row.account,
        )
        if (row.account_id, row.region) in read:
            holds.append(observation)
        else:
            unsure.add(observation.key)
    return Seen(tuple(holds), unsure=frozenset(unsure))


def monitor_violations(now: datetime, only: Collection[int] | None = None) -> Seen:
    """Running versions whose monitor found violations at its newest run, or has an alert that stands."""
    places = running(only)
    known = watching(row.account_id for row, names in places if names)
    holds = []
    for row, names in places:
        watched = [one for name in names for one in known.get((row.account_id, row.region, name), ())]
        complaining = [one for one in watched if one.complains]
        if complaining:
            holds.append(
                Observation(
                    row.version,
                    f"{row.version.name} at {', '.join(names)} in {row.account}: "
                    f"{'; '.join(map(complaint, complaining))}.",
                    {"deployment": row.pk, "schedules": [_evidence(one) for one in complaining]},
                    stage=Stage(row.stage),
                    account=row.account,
                )
            )
    return Seen(tuple(holds))


def complaint(watched: Watched) -> str:
    """Return in words what a monitor complains of: "churn-inputs found 3 violations (age, income)"."""
    parts, last = [], watched.last
    if last is not None and last.status == "CompletedWithViolations":
        names = list(dict.fromkeys(str(one.get("subject") or "") for one in last.violations if one.get("subject")))
        told = f" ({', '.join(names[:_MOST_NAMED])}{' and more' if len(names) > _MOST_NAMED else ''})" if names else ""
        if last.violation_count is None:
            parts.append(f"found violations that could not be read ({last.report_sentence.rstrip('.')})")
        else:
            plural = "" if last.violation_count == 1 else "s"
            parts.append(f"found {last.violation_count} violation{plural}{told}")
    if watched.standing:
        parts.append(f"has its alert {', '.join(alert.name for alert in watched.standing)} raised")
    return f"{watched.schedule.name} {' and '.join(parts)}"


def _is_watched(schedules: Iterable[Watched]) -> bool:
    return any(one.schedule.status in _WATCHES for one in schedules)


def _read_places() -> set[tuple[int, str]]:
    """Where schedules were read: a pass went well, or left some."""
    runs = SyncRun.objects.filter(kind=SyncKind.MONITORS, state=SyncState.SUCCEEDED)
    read = set(runs.values_list("account_id", "region").distinct())
    return read | set(MonitoringSchedule.objects.values_list("account_id", "region").distinct())


def _evidence(watched: Watched) -> Mapping[str, Any]:
    last = watched.last
    return {
        "schedule": watched.schedule.pk,
        "name": watched.schedule.name,
        "violations": None if last is None else last.violation_count,
        "checks": [] if last is None else sorted({str(one.get("check")) for one in last.violations})[:20],
        "alerts": [alert.name for alert in watched.standing],
    }
