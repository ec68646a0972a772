"""Read the jobs that made a model: training, AutoML (Autopilot and Canvas)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from registry.aws.errors import translated
from registry.aws.session import AwsSession
from registry.aws.values import json_safe, plain_text, utc

_JOB = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):"
    r"(?P<kind>training-job|automl-job|labeling-job)/(?P<name>[A-Za-z0-9-]{1,63})"
)
# What SageMaker makes of an output path and a job's name: PATH/NAME/output/model.tar.gz.
_ARTIFACT = re.compile(r"s3://.+/(?P<name>[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62})/output/model\.tar\.gz")
_MOST_METRICS = 40
_MOST_PARAMETERS = 200
_MOST_INPUTS = 50
# As long as SageMaker takes them.
_LONGEST_NAME, _LONGEST_VALUE = 256, 2500


@dataclass(frozen=True, slots=True)
class JobArn:
    """Hold the parts of a job's ARN; `kind` is "training-job", "automl-job" or "labeling-job"."""

    region: str
    account_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class TrainingInput:
    """Hold one channel of data: where it lies in S3 (or in a file system), and the hub content it names."""

    channel: str
    uri: str
    content_type: str = ""
    hub_content_arn: str = ""
    eula_accepted: bool | None = None


@dataclass(frozen=True, slots=True)
class TrainingJobRecord:
    """Hold what SageMaker says of a training job; None and "" are what it leaves out.

    `metrics` are (name, value, moment), a value that is no number as text, None where it has none.
    Source: DescribeTrainingJob.
    """

    arn: str
    name: str
    status: str = ""
    secondary_status: str = ""
    failure: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    training_seconds: int | None = None
    billable_seconds: int | None = None
    image: str = ""
    algorithm_name: str = ""
    role_arn: str = ""
    instance_type: str = ""
    instance_count: int | None = None
    hyperparameters: dict[str, str] = field(default_factory=dict)
    metrics: tuple[tuple[str, float | str | None, datetime | None], ...] = ()
    inputs: tuple[TrainingInput, ...] = ()
    artifact: str = ""
    network_isolation: bool | None = None
    traffic_encryption: bool | None = None
    spot: bool | None = None
    volume_key: str = ""
    output_key: str = ""
    subnets: tuple[str, ...] | None = None
    security_groups: tuple[str, ...] | None = None
    automl_arn: str = ""
    labeling_arn: str = ""
    base_model_arn: str = ""
    eula_accepted: bool | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it changes any more."""
        return self.status in ("Completed", "Failed", "Stopped")

    @classmethod
    def from_describe(cls, answer: Mapping[str, Any]) -> TrainingJobRecord:
        """Read a DescribeTrainingJob answer; parts of another type than they should be count as left out."""
        algorithm, resources = _map(answer, "AlgorithmSpecification"), _map(answer, "ResourceConfig")
        serverless, output = _map(answer, "ServerlessJobConfig"), _map(answer, "OutputDataConfig")
        vpc = answer.get("VpcConfig")
        parameters = list(_map(answer, "HyperParameters").items())[:_MOST_PARAMETERS]
        return cls(
            arn=plain_text(answer.get("TrainingJobArn")),
            name=plain_text(answer.get("TrainingJobName")),
            status=plain_text(answer.get("TrainingJobStatus")),
            secondary_status=plain_text(answer.get("SecondaryStatus")),
            failure=plain_text(answer.get("FailureReason")),
            created_at=utc(answer.get("CreationTime")),
            started_at=utc(answer.get("TrainingStartTime")),
            ended_at=utc(answer.get("TrainingEndTime")),
            training_seconds=_count(answer.get("TrainingTimeInSeconds")),
            billable_seconds=_count(answer.get("BillableTimeInSeconds")),
            image=plain_text(algorithm.get("TrainingImage")),
            algorithm_name=plain_text(algorithm.get("AlgorithmName")),
            role_arn=plain_text(answer.get("RoleArn")),
            instance_type=plain_text(resources.get("InstanceType")),
            instance_count=_count(resources.get("InstanceCount")),
            hyperparameters=dict(_parameter(plain_text(name), plain_text(value)) for name, value in parameters),
            metrics=tuple(_metric(one) for one in _list(answer, "FinalMetricDataList")[:_MOST_METRICS]),
            inputs=tuple(_input(one) for one in _list(answer, "InputDataConfig")[:_MOST_INPUTS]),
            artifact=plain_text(_map(answer, "ModelArtifacts").get("S3ModelArtifacts")),
            network_isolation=_flag(answer.get("EnableNetworkIsolation")),
            traffic_encryption=_flag(answer.get("EnableInterContainerTrafficEncryption")),
            spot=_flag(answer.get("EnableManagedSpotTraining")),
            volume_key=plain_text(resources.get("VolumeKmsKeyId")),
            output_key=plain_text(output.get("KmsKeyId")),
            subnets=_texts(vpc, "Subnets"),
            security_groups=_texts(vpc, "SecurityGroupIds"),
            automl_arn=plain_text(answer.get("AutoMLJobArn")),
            labeling_arn=plain_text(answer.get("LabelingJobArn")),
            base_model_arn=plain_text(serverless.get("BaseModelArn")),
            eula_accepted=_flag(serverless.get("AcceptEula")),
        )


@dataclass(frozen=True, slots=True)
class AutoMLJobRecord:
    """Hold what SageMaker says of an AutoML job and its best candidate. Source: DescribeAutoMLJobV2."""

    arn: str
    name: str
    status: str = ""
    problem_type: str = ""
    objective: str = ""
    objective_value: float | str | None = None
    best_candidate: str = ""
    created_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def by_canvas(self) -> bool:
        """Whether Canvas started it, by the name it gives its jobs: AWS keeps no field for it."""
        return self.name.lower().startswith("canvas")

    @classmethod
    def from_describe(cls, answer: Mapping[str, Any]) -> AutoMLJobRecord:
        """Read a DescribeAutoMLJobV2 answer."""
        best = _map(answer, "BestCandidate")
        metric = _map(best, "FinalAutoMLJobObjectiveMetric")
        return cls(
            arn=plain_text(answer.get("AutoMLJobArn")),
            name=plain_text(answer.get("AutoMLJobName")),
            status=plain_text(answer.get("AutoMLJobStatus")),
            problem_type=plain_text(answer.get("AutoMLProblemTypeConfigName")),
            objective=plain_text(metric.get("MetricName") or _map(answer, "AutoMLJobObjective").get("MetricName")),
            objective_value=_number(metric.get("Value")),
            best_candidate=plain_text(best.get("CandidateName")),
            created_at=utc(answer.get("CreationTime")),
            ended_at=utc(answer.get("EndTime")),
        )


def parse_job_arn(text: str) -> JobArn | None:
    """Take a job's ARN apart; None for anything else."""
    found = _JOB.fullmatch(text)
    return JobArn(found["region"], found["account"], found["kind"], found["name"]) if found else None


