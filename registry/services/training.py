"""Read from SageMaker how versions were trained, and keep it: the job, the hub's model, AutoML, the labeled data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import hub as hubs
from ..aws import training as jobs
from ..aws.errors import AwsError, AwsNotFound, AwsThrottled, AwsUnavailable
from ..aws.session import AwsSession
from ..aws.training import TrainingJobRecord, parse_job_arn
from ..models import AwsAccount, ModelVersion, PipelineStep, TrainingProvenance
from ..training import algorithms, origin, secrets
from ..training.origin import HubOrigin, NamedJob
from . import labeling

# A job that is over says the same for ever; what a hub says of its model may change.
FRESH_FOR = timedelta(days=7)
RETRY_AFTER = timedelta(hours=1)
# So many versions in one pass: each costs up to five calls, and the next pass goes on where this one ended.
MOST_VERSIONS = 200
_CARD_ARN = "card__training_details__training_job_details__training_arn"
_OVER = ("Completed", "Failed", "Stopped")
_JUMPSTART = "A JumpStart model"
_T = TypeVar("_T")


class Counts(Protocol):
    """Where a pass counts what it took in."""

    created: int
    updated: int
    unchanged: int
    problems: list[str]


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read the labeling jobs that changed and the training of the versions that are due, and keep both.

    A version is read in the account and region its job's ARN names; one that names none, where it was registered and
    where it lies. What concerns one version or one right alone is a problem of the tally, and the rest goes on.
    Raises AwsError (throttled, unavailable) when the account cannot be asked at all.
    """
    told = _guarded(tally, "Labeling jobs", lambda: labeling.take_in_listed(actor, account, session))
    tally.problems.extend([told] if told else [])
    here = session.account.region
    connected = _connected()
    for version in due(account, here)[:MOST_VERSIONS]:
        _read_one(actor, account, session, tally, version, connected)


def due(account: AwsAccount, region: str) -> QuerySet[ModelVersion]:
    """Return the versions whose training is to be read in an account and region, those waiting longest first.

    Never looked for, changed since, a job that still runs, a week old, or an hour after it could not be read.
    """
    now, number = timezone.now(), account.account_id
    here = f"{number}:{region}"
    place = f":sagemaker:{region}:{number}:training-job/"
    of_run = PipelineStep.objects.filter(execution__versions=OuterRef("pk"))
    # Another pass reads what lies in an account that is connected; what does not is said to be out of reach here.
    names_none = Q(training_job_arn="") & (
        Q(group__account=account, group__region=region)
        | Q(registrant_arn__contains=f"::{number}:", group__region=region)
    )
    elsewhere = ~Q(training_job_arn="") & Q(group__account=account, group__region=region)
    for other, regions in _connected().items():
        for one in regions:
            if (other, one) != (number, region):
                elsewhere &= ~Q(training_job_arn__contains=f":sagemaker:{one}:{other}:training-job/")
    mine = (
        Q(training_job_arn__contains=place)
        | names_none
        | elsewhere
        | (Q(training_job_arn="") & Q(**{f"{_CARD_ARN}__icontains": place}))
        | (Q(training_job_arn="") & Exists(of_run.filter(resource_arn__contains=place)))
    )
    failed = ~Q(training__problem="")
    stale = (
        Q(training=None)
        | ~Q(training__of_digest=F("content_digest"))
        | Q(failed, training__tried_at__lte=now - RETRY_AFTER)
        | Q(training__tried_at__lte=now - FRESH_FOR)
        | ~Q(training__status__in=("", *_OVER))
        | Q(training__job_arn="", training__problem="") & ~Q(training__looked_in__contains=[here])
    )
    return (
        ModelVersion.objects.present()
        .filter(mine, stale)
        .select_related("group__account", "training")
        .order_by(F("training__tried_at").asc(nulls_first=True), "-aws_created_at", "-pk")
    )


def of_version(version: ModelVersion) -> TrainingProvenance | None:
    """Return what was read of a version's training; None while nobody looked."""
    found: TrainingProvenance | None = (
        TrainingProvenance.objects.filter(version=version).select_related("labeling").first()
    )
    return found


def _connected() -> dict[str, frozenset[str]]:
    """The accounts that can be asked, with their regions."""
    return {one.account_id: frozenset(one.regions) for one in AwsAccount.objects.enabled()}


