"""Take in the pipeline executions of an account and region, their steps, and which versions they registered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import Exists, Max, OuterRef
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import pipeline_runs
from ..aws.errors import AwsDenied, AwsDisabled, AwsError, AwsNotFound, AwsThrottled, AwsUnavailable
from ..aws.pipeline_runs import ExecutionRecord, ExecutionSummary, StepRecord
from ..aws.pipelines import EXECUTION_ARN
from ..aws.session import AwsSession
from ..models import AwsAccount, ModelVersion, PipelineExecution, PipelineRegistration, PipelineStep
from ..models.pipeline import RegisteredBy

# How far back a pipeline is read that was never read before; what a version names is read however old it is.
FIRST_DAYS = 90
MOST_PIPELINES = 500
# Of one pipeline, and of the whole pass; what is left is the next pass's.
MOST_OF_PIPELINE = 100
MOST_OF_PASS = 400
MOST_LINKED = 1000
# A failed or stopped execution may be retried under its own ARN: it is looked at again for a week, hourly.
MOST_RETRIED = 50
_RETRIED, _RETRIED_FOR = timedelta(hours=1), timedelta(days=7)
# An execution and what it registers are stamped by two services.
_APART = timedelta(minutes=5)
_WHOLE_PASS = (AwsThrottled, AwsUnavailable, AwsDisabled)


class Counts(Protocol):
    """What a pass tells of itself."""

    created: int
    updated: int
    unchanged: int
    missing: int
    problems: list[str]


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read executions that are under way again, those begun since, and those versions name as where they come from.

    Those that failed or were stopped within a week may have been retried, which no listing tells: they are read hourly.

    At most 400 in one pass; the rest is read by the next, the oldest first. One that cannot be read is kept with its
    problem and read again. Raises AwsError when AWS does not answer at all; what was taken in before stays. Source:
    sagemaker ListPipelines, ListPipelineExecutions, DescribePipelineExecution, ListPipelineExecutionSteps.
    """
    left = MOST_OF_PASS
    for execution in _of(account, session).unsettled().order_by("read_at", "pk")[:left]:
        _read_one(actor, account, session, tally, ExecutionSummary(execution.arn, execution.begun_at, execution.status))
        left -= 1
    for execution in _retried(account, session)[: max(0, min(left, MOST_RETRIED))]:
        _read_one(actor, account, session, tally, ExecutionSummary(execution.arn, execution.begun_at, execution.status))
        left -= 1
    left -= _read_named(actor, account, session, tally, left)
    _read_listed(actor, account, session, tally, left)
    link(actor, account, session.account.region)


def link(actor: Actor, account: AwsAccount, region: str) -> int:
    """Note which versions the executions kept have registered, as far as both are known; returns how many are new."""
    made = PipelineRegistration.objects.filter(execution=OuterRef("execution"), version__arn=OuterRef("registered_arn"))
    steps = PipelineStep.objects.filter(
        ~Exists(made), execution__account=account, execution__region=region, status="Succeeded"
    )
    wanted = list(steps.exclude(registered_arn="").select_related("execution").order_by("-pk")[:MOST_LINKED])
    versions = _by_arn(step.registered_arn for step in wanted)
    found = [
        PipelineRegistration(execution=step.execution, version=version, source=RegisteredBy.STEP)
        for step in wanted
        if (version := _registered_then(versions.get(step.registered_arn, []), step.execution))
    ]
    linked = {registration.version_id for registration in found}
    named = {version.pk: version.made_by for version in _generated(account, region) if version.pk not in linked}
    executions = dict(_of_region(account, region).filter(arn__in=set(named.values())).values_list("arn", "pk"))
    found += [
        PipelineRegistration(execution_id=executions[arn], version_id=version_id, source=RegisteredBy.GENERATED_BY)
        for version_id, arn in named.items()
        if arn in executions
    ]
    if not found:
        return 0
    with operation(actor, "link versions with the pipelines they come from"):
        PipelineRegistration.objects.bulk_create(found, ignore_conflicts=True)
    return len(found)


def _read_named(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts, most: int) -> int:
    """Read executions that versions name and nobody has read; returns how many."""
    arns = list(dict.fromkeys(version.made_by for version in _generated(account, session.account.region)))
    known = set(PipelineExecution.objects.filter(arn__in=arns).values_list("arn", flat=True))
    missing = [arn for arn in arns if arn not in known and EXECUTION_ARN.fullmatch(arn)][: max(0, most)]
    for arn in missing:
        _read_one(actor, account, session, tally, ExecutionSummary(arn, None, ""))
    return len(missing)


