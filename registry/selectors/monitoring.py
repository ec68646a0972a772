"""Monitoring schedules as pages and the API show them: how they stand, what they found, what they compare with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from portal.core.actors import Actor
from portal.core.errors import NotFound

from ..choices import MonitorType, Stage, SyncKind, SyncState
from ..models import (
    AwsAccount,
    Endpoint,
    ModelVersion,
    MonitoringAlert,
    MonitoringConstraints,
    MonitoringExecution,
    MonitoringSchedule,
    SyncRun,
)
from ..reports.monitor import Difference, approved_addresses, differences
from ..reports.rhythm import trouble
from .placements import placements

# Three days of an hourly schedule, or three months of a daily one, are what a chart can show.
MOST_RUNS = 90
_FINISHED = ("Completed", "CompletedWithViolations")


@dataclass(frozen=True)
class Comparison:
    """What one version was approved with beside what a schedule compares with; None where a file was not read."""

    version: ModelVersion
    address: str
    approved: MonitoringConstraints | None
    own: MonitoringConstraints | None
    differences: tuple[Difference, ...]

    @property
    def is_known(self) -> bool:
        """Whether both files could be read, so that nothing is left out."""
        return all(one is not None and one.limits is not None for one in (self.approved, self.own))


@dataclass(frozen=True)
class WatchedPlace:
    """One endpoint a version runs on, its schedules, and the types of monitoring nobody does there.

    `was_read` is whether AWS ever told of the schedules there, `read_at` when it last told of all, `problem` what kept
    the newest reading from it.
    """

    endpoint: str
    account: str
    account_id: str
    region: str
    stage: str
    schedules: tuple[MonitoringSchedule, ...]
    absent: tuple[MonitorType, ...]
    was_read: bool
    read_at: datetime | None = None
    problem: str = ""


def schedules(actor: Actor) -> QuerySet[MonitoringSchedule]:
    """Return the schedules an actor sees, those of one endpoint together; what AWS has no more comes last.

    Each with its newest run that finished (`last_status`, `last_count`, `last_at`, `last_problem`), the state of the
    newest of all (`newest_status`, `newest_at`, `newest_reason`, `newest_problem`, `newest_sentence`) and how many
    alerts are raised (`alerts_raised`).
    """
    runs = MonitoringExecution.objects.filter(schedule=OuterRef("pk")).order_by("-scheduled_at")
    done = runs.filter(status__in=_FINISHED)
    raised = Count("alerts", filter=Q(alerts__status="InAlert", alerts__missing_since=None), distinct=True)
    return (
        MonitoringSchedule.objects.visible_to(actor)
        .select_related("account")
        .annotate(
            last_status=Subquery(done.values("status")[:1]),
            last_count=Subquery(done.values("violation_count")[:1]),
            last_at=Subquery(done.values("scheduled_at")[:1]),
            last_problem=Subquery(done.values("report_problem")[:1]),
            newest_status=Subquery(runs.values("status")[:1]),
            newest_at=Subquery(runs.values("scheduled_at")[:1]),
            newest_reason=Subquery(runs.values("failure_reason")[:1]),
            newest_problem=Subquery(runs.values("report_problem")[:1]),
            newest_sentence=Subquery(runs.values("report_sentence")[:1]),
            alerts_raised=raised,
        )
        .order_by("endpoint", "name", "pk")
    )


def schedule(actor: Actor, pk: int) -> MonitoringSchedule:
    """Return one schedule. Raises NotFound for one the actor does not see."""
    found = schedules(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such monitoring schedule.")
    return found


def trouble_of(row: Any) -> str:
    """Return in words why a row of `schedules` does not do what it is there for; "" while it does, or is gone."""
    if row.missing_since is not None:
        return ""
    newest = _Newest(row.newest_status, row.newest_reason, row.newest_at, row.newest_problem, row.newest_sentence)
    return trouble(row, newest if row.newest_at is not None else None)


@dataclass
class _Newest:
    """The newest run of a row of `schedules`."""

    status: str
    failure_reason: str
    scheduled_at: datetime
    report_problem: str
    report_sentence: str


def runs_of(of: MonitoringSchedule) -> list[MonitoringExecution]:
    """Return the newest runs of a schedule, the newest first."""
    return list(MonitoringExecution.objects.filter(schedule=of).order_by("-scheduled_at")[:MOST_RUNS])


def alerts_of(of: MonitoringSchedule) -> list[MonitoringAlert]:
    """Return the alerts of a schedule by name, those AWS has no more last."""
    return sorted(
        MonitoringAlert.objects.filter(schedule=of), key=lambda one: (one.missing_since is not None, one.name)
    )


def own_constraints(of: MonitoringSchedule) -> MonitoringConstraints | None:
    """Return what a schedule compares with as it was last read, None before it was."""
    return MonitoringConstraints.objects.filter(account=of.account_id, address=of.constraints_url).first()


def compared(actor: Actor, of: MonitoringSchedule) -> list[Comparison]:
    """Return how the constraints of a schedule differ from what each version that runs there was approved with.

    Of the versions the actor sees. One whose drift baselines name no constraints of this type is left out.
    """
    own = own_constraints(of)
    here = (of.region, of.endpoint.lower())
    running = {one.version.pk: one.version for one in placements(account=of.account) if here in one.places}
    seen = set(ModelVersion.objects.visible_to(actor).filter(pk__in=list(running)).values_list("pk", flat=True))
    versions = {pk: running[pk] for pk in sorted(seen)} if of.endpoint else {}
    found = []
    for version in versions.values():
        for address in approved_addresses(of.monitor_type, version.drift_baselines):
            own_account = version.group.account_id
            approved = MonitoringConstraints.objects.filter(account=own_account, address=address).first()
            limits = approved.limits if approved else None, own.limits if own else None
            named = () if None in limits else differences(limits[0] or {}, limits[1] or {})
            found.append(Comparison(version, address, approved, own, named))
    return found


def watched_places(actor: Actor, version: ModelVersion) -> list[WatchedPlace]:
    """Return the endpoints a version runs on with the schedules that watch each, and what is missing there.

    An endpoint is known by what was reported, and by what AWS was seen to serve.
    """
    places: dict[tuple[int, str, str], tuple[str, AwsAccount, str]] = {}
    for one in placements(versions=[version.pk]):
        for region, name in one.places:
            key = (one.account.pk, region, name)
            stage = one.deployment.stage if one.deployment else ""
            if key not in places or stage:
                places[key] = (name, one.account, stage)
    names = Endpoint.objects.annotate(small=Lower("name")).filter(small__in={name for _, _, name in places})
    shown = {
        (row.account_id, row.region, row.small): row.name for row in names.filter(account__in={a for a, _, _ in places})
    }
    watching: dict[tuple[int, str, str], list[MonitoringSchedule]] = {}
    rows = (
        schedules(Actor.system("pages"))
        .annotate(small=Lower("endpoint"))
        .filter(
            account__in={account for account, _, _ in places},
            small__in={name for _, _, name in places},
            missing_since=None,
        )
    )
    for row in rows:
        watching.setdefault((row.account_id, row.region, row.small), []).append(row)
    read = _readings({account for account, _, _ in places})
    found = []
    for key, (name, at, stage) in places.items():
        here = watching.get(key, [])
        done = {row.monitor_type for row in here if row.status in ("Scheduled", "Pending")}
        last = read.get(key[:2])
        found.append(
            WatchedPlace(
                endpoint=shown.get(key, name),
                account=at.alias,
                account_id=at.account_id,
                region=key[1],
                stage=stage,
                schedules=tuple(here),
                absent=tuple(kind for kind in MonitorType if kind not in done),
                was_read=bool(here) or (last is not None and last.was_whole),
                read_at=last.read_at if last else None,
                problem=last.problem if last else "",
            )
        )
    # People look first at what has customers.
    found.sort(key=lambda one: one.stage != Stage.PRODUCTION)
    return found


@dataclass(frozen=True)
class _Reading:
    """When Model Monitor was read of an account and region, whether ever without a problem, and the newest problem."""

    read_at: datetime | None
    was_whole: bool
    problem: str


def _readings(accounts: Iterable[int]) -> dict[tuple[int, str], _Reading]:
    runs = SyncRun.objects.filter(kind=SyncKind.MONITORS, account__in=set(accounts)).exclude(finished_at=None)
    newest = runs.order_by("account", "region", "-started_at").distinct("account", "region")
    whole = runs.filter(state=SyncState.SUCCEEDED).order_by("account", "region", "-started_at")
    last_whole = {(run.account_id, run.region): run for run in whole.distinct("account", "region")}
    found = {}
    for run in newest:
        key = (run.account_id, run.region)
        good = last_whole.get(key)
        found[key] = _Reading(good.finished_at if good else None, good is not None, run.error)
    return found
