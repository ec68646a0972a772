"""Tell EventBridge how the executions of a pipeline and their steps get on.

Source: the events "SageMaker Model Building Pipeline Execution Status Change" and "... Execution Step Status Change" of
aws.sagemaker, whose details are in camel case.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.events.models import events_backends

from .common import Aggregate, Record

EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"


def _stamp(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _publish(owner: Aggregate, kind: str, detail: dict[str, Any], resources: list[str]) -> None:
    whole = {k: v for k, v in detail.items() if v is not None}
    bus = events_backends[owner.account_id][owner.region_name]
    bus.publish("aws.sagemaker", kind, whole, resources)  # type: ignore[attr-defined]  # moto is untyped


def execution_changed(owner: Aggregate, execution: Record, before: str | None) -> None:
    """An execution's status became another."""
    over = execution["PipelineExecutionStatus"] != "Executing"
    detail = {
        "pipelineExecutionDescription": execution.get("PipelineExecutionDescription"),
        "pipelineExecutionDisplayName": execution["PipelineExecutionDisplayName"],
        "currentPipelineExecutionStatus": execution["PipelineExecutionStatus"],
        "previousPipelineExecutionStatus": before,
        "executionStartTime": _stamp(execution["CreationTime"]),
        "executionEndTime": _stamp(execution["LastModifiedTime"]) if over else None,
        "pipelineArn": execution["PipelineArn"],
        "pipelineExecutionArn": execution["PipelineExecutionArn"],
    }
    _publish(owner, EXECUTION, detail, [execution["PipelineArn"], execution["PipelineExecutionArn"]])


def step_changed(owner: Aggregate, execution: Record, step: Record, before: str | None) -> None:
    """A step's status became another."""
    detail = {
        "metadata": {},
        "stepName": step["StepName"],
        "currentStepStatus": step["StepStatus"],
        "previousStepStatus": before,
        "stepStartTime": _stamp(step["StartTime"]),
        "stepEndTime": _stamp(step.get("EndTime")),
        "failureReason": step.get("FailureReason"),
        "pipelineArn": execution["PipelineArn"],
        "pipelineExecutionArn": execution["PipelineExecutionArn"],
    }
    _publish(owner, STEP, detail, [execution["PipelineArn"], execution["PipelineExecutionArn"]])
