"""Pipelines: started once, waiting at a callback step, released or refused by its token."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.sandbox.world import HUB, Aws, fresh_account, refused, unique

ROLE = f"arn:aws:iam::{HUB}:role/Pipeline"
STATUS_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"


class Line:
    """A pipeline that trains, asks for an approval by callback, then deploys."""

    def __init__(self, aws: Aws, account: str | None = None, **approve: Any) -> None:
        self.aws, self.account = aws, account or fresh_account()
        self.sagemaker, self.sqs = aws.client("sagemaker", self.account), aws.client("sqs", self.account)
        self.queue = self.sqs.create_queue(QueueName=unique("callbacks"))["QueueUrl"]
        self.name = unique("deploy")
        step = {"Name": "Approve", "Type": "Callback", "SqsQueueUrl": self.queue, "DependsOn": ["Train"]}
        arguments = {"version": {"Get": "Parameters.Version"}, "fixed": [1]}
        self.definition = {
            "Version": "2020-12-01",
            "Parameters": [{"Name": "Version", "Type": "String"}, {"Name": "Stage", "DefaultValue": "QA"}],
            "Steps": [
                {"Name": "Deploy", "Type": "Lambda", "DependsOn": ["Approve"]},
                {"Name": "Train", "Type": "Training"},
                {**step, "Arguments": arguments, **approve},
            ],
        }
        self.arn = self.sagemaker.create_pipeline(
            PipelineName=self.name,
            PipelineDefinition=json.dumps(self.definition),
            ClientRequestToken=unique("token") + "x" * 32,
            RoleArn=ROLE,
        )["PipelineArn"]

    def start(self, token: str | None = None, version: str = "7", **more: Any) -> str:
        started = self.sagemaker.start_pipeline_execution(
            PipelineName=self.name,
            ClientRequestToken=token or unique("token") + "x" * 32,
            PipelineParameters=[{"Name": "Version", "Value": version}],
            **more,
        )
        return str(started["PipelineExecutionArn"])

    def message(self) -> dict[str, Any]:
        (message,) = self.aws.received(self.queue, self.account)
        return message

    def status(self, arn: str) -> str:
        return str(self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"])

    def steps(self, arn: str) -> dict[str, str]:
        found = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
        return {s["StepName"]: s["StepStatus"] for s in found["PipelineExecutionSteps"]}


def test_a_callback_holds_the_execution_until_it_is_released(aws: Aws) -> None:
    line = Line(aws)
    events = aws.listener({"detail-type": [STATUS_CHANGE]}, line.account)
    arn = line.start()
    message = line.message()
    assert (message["pipelineExecutionArn"], message["status"]) == (arn, "Executing")
    assert message["arguments"] == {"version": "7", "fixed": [1]}
    assert len(message["token"]) == 10
    assert (line.status(arn), line.steps(arn)) == ("Executing", {"Train": "Succeeded", "Approve": "Executing"})
    found = line.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert found[0]["Metadata"]["Callback"] == {"CallbackToken": message["token"], "SqsQueueUrl": line.queue}
    answer = line.sagemaker.send_pipeline_execution_step_success(
        CallbackToken=message["token"], OutputParameters=[{"Name": "decision", "Value": "Approved"}]
    )
    assert answer["PipelineExecutionArn"] == arn
    assert (line.status(arn), line.steps(arn)["Deploy"]) == ("Succeeded", "Succeeded")
    with refused("ValidationException"):
        line.sagemaker.send_pipeline_execution_step_success(CallbackToken=message["token"])
    with refused("ValidationException"):
        line.sagemaker.send_pipeline_execution_step_failure(CallbackToken=message["token"])
    told = [e["detail"]["currentPipelineExecutionStatus"] for e in aws.received(events, line.account)]
    assert told == ["Executing", "Succeeded"]


def test_a_refusal_fails_the_execution(aws: Aws) -> None:
    line = Line(aws)
    arn = line.start()
    line.sagemaker.send_pipeline_execution_step_failure(CallbackToken=line.message()["token"], FailureReason="rejected")
    found = line.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert found["PipelineExecutionStatus"] == "Failed"
    assert "rejected" in found["FailureReason"]
    assert line.steps(arn) == {"Train": "Succeeded", "Approve": "Failed"}


def test_one_token_starts_one_execution_and_releases_once(aws: Aws) -> None:
    line, token = Line(aws), unique("start") + "x" * 32
    arn = line.start(token)
    assert line.start(token) == arn
    with refused("ConflictException"):
        line.start(token, version="8")
    release = {"CallbackToken": line.message()["token"], "ClientRequestToken": unique("release") + "x" * 32}
    for _ in range(2):
        assert line.sagemaker.send_pipeline_execution_step_success(**release)["PipelineExecutionArn"] == arn
    with refused("ValidationException"):
        line.sagemaker.send_pipeline_execution_step_failure(**release)
    summaries = line.sagemaker.list_pipeline_executions(PipelineName=line.name)["PipelineExecutionSummaries"]
    assert [(s["PipelineExecutionArn"], s["PipelineExecutionStatus"]) for s in summaries] == [(arn, "Succeeded")]


def test_a_stopped_execution_is_not_released(aws: Aws) -> None:
    line, token = Line(aws), unique("stop") + "x" * 32
    arn = line.start()
    for _ in range(2):
        line.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=token)
    assert (line.status(arn), line.steps(arn)["Approve"]) == ("Stopped", "Stopped")
    with refused("ValidationException"):
        line.sagemaker.send_pipeline_execution_step_success(CallbackToken=line.message()["token"])
    with refused("ValidationException"):
        line.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=unique("x") + "x" * 32)


def test_a_queue_that_is_not_there_and_a_fail_step_fail_it(aws: Aws) -> None:
    line = Line(aws, SqsQueueUrl="http://localhost/111111111111/absent")
    arn = line.start()
    assert line.status(arn) == "Failed"
    fail = {"Steps": [{"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "never"}}]}
    line.sagemaker.update_pipeline(PipelineName=line.name, PipelineDefinition=json.dumps(fail))
    token = unique("token") + "x" * 32
    second = line.sagemaker.start_pipeline_execution(PipelineName=line.arn, ClientRequestToken=token)
    found = line.sagemaker.describe_pipeline_execution(PipelineExecutionArn=second["PipelineExecutionArn"])
    assert "never" in found["FailureReason"]
    kept = line.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert json.loads(kept["PipelineDefinition"]) == line.definition


def test_pipelines_and_executions_are_listed_in_pages(aws: Aws) -> None:
    line = Line(aws)
    arns = [line.start(version=str(n)) for n in range(3)]
    second = Line(aws, line.account)
    listed = line.sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=line.name, PaginationConfig={"PageSize": 2}
    )
    pages = [[s["PipelineExecutionArn"] for s in p["PipelineExecutionSummaries"]] for p in listed]
    assert [len(p) for p in pages] == [2, 1]
    assert {a for p in pages for a in p} == set(arns)
    names = [s["PipelineName"] for s in line.sagemaker.list_pipelines(SortBy="Name")["PipelineSummaries"]]
    assert names == sorted([line.name, second.name])
    only = line.sagemaker.list_pipelines(PipelineNamePrefix=second.name)["PipelineSummaries"]
    assert [s["PipelineArn"] for s in only] == [second.arn]
    given = line.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arns[0])["PipelineParameters"]
    assert given == [{"Name": "Stage", "Value": "QA"}, {"Name": "Version", "Value": "0"}]
    line.sagemaker.add_tags(ResourceArn=line.arn, Tags=[{"Key": "project", "Value": "credit"}])
    assert line.sagemaker.list_tags(ResourceArn=line.arn)["Tags"] == [{"Key": "project", "Value": "credit"}]
    token = unique("delete") + "x" * 32
    with refused("ConflictException"):
        line.sagemaker.delete_pipeline(PipelineName=line.name, ClientRequestToken=token)
    line.sagemaker.delete_pipeline(PipelineName=second.name, ClientRequestToken=token)
    with refused("ResourceNotFound"):
        line.sagemaker.describe_pipeline(PipelineName=second.name)


@pytest.mark.parametrize(
    "definition",
    [
        "not json",
        "[]",
        '{"Steps": [{"Name": "A"}]}',
        '{"Steps": [{"Name": "A", "Type": "T"}, {"Name": "A", "Type": "T"}]}',
        '{"Steps": [{"Name": "A", "Type": "T", "DependsOn": ["B"]}]}',
        '{"Steps": [{"Name": "A", "Type": "Callback"}]}',
    ],
)
def test_a_definition_that_cannot_be_run_is_refused(aws: Aws, definition: str) -> None:
    with refused("ValidationException"):
        aws.client("sagemaker").create_pipeline(
            PipelineName=unique("broken"), PipelineDefinition=definition, ClientRequestToken="x" * 32, RoleArn=ROLE
        )


def test_what_is_not_there_is_said_so(aws: Aws) -> None:
    line = Line(aws)
    with refused("ResourceNotFound"):
        line.sagemaker.describe_pipeline_execution(PipelineExecutionArn=line.arn + "/execution/absent")
    with refused("ResourceNotFound"):
        line.sagemaker.start_pipeline_execution(PipelineName=unique("absent"), ClientRequestToken="x" * 32)
    with refused("ValidationException"):
        line.sagemaker.send_pipeline_execution_step_success(CallbackToken="0123456789")
    with refused("ValidationException"):  # the parameter without a default value is missing
        line.sagemaker.start_pipeline_execution(PipelineName=line.name, ClientRequestToken="x" * 32)
