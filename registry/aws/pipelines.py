"""Start SageMaker pipelines, and answer the callback steps at which they wait for somebody's word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from registry.aws.errors import AwsError, AwsInvalid, AwsNotFound, translated
from registry.aws.limits import require_valid
from registry.aws.session import AwsSession, pages
from registry.aws.values import plain_text, utc

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        SendPipelineExecutionStepFailureRequestTypeDef,
        SendPipelineExecutionStepSuccessRequestTypeDef,
        StartPipelineExecutionRequestTypeDef,
    )

LONGEST_REASON = 256
LONGEST_VALUE = 1024
LONGEST_NAME = 82
# A token is ten letters and digits, no more and no less.
CALLBACK_TOKEN = re.compile(r"[A-Za-z0-9]{10}")
EXECUTION_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:(?P<account>\d{12}):pipeline/(?P<pipeline>[^/]+)/execution/(?P<id>[^/]+)"
)
_WAITING = frozenset({"Starting", "Executing"})
_NOT_WAITING = frozenset({"ValidationException", "ResourceNotFound"})
_MOST_EXECUTIONS = 50
_MAXIMUM_MESSAGES = 10


@dataclass(frozen=True, slots=True)
class PipelineRecord:
    """One pipeline: its ARN, its status in AWS's words, and the parameters its definition declares."""

    arn: str
    name: str
    status: str
    # Name and default of each; a parameter without a default must be given at every start.
    parameters: Mapping[str, Any]
    needed: frozenset[str]


@dataclass(frozen=True, slots=True)
class CallbackRecord:
    """One callback step that waits: its token, its execution, the queue it was announced on, and what it asks.

    `model_package_arn` is that of the version the same execution has registered, "" when it registered none.
    """

    token: str
    execution_arn: str
    step_name: str
    queue_url: str
    model_package_arn: str
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallbackMessage:
    """One message of a callback step's queue. `problem` says why it cannot be used, "" when it can."""

    receipt: str
    token: str
    execution_arn: str
    arguments: Mapping[str, str]
    problem: str = ""