def _read_one(
    actor: Actor,
    account: AwsAccount,
    session: AwsSession,
    tally: Counts,
    version: ModelVersion,
    connected: Mapping[str, frozenset[str]],
) -> None:
    row = TrainingProvenance.objects.filter(version=version).first() or TrainingProvenance(version=version)
    before = _said(row)
    is_new, told = row.pk is None, len(tally.problems)
    now, region = timezone.now(), session.account.region
    problems: list[str] = []
    named = origin.jobs_named(
        told=version.training_job_arn,
        card=version.card,
        artifact_url=version.artifact_url,
        of_run=PipelineStep.objects.filter(execution__versions=version).values_list("resource_arn", flat=True)[:200],
    )
    source, job = _job(session, named, problems, connected)
    if job is not None:
        _take_job(row, source, job, account, region)
    here = f"{account.account_id}:{region}"
    if row.of_digest != version.content_digest:
        row.looked_in = []
    row.looked_in = sorted({*row.looked_in, here})[:50]
    found = _guarded(_Into(problems), "", lambda: _automl(session, version, row, job))
    if found is not None:
        row.automl = found
    _take_hub(session, row, version.described, job, problems)
    linked = _guarded(_Into(problems), "", lambda: labeling.behind(actor, session, account, job)) if job else None
    if linked is not None:
        row.labeling = linked
    row.problem = " ".join(dict.fromkeys(problems))
    if not problems:
        row.read_at = now
    row.tried_at, row.of_digest = now, version.content_digest
    tally.problems.extend(f"{version.name}: {problem}" for problem in problems)
    with operation(actor, "read how a version was trained"):
        row.save(force_insert=is_new)
    word = "created" if is_new else "unchanged" if _said(row) == before and len(tally.problems) == told else "updated"
    setattr(tally, word, getattr(tally, word) + 1)


def _said(row: TrainingProvenance) -> dict[str, Any]:
    """What a row says, without when it was read."""
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname not in ("id", "read_at", "tried_at")
    }


def _job(
    session: AwsSession,
    named: list[NamedJob],
    problems: list[str],
    connected: Mapping[str, frozenset[str]],
) -> tuple[str, TrainingJobRecord | None]:
    """Describe the first of the jobs a version names that there is; what stands in the way joins the problems."""
    here = (session.account.account_id, session.account.region)
    for one in named:
        if one.arn and (one.arn.account_id, one.arn.region) != here:
            if one.arn.region not in connected.get(one.arn.account_id, ()):
                problems.append(
                    f"Its training job {one.name} lies in account {one.arn.account_id}, {one.arn.region}, which is "
                    "not connected to the portal."
                )
            continue
        try:
            record = jobs.describe_training_job(session, one.name)
        except AwsNotFound:
            if one.arn:
                problems.append(f"SageMaker has no training job {one.name}, which the version names.")
            continue
        except (AwsThrottled, AwsUnavailable):
            raise
        except AwsError as failure:
            problems.append(str(failure))
            continue
        # An artifact's path names a job of that name; only its own artifact makes it the version's.
        if one.arn or record.artifact == one.artifact:
            return one.source, record
    return "", None


def _take_job(row: TrainingProvenance, source: str, job: TrainingJobRecord, account: AwsAccount, region: str) -> None:
    values = {
        "source": source,
        "job_arn": job.arn,
        "job_name": job.name,
        "account_id_copy": account.account_id,
        "region": region,
        "status": job.status,
        "secondary_status": job.secondary_status,
        "failure": job.failure,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "training_seconds": job.training_seconds,
        "billable_seconds": job.billable_seconds,
        "image": job.image,
        "algorithm": algorithms.recognise(job.image).name or job.algorithm_name,
        "role_arn": job.role_arn,
        "instance_type": job.instance_type,
        "instance_count": job.instance_count,
        "hyperparameters": {name: secrets.shown(name, value) for name, value in job.hyperparameters.items()},
        "metrics": [{"name": name, "value": value, "at": _iso(at)} for name, value, at in job.metrics],
        "inputs": [asdict(one) for one in job.inputs],
        "artifact": job.artifact,
        "network_isolation": job.network_isolation,
        "traffic_encryption": job.traffic_encryption,
        "spot": job.spot,
        "volume_key": job.volume_key,
        "output_key": job.output_key,
        "vpc": None
        if job.subnets is None
        else {"subnets": list(job.subnets), "security_groups": list(job.security_groups or ())},
    }
    _assign(row, values)