def _read_listed(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts, most: int) -> None:
    read_until = dict(
        _of(account, session)
        .filter(is_listed=True)
        .values_list("pipeline")
        .annotate(until=Max("begun_at"))
        .values_list("pipeline", "until")
    )
    first = timezone.now() - timedelta(days=FIRST_DAYS)
    try:
        for pipeline in pipeline_runs.list_pipelines(session, most=MOST_PIPELINES):
            since = read_until.get(pipeline.name) or first
            if most <= 0 or (pipeline.last_execution_at is not None and pipeline.last_execution_at <= since):
                continue
            most -= _read_pipeline(actor, account, session, tally, pipeline.name, since, most)
    except AwsDenied as refusal:
        tally.problems.append(str(refusal))


def _read_pipeline(
    actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts, name: str, since: datetime, most: int
) -> int:
    # The moment itself may belong to two executions.
    asked = since - timedelta(seconds=1)
    try:
        listed = pipeline_runs.list_executions(session, name, since=asked, most=min(most, MOST_OF_PIPELINE) + 1)
    except AwsNotFound:
        return 0
    arns = [summary.arn for summary in listed]
    _of(account, session).filter(arn__in=arns, is_listed=False).update(is_listed=True)
    known = set(PipelineExecution.objects.filter(arn__in=arns).values_list("arn", flat=True))
    new = [summary for summary in listed if summary.arn not in known]
    for summary in new:
        _read_one(actor, account, session, tally, summary, is_listed=True)
    return len(new)


def _read_one(
    actor: Actor,
    account: AwsAccount,
    session: AwsSession,
    tally: Counts,
    summary: ExecutionSummary,
    *,
    is_listed: bool = False,
) -> None:
    """Read one execution and its steps, and keep what was read of it whatever comes."""
    steps: list[StepRecord] | None = None
    problem, record = "", None
    try:
        record = pipeline_runs.describe_execution(session, summary.arn)
        steps = pipeline_runs.list_steps(session, summary.arn)
    except AwsNotFound:
        _gone(actor, account, session, summary, tally)
        return
    except _WHOLE_PASS:
        raise
    except AwsError as error:
        problem = str(error)
        tally.problems.append(f"{_name(summary.arn)} was not read to its end. {problem}")
    _keep(actor, account, session, summary, record, steps, problem, is_listed, tally)


def _keep(
    actor: Actor,
    account: AwsAccount,
    session: AwsSession,
    summary: ExecutionSummary,
    record: ExecutionRecord | None,
    steps: list[StepRecord] | None,
    problem: str,
    is_listed: bool,
    tally: Counts,
) -> None:
    values: dict[str, Any] = {"read_at": timezone.now(), "problem": problem, "missing_since": None}
    if is_listed:
        values["is_listed"] = True
    if record is not None:
        values |= {
            "display_name": record.display_name[:256],
            "description": record.description,
            "status": record.status[:30],
            "failure_reason": record.failure_reason,
            "started_by": record.started_by[:2048],
            "begun_at": record.begun_at or summary.begun_at,
            "ended_at": record.modified_at if record.is_over else None,
            "is_settled": record.is_over and steps is not None,
            "selected_from": record.selected_from[:2048],
        }
    first = {
        "account": account,
        "region": session.account.region,
        "pipeline": _pipeline_of(summary.arn),
        "status": summary.status[:30],
        "begun_at": summary.begun_at,
    }
    with operation(actor, "read pipeline executions"):
        before = PipelineExecution.objects.filter(arn=summary.arn).first()
        kept, is_new = PipelineExecution.objects.update_or_create(
            arn=summary.arn, defaults=values, create_defaults={**first, **values}
        )
        if steps is not None:
            _keep_steps(kept, steps)
    if is_new:
        tally.created += 1
    elif before is not None and (before.status, before.is_settled) != (kept.status, kept.is_settled):
        tally.updated += 1
    else:
        tally.unchanged += 1


def _keep_steps(execution: PipelineExecution, steps: list[StepRecord]) -> None:
    rows = [
        PipelineStep(
            execution=execution,
            position=position,
            name=step.name[:256],
            display_name=step.display_name[:256],
            kind=step.kind[:40],
            status=step.status[:20],
            failure_reason=step.failure_reason,
            started_at=step.started_at,
            ended_at=step.ended_at,
            attempts=step.attempts if step.attempts is not None and 0 <= step.attempts < 2**31 else None,
            cached_from=step.cached_from[:2048],
            outcome=step.outcome[:10],
            resource_arn=step.resource_arn[:2048],
            registered_arn=step.registered_arn[:2048],
            check_details=dict(step.check),
            metadata=dict(step.metadata),
        )
        for position, step in enumerate({step.name[:256]: step for step in steps}.values(), start=1)
    ]
    told = [
        field.name
        for field in PipelineStep._meta.concrete_fields
        if field.name
        not in {
            "id",
            "execution",
            "name",
            "violations",
            "violations_left_out",
            "report_problem",
            "report_etag",
            "report_read_at",
            "evidence_problem",
            "result",
            "result_problem",
            "result_read_at",
        }
    ]
    _forget_what_ran_again(execution, rows)
    PipelineStep.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["execution", "name"], update_fields=told
    )


