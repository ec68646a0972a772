"""Pipelines and their callback steps over recorded shapes: what is asked, what is read, what is recognised."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from registry.aws import pipelines
from registry.aws.errors import AwsConflict, AwsDenied, AwsError, AwsInvalid, AwsNotFound, AwsThrottled, AwsUnavailable
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire

PIPELINE = "arn:aws:sagemaker:us-east-1:111111111111:pipeline/deploy-credit-risk"
EXECUTION = f"{PIPELINE}/execution/a1b2c3d4e5f6"
TOKEN = "AbCdEf1234"
ORDER = "7a5ddf5b-9f4e-4f0e-9d0e-2c6ad7d30a11"
QUEUE = "https://sqs.us-east-1.amazonaws.com/111111111111/deployments"
BEGUN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def register(status: str = "Succeeded") -> dict[str, Any]:
    return {
        "StepName": "RegisterModel-RegisterModel",
        "StartTime": BEGUN,
        "StepStatus": status,
        "AttemptCount": 1,
        "Metadata": {"RegisterModel": {"Arn": recorded.VERSION_ARN}},
    }


def ask(token: str = TOKEN, status: str = "Executing", name: str = "Ask", **more: Any) -> dict[str, Any]:
    return {
        "StepName": name,
        "StartTime": BEGUN,
        "StepStatus": status,
        "AttemptCount": 1,
        "Metadata": {"Callback": {"CallbackToken": token, "SqsQueueUrl": QUEUE, **more.pop("callback", {})}},
        **more,
    }


def start(session: AwsSession, **changed: Any) -> str:
    given: dict[str, Any] = {
        "pipeline": "deploy-credit-risk",
        "display_name": "Credit-Risk-7-qa",
        "description": "Order the trial deployment",
        "parameters": {"ModelPackageArn": recorded.VERSION_ARN, "Stage": "qa"},
        "client_token": ORDER,
    }
    return pipelines.start_execution(session, **{**given, **changed})


def test_a_pipeline_is_started_under_the_orders_token(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "StartPipelineExecution", {"PipelineExecutionArn": EXECUTION})
    assert start(session) == EXECUTION
    assert wire.asked("StartPipelineExecution") == [
        {
            "PipelineName": "deploy-credit-risk",
            "PipelineExecutionDisplayName": "Credit-Risk-7-qa",
            "PipelineExecutionDescription": "Order the trial deployment",
            "PipelineParameters": [
                {"Name": "ModelPackageArn", "Value": recorded.VERSION_ARN},
                {"Name": "Stage", "Value": "qa"},
            ],
            "ClientRequestToken": ORDER,
        }
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"pipeline": "no spaces allowed"},
        {"display_name": "x" * 83},
        {"display_name": "ends-"},
        {"client_token": "too short"},
        {"parameters": {"Name with space": "x"}},
        {"parameters": {f"P{n}": "x" for n in range(201)}},
        {"parameters": {"P": "x" * 1025}},
    ],
)
def test_what_the_service_would_refuse_is_not_sent(wire: Wire, session: AwsSession, changed: dict[str, Any]) -> None:
    with pytest.raises(AwsInvalid, match="FieldLimit"):
        start(session, **changed)
    assert not wire.requests


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("ResourceNotFound", "Pipeline does not exist.", AwsNotFound),
        ("ValidationException", "Parameters [Nonsense] are not declared.", AwsInvalid),
        ("ConflictException", "ClientRequestToken was used with other parameters.", AwsConflict),
        ("AccessDeniedException", "not authorized", AwsDenied),
    ],
)
def test_refusals_are_named(wire: Wire, session: AwsSession, code: str, message: str, kind: type[AwsError]) -> None:
    wire.refuse("StartPipelineExecution", code, message)
    with pytest.raises(kind):
        start(session)


def test_what_a_pipeline_declares_is_read(wire: Wire, session: AwsSession) -> None:
    definition = {
        "Version": "2020-12-01",
        "Parameters": [
            {"Name": "ModelPackageArn", "Type": "String"},
            {"Name": "Instances", "Type": "Integer", "DefaultValue": 1},
        ],
        "Steps": [],
    }
    wire.answer(
        "sagemaker",
        "DescribePipeline",
        {
            "PipelineArn": PIPELINE,
            "PipelineName": "deploy-credit-risk",
            "PipelineDefinition": json.dumps(definition),
            "PipelineStatus": "Active",
        },
    )
    found = pipelines.describe_pipeline(session, PIPELINE)
    assert (found.arn, found.status) == (PIPELINE, "Active")
    assert dict(found.parameters) == {"ModelPackageArn": None, "Instances": 1}
    assert found.needed == {"ModelPackageArn"}


@pytest.mark.parametrize("definition", ["", "x", "[]", "null", '{"Parameters": 7}', '{"Parameters": [7, {}]}'])
def test_a_definition_that_cannot_be_read_declares_nothing(wire: Wire, session: AwsSession, definition: str) -> None:
    wire.answer("sagemaker", "DescribePipeline", {"PipelineName": "p", "PipelineDefinition": definition or " "})
    assert not pipelines.describe_pipeline(session, "p").parameters


def test_waiting_steps_are_found_page_by_page(wire: Wire, session: AwsSession) -> None:
    other = f"{PIPELINE}/execution/000000000000"
    wire.answer(
        "sagemaker",
        "ListPipelineExecutions",
        {"PipelineExecutionSummaries": [{"PipelineExecutionArn": other, "PipelineExecutionStatus": "Succeeded"}],
         "NextToken": "more"},
    )  # fmt: skip
    wire.answer(
        "sagemaker",
        "ListPipelineExecutions",
        {"PipelineExecutionSummaries": [{"PipelineExecutionArn": EXECUTION, "PipelineExecutionStatus": "Executing"}]},
    )
    wire.answer("sagemaker", "ListPipelineExecutionSteps", {"PipelineExecutionSteps": [register()], "NextToken": "2"})
    wire.answer(
        "sagemaker",
        "ListPipelineExecutionSteps",
        {"PipelineExecutionSteps": [ask("Done567890", "Succeeded"), ask(), ask("Other67890", name="AskAgain")]},
    )
    (found,) = pipelines.waiting_callbacks(session, pipeline="deploy-credit-risk", step_name="Ask", since=BEGUN)
    assert (found.token, found.execution_arn, found.step_name) == (TOKEN, EXECUTION, "Ask")
    assert (found.model_package_arn, found.queue_url) == (recorded.VERSION_ARN, QUEUE)
    assert found.started_at == BEGUN
    asked = wire.asked("ListPipelineExecutions")
    assert [one.get("NextToken") for one in asked] == [None, "more"]
    assert asked[0]["SortOrder"] == "Descending"
    assert [one["PipelineExecutionArn"] for one in wire.asked("ListPipelineExecutionSteps")] == [EXECUTION] * 2


def test_a_version_that_failed_to_register_is_none(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "ListPipelineExecutionSteps", {"PipelineExecutionSteps": [register("Failed"), ask()]})
    (found,) = pipelines.callbacks_of(session, EXECUTION)
    assert found.model_package_arn == ""


def test_a_step_is_told_to_go_on(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "SendPipelineExecutionStepSuccess", {"PipelineExecutionArn": EXECUTION})
    outputs = {"decision": "approved", "note": "x" * 2000}
    assert pipelines.send_success(session, token=TOKEN, outputs=outputs, client_token=ORDER) == EXECUTION
    (asked,) = wire.asked("SendPipelineExecutionStepSuccess")
    assert (asked["CallbackToken"], asked["ClientRequestToken"]) == (TOKEN, ORDER)
    assert {one["Name"]: len(one["Value"]) for one in asked["OutputParameters"]} == {"decision": 8, "note": 1024}


def test_a_step_is_told_that_it_may_not(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "SendPipelineExecutionStepFailure", {"PipelineExecutionArn": EXECUTION})
    pipelines.send_failure(session, token=TOKEN, reason="It is\nnot good enough. " * 40, client_token=ORDER)
    (asked,) = wire.asked("SendPipelineExecutionStepFailure")
    assert len(asked["FailureReason"]) <= 256
    assert asked["FailureReason"].startswith("It is not good enough. It is not")
    assert asked["FailureReason"].endswith("...")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Callback token is not valid or has expired."),
        ("ValidationException", "Token does not exist."),
        ("ResourceNotFound", "No such step."),
    ],
)
def test_a_step_that_waits_no_more_is_recognised(wire: Wire, session: AwsSession, code: str, message: str) -> None:
    wire.refuse("SendPipelineExecutionStepSuccess", code, message)
    wire.refuse("SendPipelineExecutionStepFailure", code, message)
    for tell in (
        lambda: pipelines.send_success(session, token=TOKEN, outputs={}, client_token=ORDER),
        lambda: pipelines.send_failure(session, token=TOKEN, reason="", client_token=ORDER),
    ):
        with pytest.raises(pipelines.CallbackGone, match="no step waiting") as gone:
            tell()
        assert not gone.value.retryable
        assert gone.value.message == message


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, AwsThrottled),
        ("InternalFailure", 500, AwsUnavailable),
        ("AccessDeniedException", 400, AwsDenied),
        ("ConflictException", 400, AwsConflict),
    ],
)
def test_other_troubles_do_not_say_that_the_step_is_gone(
    wire: Wire, session: AwsSession, code: str, status: int, kind: type[AwsError]
) -> None:
    times = session.total_max_attempts if kind in (AwsThrottled, AwsUnavailable) else 1
    wire.refuse("SendPipelineExecutionStepSuccess", code, "x", status, times=times)
    with pytest.raises(kind) as refused:
        pipelines.send_success(session, token=TOKEN, outputs={}, client_token=ORDER)
    assert not isinstance(refused.value, pipelines.CallbackGone)


def test_what_a_step_was_answered_with_is_read(wire: Wire, session: AwsSession) -> None:
    done = ask(status="Succeeded", callback={"OutputParameters": [{"Name": "order_id", "Value": ORDER}]})
    failed = ask("Fail567890", "Failed", FailureReason=f"No. (order {ORDER})")
    wire.answer(
        "sagemaker",
        "ListPipelineExecutionSteps",
        {"PipelineExecutionSteps": [done, failed, ask("Wait567890")]},
        times=4,
    )
    assert ORDER in str(pipelines.answered(session, EXECUTION, TOKEN))
    assert ORDER in str(pipelines.answered(session, EXECUTION, "Fail567890"))
    assert pipelines.answered(session, EXECUTION, "Wait567890") is None
    assert pipelines.answered(session, EXECUTION, "None567890") is None


def test_a_queue_is_read_and_what_was_taken_in_forgotten(wire: Wire, session: AwsSession) -> None:
    body = {"token": TOKEN, "pipelineExecutionArn": EXECUTION, "arguments": {"stage": "qa", "number": 7}}
    wire.answer("sqs", "ReceiveMessage", {"Messages": [{"ReceiptHandle": "r-1", "Body": json.dumps(body)}]})
    (message,) = pipelines.receive_callbacks(session, QUEUE)
    assert (message.token, message.execution_arn, message.problem) == (TOKEN, EXECUTION, "")
    assert dict(message.arguments) == {"stage": "qa"}
    wire.answer("sqs", "DeleteMessage", {})
    pipelines.forget_callback(session, QUEUE, message)
    assert wire.asked("DeleteMessage")[0]["ReceiptHandle"] == "r-1"
    wire.answer("sqs", "GetQueueAttributes", {"Attributes": {"ApproximateNumberOfMessages": "3"}})
    assert pipelines.queue_length(session, QUEUE) == 3


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "null", "[" * 100_000, "{}", '{"token": 7}', '{"token": "short"}', json.dumps({"token": TOKEN}),
     json.dumps({"token": TOKEN, "pipelineExecutionArn": "x"}), json.dumps({"token": TOKEN + "\n"})],
)  # fmt: skip
def test_what_no_callback_step_sent_says_so(body: str) -> None:
    assert pipelines.read_callback({"Body": body, "ReceiptHandle": "r"}).problem


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("Credit_Risk", "7", "pre_production", "7a5ddf5b"), "Credit-Risk-7-pre-production-7a5ddf5b"),
        (("--", "..."), "deployment"),
        (("x" * 81, "-y"), "x" * 81),
        (("Ä ö", "7"), "7"),
    ],
)
def test_a_display_name_is_one_sagemaker_takes(parts: tuple[str, ...], name: str) -> None:
    assert pipelines.display_name(*parts) == name
