"""Say what the steps of a pipeline execution did, as ListPipelineExecutionSteps tells it in their metadata.

No job is run: a step of a job has the ARN such a job would have. RegisterModel does register, Condition compares, and
a check without a baseline to compare with calculates one and finds no violation; executions with other checks are made
by `pipeline_seeding`. Source: SageMaker PipelineExecutionStepMetadata; the pipeline definition's schema.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterator
from typing import Any

from ..caller import Caller
from .common import Record
from .errors import ValidationError

_ALPHABET = string.ascii_letters + string.digits
# What a step's type is called in its metadata, and in the ARN of what it makes.
_JOBS = {
    "Training": ("TrainingJob", "training-job"),
    "Processing": ("ProcessingJob", "processing-job"),
    "Transform": ("TransformJob", "transform-job"),
    "Tuning": ("TuningJob", "hyper-parameter-tuning-job"),
    "Model": ("Model", "model"),
    "AutoML": ("AutoMLJob", "automl-job"),
    "EndpointConfig": ("EndpointConfig", "endpoint-config"),
    "Endpoint": ("Endpoint", "endpoint"),
}
_CHECKS = ("QualityCheck", "ClarifyCheck")
CACHED = (*_JOBS, *_CHECKS)
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda left, right: left == right,
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}


def callback_token() -> str:
    """Ten letters and digits, as AWS gives them out."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def declared(definition: list[Record], begun: dict[str, Record]) -> Iterator[Record]:
    """The steps that may run: those of the definition, and those of the branch each condition took."""
    for step in definition:
        yield step
        outcome = ((begun.get(step["Name"]) or {}).get("Metadata") or {}).get("Condition", {}).get("Outcome")
        if outcome:
            branch = (step.get("Arguments") or {}).get("IfSteps" if outcome == "True" else "ElseSteps") or []
            yield from declared(branch, begun)


def metadata_of(owner: Any, execution: Record, step: Record, arguments: Any, caller: Caller) -> Record:
    """What a step that succeeds leaves in its metadata. Raises ValidationError or AccessDenied when it cannot."""
    kind, given = str(step["Type"]), arguments if isinstance(arguments, dict) else {}
    unique = execution["PipelineExecutionArn"].rsplit("/", 1)[-1]
    if kind in _JOBS:
        member, resource = _JOBS[kind]
        name = f"pipelines-{unique}-{step['Name']}-{callback_token()}"[:63].rstrip("-")
        return {member: {"Arn": owner.arn_of(resource, name.lower())}}
    if kind == "RegisterModel":
        arn = _registered(owner, execution, given, caller)
        return {"RegisterModel": {"Arn": arn}} if arn else {}
    if kind == "Lambda":
        return {"Lambda": {"Arn": step["FunctionArn"], "OutputParameters": []}} if step.get("FunctionArn") else {}
    if kind == "Condition":
        holds = all(_holds(one) for one in given.get("Conditions") or [])
        return {"Condition": {"Outcome": str(holds)}}
    return {kind: _check(owner, step, unique)} if kind in _CHECKS else {}


def _registered(owner: Any, execution: Record, given: Record, caller: Caller) -> str:
    """Register the version a step describes, and say that this execution made it."""
    name = given.get("ModelPackageGroupName")
    if not name:
        return ""
    of, group = owner.group(str(name), caller, "sagemaker:CreateModelPackage")
    made = {"GeneratedBy": execution["PipelineExecutionArn"], **(given.get("MetadataProperties") or {})}
    return str(of.register({**given, "MetadataProperties": made}, caller, group))


def _holds(condition: Any) -> bool:
    if not isinstance(condition, dict):
        raise ValidationError("A condition must be an object.")
    kind = condition.get("Type")
    if kind == "Not":
        return not _holds(condition.get("Expression") or condition.get("Condition"))
    if kind == "Or":
        return any(_holds(one) for one in condition.get("Conditions") or [])
    left, right = condition.get("LeftValue"), condition.get("RightValue")
    if kind == "In":
        return condition.get("QueryValue") in (condition.get("Values") or [])
    if kind not in _COMPARED:
        raise ValidationError(f"Unknown condition type {kind}.")
    if kind != "Equals":
        left, right = _number(left), _number(right)
    return _COMPARED[kind](left, right)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValidationError(f"The value {value!r} of a condition is no number.") from None


def _check(owner: Any, step: Record, unique: str) -> Record:
    """What a check that found nothing tells; where the definition has no output path, as if in SageMaker's bucket."""
    place = step.get("OutputS3Uri") or f"s3://sagemaker-{owner.region_name}-{owner.account_id}/{unique}/{step['Name']}"
    is_quality = step["Type"] == "QualityCheck"
    found = {
        "CheckType": step.get("CheckType") or ("DATA_QUALITY" if is_quality else "DATA_BIAS"),
        "ModelPackageGroupName": step.get("ModelPackageGroupName"),
        "CalculatedBaselineConstraints": f"{place}/constraints.json" if is_quality else f"{place}/analysis.json",
        "CalculatedBaselineStatistics": f"{place}/statistics.json" if is_quality else None,
        "BaselineUsedForDriftCheckConstraints": step.get("SuppliedBaselineConstraints"),
        "BaselineUsedForDriftCheckStatistics": step.get("SuppliedBaselineStatistics") if is_quality else None,
        "CheckJobArn": owner.arn_of("processing-job", f"pipelines-{unique}-{step['Name']}".lower()[:63]),
        "SkipCheck": bool(step.get("SkipCheck")),
        "RegisterNewBaseline": bool(step.get("RegisterNewBaseline")),
    }
    return {k: v for k, v in found.items() if v is not None}


def cached(executions: list[Record], execution: Record, step: Record, arguments: Any) -> Record | None:
    """The same step of an earlier execution that succeeded with the same arguments, where the step asks for it."""
    if step["Type"] not in CACHED or not (step.get("CacheConfig") or {}).get("Enabled"):
        return None
    for earlier in sorted(executions, key=lambda e: e["CreationTime"], reverse=True):
        known = earlier["steps"].get(step["Name"])
        if earlier is execution or not known or known["StepStatus"] != "Succeeded":
            continue
        if "CacheHitResult" not in known and known.get("arguments") == arguments:
            return {"source": earlier["PipelineExecutionArn"], "Metadata": known.get("Metadata")}
    return None
