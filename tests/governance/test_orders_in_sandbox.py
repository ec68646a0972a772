"""Deployment orders against the sandbox's pipelines: started once, told to go on, told that they may not."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from governance.choices import CallbackOutcome, ChannelKind, PipelineHome
from governance.models import DeploymentChannel, DeploymentOrder, OutboxMessage, WaitingCallback
from governance.services import callbacks, channels, delivery
from governance.services.carriers import orders_callback
from portal.core.vocabulary import Stage, Status
from registry.aws import pipelines
from registry.aws.session import AwsSession
from registry.models import Deployment, ModelVersion
from tests import aws_story
from tests.api.client import Api
from tests.aws_story import HUB
from tests.factories import Cast, at_stage
from tests.factories.walk import approve_once
from tests.sandbox import Sandbox

from .conftest import Place

pytestmark = pytest.mark.django_db

TEST = "333333333333"
ROLE = "arn:aws:iam::111111111111:role/Pipelines"


class Killed(BaseException):
    """What ends a worker without asking anybody."""


@pytest.fixture
def made(aws: Sandbox, place: Place) -> ModelVersion:
    return aws_story.claimed(place.people, place.project)


def hub() -> AwsSession:
    return aws_story.session(HUB)


def pipeline(*steps: dict[str, Any], parameters: tuple[str, ...] = ("Arn", "Stage", "Order")) -> str:
    """Create a pipeline in the hub; returns its name."""
    name = aws_story.unique("deploy")
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": one, "Type": "String"} for one in parameters],
        "Steps": list(steps) or [{"Name": "Deploy", "Type": "Lambda", "Arguments": {}}],
    }
    hub().sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        ClientRequestToken=str(uuid.uuid4()),
        RoleArn=ROLE,
    )
    return name


def waiting_pipeline(queue_url: str) -> str:
    """Create a pipeline that asks before it deploys, naming version, stage and account."""
    asks = {
        "Name": "Ask",
        "Type": "Callback",
        "SqsQueueUrl": queue_url,
        "Arguments": {"model_package_arn": {"Get": "Parameters.Arn"}, "stage": "qa", "account": TEST},
    }
    return pipeline(asks, {"Name": "Deploy", "Type": "Lambda", "DependsOn": ["Ask"]}, parameters=("Arn",))


def run(name: str, version: ModelVersion) -> str:
    """Start a waiting pipeline for a version; returns the execution's ARN."""
    return pipelines.start_execution(
        hub(),
        pipeline=name,
        display_name="run",
        description="",
        parameters={"Arn": version.arn},
        client_token=str(uuid.uuid4()),
    )


def status(execution_arn: str) -> str:
    answer = hub().sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
    return answer["PipelineExecutionStatus"]


def queue() -> str:
    return hub().sqs.create_queue(QueueName=aws_story.unique("callbacks"))["QueueUrl"]


def channel(people: Cast, kind: ChannelKind, stage: str = "qa", **settings: Any) -> DeploymentChannel:
    return channels.create(
        actor=people.admin.actor, account_id=TEST, stage=stage, kind=kind, runs_in=PipelineHome.HUB, **settings
    ).channel


def deliver() -> int:
    OutboxMessage.objects.pending().update(next_attempt_at=timezone.now())
    return delivery.deliver_due()


def last_order(version: ModelVersion) -> DeploymentOrder:
    return DeploymentOrder.objects.filter(deployment__version=version).latest("pk")


