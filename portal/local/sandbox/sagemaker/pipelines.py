"""Keep SageMaker pipelines and run their executions as far as their callback steps.

Every step succeeds at once with the metadata of its type (`pipeline_steps`), except a step of type Fail, which fails,
and one of type Callback: it sends its token to its SQS queue and waits. What depends on a waiting step is not begun,
and the execution is Executing until it is released. Source: SageMaker Pipelines' definition schema;
StartPipelineExecution, SendPipelineExecutionStepSuccess.
"""

from __future__ import annotations

import json
import secrets
import string
from typing import Any

from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from ..caller import Caller
from . import pipeline_events, pipeline_steps
from .common import Aggregate, Record, asked, now
from .errors import AccessDenied, Conflict, NotFound, ValidationError

_KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
_OF_EXECUTION = (
    "PipelineExecutionDisplayName",
    "PipelineExecutionDescription",
    "ParallelismConfiguration",
    "SelectiveExecutionConfig",
    "PipelineVersionId",
)
_OVER = ("Stopped", "Failed", "Succeeded")


def _definition(text: str) -> list[Record]:
    """The steps of a pipeline definition. Raises ValidationException when it cannot be run."""
    try:
        steps = json.loads(text)["Steps"]
        names = [str(s["Name"]) for s in steps]
        types = [str(s["Type"]) for s in steps]
        needed = {str(n) for s in steps for n in s.get("DependsOn") or []}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValidationError("Unable to parse pipeline definition: it needs Steps, each with Name and Type.") from None
    if len(set(names)) < len(names) or not needed <= set(names):
        raise ValidationError("Invalid pipeline definition: step names must be unique and DependsOn must name steps.")
    if any(t == "Callback" and not s.get("SqsQueueUrl") for t, s in zip(types, steps, strict=True)):
        raise ValidationError("Invalid pipeline definition: a Callback step needs SqsQueueUrl.")
    return list(steps)


def _filled(value: Any, parameters: dict[str, str]) -> Any:
    """Arguments with the parameters they refer to, ``{"Get": "Parameters.Name"}``, put in."""
    if isinstance(value, dict):
        if set(value) == {"Get"} and str(value["Get"]).startswith("Parameters."):
            return parameters.get(value["Get"].removeprefix("Parameters."))
        return {k: _filled(v, parameters) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(v, parameters) for v in value]
    return value


