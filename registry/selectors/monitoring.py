"""Monitoring schedules as pages and the API show them: how they stand, what they found, what they compare with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from portal.core.actors import Actor
from portal.core.errors import NotFound

from ..choices import MonitorType, SyncKind
from ..models import (
    Deployment,
    EndpointVariant,
    ModelVersion,
    MonitoringAlert,
    MonitoringConstraints,
    MonitoringExecution,
    MonitoringSchedule,
    SyncRun,
)
from ..reports.monitor import Difference, approved_addresses, differences, endpoint_name
from .catalogue import HEAVY

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
    """One endpoint a version runs on, its schedules, and the types of monitoring nobody does there."""

    endpoint: str
    account: str
    account_id: str
    region: str
    stage: str
    schedules: tuple[MonitoringSchedule, ...]
    absent: tuple[MonitorType, ...]
    was_read: bool


def schedules(actor: Actor) -> QuerySet[MonitoringSchedule]:
    """Return the schedules an actor sees, those of one endpoint together; what AWS has no more comes last.

    Each with its newest run that finished (`last_status`, `last_count`, `last_at`, `last_problem`), the state of the
    newest of all (`newest_status`) and how many alerts are raised (`alerts_raised`).
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
    """Return how the constraints of a schedule differ from what each version in production there was approved with.

    Of the versions the actor sees. One whose drift baselines name no constraints of this type is left out.
    """
    own = own_constraints(of)
    rows = Deployment.objects.visible_to(actor).running().filter(account=of.account_id, region=of.region)
    versions: dict[int, ModelVersion] = {}
    heavy = [f"version__{name}" for name in HEAVY if name != "drift_baselines"]
    for row in rows.select_related("version__group").defer(*heavy).order_by("version_id"):
        if of.endpoint and endpoint_name(row.endpoint) == of.endpoint.lower():
            versions[row.version_id] = row.version
    found = []
    for version in versions.values():
        for address in approved_addresses(of.monitor_type, version.drift_baselines):
            approved = MonitoringConstraints.objects.filter(account=of.account_id, address=address).first()
            limits = approved.limits if approved else None, own.limits if own else None
            named = () if None in limits else differences(limits[0] or {}, limits[1] or {})
            found.append(Comparison(version, address, approved, own, named))
    return found


def watched_places(actor: Actor, version: ModelVersion) -> list[WatchedPlace]:
    """Return the endpoints a version runs on with the schedules that watch each, and what is missing there.

    An endpoint is known by what was reported, and by what AWS was seen to serve.
    """
    places: dict[tuple[int, str, str], tuple[str, str, str, str]] = {}
    rows = Deployment.objects.visible_to(actor).running().filter(version=version).exclude(endpoint="")
    for row in rows.select_related("account").order_by("pk"):
        key = (row.account_id, row.region, endpoint_name(row.endpoint))
        places[key] = (row.endpoint.rsplit("/", 1)[-1], row.account.alias, row.account.account_id, row.stage)
    variants = EndpointVariant.objects.filter(
        version=version, is_shadow=False, missing_since=None, endpoint__missing_since=None
    )
    for variant in variants.select_related("endpoint__account").order_by("pk"):
        on = variant.endpoint
        places.setdefault(
            (on.account_id, on.region, on.name.lower()), (on.name, on.account.alias, on.account.account_id, "")
        )
    watching = list(
        schedules(Actor.system("pages")).filter(account__in={account for account, _, _ in places}, missing_since=None)
    )
    read = _read_regions({account for account, _, _ in places})
    found = []
    for (account, region, name), (shown, alias, account_id, stage) in places.items():
        here = [
            one for one in watching if (one.account_id, one.region, one.endpoint.lower()) == (account, region, name)
        ]
        done = {one.monitor_type for one in here if one.status in ("Scheduled", "Pending")}
        found.append(
            WatchedPlace(
                endpoint=shown,
                account=alias,
                account_id=account_id,
                region=region,
                stage=stage,
                schedules=tuple(here),
                absent=tuple(kind for kind in MonitorType if kind not in done),
                was_read=(account, region) in read,
            )
        )
    return found


def _read_regions(accounts: Iterable[int]) -> set[tuple[int, str]]:
    runs = SyncRun.objects.filter(kind=SyncKind.MONITORS, account__in=set(accounts)).exclude(finished_at=None)
    return set(runs.values_list("account_id", "region").distinct())
