"""Tracking servers and runs as pages and the API show them; what is on a server is asked there, within seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.models import QuerySet

from portal.core import access
from portal.core.actors import Actor

from ..models import ModelVersion, RunReading, TrackingServer, VersionRun
from ..tracking import naming


@dataclass(frozen=True)
class ShownRun:
    """The run a version comes from and what was read of it last; `page_url` is its page on the server, "" unknown."""

    run: VersionRun
    reading: RunReading | None
    page_url: str
    history: tuple[RunReading, ...] = ()


def servers(actor: Actor) -> QuerySet[TrackingServer]:
    """Return the tracking servers an actor sees, by name."""
    return TrackingServer.objects.visible_to(actor).prefetch_related("projects").order_by("name", "pk")


def server(actor: Actor, pk: int) -> TrackingServer:
    """Return one tracking server. Raises NotFound."""
    return access.get(TrackingServer, actor, pk=pk)


def runs_on(actor: Actor, of: TrackingServer, most: int = 50) -> list[VersionRun]:
    """Return the runs on a server that stand on versions the actor sees, those named last first."""
    rows = VersionRun.objects.visible_to(actor).standing().filter(server=of, version__isnull=False)
    return list(rows.select_related("version__group").defer("version__described").order_by("-pk")[:most])


def usable_servers(actor: Actor, version: ModelVersion) -> list[TrackingServer]:
    """Return the enabled servers a version's project may use, by name."""
    return list(TrackingServer.objects.visible_to(actor).usable_in(version.scope_project_id).order_by("name"))


def run_of(actor: Actor, version: ModelVersion) -> ShownRun | None:
    """Return the run that stands on a version, None where it comes from none."""
    rows = VersionRun.objects.standing().filter(version=version)
    found = rows.select_related("server", "attached_by").first()
    if found is None:
        return None
    reading = RunReading.objects.filter(run=found).select_related("run__server").order_by("-pk").first()
    page = naming.page_of(found.server.url, reading.experiment_id, found.run_id) if reading else ""
    return ShownRun(found, reading, page)


def run_in_full(actor: Actor, version: ModelVersion) -> ShownRun | None:
    """Return the run of a version with everything that was read for it."""
    found = run_of(actor, version)
    return None if found is None else replace(found, history=tuple(history_of(actor, version)))


def history_of(actor: Actor, version: ModelVersion, most: int = 50) -> list[RunReading]:
    """Return what was ever read for a version, of this run and of former ones, newest first."""
    rows = RunReading.objects.filter(run__version=version).select_related("run__server")
    return list(rows.order_by("-pk")[:most])
