"""MLflow runs of versions: named, read, read again, taken off; approvals follow what was read.

Servers are asked outside of any transaction and within seconds; one that does not answer stops nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from time import monotonic

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import DomainError, InvalidInput, NotFound, WrongState
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, Registration, VersionRun
from registry.services import runs
from registry.services.runs import NamedRun, Said
from registry.tracking.errors import QuestionRefused, RunUnknown, TrackingError

from .binding import subject_changed
from .locking import lock_version

ACTOR = Actor.system("mlflow")
# A run that goes on logs something every few minutes; one that has for a day is asked each hour, and so is a server
# that does not answer.
SOON, LATER = timedelta(minutes=5), timedelta(hours=1)
_AT_ONCE = 50
_PASS_SECONDS = 45.0


def attach(*, actor: Actor, version_id: int, run: str, server: str = "") -> VersionRun:
    """Say which MLflow run a version comes from, in place of the one said before, and read it.

    `run` is an id, `runs:/<id>` or the address of its page; `server` the name of a tracking server, "" where the text
    or there being only one tells it. A server that does not answer is asked again by a worker. Raises NotFound,
    Forbidden, WrongState for a version that is retired, gone from AWS or comes from this run already, InvalidInput
    naming `run` or `server`, also when the server has no such run.
    """
    version = access.get(ModelVersion, actor, pk=version_id)
    require(actor, Act.ATTACH_RUN, version.scope_project_id)
    _refuse_closed(version)
    named = runs.named(actor=actor, project_id=version.scope_project_id, text=run, server_name=server)
    said, error = _ask(named)
    if isinstance(error, RunUnknown | QuestionRefused):
        raise InvalidInput("The server has no such run.", errors={"run": [str(error)]})
    with operation(actor, f"name the MLflow run {named.run_id}"):
        version = lock_version(version_id)
        _refuse_closed(version)
        for standing in _standing(version):
            if (standing.server_id, standing.run_id) == (named.server.pk, named.run_id):
                raise WrongState("This version comes from this run already. Read it again instead.")
            runs.detach(actor=actor, run=standing)
        made = runs.create(actor=actor, run=named, version=version)
        _take_in(actor, version, made, said, error, f"Its MLflow run is {named.run_id} on {named.server} now.")
        return made


def refresh(*, actor: Actor, version_id: int) -> VersionRun:
    """Read a version's run again. What the server says instead of an answer is on the run that is returned.

    Raises NotFound, also for a version without a run, Forbidden, WrongState for one that is retired or gone from AWS.
    """
    version = access.get(ModelVersion, actor, pk=version_id)
    require(actor, Act.ATTACH_RUN, version.scope_project_id)
    _refuse_closed(version)
    run = VersionRun.objects.standing().filter(version=version).select_related("server").first()
    if run is None:
        raise NotFound("No MLflow run is named for this version.")
    return _read(actor, run) or run


def detach(*, actor: Actor, version_id: int) -> None:
    """Take a version's run off; what was read of it stays in the history. Its numbers count no more.

    Raises NotFound, also for a version without a run, Forbidden, WrongState for one that is retired.
    """
    with operation(actor, "take the MLflow run off"):
        seen = access.get(ModelVersion, actor, pk=version_id)
        require(actor, Act.ATTACH_RUN, seen.scope_project_id)
        _refuse_closed(seen)
        version = lock_version(version_id)
        standing = _standing(version)
        if not standing:
            raise NotFound("No MLflow run is named for this version.")
        for run in standing:
            runs.detach(actor=actor, run=run)
        _point(version, None)
        subject_changed(actor=actor, subject=version, why="Its MLflow run was taken off.")


def name_for_registration(
    *, actor: Actor, registration: Registration, is_new: bool, run: str = "", server: str = ""
) -> None:
    """Write down which run a version that is being registered comes from; nothing without a `run`.

    Runs in the caller's operation and asks no server. Raises InvalidInput naming `mlflow_run`, also when the same
    reference registered with another run before.
    """
    named = None
    if run:
        try:
            project_id = registration.group.project_id
            named = runs.named(actor=actor, project_id=project_id, text=run, server_name=server)
        except InvalidInput as refusal:
            said = [text for texts in refusal.errors.values() for text in texts]
            raise InvalidInput(refusal.detail, errors={"mlflow_run": said}) from refusal
    if is_new:
        if named is not None:
            runs.create(actor=actor, run=named, registration=registration)
        return
    before = VersionRun.objects.filter(registration=registration).first()
    asked = None if named is None else (named.server.pk, named.run_id)
    if asked != (None if before is None else (before.server_id, before.run_id)):
        raise InvalidInput(
            "This reference stands for another registration.",
            errors={"reference": [f"You used it for {registration.public_id}, with another MLflow run."]},
        )


def registered(*, actor: Actor, registration: Registration) -> None:
    """Give the run that was named with a registration to the version it became, and have a worker read it.

    What a person said of the version since stands, what only its metadata says does not. Runs in the caller's
    operation.
    """
    run = VersionRun.objects.standing().filter(registration=registration, version=None).first()
    version = registration.version
    if run is None or version is None:
        return
    for standing in _standing(version):
        if standing.attached_by_id is not None:
            runs.detach(actor=actor, run=run)
            return
        runs.detach(actor=actor, run=standing)
    run.version = version
    run.save(update_fields=["version"])
    enqueue_on_commit("governance.read_run", run_id=run.pk)


def recognise(*, actor: Actor, versions: Sequence[ModelVersion]) -> None:
    """Name the runs that new versions' own metadata names, where it is clear on which server. Runs in the caller's
    operation; the runs are read by a worker.
    """
    for version in versions:
        named = runs.named_by(version)
        if named is not None and not VersionRun.objects.filter(version=version).exists():
            run = runs.create(actor=actor, run=named, version=version)
            enqueue_on_commit("governance.read_run", run_id=run.pk)


def read_run(*, run_id: int) -> None:
    """Read one run that stands, for the worker; whatever goes wrong is written down on it."""
    run = _due_rows().filter(pk=run_id).first()
    if run is not None:
        _read(ACTOR, run)


def read_due() -> int:
    """Read the runs that are due: named and not read yet, going on, or on a server that did not answer.

    Each server that does not answer is left alone for the rest of the pass. Returns how many were read.
    """
    until, silent, done = monotonic() + _PASS_SECONDS, set[int](), 0
    now = timezone.now()
    fresh = Q(attached_at__gt=now - timedelta(days=1)) & (Q(failing_since=None) | Q(failing_since__gt=now - LATER))
    due = Q(tried_at=None) | Q(tried_at__lt=now - LATER) | (fresh & Q(tried_at__lt=now - SOON))
    for run in _due_rows().filter(due).order_by("tried_at", "pk")[:_AT_ONCE]:
        if monotonic() > until:
            break
        if run.server_id in silent:
            continue
        found = _read(ACTOR, run)
        if found is not None and found.failing_since is not None:
            silent.add(run.server_id)
        done += 1
    return done


def _due_rows() -> QuerySet[VersionRun]:
    """Runs that stand on a version and are not settled."""
    return (
        VersionRun.objects.standing()
        .filter(version__isnull=False, is_settled=False, server__is_enabled=True)
        .exclude(version__stage=Stage.RETIRED)
        .select_related("server")
    )


def _read(actor: Actor, run: VersionRun) -> VersionRun | None:
    """Ask for a run and keep what was said; returns it as it stands then, None when it was taken off meanwhile."""
    assert run.version_id is not None
    said, error = _ask(NamedRun(run.server, run.run_id))
    with operation(actor, f"read the MLflow run {run.run_id}"):
        version = lock_version(run.version_id)
        locked = (
            VersionRun.objects.standing().select_for_update(of=("self",)).select_related("server").filter(pk=run.pk)
        )
        found: VersionRun | None = locked.first()
        if found is None:
            return None
        _take_in(actor, version, found, said, error, f"Its MLflow run {found.run_id} has other numbers than before.")
        return found


def _take_in(
    actor: Actor, version: ModelVersion, run: VersionRun, said: Said | None, error: Exception | None, why: str
) -> None:
    """Keep what was said or that nothing was, let the version point at it, and follow what that means."""
    if said is not None:
        runs.keep(run=run, said=said, by=actor.name)
    else:
        runs.note_failure(run=run, error=str(error), is_final=error is not None and runs.is_final(error))
    latest = runs.latest_of(run)
    key = latest.pk if latest is not None else None
    if version.run_reading_id != key:
        _point(version, key)
        subject_changed(actor=actor, subject=version, why=why)


def _point(version: ModelVersion, reading_id: int | None) -> None:
    version.run_reading_id = reading_id
    version.save(update_fields=["run_reading"])


def _ask(named: NamedRun) -> tuple[Said | None, Exception | None]:
    try:
        return runs.ask(named), None
    except TrackingError as failure:
        return None, failure
    except DomainError as refusal:
        # Switched off, or its secret cannot be read: said on the run, for whoever can mend it.
        return None, ValueError(refusal.detail)


def _standing(version: ModelVersion) -> list[VersionRun]:
    return list(VersionRun.objects.standing().filter(version=version).select_for_update(of=("self",)).order_by("pk"))


def _refuse_closed(version: ModelVersion) -> None:
    if version.stage == Stage.RETIRED:
        raise WrongState(f"{version.name} is retired; what it comes from is no longer changed.")
    if version.missing_since is not None:
        raise WrongState(f"AWS no longer has {version.name}, so nothing about it is changed.")
