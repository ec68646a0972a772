"""Answer SageMaker's operations on pipelines and their executions."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult

from .base_responses import BaseResponse
from .common import Record, pick

_SUMMARY = (
    "PipelineArn",
    "PipelineName",
    "PipelineDisplayName",
    "PipelineDescription",
    "RoleArn",
    "CreationTime",
    "LastModifiedTime",
)


def _public(record: Record) -> Record:
    return {k: v for k, v in record.items() if k[0].isupper() and k != "Tags"}


class PipelineResponses(BaseResponse):
    """Pipelines over HTTP."""

    def create_pipeline(self) -> ActionResult:
        return ActionResult({"PipelineArn": self.registry.create_pipeline_record(self._checked(), self.caller)})

    def describe_pipeline(self) -> ActionResult:
        return ActionResult(_public(self.registry.pipeline(self._checked()["PipelineName"])))

    def update_pipeline(self) -> ActionResult:
        return ActionResult({"PipelineArn": self.registry.update_pipeline_record(self._checked(), self.caller)})

    def delete_pipeline(self) -> ActionResult:
        return ActionResult({"PipelineArn": self.registry.delete_pipeline_record(self._checked())})

    def _in_order(self, rows: list[Record], name: str, arn: str, default: str) -> tuple[list[Record], str | None]:
        """A page by creation time or by a name, in the order the operation has unless another is asked for."""
        by_name = self.params.get("SortBy") in ("Name", "PipelineExecutionArn")

        def key(r: Record) -> list[Any]:
            return [r[name] if by_name else r["CreationTime"].timestamp(), r[arn]]

        return self._page(rows, key, (self.params.get("SortOrder") or default) == "Descending")

    def list_pipelines(self) -> ActionResult:
        p = self._checked()
        rows = self._between(list(self.registry.pipeline_records.values()), p, "CreatedAfter", "CreatedBefore")
        rows = [r for r in rows if r["PipelineName"].startswith(p.get("PipelineNamePrefix") or "")]
        page, token = self._in_order(rows, "PipelineName", "PipelineArn", "Ascending")
        found = [{**pick(r, _SUMMARY), "LastExecutionTime": r.get("LastRunTime")} for r in page]
        return ActionResult({"PipelineSummaries": found, "NextToken": token})

    def start_pipeline_execution(self) -> ActionResult:
        return ActionResult({"PipelineExecutionArn": self.registry.start(self._checked(), self.caller)})

    def stop_pipeline_execution(self) -> ActionResult:
        return ActionResult({"PipelineExecutionArn": self.registry.stop(self._checked(), self.caller)})

    def _execution(self) -> Record:
        return self.registry.execution(str(self._checked().get("PipelineExecutionArn")))

    def describe_pipeline_execution(self) -> ActionResult:
        return ActionResult(_public(self._execution()))

    def describe_pipeline_definition_for_execution(self) -> ActionResult:
        found = self._execution()
        return ActionResult({"PipelineDefinition": found["definition"], "CreationTime": found["CreationTime"]})

    def list_pipeline_executions(self) -> ActionResult:
        p = self._checked()
        rows = self.registry.executions_of(self.registry.pipeline(p["PipelineName"]))
        rows = self._between(rows, p, "CreatedAfter", "CreatedBefore")
        page, token = self._in_order(rows, "PipelineExecutionArn", "PipelineExecutionArn", "Descending")
        found = [
            {
                "PipelineExecutionArn": r["PipelineExecutionArn"],
                "StartTime": r["CreationTime"],
                "PipelineExecutionStatus": r["PipelineExecutionStatus"],
                "PipelineExecutionDescription": r.get("PipelineExecutionDescription"),
                "PipelineExecutionDisplayName": r["PipelineExecutionDisplayName"],
                "PipelineExecutionFailureReason": r.get("FailureReason"),
            }
            for r in page
        ]
        return ActionResult({"PipelineExecutionSummaries": found, "NextToken": token})

    def list_pipeline_execution_steps(self) -> ActionResult:
        """The steps that have begun; one that waits for another is not among them."""
        steps = [{**s, "number": n} for n, s in enumerate(self._execution()["steps"].values())]
        page, token = self._page(steps, lambda s: [s["number"]], self.params.get("SortOrder") != "Ascending")
        found = [{k: v for k, v in s.items() if k[0].isupper()} for s in page]
        return ActionResult({"PipelineExecutionSteps": found, "NextToken": token})

    def list_pipeline_parameters_for_execution(self) -> ActionResult:
        rows = [{"Name": k, "Value": v} for k, v in self._execution()["parameters"].items()]
        page, token = self._page(rows, lambda r: [r["Name"]], False)
        return ActionResult({"PipelineParameters": page, "NextToken": token})

    def send_pipeline_execution_step_success(self) -> ActionResult:
        arn = self.registry.release(self._checked(), self.caller, "Succeeded")
        return ActionResult({"PipelineExecutionArn": arn})

    def send_pipeline_execution_step_failure(self) -> ActionResult:
        arn = self.registry.release(self._checked(), self.caller, "Failed")
        return ActionResult({"PipelineExecutionArn": arn})