def _forget_what_ran_again(execution: PipelineExecution, rows: list[PipelineStep]) -> None:
    """Have the files of checks that were carried out anew read anew: they say something of the latest attempt alone."""
    begun = dict(execution.steps.exclude(started_at=None).values_list("name", "started_at"))
    again = [row.name for row in rows if row.is_check and begun.get(row.name) not in (None, row.started_at)]
    if again:
        execution.steps.filter(name__in=again).update(
            violations=None,
            violations_left_out=0,
            report_problem="",
            report_etag="",
            report_read_at=None,
            result=None,
            result_problem="",
            result_read_at=None,
        )


def _gone(actor: Actor, account: AwsAccount, session: AwsSession, summary: ExecutionSummary, tally: Counts) -> None:
    """Note that AWS does not know an execution any more; what was read of it stays."""
    now = timezone.now()
    with operation(actor, "read pipeline executions"):
        rows = PipelineExecution.objects.filter(arn=summary.arn)
        tally.missing += rows.filter(missing_since=None).update(missing_since=now)
        if not rows.exists():
            # A version names it: without a row it would be asked for again and again.
            PipelineExecution.objects.create(
                arn=summary.arn,
                account=account,
                region=session.account.region,
                pipeline=_pipeline_of(summary.arn),
                begun_at=summary.begun_at,
                status=summary.status[:30],
                read_at=now,
                missing_since=now,
            )
            tally.missing += 1


def _generated(account: AwsAccount, region: str) -> list[Any]:
    """Return versions without a pipeline whose own metadata name an execution of this account and region, `made_by`."""
    made_by = KeyTextTransform("GeneratedBy", KeyTransform("MetadataProperties", "described"))
    here = f":sagemaker:{region}:{account.account_id}:pipeline/"
    rows = (
        ModelVersion.objects.annotate(made_by=made_by)
        # The first condition is that of the partial index.
        .filter(made_by__contains=":pipeline/")
        .filter(~Exists(PipelineRegistration.objects.filter(version=OuterRef("pk"))), made_by__contains=here)
    )
    return list(rows.only("pk").order_by("-pk")[:MOST_LINKED])


def _by_arn(arns: Iterable[str]) -> dict[str, list[ModelVersion]]:
    found: dict[str, list[ModelVersion]] = {}
    for version in ModelVersion.objects.filter(arn__in=set(arns)).only("pk", "arn", "aws_created_at"):
        found.setdefault(version.arn, []).append(version)
    return found


def _registered_then(versions: list[ModelVersion], execution: PipelineExecution) -> ModelVersion | None:
    """Return the version of an ARN that was made while the execution ran: an ARN may come back as something else."""
    begun, ended = execution.begun_at, execution.ended_at
    fitting = [
        version
        for version in versions
        if (begun is None or version.aws_created_at >= begun - _APART)
        and (ended is None or version.aws_created_at <= ended + _APART)
    ]
    return min(fitting, key=lambda version: version.aws_created_at, default=None)


def _retried(account: AwsAccount, session: AwsSession) -> Any:
    """Return executions that may have been retried since. Source: sagemaker RetryPipelineExecution keeps the ARN."""
    now = timezone.now()
    ended = _of(account, session).filter(is_settled=True, status__in=("Failed", "Stopped"), missing_since=None)
    return ended.filter(ended_at__gt=now - _RETRIED_FOR, read_at__lt=now - _RETRIED).order_by("read_at", "pk")


def _of(account: AwsAccount, session: AwsSession) -> Any:
    return _of_region(account, session.account.region)


def _of_region(account: AwsAccount, region: str) -> Any:
    return PipelineExecution.objects.filter(account=account, region=region)


def _pipeline_of(arn: str) -> str:
    match = EXECUTION_ARN.fullmatch(arn)
    return match["pipeline"] if match else ""


def _name(arn: str) -> str:
    return f"The execution {arn.rpartition('/')[2]} of the pipeline {_pipeline_of(arn)}"