def test_an_approval_starts_the_pipeline_once_although_the_worker_dies(
    aws: Sandbox, made: ModelVersion, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = pipeline()
    parameters = {"Arn": "model_package_arn", "Stage": "stage", "Order": "order_id"}
    channel(people, ChannelKind.PIPELINE, pipeline=name, parameters=parameters)
    approve_once(people, made)

    start = pipelines.start_execution

    def die_behind_it(*args: Any, **kwargs: Any) -> str:
        start(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(pipelines, "start_execution", die_behind_it)
    with pytest.raises(Killed):
        deliver()
    monkeypatch.setattr(pipelines, "start_execution", start)
    deliver()

    order = last_order(made)
    assert (order.kind, order.message.state, order.message.attempts) == ("pipeline", "delivered", 2)
    assert order.carried_at is not None
    assert name in order.through
    executions = hub().sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert [one["PipelineExecutionArn"] for one in executions] == [order.execution_arn]
    given = hub().sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=order.execution_arn)
    assert {one["Name"]: one["Value"] for one in given["PipelineParameters"]} == {
        "Arn": made.arn,
        "Stage": "qa",
        "Order": str(order.message.token),
    }
    tried = [call for call in aws.calls(operation="StartPipelineExecution") if call["performed"]]
    assert len(tried) == 2, "asked twice, begun once"
    client = Client()
    client.force_login(people.engineer, backend="django.contrib.auth.backends.ModelBackend")
    assert order.execution_arn in client.get(reverse("governance:version_activity", args=[made.pk])).content.decode()
    told = Api(people.engineer).call("GET", f"deployments/{order.deployment_id}/").json()["order"]
    assert (told["pipeline_execution_arn"], told["kind"], told["state"]) == (
        order.execution_arn,
        "pipeline",
        "delivered",
    )
    assert told["id"] == str(order.message.token)


def test_a_pipeline_that_waits_is_told_to_go_on(made: ModelVersion, people: Cast, aws: Sandbox) -> None:
    url = queue()
    row = channel(people, ChannelKind.CALLBACK, queue_url=url)
    execution = run(waiting_pipeline(url), made)
    assert callbacks.read_all() == 1
    assert callbacks.read_all() == 0
    assert pipelines.queue_length(hub(), url) == 0
    (waiting,) = WaitingCallback.objects.all()
    assert (waiting.version, waiting.stage, waiting.execution_arn) == (made, "qa", execution)
    assert (waiting.outcome, status(execution)) == ("waiting", "Executing")

    request = approve_once(people, made)
    deliver()
    waiting.refresh_from_db()
    row.refresh_from_db()
    order = last_order(made)
    assert (waiting.outcome, status(execution)) == ("released", "Succeeded")
    assert (order.message.state, order.execution_arn) == ("delivered", execution)
    assert waiting.answered_by == order.message
    assert row.last_used_at is not None
    (step,) = [
        one
        for one in hub().sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)[
            "PipelineExecutionSteps"
        ]
        if one["StepName"] == "Ask"
    ]
    outputs = {one["Name"]: one["Value"] for one in step["Metadata"]["Callback"]["OutputParameters"]}
    assert outputs == {
        "decision": "approved",
        "approval_request": request.public_id,
        "order_id": str(order.message.token),
    }


def test_a_decision_before_the_pipeline_asks_is_told_when_it_asks(
    made: ModelVersion, people: Cast, aws: Sandbox
) -> None:
    url = queue()
    channel(people, ChannelKind.CALLBACK, queue_url=url)
    approve_once(people, made)
    deliver()
    deliver()
    message = last_order(made).message
    message.refresh_from_db()
    assert (message.state, message.attempts, message.last_error) == ("pending", 0, "")
    assert "a pipeline to ask" in message.waiting_for
    assert message.next_attempt_at > timezone.now()

    execution = run(waiting_pipeline(url), made)
    assert callbacks.read_all() == 1
    assert delivery.deliver_due() == 1, "its coming wakes the order"
    assert status(execution) == "Succeeded"


def test_a_rejected_version_lets_the_step_fail(made: ModelVersion, people: Cast, aws: Sandbox) -> None:
    url = queue()
    channel(people, ChannelKind.CALLBACK, queue_url=url)
    name = waiting_pipeline(url)
    execution = run(name, made)
    callbacks.read_all()
    at_stage(people, made, Stage.DEVELOPMENT, Status.REJECTED)
    deliver()
    (waiting,) = WaitingCallback.objects.all()
    assert (waiting.outcome, status(execution)) == ("refused", "Failed")
    (step,) = [
        one
        for one in hub().sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)[
            "PipelineExecutionSteps"
        ]
        if one["StepName"] == "Ask"
    ]
    assert "Not good enough." in step["FailureReason"]
    assert str(waiting.answered_by.token) in step["FailureReason"]
    assert len(step["FailureReason"]) <= 256

    late = run(name, made)
    assert callbacks.read_all() == 1
    deliver()
    assert status(late) == "Failed", "who asks after the rejection is told at once"


def test_an_order_nobody_took_up_is_withdrawn_by_a_rejection(made: ModelVersion, people: Cast, aws: Sandbox) -> None:
    url = queue()
    channel(people, ChannelKind.CALLBACK, queue_url=url)
    approve_once(people, made)
    deliver()
    order = last_order(made)
    assert order.message.state == "pending"
    at_stage(people, made, Stage.QA, Status.REJECTED)
    deliver()
    deliver()
    order.refresh_from_db()
    assert order.note.startswith("Not sent: Tell the pipelines")
    execution = run(waiting_pipeline(url), made)
    callbacks.read_all()
    deliver()
    assert status(execution) == "Failed"


