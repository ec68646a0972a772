"""Executions and steps over recorded shapes: what is asked, what each kind of step tells, what is absent or odd."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from registry.aws import pipeline_runs
from registry.aws.errors import AwsDenied, AwsNotFound
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire

PIPELINE = "arn:aws:sagemaker:us-east-1:111111111111:pipeline/train-credit-risk"
EXECUTION = f"{PIPELINE}/execution/a1b2c3d4e5f6"
JOB = "arn:aws:sagemaker:us-east-1:111111111111:processing-job/check"
BEGUN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
CHECK = {"CheckType": "MODEL_BIAS", "CheckJobArn": JOB, "ViolationReport": "s3://reports/v.json", "SkipCheck": False}


def test_executions_are_listed_in_pages_from_a_moment_on(wire: Wire, session: AwsSession) -> None:
    summary = {"PipelineExecutionArn": EXECUTION, "StartTime": BEGUN, "PipelineExecutionStatus": "Executing"}
    wire.answer("sagemaker", "ListPipelineExecutions", {"PipelineExecutionSummaries": [], "NextToken": "more"})
    odd = {"PipelineExecutionArn": "arn:aws:sagemaker:us-east-1:111111111111:pipeline/x"}
    wire.answer("sagemaker", "ListPipelineExecutions", {"PipelineExecutionSummaries": [odd, summary, summary]})
    (found,) = pipeline_runs.list_executions(session, "train-credit-risk", since=BEGUN, most=1)
    assert found == pipeline_runs.ExecutionSummary(EXECUTION, BEGUN, "Executing")
    first, second = wire.asked("ListPipelineExecutions")
    assert (first["SortOrder"], first["MaxResults"], second["NextToken"]) == ("Ascending", 100, "more")
    assert first["CreatedAfter"] == BEGUN.timestamp()


def test_no_more_pipelines_are_listed_than_asked_for(wire: Wire, session: AwsSession) -> None:
    rows = [{"PipelineName": name, "PipelineArn": PIPELINE, "LastExecutionTime": BEGUN} for name in ("a", "b", "c")]
    wire.answer("sagemaker", "ListPipelines", {"PipelineSummaries": rows, "NextToken": "never asked"})
    found = list(pipeline_runs.list_pipelines(session, most=2))
    assert [(one.name, one.last_execution_at) for one in found] == [("a", BEGUN), ("b", BEGUN)]


@pytest.mark.parametrize(
    ("status", "is_over"),
    [("Executing", False), ("Stopping", False), ("Failed", True), ("CompletedWithFailures", True)],
)
def test_an_execution_says_who_started_it_and_why_it_failed(
    wire: Wire, session: AwsSession, status: str, is_over: bool
) -> None:
    answer = {
        "PipelineExecutionArn": EXECUTION,
        "PipelineExecutionStatus": status,
        "FailureReason": "Step failure\x00",
        "CreationTime": BEGUN,
        "CreatedBy": {"UserProfileName": "jane"},
    }
    wire.answer("sagemaker", "DescribePipelineExecution", answer)
    found = pipeline_runs.describe_execution(session, EXECUTION)
    assert (found.is_over, found.started_by, found.begun_at, found.modified_at) == (is_over, "jane", BEGUN, None)
    assert (found.failure_reason, found.pipeline_arn) == ("Step failure\ufffd", PIPELINE)


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"TrainingJob": {"Arn": JOB}}, ("Training", JOB, "", "")),
        ({"ProcessingJob": {"Arn": JOB}}, ("Processing", JOB, "", "")),
        ({"Model": {"Arn": "arn:model"}}, ("Model", "arn:model", "", "")),
        (
            {"RegisterModel": {"Arn": recorded.VERSION_ARN}},
            ("RegisterModel", recorded.VERSION_ARN, "", recorded.VERSION_ARN),
        ),
        ({"Condition": {"Outcome": "False"}}, ("Condition", "", "False", "")),
        ({"ClarifyCheck": CHECK}, ("ClarifyCheck", JOB, "", "")),
        ({"QualityCheck": CHECK}, ("QualityCheck", JOB, "", "")),
        ({"Fail": {"ErrorMessage": "no"}}, ("Fail", "", "", "")),
        ({}, ("", "", "", "")),
    ],
)
def test_each_kind_of_step_tells_its_own(
    wire: Wire, session: AwsSession, metadata: dict[str, Any], told: tuple[str, str, str, str]
) -> None:
    row = {"StepName": "S", "StepStatus": "Succeeded", "StartTime": BEGUN, "AttemptCount": 2, "Metadata": metadata}
    wire.answer("sagemaker", "ListPipelineExecutionSteps", {"PipelineExecutionSteps": [row]})
    (step,) = pipeline_runs.list_steps(session, EXECUTION)
    assert (step.kind, step.resource_arn, step.outcome, step.registered_arn) == told
    assert (step.started_at, step.ended_at, step.attempts) == (BEGUN, None, 2)
    assert dict(step.check) == (CHECK if "Check" in step.kind else {})


def test_a_callback_token_is_kept_nowhere_and_rounds_are_told_apart() -> None:
    callback = {"CallbackToken": "AbCdEf1234", "SqsQueueUrl": "https://queue"}
    step = pipeline_runs.read_step({"StepName": "Ask", "Metadata": {"Callback": callback}})
    assert (step.kind, step.metadata) == ("Callback", {"Callback": {"SqsQueueUrl": "https://queue"}})
    round_ = pipeline_runs.read_step({"StepName": "Each", "IterationContext": {"Index": 3}})
    assert round_.name == "Each [3]"
    cached = pipeline_runs.read_step({"CacheHitResult": {"SourcePipelineExecutionArn": EXECUTION}})
    assert cached.cached_from == EXECUTION


@pytest.mark.parametrize("odd", [None, 7, "x", [], {"ClarifyCheck": 7}, {"RegisterModel": {"Arn": ["x"]}}, {"X": None}])
def test_an_answer_of_another_type_is_no_error(odd: Any) -> None:
    step = pipeline_runs.read_step({"StepName": 7, "StartTime": "soon", "AttemptCount": True, "Metadata": odd})
    assert (step.name, step.started_at, step.attempts) == ("7", None, None)


def test_what_is_refused_is_named(wire: Wire, session: AwsSession) -> None:
    wire.refuse("DescribePipelineExecution", "ResourceNotFound", "No such execution.")
    with pytest.raises(AwsNotFound):
        pipeline_runs.describe_execution(session, EXECUTION)
    wire.refuse("ListPipelineExecutionSteps", "AccessDeniedException", "No.")
    with pytest.raises(AwsDenied):
        pipeline_runs.list_steps(session, EXECUTION)