def start_execution(
    session: AwsSession,
    *,
    pipeline: str,
    display_name: str,
    description: str,
    parameters: Mapping[str, str],
    client_token: str,
) -> str:
    """Start a pipeline (name, or ARN when it is shared) and return the execution's ARN.

    The same `client_token` (32 to 128 characters) starts it once, however often this is asked. Raises AwsInvalid for
    a parameter the pipeline does not have, AwsNotFound for a missing pipeline, AwsConflict when the token was used
    with other parameters. Source: sagemaker StartPipelineExecution.
    """
    request: StartPipelineExecutionRequestTypeDef = {
        "PipelineName": pipeline,
        "PipelineExecutionDisplayName": display_name,
        "PipelineExecutionDescription": description,
        "PipelineParameters": [{"Name": name, "Value": value} for name, value in parameters.items()],
        "ClientRequestToken": client_token,
    }
    require_valid(session, "sagemaker", "StartPipelineExecution", request)
    with translated(session, "sagemaker", "StartPipelineExecution"):
        return str(session.sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"])


def describe_pipeline(session: AwsSession, pipeline: str) -> PipelineRecord:
    """Return one pipeline with the parameters it declares. Raises AwsNotFound, AwsInvalid.

    Source: sagemaker DescribePipeline; the definition is JSON whose `Parameters` name each with its default.
    """
    require_valid(session, "sagemaker", "DescribePipeline", {"PipelineName": pipeline})
    with translated(session, "sagemaker", "DescribePipeline"):
        answer = session.sagemaker.describe_pipeline(PipelineName=pipeline)
    declared = _declared(answer.get("PipelineDefinition", ""))
    return PipelineRecord(
        arn=str(answer.get("PipelineArn", "")),
        name=str(answer.get("PipelineName", "")),
        status=str(answer.get("PipelineStatus", "")),
        parameters={name: one.get("DefaultValue") for name, one in declared.items()},
        needed=frozenset(name for name, one in declared.items() if "DefaultValue" not in one),
    )


def waiting_callbacks(
    session: AwsSession, *, pipeline: str, step_name: str = "", since: datetime | None = None
) -> list[CallbackRecord]:
    """Return the callback steps at which executions of a pipeline wait now, newest execution first.

    Looks at the 50 newest executions still running, begun after `since`; `step_name` leaves out other steps. Raises
    AwsNotFound for a missing pipeline. Source: sagemaker ListPipelineExecutions, ListPipelineExecutionSteps.
    """
    request: dict[str, Any] = {"PipelineName": pipeline, "SortBy": "CreationTime", "SortOrder": "Descending"}
    if since is not None:
        request["CreatedAfter"] = since
    require_valid(session, "sagemaker", "ListPipelineExecutions", request)
    running: list[str] = []
    for page in pages(
        session, "sagemaker", "ListPipelineExecutions", session.sagemaker.list_pipeline_executions, request
    ):
        for execution in page.get("PipelineExecutionSummaries", ()):
            if execution.get("PipelineExecutionStatus") == "Executing":
                running.append(str(execution["PipelineExecutionArn"]))
        if len(running) >= _MOST_EXECUTIONS:
            break
    return [
        callback
        for execution_arn in running[:_MOST_EXECUTIONS]
        for callback in callbacks_of(session, execution_arn)
        if not step_name or callback.step_name == step_name
    ]


def callbacks_of(session: AwsSession, execution_arn: str) -> list[CallbackRecord]:
    """Return the callback steps at which one execution waits now, each with the version the execution registered.

    Raises AwsNotFound for a missing execution. Source: sagemaker ListPipelineExecutionSteps, page by page.
    """
    steps = list(_steps(session, execution_arn))
    registered = ""
    for step in steps:
        arn = (step.get("Metadata") or {}).get("RegisterModel", {}).get("Arn")
        if arn and step.get("StepStatus") == "Succeeded":
            registered = str(arn)
    found = []
    for step in steps:
        callback = (step.get("Metadata") or {}).get("Callback") or {}
        token = str(callback.get("CallbackToken") or "")
        if CALLBACK_TOKEN.fullmatch(token) and step.get("StepStatus") in _WAITING:
            found.append(
                CallbackRecord(
                    token=token,
                    execution_arn=execution_arn,
                    step_name=str(step.get("StepName", "")),
                    queue_url=str(callback.get("SqsQueueUrl", "")),
                    model_package_arn=registered,
                    started_at=utc(step["StartTime"]) if step.get("StartTime") else None,
                )
            )
    return found


def answered(session: AwsSession, execution_arn: str, token: str) -> str | None:
    """Return what a callback step was answered with: its output parameters or its failure's reason, as one text.

    None while it waits, and when the execution has no such step. Source: sagemaker ListPipelineExecutionSteps.
    """
    for step in _steps(session, execution_arn):
        callback = (step.get("Metadata") or {}).get("Callback") or {}
        if callback.get("CallbackToken") == token and step.get("StepStatus") not in _WAITING:
            outputs = " ".join(f"{one.get('Name')}={one.get('Value')}" for one in callback.get("OutputParameters", ()))
            return f"{outputs} {step.get('FailureReason', '')}".strip()
    return None


def send_success(session: AwsSession, *, token: str, outputs: Mapping[str, str], client_token: str) -> str:
    """Let a waiting callback step succeed and return its execution's ARN; `outputs` are the step's output parameters.

    The same `client_token` answers once. Raises CallbackGone when the step does not wait any more.
    Source: sagemaker SendPipelineExecutionStepSuccess.
    """
    request: SendPipelineExecutionStepSuccessRequestTypeDef = {
        "CallbackToken": token,
        "OutputParameters": [{"Name": name, "Value": value[:LONGEST_VALUE]} for name, value in outputs.items()],
        "ClientRequestToken": client_token,
    }
    require_valid(session, "sagemaker", "SendPipelineExecutionStepSuccess", request)
    with _told(session, "SendPipelineExecutionStepSuccess"):
        return str(session.sagemaker.send_pipeline_execution_step_success(**request)["PipelineExecutionArn"])


def send_failure(session: AwsSession, *, token: str, reason: str, client_token: str) -> str:
    """Let a waiting callback step fail and return its execution's ARN; of the reason 256 characters are sent.

    The same `client_token` answers once. Raises CallbackGone when the step does not wait any more.
    Source: sagemaker SendPipelineExecutionStepFailure.
    """
    request: SendPipelineExecutionStepFailureRequestTypeDef = {
        "CallbackToken": token,
        "FailureReason": shortened(reason),
        "ClientRequestToken": client_token,
    }
    require_valid(session, "sagemaker", "SendPipelineExecutionStepFailure", request)
    with _told(session, "SendPipelineExecutionStepFailure"):
        return str(session.sagemaker.send_pipeline_execution_step_failure(**request)["PipelineExecutionArn"])


class CallbackGone(AwsError):
    """Report that a callback step does not wait any more: answered already, timed out, or its execution stopped."""

    happened = "found no step waiting for this token"
    advice = "The step was answered, timed out or stopped. Start the pipeline again if it must go on."


def receive_callbacks(session: AwsSession, queue_url: str) -> list[CallbackMessage]:
    """Return up to ten messages of a callback step's queue without waiting; none is lost when it cannot be read.

    A message not forgotten within the queue's visibility timeout is delivered again. Source: sqs ReceiveMessage.
    """
    with translated(session, "sqs", "ReceiveMessage"):
        answer = session.sqs.receive_message(
            QueueUrl=queue_url, WaitTimeSeconds=0, MaxNumberOfMessages=_MAXIMUM_MESSAGES
        )
    return [read_callback(message) for message in answer.get("Messages", ())]


def forget_callback(session: AwsSession, queue_url: str, message: CallbackMessage) -> None:
    """Delete a message that was taken in from its queue. Source: sqs DeleteMessage."""
    with translated(session, "sqs", "DeleteMessage"):
        session.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message.receipt)


