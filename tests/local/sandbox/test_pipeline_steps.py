"""What the steps of an execution tell: their metadata by type, branches, caches; and executions made as asked."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import requests

from tests.local.sandbox.shapes import problems
from tests.local.sandbox.test_pipelines import ROLE
from tests.local.sandbox.test_seeding import post
from tests.local.sandbox.world import Aws, fresh_account, specification, unique

BEGUN = "2026-05-04T03:00:00+00:00"


def run(aws: Aws, account: str, *steps: dict[str, Any], name: str = "") -> str:
    """Run a pipeline of these steps; returns the execution's ARN."""
    sagemaker, name = aws.client("sagemaker", account), name or unique("line")
    known = {p["PipelineName"] for p in sagemaker.list_pipelines()["PipelineSummaries"]}
    if name not in known:
        sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps({"Steps": list(steps)}),
            ClientRequestToken=unique("token") + "x" * 32,
            RoleArn=ROLE,
        )
    started = sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken=unique("token") + "x" * 32)
    return str(started["PipelineExecutionArn"])


def steps_of(aws: Aws, account: str, arn: str) -> dict[str, dict[str, Any]]:
    sagemaker = aws.client("sagemaker", account)
    found = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
    return {s["StepName"]: s for s in found["PipelineExecutionSteps"]}


def test_a_run_registers_a_version_and_each_step_says_what_it_made(aws: Aws) -> None:
    account = fresh_account()
    aws.group(account, name="models")
    register = {"ModelPackageGroupName": "models", "InferenceSpecification": specification()}
    better = {"Type": "GreaterThan", "LeftValue": 0.81, "RightValue": "0.7"}
    arn = run(
        aws,
        account,
        {"Name": "Prepare", "Type": "Processing"},
        {"Name": "Train", "Type": "Training", "DependsOn": ["Prepare"]},
        {"Name": "Bias", "Type": "ClarifyCheck", "CheckType": "MODEL_BIAS", "DependsOn": ["Train"]},
        {"Name": "Quality", "Type": "QualityCheck", "CheckType": "MODEL_QUALITY", "DependsOn": ["Train"]},
        {
            "Name": "Good",
            "Type": "Condition",
            "DependsOn": ["Bias", "Quality"],
            "Arguments": {
                "Conditions": [better, {"Type": "Not", "Expression": {"Type": "In", "QueryValue": 1, "Values": [2]}}],
                "IfSteps": [{"Name": "Register", "Type": "RegisterModel", "Arguments": register}],
                "ElseSteps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "too weak"}}],
            },
        },
    )
    steps = steps_of(aws, account, arn)
    assert {s["StepStatus"] for s in steps.values()} == {"Succeeded"}
    assert ":training-job/" in steps["Train"]["Metadata"]["TrainingJob"]["Arn"]
    assert ":processing-job/" in steps["Prepare"]["Metadata"]["ProcessingJob"]["Arn"]
    assert steps["Good"]["Metadata"]["Condition"] == {"Outcome": "True"}
    assert steps["Bias"]["Metadata"]["ClarifyCheck"]["CheckType"] == "MODEL_BIAS"
    assert steps["Quality"]["Metadata"]["QualityCheck"]["CalculatedBaselineStatistics"].endswith("/statistics.json")
    assert "Stop" not in steps
    version = aws.read(steps["Register"]["Metadata"]["RegisterModel"]["Arn"], account)
    assert version["MetadataProperties"]["GeneratedBy"] == arn


def test_a_branch_that_fails_and_a_group_that_is_not_there_fail_the_run(aws: Aws) -> None:
    account = fresh_account()
    weak = {"Type": "LessThan", "LeftValue": 0.9, "RightValue": 0.5}
    arguments = {
        "Conditions": [weak],
        "ElseSteps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}],
    }
    refused = steps_of(aws, account, run(aws, account, {"Name": "C", "Type": "Condition", "Arguments": arguments}))
    assert (refused["C"]["Metadata"]["Condition"]["Outcome"], refused["Stop"]["StepStatus"]) == ("False", "Failed")
    absent = {"Name": "R", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "none"}}
    failed = steps_of(aws, account, run(aws, account, absent))["R"]
    assert failed["StepStatus"] == "Failed"
    assert "does not exist" in failed["FailureReason"]


