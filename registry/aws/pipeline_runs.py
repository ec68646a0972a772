"""Read what pipeline executions did, step by step: the runs that versions come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from registry.aws.errors import translated
from registry.aws.limits import require_valid
from registry.aws.pipelines import EXECUTION_ARN
from registry.aws.records import Identity
from registry.aws.session import AwsSession, pages
from registry.aws.values import json_safe, plain_text, utc

PAGE_SIZE = 100
MOST_STEPS = 1000
_CHECKS = {"QualityCheck", "ClarifyCheck"}
# What a step's type is called in its metadata, and in a pipeline's definition; others are called alike.
_TYPES = {
    "TrainingJob": "Training",
    "ProcessingJob": "Processing",
    "TransformJob": "Transform",
    "TuningJob": "Tuning",
    "AutoMLJob": "AutoML",
}


@dataclass(frozen=True, slots=True)
class PipelineSummary:
    """One pipeline of a listing, and when an execution of it was begun last."""

    arn: str
    name: str
    last_execution_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """One execution of a listing: its ARN, when it began (None where AWS does not say), its status in AWS's words."""

    arn: str
    begun_at: datetime | None
    status: str


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """One execution as DescribePipelineExecution tells it; `status` is in AWS's words.

    `started_by` is the principal's ARN, "" where AWS names none. AWS gives no end: `modified_at` is it once the status
    is final. `selected_from` is the execution whose results a selective one took for the steps it left out.
    """

    arn: str
    pipeline_arn: str
    display_name: str
    description: str
    status: str
    failure_reason: str
    started_by: str
    begun_at: datetime | None
    modified_at: datetime | None
    selected_from: str = ""

    @property
    def is_over(self) -> bool:
        return self.status not in ("Executing", "Stopping", "")


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of an execution: its kind, what it came to, and what its kind tells beside.

    `kind` is the type of the pipeline's definition (Training, ClarifyCheck), "" where the metadata names none. `check`
    holds QualityCheck's or ClarifyCheck's members; `outcome` is "True" or "False" of a condition; `registered_arn` the
    version or model a step made; `cached_from` the execution whose result was taken.
    """

    name: str
    display_name: str
    kind: str
    status: str
    failure_reason: str
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int | None
    cached_from: str
    outcome: str
    resource_arn: str
    registered_arn: str
    check: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


def list_pipelines(session: AwsSession, *, most: int) -> Iterator[PipelineSummary]:
    """Yield the account's pipelines, newest first, at most so many. Source: sagemaker ListPipelines, 100 a page."""
    request = {"MaxResults": PAGE_SIZE, "SortBy": "CreationTime", "SortOrder": "Descending"}
    listing = pages(session, "sagemaker", "ListPipelines", session.sagemaker.list_pipelines, request)
    rows = (row for page in listing for row in _listed(page, "PipelineSummaries"))
    for row in islice(rows, most):
        name = plain_text(row.get("PipelineName"))
        if name:
            yield PipelineSummary(plain_text(row.get("PipelineArn")), name, utc(row.get("LastExecutionTime")))


def list_executions(
    session: AwsSession, pipeline: str, *, since: datetime, before: datetime | None = None, most: int
) -> list[ExecutionSummary]:
    """Return a pipeline's executions begun after a moment, the oldest first, at most so many.

    Raises AwsNotFound for a missing pipeline. Source: sagemaker ListPipelineExecutions, which
    filters on creation alone.
    """
    request: dict[str, Any] = {
        "PipelineName": pipeline,
        "CreatedAfter": since,
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        "MaxResults": PAGE_SIZE,
    }
    if before is not None:
        request["CreatedBefore"] = before
    require_valid(session, "sagemaker", "ListPipelineExecutions", request)
    call = session.sagemaker.list_pipeline_executions
    rows = (
        row
        for page in pages(session, "sagemaker", "ListPipelineExecutions", call, request)
        for row in _listed(page, "PipelineExecutionSummaries")
    )
    found = (
        ExecutionSummary(
            plain_text(row.get("PipelineExecutionArn")),
            utc(row.get("StartTime")),
            plain_text(row.get("PipelineExecutionStatus")),
        )
        for row in rows
    )
    return list(islice((one for one in found if EXECUTION_ARN.fullmatch(one.arn)), most))