def _automl(
    session: AwsSession, version: ModelVersion, row: TrainingProvenance, job: TrainingJobRecord | None
) -> dict[str, Any] | None:
    arn = parse_job_arn((job.automl_arn if job else "") or origin.automl_named(version.described))
    if arn is None or (arn.account_id, arn.region) != (session.account.account_id, session.account.region):
        return None
    found = jobs.describe_automl_job(session, arn.name)
    return {
        "arn": found.arn,
        "name": found.name,
        "status": found.status,
        "problem_type": found.problem_type,
        "objective": found.objective,
        "objective_value": found.objective_value,
        "best_candidate": found.best_candidate,
        "canvas": found.by_canvas,
        "ended_at": _iso(found.ended_at),
    }


def _take_hub(
    session: AwsSession,
    row: TrainingProvenance,
    described: Mapping[str, Any],
    job: TrainingJobRecord | None,
    problems: list[str],
) -> None:
    """Keep the hub's model that the version or its job's inputs name, with its licence as the hub says it."""
    told = origin.hub_origin(described)
    inputs = [one for one in job.inputs if one.hub_content_arn] if job else []
    arn = told.arn or (inputs[0].hub_content_arn if inputs else "") or (job.base_model_arn if job else "")
    agreed = [told.eula_accepted, *(one.eula_accepted for one in inputs), job.eula_accepted if job else None]
    said = [one for one in agreed if one is not None]
    row.eula_accepted = any(said) if said else (row.eula_accepted if job is None and row.job_arn else None)
    if not arn and not told.name:
        # What JumpStart brought before hubs were named says it by where it lies, which names no licence.
        inputs = list(job.inputs) if job else []
        lies = origin.jumpstart_address([*origin.artifacts_of(described), *(one.uri for one in inputs)])
        if lies or job is not None or not row.job_arn:
            row.hub, row.licence = ({"title": _JUMPSTART, "hub": "JumpStart", "lies_in": lies} if lies else None), ""
        return
    content = _guarded(_Into(problems), "", lambda: _content(session, arn, told))
    kept = {"arn": arn, "name": told.name, "version": told.version}
    if content is None:
        before = row.hub or {}
        if arn != before.get("arn") or told.name not in ("", before.get("name")):
            row.hub, row.licence = kept, ""
        return
    if content.problem:
        problems.append(content.problem)
        if (row.hub or {}).get("arn") == (content.arn or arn):
            return
    row.licence = content.licence[:500]
    row.hub = {
        "arn": content.arn or arn,
        "hub": content.hub,
        "name": content.name or told.name,
        "version": content.version or told.version,
        "title": content.title,
        "support": content.support,
        "provider": content.provider,
        "eula_uri": content.eula_uri,
        "public_arn": content.public_arn,
    }


def _content(session: AwsSession, arn: str, told: HubOrigin) -> hubs.HubContentRecord | None:
    """What the hub says of the model: by its ARN, or of a name alone in AWS's hub and then in the account's own."""
    parts = hubs.parse_content_arn(arn)
    if parts:
        return hubs.describe_hub_content(
            session, hub=parts.hub_key, name=parts.name, kind=parts.kind, version=parts.version
        )
    if not told.name:
        return None
    try:
        return hubs.describe_hub_content(session, hub=hubs.PUBLIC_HUB, name=told.name, version=told.version)
    except AwsNotFound:
        for hub in hubs.list_hubs(session):
            for kind in ("Model", "ModelReference"):
                for one in hubs.list_hub_contents(session, hub, kind, name=told.name):
                    if one.name == told.name:
                        return hubs.describe_hub_content(session, hub=hub, name=told.name, kind=kind)
        raise


class _Into:
    """A list of problems where a tally's is asked for."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems


class _HasProblems(Protocol):
    problems: list[str]


def _guarded(into: _HasProblems, about: str, ask: Callable[[], _T]) -> _T | None:
    """Ask AWS; a refusal becomes a problem and None. One that stands for the whole account is raised."""
    try:
        return ask()
    except (AwsThrottled, AwsUnavailable):
        raise
    except AwsError as failure:
        into.problems.append(f"{about}: {failure}" if about else str(failure))
        return None


def _assign(row: Model, values: Mapping[str, Any]) -> None:
    """Set columns, each cut to what it holds."""
    for name, value in values.items():
        most = getattr(row._meta.get_field(name), "max_length", None)
        setattr(row, name, value[:most] if isinstance(value, str) and most else value)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