def test_a_step_that_was_run_before_is_taken_from_there(aws: Aws) -> None:
    account, name = fresh_account(), unique("cached")
    train = {"Name": "Train", "Type": "Training", "CacheConfig": {"Enabled": True}}
    first, second, third = (run(aws, account, train, name=name) for _ in range(3))
    assert "CacheHitResult" not in steps_of(aws, account, first)["Train"]
    for later in (second, third):
        step = steps_of(aws, account, later)["Train"]
        assert step["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
        assert step["Metadata"] == steps_of(aws, account, first)["Train"]["Metadata"]


def test_an_execution_is_made_as_it_is_said_to_have_been(aws: Aws) -> None:
    account = fresh_account()
    check = {
        "CheckType": "DATA_QUALITY",
        "ViolationReport": "s3://reports/violations.json",
        "CheckJobArn": f"arn:aws:sagemaker:us-east-1:{account}:processing-job/check",
        "SkipCheck": False,
    }
    steps = [
        {
            "StepName": "Train",
            "Metadata": {"TrainingJob": {"Arn": f"arn:aws:sagemaker:us-east-1:{account}:training-job/t"}},
        },
        {
            "StepName": "Check",
            "StepStatus": "Failed",
            "FailureReason": "2 violations",
            "Metadata": {"QualityCheck": check},
        },
    ]
    wanted = {"account": account, "pipeline": "made", "started": BEGUN, "status": "Failed", "steps": steps}
    answer = requests.post(
        f"{aws.url}/sandbox/pipeline-executions", json={**wanted, "failure_reason": "Step failure"}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    made = answer.json()
    found = steps_of(aws, account, made["arn"])
    assert found["Check"]["Metadata"]["QualityCheck"] == check
    assert (found["Check"]["FailureReason"], found["Check"]["EndTime"] - found["Train"]["StartTime"]) == (
        "2 violations",
        2 * (found["Train"]["EndTime"] - found["Train"]["StartTime"]),
    )
    sagemaker = aws.client("sagemaker", account)
    listed: dict[str, list[Any]] = {}
    for which in ("CreatedAfter", "CreatedBefore"):
        answer = sagemaker.list_pipeline_executions(
            PipelineName="made", **{which: datetime.fromisoformat("2026-05-04T02:00:00+00:00")}
        )
        listed[which] = answer["PipelineExecutionSummaries"]
    assert [s["PipelineExecutionFailureReason"] for s in listed["CreatedAfter"]] == ["Step failure"]
    assert listed["CreatedBefore"] == []


def test_what_is_no_execution_is_not_made(aws: Aws) -> None:
    account = fresh_account()
    for wrong in (
        {"steps": 7},
        {"steps": [7]},
        {"steps": [{"StepName": 7}]},
        {"steps": [{"StepName": "S", "StepStatus": "Odd"}]},
        {"steps": [{"StepName": "S", "Metadata": {"QualityCheck": {"SkipCheck": "no"}}}]},
        {"started": "yesterday"},
        {"pipeline": "a b"},
        {"more": 1},
    ):
        post(aws, "pipeline-executions", 400, **{"account": account, "pipeline": "p", **wrong})
    assert aws.client("sagemaker", account).list_pipelines()["PipelineSummaries"] == []


def test_every_kind_of_metadata_has_the_shape_of_the_model(aws: Aws) -> None:
    account = fresh_account()
    arn = run(
        aws, account, *({"Name": kind, "Type": kind} for kind in ("Transform", "Tuning", "Model", "AutoML", "Lambda"))
    )
    sagemaker = aws.client("sagemaker", account)
    bodies: list[bytes] = []
    sagemaker.meta.events.register(
        "before-parse.sagemaker", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    parsed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    model = sagemaker.meta.service_model.operation_model("ListPipelineExecutionSteps")
    assert problems(model, bodies[-1], parsed) == []
    assert len(parsed["PipelineExecutionSteps"]) == 5