def test_a_step_that_waits_no_more_is_said_and_the_next_one_is_told(
    made: ModelVersion, people: Cast, aws: Sandbox
) -> None:
    url = queue()
    channel(people, ChannelKind.CALLBACK, queue_url=url)
    name = waiting_pipeline(url)
    stopped = run(name, made)
    callbacks.read_all()
    hub().sagemaker.stop_pipeline_execution(PipelineExecutionArn=stopped, ClientRequestToken=str(uuid.uuid4()))
    approve_once(people, made)
    deliver()
    deliver()
    (waiting,) = WaitingCallback.objects.all()
    assert (waiting.outcome, status(stopped)) == ("gone", "Stopped")
    assert "waited no more" in waiting.note
    message = last_order(made).message
    assert message.state == "pending"
    again = run(name, made)
    callbacks.read_all()
    deliver()
    assert status(again) == "Succeeded"


@pytest.mark.parametrize("aws_remembers", [True, False])
def test_a_worker_that_dies_behind_the_answer_does_not_answer_twice(
    made: ModelVersion, people: Cast, aws: Sandbox, monkeypatch: pytest.MonkeyPatch, aws_remembers: bool
) -> None:
    url = queue()
    channel(people, ChannelKind.CALLBACK, queue_url=url)
    execution = run(waiting_pipeline(url), made)
    callbacks.read_all()
    approve_once(people, made)
    send = pipelines.send_success

    def die_behind_it(*args: Any, **kwargs: Any) -> str:
        send(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(pipelines, "send_success", die_behind_it)
    with pytest.raises(Killed):
        deliver()
    if aws_remembers:
        monkeypatch.setattr(pipelines, "send_success", send)
    else:
        # A service that has forgotten the token says that the step does not wait, whoever answered it.
        def other(*args: Any, **kwargs: Any) -> Any:
            return send(*args, **{**kwargs, "client_token": str(uuid.uuid4())})

        monkeypatch.setattr(orders_callback.pipelines, "send_success", other)
    deliver()
    (waiting,) = WaitingCallback.objects.all()
    assert (waiting.outcome, status(execution)) == (CallbackOutcome.RELEASED, "Succeeded")
    assert ("earlier attempt" in waiting.note) is not aws_remembers
    assert last_order(made).message.state == "delivered"


def test_a_queue_keeps_what_cannot_be_used(made: ModelVersion, people: Cast, aws: Sandbox) -> None:
    url = queue()
    row = channel(people, ChannelKind.CALLBACK, queue_url=url)
    for body in ("not json", "[]", json.dumps({"token": "x"}), json.dumps({"token": "AbCdEf1234"})):
        hub().sqs.send_message(QueueUrl=url, MessageBody=body)
    assert callbacks.read_all() == 0
    row.refresh_from_db()
    assert "not JSON" in row.last_error
    assert "names no callback token" in row.last_error
    counted = hub().sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    assert counted["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "4"


def test_a_pipeline_is_looked_at_and_not_started(aws: Sandbox, people: Cast, place: Place) -> None:
    name = pipeline()
    wrong = channel(
        people, ChannelKind.PIPELINE, pipeline=name, parameters={"Arn": "model_package_arn", "Nonsense": "stage"}
    )
    trial = channels.try_out(actor=people.admin.actor, channel_id=wrong.pk)
    assert not trial.is_sound
    assert "no parameter Nonsense" in trial.said
    assert "needs Order, Stage" in trial.said
    wrong.refresh_from_db()
    assert wrong.last_error == trial.said
    right = {"Arn": "model_package_arn", "Stage": "stage", "Order": "order_id"}
    channels.edit(actor=people.admin.actor, channel_id=wrong.pk, revision=1, parameters=right)
    assert channels.try_out(actor=people.admin.actor, channel_id=wrong.pk).is_sound
    missing = channel(people, ChannelKind.PIPELINE, stage="", pipeline="nothing-here", parameters=right)
    assert not channels.try_out(actor=people.admin.actor, channel_id=missing.pk).is_sound
    assert not hub().sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    assert not Deployment.objects.exists()


def test_a_test_event_is_no_order(aws: Sandbox, people: Cast, place: Place) -> None:
    row = channel(people, ChannelKind.EVENT_BRIDGE)
    assert channels.try_out(actor=people.admin.actor, channel_id=row.pk).is_sound
    (call,) = [one for one in aws.calls(operation="PutEvents") if one["performed"]]
    (entry,) = call["parameters"]["Entries"]
    assert entry["DetailType"] == "Model Deployment Order Test"
    assert json.loads(entry["Detail"])["test"] is True
