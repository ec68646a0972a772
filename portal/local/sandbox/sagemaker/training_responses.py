"""Answer SageMaker's operations on training jobs, AutoML jobs and labeling jobs."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from . import search, training
from .base_responses import BaseResponse
from .common import Record, pick
from .errors import ValidationError

_TRAINING_SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
)
_AUTOML_SUMMARY = (
    "AutoMLJobName",
    "AutoMLJobArn",
    "AutoMLJobStatus",
    "AutoMLJobSecondaryStatus",
    "CreationTime",
    "EndTime",
    "LastModifiedTime",
    "FailureReason",
)
_LABELING_SUMMARY = (
    "LabelingJobName",
    "LabelingJobArn",
    "CreationTime",
    "LastModifiedTime",
    "LabelingJobStatus",
    "LabelCounters",
    "FailureReason",
    "LabelingJobOutput",
    "InputConfig",
)
_STOPPABLE = ("InProgress", "Initializing")


class JobResponses(BaseResponse):
    """Jobs over HTTP."""

    def _jobs(self, kind: str, stem: str, default: str = "CreationTime") -> tuple[list[Record], str | None]:
        """A page of jobs by name, status and the times of making and changing, in the order asked for."""
        p = self._checked()
        rows = self._between(self.registry.jobs(kind), p, "CreationTimeAfter", "CreationTimeBefore")
        after, before = search.aware(p.get("LastModifiedTimeAfter")), search.aware(p.get("LastModifiedTimeBefore"))
        rows = [
            r
            for r in rows
            if (not after or r["LastModifiedTime"] > after)
            and (not before or r["LastModifiedTime"] < before)
            and str(p.get("NameContains") or "").lower() in r[f"{stem}Name"].lower()
            and p.get("StatusEquals") in (None, r[f"{stem}Status"])
        ]
        by = p.get("SortBy") or default

        def key(r: Record) -> list[Any]:
            if by == "CreationTime":
                return [r["CreationTime"].timestamp(), r[f"{stem}Arn"]]
            return [r[f"{stem}Name"] if by == "Name" else r[f"{stem}Status"], r[f"{stem}Arn"]]

        return self._page(rows, key, (p.get("SortOrder") or "Ascending") == "Descending")

    # ---- training ----------------------------------------------------------------------------------------------

    def create_training_job(self) -> ActionResult:
        return ActionResult({"TrainingJobArn": self.registry.create_training(self._checked())})

    def describe_training_job(self) -> ActionResult:
        record = self.registry.job(training.TRAINING, self._checked()["TrainingJobName"])
        return ActionResult({k: v for k, v in record.items() if k != "Tags"})

    def list_training_jobs(self) -> ActionResult:
        page, token = self._jobs(training.TRAINING, "TrainingJob")
        summaries = [pick(r, _TRAINING_SUMMARY) for r in page]
        return ActionResult({"TrainingJobSummaries": summaries, "NextToken": token})

    def create_auto_ml_job_v2(self) -> ActionResult:
        return ActionResult({"AutoMLJobArn": self.registry.create_automl(self._checked())})

    def describe_auto_ml_job_v2(self) -> ActionResult:
        record = self.registry.job(training.AUTOML, self._checked()["AutoMLJobName"])
        return ActionResult({k: v for k, v in record.items() if k != "Tags"})

    def list_auto_ml_jobs(self) -> ActionResult:
        page, token = self._jobs(training.AUTOML, "AutoMLJob", "Name")
        return ActionResult({"AutoMLJobSummaries": [pick(r, _AUTOML_SUMMARY) for r in page], "NextToken": token})

    # ---- labeling ----------------------------------------------------------------------------------------------

    def create_labeling_job(self) -> ActionResult:
        return ActionResult({"LabelingJobArn": self.registry.create_labeling(self._checked())})

    def describe_labeling_job(self) -> ActionResult:
        return ActionResult(dict(self.registry.job(training.LABELING, self._checked()["LabelingJobName"])))

    def list_labeling_jobs(self) -> ActionResult:
        page, token = self._jobs(training.LABELING, "LabelingJob")
        found = []
        for record in page:
            human = record.get("HumanTaskConfig") or {}
            found.append(
                {
                    **pick(record, _LABELING_SUMMARY),
                    "WorkteamArn": human.get("WorkteamArn"),
                    "PreHumanTaskLambdaArn": human.get("PreHumanTaskLambdaArn"),
                }
            )
        return ActionResult({"LabelingJobSummaryList": found, "NextToken": token})

    def stop_labeling_job(self) -> ActionResult:
        name = self._checked()["LabelingJobName"]
        record = self.registry.job(training.LABELING, name)
        if record["LabelingJobStatus"] not in _STOPPABLE:
            raise ValidationError(f"The labeling job {name} is {record['LabelingJobStatus']} and cannot be stopped.")
        self.registry.come_to(training.LABELING, name, {"LabelingJobStatus": "Stopped"})
        return EmptyResult()
