"""Make pipeline executions whose steps did what a test or a demo says: any type, status, failure and time."""

from __future__ import annotations

import json
import secrets
import string
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.model import Shape
from botocore.validate import ParamValidator
from moto.core.utils import get_service_model

from .common import Record, now
from .seeding import _text, _where

_KNOWN = ("pipeline", "id", "started", "status", "failure_reason", "description", "steps")
_MOST_STEPS = 500
# What a step's metadata is called, and the type its definition has; others are called alike.
_TYPES = {"TrainingJob": "Training", "ProcessingJob": "Processing", "TransformJob": "Transform", "TuningJob": "Tuning"}
_SETTLED = ("Stopped", "Failed", "Succeeded")


@cache
def _shape(name: str) -> Shape:
    return get_service_model("sagemaker").shape_for(name)


def _moment(value: Any, otherwise: datetime) -> datetime:
    if value is None:
        return otherwise
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no moment; write it as 2026-05-04T03:02:01+00:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _step(wanted: Any, begun: datetime) -> Record:
    if not isinstance(wanted, dict):
        raise TypeError("each step must be an object")
    step = {"StepStatus": "Succeeded", "AttemptCount": 1, **wanted}
    report = ParamValidator().validate(step, _shape("PipelineExecutionStep"))
    if report.has_errors():
        raise ValueError(f"step {step.get('StepName')!r}: {report.generate_report()}")
    statuses = _shape("StepStatus").enum  # type: ignore[attr-defined]  # a string's shape has it
    if step["StepStatus"] not in statuses or not step.get("StepName"):
        raise ValueError(f"a step needs StepName, and StepStatus one of {statuses}")
    step["StartTime"] = _moment(step.get("StartTime"), begun)
    if step["StepStatus"] in _SETTLED:
        step["EndTime"] = _moment(step.get("EndTime"), step["StartTime"] + timedelta(minutes=1))
    return step


def make(wanted: Any) -> dict[str, Any]:
    """Make an execution of a pipeline, and the pipeline when there is none of that name; no event is sent.

    ``{"account", "region", "pipeline", "id", "started", "status": "Succeeded", "failure_reason", "description",
    "steps"}``; ``steps`` are as ListPipelineExecutionSteps gives them, each checked against its shape: by default
    Succeeded, one after another, a minute each. Returns ``{"arn"}``. Raises ValueError or TypeError, and then nothing
    is made.
    """
    owner, caller = _where(wanted, *_KNOWN)
    name = _text(wanted, "pipeline", "", r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
    unique = _text(
        wanted,
        "id",
        "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12)),
        r"[a-z0-9]{1,63}",
    )
    if f"{owner.arn_of('pipeline', name)}/execution/{unique}" in owner.execution_records:
        raise ValueError(f"there is an execution {unique} of {name} already")
    status = wanted.get("status", "Succeeded")
    statuses = _shape("PipelineExecutionStatus").enum  # type: ignore[attr-defined]  # a string's shape has it
    if status not in statuses:
        raise ValueError(f"status must be one of {statuses}")
    listed = wanted.get("steps", [])
    if not isinstance(listed, list) or len(listed) > _MOST_STEPS:
        raise ValueError(f"steps must be a list of at most {_MOST_STEPS}")
    begun = _moment(wanted.get("started"), now())
    steps: dict[str, Record] = {}
    ended = begun
    for one in listed:
        step = _step(one, ended)
        steps[step["StepName"]] = step
        ended = step.get("EndTime", ended)
    types = {
        step["StepName"]: next((_TYPES.get(kind, kind) for kind in step.get("Metadata") or {}), "Lambda")
        for step in steps.values()
    }
    # A callback step's queue is in its metadata; a definition without one could not be read again.
    definition = json.dumps(
        {
            "Version": "2020-12-01",
            "Steps": [
                {"Name": n, "Type": t, **({"SqsQueueUrl": "made"} if t == "Callback" else {})} for n, t in types.items()
            ],
        }
    )
    if name not in owner.pipeline_records:
        role = f"arn:aws:iam::{owner.account_id}:role/Pipeline"
        request = {"PipelineName": name, "PipelineDefinition": definition, "RoleArn": role}
        owner.create_pipeline_record({**request, "ClientRequestToken": secrets.token_hex(16)}, caller)
    pipeline = owner.pipeline_records[name]
    arn = f"{pipeline['PipelineArn']}/execution/{unique}"
    owner.execution_records[arn] = {
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": f"execution-{int(begun.timestamp() * 1000)}",
        **({"PipelineExecutionDescription": str(wanted["description"])} if wanted.get("description") else {}),
        "PipelineExecutionStatus": status,
        **({"FailureReason": str(wanted["failure_reason"])[:1300]} if wanted.get("failure_reason") else {}),
        "CreationTime": begun,
        "LastModifiedTime": ended,
        "CreatedBy": caller.user_context,
        "LastModifiedBy": caller.user_context,
        "token": secrets.token_hex(16),
        "asked": "",
        "parameters": {},
        "definition": definition,
        "steps": steps,
        "answers": {},
        "caller": caller,
    }
    pipeline["LastRunTime"] = max(begun, pipeline.get("LastRunTime") or begun)
    owner.touch("pipeline", name)
    owner.touch("execution", arn)
    return {"arn": arn}