class Pipelines(Aggregate):
    """The pipelines and executions of one account and region."""

    pipeline_records: dict[str, Record]
    execution_records: dict[str, Record]

    # ---- pipelines ----------------------------------------------------------------------------------------------

    def pipeline(self, name_or_arn: str) -> Record:
        """A pipeline by its name or ARN. Raises ResourceNotFound."""
        name = name_or_arn.rsplit(":pipeline/", 1)[-1]
        found = self.pipeline_records.get(name)
        if found is None or name_or_arn not in (name, found["PipelineArn"]):
            raise NotFound(f"Pipeline '{self.arn_of('pipeline', name)}' does not exist.")
        return found

    def create_pipeline_record(self, p: Record, caller: Caller) -> str:
        """Source: SageMaker CreatePipeline."""
        name, known = p["PipelineName"], self.pipeline_records.get(p["PipelineName"])
        if known is not None:
            if known["token"] == p["ClientRequestToken"] and known["asked"] == asked(p):
                return str(known["PipelineArn"])
            raise ValidationError(f"Pipeline names must be unique within an AWS account and region: {name} exists.")
        text = self._text(p)
        _definition(text)
        created = now()
        self.pipeline_records[name] = {
            "PipelineName": name,
            "PipelineArn": self.arn_of("pipeline", name),
            "PipelineDisplayName": name,
            **{k: p[k] for k in _KEPT if p.get(k) is not None},
            "PipelineDefinition": text,
            "PipelineStatus": "Active",
            "CreationTime": created,
            "LastModifiedTime": created,
            "CreatedBy": caller.user_context,
            "LastModifiedBy": caller.user_context,
            "Tags": p.get("Tags") or [],
            "token": p["ClientRequestToken"],
            "asked": asked(p),
        }
        self.touch("pipeline", name)
        return self.arn_of("pipeline", name)

    def _text(self, p: Record) -> str:
        place = p.get("PipelineDefinitionS3Location")
        if bool(p.get("PipelineDefinition")) == bool(place):
            raise ValidationError("Give either PipelineDefinition or PipelineDefinitionS3Location.")
        if not place:
            return str(p["PipelineDefinition"])
        found = s3_backends[self.account_id]["aws"].get_object(place["Bucket"], place["ObjectKey"])
        if found is None:
            raise ValidationError(f"No pipeline definition at s3://{place['Bucket']}/{place['ObjectKey']}.")
        return str(found.value.decode())

    def update_pipeline_record(self, p: Record, caller: Caller) -> str:
        """Change what was sent. Source: SageMaker UpdatePipeline."""
        found = self.pipeline(p["PipelineName"])
        change = {k: p[k] for k in _KEPT if p.get(k) is not None}
        if p.get("PipelineDefinition") or p.get("PipelineDefinitionS3Location"):
            change["PipelineDefinition"] = self._text(p)
            _definition(change["PipelineDefinition"])
        found.update(change, LastModifiedTime=now(), LastModifiedBy=caller.user_context)
        self.touch("pipeline", found["PipelineName"])
        return str(found["PipelineArn"])

    def delete_pipeline_record(self, p: Record) -> str:
        """Delete a pipeline and its executions; ConflictException while one of them is under way."""
        found = self.pipeline(p["PipelineName"])
        own = [e for e in self.execution_records.values() if e["PipelineArn"] == found["PipelineArn"]]
        if any(e["PipelineExecutionStatus"] not in _OVER for e in own):
            raise Conflict(f"Pipeline {found['PipelineArn']} has an execution under way.")
        for execution in own:
            del self.execution_records[execution["PipelineExecutionArn"]]
            self.touch("execution", execution["PipelineExecutionArn"])
        del self.pipeline_records[found["PipelineName"]]
        self.touch("pipeline", found["PipelineName"])
        return str(found["PipelineArn"])

    # ---- executions ---------------------------------------------------------------------------------------------

    def execution(self, arn: str) -> Record:
        """An execution by its ARN. Raises ResourceNotFound."""
        if arn not in self.execution_records:
            raise NotFound(f"Pipeline execution with ARN {arn} does not exist.")
        return self.execution_records[arn]

    def executions_of(self, pipeline: Record) -> list[Record]:
        """The executions of a pipeline."""
        return [e for e in self.execution_records.values() if e["PipelineArn"] == pipeline["PipelineArn"]]

    def start(self, p: Record, caller: Caller) -> str:
        """Begin an execution; the same ClientRequestToken begins one only once."""
        pipeline = self.pipeline(p["PipelineName"])
        for known in self.executions_of(pipeline):
            if known["token"] == p["ClientRequestToken"]:
                if known["asked"] != asked(p):
                    raise Conflict(f"ClientRequestToken {p['ClientRequestToken']} was used with other parameters.")
                return str(known["PipelineExecutionArn"])
        parameters = self._parameters(pipeline, p.get("PipelineParameters") or [])
        unique = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12))
        arn, begun = f"{pipeline['PipelineArn']}/execution/{unique}", now()
        execution: Record = {
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineExecutionArn": arn,
            "PipelineExecutionDisplayName": f"execution-{int(begun.timestamp() * 1000)}",
            **{k: p[k] for k in _OF_EXECUTION if p.get(k) is not None},
            "PipelineExecutionStatus": "Executing",
            "CreationTime": begun,
            "LastModifiedTime": begun,
            "CreatedBy": caller.user_context,
            "LastModifiedBy": caller.user_context,
            "token": p["ClientRequestToken"],
            "asked": asked(p),
            "caller": caller,
            "parameters": parameters,
            "definition": pipeline["PipelineDefinition"],
            "steps": {},
            "answers": {},
        }
        self.execution_records[arn] = execution
        pipeline["LastRunTime"] = begun
        self.touch("pipeline", pipeline["PipelineName"])
        pipeline_events.execution_changed(self, execution, None)
        self._go_on(execution)
        return arn

    @staticmethod
    def _parameters(pipeline: Record, given: list[Record]) -> dict[str, str]:
        declared = json.loads(pipeline["PipelineDefinition"]).get("Parameters") or []
        known = {str(d.get("Name")): d.get("DefaultValue") for d in declared if isinstance(d, dict)}
        unknown = sorted({g["Name"] for g in given} - set(known))
        if unknown:
            raise ValidationError(f"Parameters {unknown} are not declared by the pipeline definition.")
        known.update({g["Name"]: g["Value"] for g in given})
        missing = sorted(k for k, v in known.items() if v is None)
        if missing:
            raise ValidationError(f"Parameters {missing} have no default value and were not given.")
        return {k: str(v) for k, v in known.items()}

    def _go_on(self, execution: Record) -> None:
        """Run every step whose predecessors have succeeded, until all that is left waits."""
        steps: dict[str, Record] = execution["steps"]
        definition = _definition(execution["definition"])
        begun = True
        while begun and execution["PipelineExecutionStatus"] == "Executing":
            begun = False
            for step in list(pipeline_steps.declared(definition, steps)):
                ready = all(steps.get(n, {}).get("StepStatus") == "Succeeded" for n in step.get("DependsOn") or [])
                if step["Name"] not in steps and ready and execution["PipelineExecutionStatus"] == "Executing":
                    begun = True
                    self._begin(execution, step)
        if execution["PipelineExecutionStatus"] == "Executing" and all(
            steps.get(s["Name"], {}).get("StepStatus") == "Succeeded"
            for s in pipeline_steps.declared(definition, steps)
        ):
            self._end(execution, "Succeeded")
        execution["LastModifiedTime"] = now()
        self.touch("execution", execution["PipelineExecutionArn"])

    def _begin(self, execution: Record, step: Record) -> None:
        record: Record = {"StepName": step["Name"], "StartTime": now(), "StepStatus": "Executing", "AttemptCount": 1}
        execution["steps"][step["Name"]] = record
        if step["Type"] == "Callback":
            self._call_back(execution, step, record)
        elif step["Type"] == "Fail":
            reason = str(_filled((step.get("Arguments") or {}).get("ErrorMessage"), execution["parameters"]))
            record["Metadata"] = {"Fail": {"ErrorMessage": reason}}
            self._settle(execution, record, "Failed", reason)
        else:
            self._perform(execution, step, record)

    def _perform(self, execution: Record, step: Record, record: Record) -> None:
        """Do what a step of another type does, or take it from an earlier execution."""
        record["arguments"] = arguments = _filled(step.get("Arguments") or {}, execution["parameters"])
        own = self.executions_of(self.pipeline(execution["PipelineArn"]))
        if known := pipeline_steps.cached(own, execution, step, arguments):
            record["Metadata"] = known["Metadata"]
            record["CacheHitResult"] = {"SourcePipelineExecutionArn": known["source"]}
        else:
            try:
                record["Metadata"] = pipeline_steps.metadata_of(self, execution, step, arguments, execution["caller"])
            except (ValidationError, AccessDenied) as error:
                self._settle(execution, record, "Failed", f"ClientError: {error.message}")
                return
        self._settle(execution, record, "Succeeded", None)

    def _call_back(self, execution: Record, step: Record, record: Record) -> None:
        token = pipeline_steps.callback_token()
        record["Metadata"] = {"Callback": {"CallbackToken": token, "SqsQueueUrl": step["SqsQueueUrl"]}}
        message = {
            "token": token,
            "pipelineExecutionArn": execution["PipelineExecutionArn"],
            "arguments": _filled(step.get("Arguments") or {}, execution["parameters"]),
            "status": "Executing",
        }
        try:
            *_, account, queue = str(step["SqsQueueUrl"]).split("/")
            sqs_backends[account][self.region_name].send_message(queue, json.dumps(message))
        except Exception as error:  # moto raises one kind for each thing that can be wrong with a queue
            self._settle(execution, record, "Failed", f"The queue {step['SqsQueueUrl']} was not reached: {error}")
            return
        pipeline_events.step_changed(self, execution, record, None)

    def _settle(self, execution: Record, record: Record, status: str, reason: str | None) -> None:
        before = record["StepStatus"]
        record.update(StepStatus=status, EndTime=now())
        if reason:
            record["FailureReason"] = reason[:1024]
        pipeline_events.step_changed(self, execution, record, before)
        if status == "Failed":
            self._end(execution, "Failed", f"Step failure: One or multiple steps failed. {reason}"[:1300])

    def _end(self, execution: Record, status: str, reason: str | None = None) -> None:
        before = execution["PipelineExecutionStatus"]
        execution.update(PipelineExecutionStatus=status, LastModifiedTime=now())
        if reason:
            execution["FailureReason"] = reason
        pipeline_events.execution_changed(self, execution, before)

    def stop(self, p: Record, caller: Caller) -> str:
        """Stop an execution that is under way. Source: SageMaker StopPipelineExecution."""
        execution = self.execution(p["PipelineExecutionArn"])
        if execution["PipelineExecutionStatus"] in _OVER and execution["answers"].get("stop") != asked(p):
            status = execution["PipelineExecutionStatus"]
            raise ValidationError(f"Pipeline execution {p['PipelineExecutionArn']} is {status} and cannot be stopped.")
        if execution["PipelineExecutionStatus"] not in _OVER:
            for record in execution["steps"].values():
                if record["StepStatus"] == "Executing":
                    self._settle(execution, record, "Stopped", None)
            execution["answers"]["stop"] = asked(p)
            execution["LastModifiedBy"] = caller.user_context
            self._end(execution, "Stopped")
            self.touch("execution", execution["PipelineExecutionArn"])
        return str(execution["PipelineExecutionArn"])

    def execution_with_token(self, token: str) -> str | None:
        """The ARN of the execution a callback token was given out for."""
        for execution in self.execution_records.values():
            for record in execution["steps"].values():
                if (record.get("Metadata") or {}).get("Callback", {}).get("CallbackToken") == token:
                    return str(execution["PipelineExecutionArn"])
        return None

    def release(self, p: Record, caller: Caller, status: str) -> str:
        """Let a waiting callback step succeed or fail.

        A token that is unknown, used or of an execution that is over raises ValidationException; the same request with
        the same ClientRequestToken is answered again as it was.
        """
        token = p["CallbackToken"]
        question = f"{status} {asked(p)}" if p.get("ClientRequestToken") else None
        for execution in self.execution_records.values():
            for record in execution["steps"].values():
                callback = (record.get("Metadata") or {}).get("Callback")
                if not callback or callback.get("CallbackToken") != token:
                    continue
                if question and execution["answers"].get(token) == question:
                    return str(execution["PipelineExecutionArn"])
                if record["StepStatus"] != "Executing" or execution["PipelineExecutionStatus"] != "Executing":
                    raise ValidationError(f"The step of callback token {token} is {record['StepStatus']} already.")
                execution["answers"][token] = question
                execution["LastModifiedBy"] = caller.user_context
                execution.setdefault("caller", caller)  # one begun before an execution kept who began it
                if p.get("OutputParameters"):
                    callback["OutputParameters"] = p["OutputParameters"]
                self._settle(execution, record, status, p.get("FailureReason") if status == "Failed" else None)
                self._go_on(execution)
                return str(execution["PipelineExecutionArn"])
        raise ValidationError(f"Callback token {token} is not valid: no step is waiting for it.")
