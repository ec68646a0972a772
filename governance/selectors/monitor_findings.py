"""What runs without a monitor that works, and what a monitor complains of, from what was read of Model Monitor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery

from portal.core.vocabulary import RiskRating, Stage
from registry.choices import WATCHING, SyncKind, SyncState
from registry.models import (
    AwsAccount,
    EndpointVariant,
    ModelVersion,
    MonitoringAlert,
    MonitoringExecution,
    MonitoringSchedule,
    SyncRun,
)
from registry.reports.rhythm import trouble
from registry.selectors.placements import Placement, placements

from ..serving_words import Serves
from . import policy as policies
from . import served
from .observed import Observation, Seen

FINISHED = ("Completed", "CompletedWithViolations")
IN_ALERT = "InAlert"
# What runs with little at stake may do without a monitor.
WATCHED_TIERS = (RiskRating.HIGH, RiskRating.MEDIUM)
_MOST_NAMED = 5

# An account, a region, and the name of an endpoint in small letters.
Place = tuple[int, str, str]


@dataclass
class Watched:
    """One schedule with its newest run, the newest that finished, None before there is one, and its alerts."""

    schedule: MonitoringSchedule
    last: MonitoringExecution | None = None
    newest: MonitoringExecution | None = None
    alerts: list[MonitoringAlert] = field(default_factory=list)

    @property
    def complains(self) -> bool:
        """Whether its newest results violate constraints, or an alert stands."""
        return (self.last is not None and self.last.status == "CompletedWithViolations") or bool(self.standing)

    @property
    def standing(self) -> list[MonitoringAlert]:
        """The alerts that are raised."""
        return [alert for alert in self.alerts if alert.status == IN_ALERT]

    @property
    def watches(self) -> bool:
        """Whether it is there to run; one that is stopped or failed is not."""
        return self.schedule.status in WATCHING

    @property
    def trouble(self) -> str:
        """Why it does not do what it is there for, in words; "" while it does, or was stopped by somebody."""
        return trouble(self.schedule, self.newest)


@dataclass(frozen=True)
class Runs:
    """One version in one account for a stage, None where neither a report nor an approval says which."""

    placement: Placement
    stage: Stage | None

    @property
    def version(self) -> ModelVersion:
        return self.placement.version

    @property
    def account(self) -> AwsAccount:
        return self.placement.account

    @property
    def places(self) -> tuple[Place, ...]:
        """The endpoints it runs on."""
        return tuple((self.account.pk, region, name) for region, name in self.placement.places)

    @property
    def names(self) -> str:
        """The endpoints it runs on, in words; each with its region where there are several regions."""
        return _named(self.places)


def running(only: Collection[int] | None = None) -> list[Runs]:
    """Return what is in place, with the endpoints it runs on as far as they are known. Five queries."""
    found = placements(versions=only)
    shown = [one.variant.pk for one in found if one.variant is not None]
    rows = served.with_verdict(EndpointVariant.objects.filter(pk__in=shown)).select_related("endpoint__account")
    stages = {row.pk: served.stage_of(row) for row in rows}
    return [
        Runs(one, Stage(one.deployment.stage) if one.deployment else stages[one.variant.pk] if one.variant else None)
        for one in found
    ]


def watching(accounts: Iterable[int] | None = None) -> dict[Place, list[Watched]]:
    """Return the schedules that AWS still has by the endpoint they watch, "" for batch transforms; four queries.

    A run that looked at another endpoint, before the schedule was made anew, does not count.
    """
    own = Q(endpoint="") | Q(endpoint=F("schedule__endpoint"))
    runs = MonitoringExecution.objects.filter(own, schedule=OuterRef("pk")).order_by("-scheduled_at")
    rows = MonitoringSchedule.objects.filter(missing_since=None)
    if accounts is not None:
        rows = rows.filter(account__in=set(accounts))
    found = list(
        rows.select_related("account")
        .annotate(
            last_run=Subquery(runs.filter(status__in=FINISHED).values("pk")[:1]),
            newest_run=Subquery(runs.values("pk")[:1]),
        )
        .order_by("name", "pk")
    )
    wanted = {pk for row in found for pk in (row.last_run, row.newest_run) if pk}
    executions = MonitoringExecution.objects.in_bulk(wanted)
    alerts: dict[int, list[MonitoringAlert]] = defaultdict(list)
    for alert in MonitoringAlert.objects.filter(schedule__in=found, missing_since=None).order_by("name"):
        alerts[alert.schedule_id].append(alert)
    by_place: dict[Place, list[Watched]] = defaultdict(list)
    for row in found:
        place = (row.account_id, row.region, row.endpoint.lower())
        one = Watched(row, executions.get(row.last_run or 0), executions.get(row.newest_run or 0), alerts[row.pk])
        by_place[place].append(one)
    return dict(by_place)


def monitor_missing(now: datetime, only: Collection[int] | None = None) -> Seen:
    """What runs in production on an endpoint that nothing watches, or whose monitor does not do its work.

    Versions of a high or medium tier; and endpoints with a model that no registered version is behind, about which
    nobody can say that little is at stake. A schedule that is stopped or failed watches nothing; one whose newest run
    failed, or that has let its time pass without a run, is told as well. Where schedules were never read, nobody can
    tell.
    """
    rows = [
        row
        for row in running(only)
        if row.stage is Stage.PRODUCTION and row.places and policies.tier_of(row.version).value in WATCHED_TIERS
    ]
    unknown = _unknown_endpoints() if only is None else []
    known = watching({row.account.pk for row in rows} | {row.endpoint.account_id for row in unknown})
    read = _read_places()
    holds: dict[str, Observation] = {}
    unsure = set()
    for row in rows:
        told = _unwatched(row.places, known)
        if told is None:
            continue
        words, evidence = told
        observation = Observation(
            row.version,
            f"{row.version.name} runs in production at {row.names} in {row.account}, {words}.",
            {"deployment": row.placement.deployment.pk if row.placement.deployment else None, **evidence},
            stage=Stage.PRODUCTION,
            account=row.account,
        )
        if all((account, region) in read for account, region, _ in row.places):
            holds[observation.key] = observation
        else:
            unsure.add(observation.key)
    for variant in unknown:
        endpoint = variant.endpoint
        place = (endpoint.account_id, endpoint.region, endpoint.name.lower())
        told = _unwatched((place,), known)
        if told is None:
            continue
        words, evidence = told
        observation = Observation(
            endpoint.account,
            f"{endpoint.name} in {endpoint.account} ({endpoint.region}) serves a model that no registered version is "
            f"behind, {words}.",
            evidence,
            mark=_mark(place),
        )
        if place[:2] in read:
            holds[observation.key] = observation
        else:
            unsure.add(observation.key)
    return Seen(tuple(holds.values()), unsure=frozenset(unsure))


def monitor_violations(now: datetime, only: Collection[int] | None = None) -> Seen:
    """What runs and has a monitor that found violations at its newest run, or an alert that stands.

    Running versions; and of schedules on endpoints where no known version runs, or on batch transforms, the account.
    """
    rows = running(only)
    known = watching(None if only is None else {row.account.pk for row in rows})
    holds: dict[str, Observation] = {}
    for row in rows:
        complaining = [one for place in row.places for one in known.get(place, ()) if one.complains]
        if complaining:
            observation = Observation(
                row.version,
                f"{row.version.name} at {row.names} in {row.account}: {'; '.join(map(complaint, complaining))}.",
                {
                    "deployment": row.placement.deployment.pk if row.placement.deployment else None,
                    "schedules": [_evidence(one) for one in complaining],
                },
                stage=row.stage,
                account=row.account,
            )
            holds[observation.key] = observation
    if only is None:
        of_versions = {place for row in rows for place in row.places}
        for place, watched in sorted(known.items()):
            complaining = [one for one in watched if one.complains]
            if not complaining or place in of_versions:
                continue
            account = complaining[0].schedule.account
            what = f"the endpoint {place[2]}, where no known version runs" if place[2] else "batch transforms"
            observation = Observation(
                account,
                f"In {account} ({place[1]}), on {what}: {'; '.join(map(complaint, complaining))}.",
                {"region": place[1], "endpoint": place[2], "schedules": [_evidence(one) for one in complaining]},
                mark=_mark(place),
            )
            holds[observation.key] = observation
    return Seen(tuple(holds.values()))


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


def _unknown_endpoints() -> list[Any]:
    """One variant of each endpoint in a production account that serves no registered version."""
    variants = EndpointVariant.objects.serving().filter(endpoint__account__purposes__contains=[Stage.PRODUCTION.value])
    rows = served.with_verdict(variants.filter(is_shadow=False)).filter(verdict=Serves.UNKNOWN)
    found = {row.endpoint_id: row for row in rows.select_related("endpoint__account").order_by("pk")}
    return list(found.values())


def _unwatched(places: Collection[Place], known: Mapping[Place, list[Watched]]) -> tuple[str, dict[str, Any]] | None:
    """Say what is wrong with the watch over some endpoints, and the evidence; None while each is watched."""
    bare = [place for place in places if not any(one.watches for one in known.get(place, ()))]
    here = [one for place in places for one in known.get(place, ())]
    still = [one for place in bare for one in known.get(place, ())]
    idle = [one.schedule for one in still]
    troubled = {one.schedule.name: one.trouble for one in here if one.trouble and one.schedule not in idle}
    if not bare and not troubled:
        return None
    words = []
    if bare:
        at = "" if len(places) == 1 else f" at {_named(bare)}"
        stopped = ", ".join(
            f"{one.schedule.name} {one.trouble or 'is ' + one.schedule.status.lower()}" for one in still
        )
        words.append(
            f"where{at} no monitoring runs: {stopped}" if idle else f"where{at} there is no monitoring schedule"
        )
    if troubled:
        told = "; ".join(f"{name} {why}" for name, why in troubled.items())
        words.append(f"{'and' if bare else 'where'} monitoring does not do its work: {told}")
    return " ".join(words), {
        "endpoints": [name for _, _, name in bare],
        "regions": sorted({region for _, region, _ in places}),
        "idle": [one.name for one in idle],
        "trouble": troubled,
    }


def _named(places: Iterable[Place]) -> str:
    found = list(places)
    several = len({region for _, region, _ in found}) > 1
    return ", ".join(f"{name} ({region})" if several else name for _, region, name in found)


def _mark(place: Place) -> str:
    return f"monitors-{place[1]}-{place[2]}"


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
        "region": watched.schedule.region,
        "run": None if last is None else last.scheduled_at.isoformat(),
        "violations": None if last is None else last.violation_count,
        "checks": [] if last is None else sorted({str(one.get("check")) for one in last.violations})[:20],
        "alerts": [alert.name for alert in watched.standing],
    }
