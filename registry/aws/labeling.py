"""Read Ground Truth's labeling jobs: who labeled the data a model learnt from, people or a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.aws.errors import translated
from registry.aws.session import AwsSession, pages
from registry.aws.values import plain_text, utc

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Hold how many objects were labeled, by whom, and how many not; None where AWS does not say."""

    total: int | None = None
    human: int | None = None
    machine: int | None = None
    failed: int | None = None
    unlabeled: int | None = None

    @classmethod
    def from_aws(cls, counters: Any) -> LabelCounts:
        """Read LabelCounters; anything that is no count is None."""
        counters = counters if isinstance(counters, Mapping) else {}
        names = ("TotalLabeled", "HumanLabeled", "MachineLabeled", "FailedNonRetryableError", "Unlabeled")
        return cls(*(_count(counters.get(name)) for name in names))


@dataclass(frozen=True, slots=True)
class LabelingJobRecord:
    """Hold one labeling job. `output` is its output manifest, "" until it has one.

    Source: one summary of ListLabelingJobs, or DescribeLabelingJob, which alone has `task`, `workers` and `folder`.
    """

    arn: str
    name: str
    status: str
    counts: LabelCounts
    output: str = ""
    input: str = ""
    failure: str = ""
    created_at: datetime | None = None
    modified_at: datetime | None = None
    workteam_arn: str = ""
    task: str = ""
    workers: int | None = None

    @classmethod
    def from_aws(cls, answer: Mapping[str, Any]) -> LabelingJobRecord:
        """Read one summary or a whole description."""
        source = _map(_map(_map(answer, "InputConfig"), "DataSource"), "S3DataSource")
        human = _map(answer, "HumanTaskConfig")
        return cls(
            arn=plain_text(answer.get("LabelingJobArn")),
            name=plain_text(answer.get("LabelingJobName")),
            status=plain_text(answer.get("LabelingJobStatus")),
            counts=LabelCounts.from_aws(answer.get("LabelCounters")),
            output=plain_text(_map(answer, "LabelingJobOutput").get("OutputDatasetS3Uri")),
            input=plain_text(source.get("ManifestS3Uri")),
            failure=plain_text(answer.get("FailureReason")),
            created_at=utc(answer.get("CreationTime")),
            modified_at=utc(answer.get("LastModifiedTime")),
            workteam_arn=plain_text(answer.get("WorkteamArn") or human.get("WorkteamArn")),
            task=plain_text(human.get("TaskTitle")),
            workers=_count(human.get("NumberOfHumanWorkersPerDataObject")),
        )


def list_labeling_jobs(session: AwsSession, *, modified_after: datetime | None = None) -> Iterator[LabelingJobRecord]:
    """Yield the account's labeling jobs, oldest first; only those changed after a moment, given one.

    Raises AwsError of the page that failed. Source: ListLabelingJobs, 100 a page; pages may be empty and go on.
    """
    request: dict[str, Any] = {"MaxResults": PAGE_SIZE, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    if modified_after is not None:
        request["LastModifiedTimeAfter"] = modified_after
    call = session.sagemaker.list_labeling_jobs
    for page in pages(session, "sagemaker", "ListLabelingJobs", call, request):
        for summary in page.get("LabelingJobSummaryList", ()):
            yield LabelingJobRecord.from_aws(summary)


def describe_labeling_job(session: AwsSession, name: str) -> LabelingJobRecord:
    """Read one labeling job of the account by its name, with what people were asked.

    Raises AwsNotFound, AwsDenied. Source: DescribeLabelingJob.
    """
    with translated(session, "sagemaker", "DescribeLabelingJob"):
        answer = session.sagemaker.describe_labeling_job(LabelingJobName=name)
    return LabelingJobRecord.from_aws(answer)


def _map(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