def job_of_artifact(url: str) -> str | None:
    """Return the name of the job that wrote an artifact, as SageMaker lays it out in S3; None for another place."""
    found = _ARTIFACT.fullmatch(url)
    return found["name"] if found else None


def describe_training_job(session: AwsSession, name: str) -> TrainingJobRecord:
    """Read one training job of the account by its name.

    Raises AwsNotFound, AwsDenied. Source: DescribeTrainingJob, which takes no ARN.
    """
    with translated(session, "sagemaker", "DescribeTrainingJob"):
        answer = session.sagemaker.describe_training_job(TrainingJobName=name)
    return TrainingJobRecord.from_describe(answer)


def describe_automl_job(session: AwsSession, name: str) -> AutoMLJobRecord:
    """Read one AutoML job of the account by its name, also one made by the first version of the operation.

    Raises AwsNotFound, AwsDenied. Source: DescribeAutoMLJobV2.
    """
    with translated(session, "sagemaker", "DescribeAutoMLJobV2"):
        answer = session.sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name)
    return AutoMLJobRecord.from_describe(answer)


def _map(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = answer.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _texts(answer: Any, name: str) -> tuple[str, ...] | None:
    value = answer.get(name) if isinstance(answer, Mapping) else None
    return tuple(plain_text(one) for one in value) if isinstance(value, list) else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: Any) -> int | None:
    # What a column of four bytes can hold: no job runs for 68 years.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _number(value: Any) -> float | str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else str(json_safe(float(value)))
    return plain_text(value)


def _parameter(name: str, value: str) -> tuple[str, str]:
    return name[:_LONGEST_NAME], value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"


def _metric(one: Mapping[str, Any]) -> tuple[str, float | str | None, datetime | None]:
    return plain_text(one.get("MetricName")), _number(one.get("Value")), utc(one.get("Timestamp"))


def _input(one: Mapping[str, Any]) -> TrainingInput:
    source = _map(one, "DataSource")
    s3, files = _map(source, "S3DataSource"), _map(source, "FileSystemDataSource")
    folder = f"{plain_text(files.get('FileSystemId'))}{plain_text(files.get('DirectoryPath'))}"
    return TrainingInput(
        channel=plain_text(one.get("ChannelName")),
        uri=plain_text(s3.get("S3Uri")) or folder,
        content_type=plain_text(one.get("ContentType")),
        hub_content_arn=plain_text(_map(s3, "HubAccessConfig").get("HubContentArn")),
        eula_accepted=_flag(_map(s3, "ModelAccessConfig").get("AcceptEula")),
    )