def queue_length(session: AwsSession, queue_url: str) -> int:
    """Return about how many messages a queue holds. Raises AwsNotFound. Source: sqs GetQueueAttributes."""
    with translated(session, "sqs", "GetQueueAttributes"):
        answer = session.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(answer.get("Attributes", {}).get("ApproximateNumberOfMessages") or 0)


def read_callback(message: Mapping[str, Any]) -> CallbackMessage:
    """Read one SQS message as a callback step sends it: `token`, `pipelineExecutionArn`, `arguments`; never raises."""
    receipt = str(message.get("ReceiptHandle") or "")
    try:
        body = json.loads(plain_text(message.get("Body")))
    except (ValueError, RecursionError):
        return CallbackMessage(receipt, "", "", {}, "The message is not JSON.")
    if not isinstance(body, dict):
        return CallbackMessage(receipt, "", "", {}, "The message is not a JSON object.")
    token, execution_arn = body.get("token"), body.get("pipelineExecutionArn")
    given = body.get("arguments")
    arguments = {
        str(name): plain_text(value)[:LONGEST_VALUE]
        for name, value in (given.items() if isinstance(given, dict) else ())
        if isinstance(value, str)
    }
    problem = ""
    if not isinstance(token, str) or CALLBACK_TOKEN.fullmatch(token) is None:
        token, problem = "", "The message names no callback token."
    if not isinstance(execution_arn, str) or EXECUTION_ARN.fullmatch(execution_arn) is None:
        execution_arn = ""
        problem = problem or "The message names no pipeline execution."
    return CallbackMessage(receipt, token, execution_arn, arguments, problem)


def display_name(*parts: str) -> str:
    """Return a name an execution can bear: letters, digits and single hyphens, at most 82 of them."""
    joined = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-")
    return joined[:LONGEST_NAME].strip("-") or "deployment"


def shortened(reason: str, longest: int = LONGEST_REASON) -> str:
    """Return a reason on one line, cut at a word with three dots when it has more than so many characters."""
    line = " ".join(reason.split())
    return line if len(line) <= longest else line[: longest - 3].rsplit(" ", 1)[0] + "..."


def _steps(session: AwsSession, execution_arn: str) -> Iterator[Mapping[str, Any]]:
    request = {"PipelineExecutionArn": execution_arn, "SortOrder": "Ascending", "MaxResults": 100}
    require_valid(session, "sagemaker", "ListPipelineExecutionSteps", request)
    for page in pages(
        session, "sagemaker", "ListPipelineExecutionSteps", session.sagemaker.list_pipeline_execution_steps, request
    ):
        yield from page.get("PipelineExecutionSteps", ())


def _declared(definition: str) -> dict[str, Mapping[str, Any]]:
    """Return what a pipeline's definition says of its parameters; a definition that cannot be read declares none."""
    try:
        document = json.loads(definition)
    except (ValueError, RecursionError):
        return {}
    listed: Sequence[Any] = document.get("Parameters") or () if isinstance(document, dict) else ()
    return {
        str(one["Name"]): one
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and one.get("Name")
    }


@contextmanager
def _told(session: AwsSession, operation: str) -> Iterator[None]:
    """Translate what the service says, and recognise in it the token of a step that does not wait any more."""
    try:
        with translated(session, "sagemaker", operation):
            yield
    except (AwsInvalid, AwsNotFound) as refusal:
        # The request was checked before it was sent: what the service itself refuses is the token.
        if refusal.code not in _NOT_WAITING:
            raise
        raise CallbackGone(
            service=refusal.service,
            operation=refusal.operation,
            account_id=refusal.account_id,
            code=refusal.code,
            message=refusal.message,
        ) from refusal