def describe_execution(session: AwsSession, arn: str) -> ExecutionRecord:
    """Read one execution. Raises AwsNotFound, AwsInvalid. Source: sagemaker DescribePipelineExecution."""
    require_valid(session, "sagemaker", "DescribePipelineExecution", {"PipelineExecutionArn": arn})
    with translated(session, "sagemaker", "DescribePipelineExecution"):
        answer = session.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    by = Identity.from_user_context(answer.get("CreatedBy"))
    return ExecutionRecord(
        arn=arn,
        pipeline_arn=plain_text(answer.get("PipelineArn")) or arn.rpartition("/execution/")[0],
        display_name=plain_text(answer.get("PipelineExecutionDisplayName")),
        description=plain_text(answer.get("PipelineExecutionDescription")),
        status=plain_text(answer.get("PipelineExecutionStatus")),
        failure_reason=plain_text(answer.get("FailureReason")),
        started_by=(by.arn or by.user_profile) if by else "",
        begun_at=utc(answer.get("CreationTime")),
        modified_at=utc(answer.get("LastModifiedTime")),
        selected_from=plain_text(_part(answer, "SelectiveExecutionConfig").get("SourcePipelineExecutionArn")),
    )


def list_steps(session: AwsSession, execution_arn: str, *, most: int = MOST_STEPS) -> list[StepRecord]:
    """Return the steps of an execution that have begun, the first first, at most so many.

    Raises AwsNotFound. Source: sagemaker ListPipelineExecutionSteps, 100 a page.
    """
    request = {"PipelineExecutionArn": execution_arn, "SortOrder": "Ascending", "MaxResults": PAGE_SIZE}
    require_valid(session, "sagemaker", "ListPipelineExecutionSteps", request)
    call = session.sagemaker.list_pipeline_execution_steps
    rows = (
        row
        for page in pages(session, "sagemaker", "ListPipelineExecutionSteps", call, request)
        for row in _listed(page, "PipelineExecutionSteps")
    )
    return [read_step(row) for row in islice(rows, most)]


def read_step(answer: Mapping[str, Any]) -> StepRecord:
    """Read one step as AWS answers it; what is absent is "" or None, and what has another type counts as absent."""
    metadata = json_safe(_part(answer, "Metadata"))
    # A callback's token is as good as the right to answer it.
    if "CallbackToken" in _part(metadata, "Callback"):
        metadata["Callback"] = {k: v for k, v in metadata["Callback"].items() if k != "CallbackToken"}
    member = next(iter(metadata), "")
    own = _part(metadata, member)
    attempts, iteration = answer.get("AttemptCount"), _part(answer, "IterationContext").get("Index")
    return StepRecord(
        # The rounds of a ForEach step bear one name.
        name=plain_text(answer.get("StepName")) + (f" [{iteration}]" if isinstance(iteration, int) else ""),
        display_name=plain_text(answer.get("StepDisplayName")),
        kind=_TYPES.get(member, member),
        status=plain_text(answer.get("StepStatus")),
        failure_reason=plain_text(answer.get("FailureReason")),
        started_at=utc(answer.get("StartTime")),
        ended_at=utc(answer.get("EndTime")),
        attempts=attempts if isinstance(attempts, int) and not isinstance(attempts, bool) else None,
        cached_from=plain_text(
            _part(answer, "CacheHitResult").get("SourcePipelineExecutionArn")
            or _part(answer, "SelectiveExecutionResult").get("SourcePipelineExecutionArn")
        ),
        outcome=plain_text(_part(metadata, "Condition").get("Outcome")),
        resource_arn=plain_text(own.get("Arn") or own.get("CheckJobArn")),
        registered_arn=plain_text(_part(metadata, "RegisterModel").get("Arn")),
        check=own if member in _CHECKS else {},
        metadata=metadata,
    )


def _part(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def _listed(page: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = page.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
