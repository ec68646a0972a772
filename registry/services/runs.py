"""The MLflow runs of versions: which run a text names, what its server says of it, and the rows that keep it.

Nothing here locks a version or follows what a change means for approvals: governance does both and calls this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import InvalidInput

from ..models import ModelVersion, Registration, RunReading, TrackingServer, VersionRun
from ..tracking import naming, server
from ..tracking.errors import QuestionRefused, RunUnknown, TrackingError
from ..tracking.records import RunRecord
from . import digests, tracking_servers

# Where a version's own metadata names its run: what MLflow's SageMaker clients and people write there.
METADATA_KEYS = ("mlflow.run_id", "mlflow_run_id", "mlflow-run-id")
_URI = "runs:/"


@dataclass(frozen=True)
class NamedRun:
    """One run on one server, as somebody named it."""

    server: TrackingServer
    run_id: str


@dataclass(frozen=True)
class Said:
    """What a server said of a run at a moment."""

    record: RunRecord
    experiment_name: str
    at: datetime


def named(*, actor: Actor, project_id: int | None, text: str, server_name: str = "") -> NamedRun:
    """Return the run that a text names, on a server the project may use.

    Without a server's name the text's own address tells it, or there is only one. Raises InvalidInput naming `run` or
    `server`.
    """
    try:
        found = naming.read(text)
    except naming.NotARun as error:
        raise InvalidInput("This does not name a run.", errors={"run": [str(error)]}) from None
    usable = list(TrackingServer.objects.visible_to(actor).usable_in(project_id).order_by("name"))
    if server_name:
        chosen = [one for one in usable if one.name == server_name]
        if found.url and chosen and not _is_below(found.url, chosen[0]):
            raise InvalidInput(
                "The run is another server's.",
                errors={"run": [f"This address is not one of {server_name}'s."]},
            )
    else:
        chosen = [one for one in usable if _is_below(found.url, one)] if found.url else usable
    if len(chosen) != 1:
        raise InvalidInput("The tracking server is not known.", errors={"server": [_which(usable, server_name)]})
    return NamedRun(chosen[0], found.run_id)


def named_by(version: ModelVersion) -> NamedRun | None:
    """Return the run a version's own metadata or source URI names, None where it names none or the server is unclear.

    Source: DescribeModelPackage, CustomerMetadataProperties and SourceUri.
    """
    given = next((version.metadata[key] for key in METADATA_KEYS if version.metadata.get(key)), "")
    if not given and version.source_uri.startswith(_URI):
        given = version.source_uri
    if not isinstance(given, str) or not given:
        return None
    try:
        return named(actor=Actor.system("sync"), project_id=version.group.project_id, text=given)
    except InvalidInput:
        return None


def ask(run: NamedRun) -> Said:
    """Ask the server for a run and its experiment's name. Call it outside of transactions: it waits for the network.

    Raises TrackingError, WrongState for a server that is switched off, sealing.Unreadable. Source: MLflow, runs/get.
    """
    at = timezone.now()
    fetch = tracking_servers.asking(run.server)
    record = server.get_run(fetch, run.run_id)
    name = ""
    if record.experiment_id:
        try:
            name = server.experiment_by_id(fetch, record.experiment_id).name
        except TrackingError:
            # The run is what was asked for; who may read it may still be kept from its experiment.
            name = ""
    return Said(record, name, at)


def create(
    *, actor: Actor, run: NamedRun, version: ModelVersion | None = None, registration: Registration | None = None
) -> VersionRun:
    """Write down that a version, or one that is being registered, comes from a run. Runs in the caller's operation."""
    made: VersionRun = VersionRun.objects.create(
        version=version,
        registration=registration,
        server=run.server,
        run_id=run.run_id,
        attached_by_id=actor.user_id,
    )
    return made


def detach(*, actor: Actor, run: VersionRun) -> None:
    """Take a run off its version; what was read of it stays. Runs in the caller's operation."""
    run.detached_at, run.detached_by_id = timezone.now(), actor.user_id
    run.save(update_fields=["detached_at", "detached_by"])


def keep(*, run: VersionRun, said: Said, by: str) -> RunReading | None:
    """Keep what a server said; returns the new reading, None when it says what the latest one says.

    Runs in the caller's operation on a locked row. What was asked before the latest reading says nothing new.
    """
    latest = latest_of(run)
    if latest is not None and latest.read_at > said.at:
        return None
    reading = _reading(run, said, by)
    run.read_at = run.tried_at = said.at
    run.failing_since, run.last_error = None, ""
    run.is_settled = said.record.is_over
    run.save(update_fields=["read_at", "tried_at", "failing_since", "last_error", "is_settled"])
    if latest is not None and latest.digest == reading.digest:
        return None
    reading.save()
    return reading


def note_failure(*, run: VersionRun, error: str, is_final: bool) -> None:
    """Write down that a server did not say what was asked, since when, and whether asking again is of use."""
    now = timezone.now()
    run.tried_at, run.is_settled = now, is_final
    run.failing_since, run.last_error = run.failing_since or now, error[:1000]
    run.save(update_fields=["tried_at", "failing_since", "last_error", "is_settled"])


def is_final(error: Exception) -> bool:
    """Whether a failure stays one however often a worker asks."""
    return isinstance(error, RunUnknown | QuestionRefused)


def latest_of(run: VersionRun) -> RunReading | None:
    """Return the latest reading of a run."""
    return RunReading.objects.filter(run=run).order_by("-pk").first()


def content_of(reading: RunReading) -> dict[str, Any]:
    """Return what a decision about the run's version is bound to: the numbers and where they come from.

    Notes and other tags may change for ever and are left out, as is when the run was read.
    """
    return {
        "status": reading.status,
        "lifecycle_stage": reading.lifecycle_stage,
        "artifact_uri": reading.artifact_uri,
        "source": reading.source_name,
        "git_commit": reading.git_commit,
        "params": reading.params,
        "metrics": reading.metrics,
    }


def _reading(run: VersionRun, said: Said, by: str) -> RunReading:
    record = said.record
    reading = RunReading(
        run=run,
        read_at=said.at,
        read_by=by,
        name=record.name,
        experiment_id=record.experiment_id,
        experiment_name=said.experiment_name[:500],
        status=record.status,
        lifecycle_stage=record.lifecycle_stage,
        started_at=record.started_at,
        ended_at=record.ended_at,
        user_name=record.user,
        source_name=record.source_name[:1000],
        source_type=record.source_type[:50],
        git_commit=record.git_commit[:256],
        artifact_uri=record.artifact_uri,
        params=dict(record.params),
        metrics=dict(record.metrics),
        tags=dict(record.tags),
        measured_at=record.measured_at,
        cut=dict(record.cut),
    )
    reading.digest = digests.digest(
        {
            **content_of(reading),
            "run": run.run_id,
            "server": run.server.url,
            "name": reading.name,
            "experiment": reading.experiment_id,
            "user": reading.user_name,
            "tags": reading.tags,
            "times": [moment.isoformat() if moment else None for moment in (reading.started_at, reading.ended_at)],
        }
    )
    return reading


def _is_below(url: str, one: TrackingServer) -> bool:
    return url == one.url.lower() or url.startswith(f"{one.url.lower()}/")


def _which(usable: list[TrackingServer], given: str) -> str:
    if not usable:
        return "No tracking server is registered that this project may use. An ML admin registers one."
    names = ", ".join(one.name for one in usable)
    if given:
        return f"There is no {given[:100]!r} that this project may use. There is: {names}."
    return f"Say on which: {names}."
