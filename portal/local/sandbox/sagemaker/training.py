"""Keep training jobs, AutoML jobs and labeling jobs: what SageMaker says of how a model was made.

A training or AutoML job is over as soon as it is made, a labeling job waits for people. What jobs come to (metrics,
label counts, a failure) is said by ``POST /sandbox/outcome``, as nothing is computed here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.core.utils import get_service_model

from ..accounts import REGION
from .common import Aggregate, Record, now
from .errors import NotFound, ValidationError

TRAINING, AUTOML, LABELING = "training-job", "automl-job", "labeling-job"
_DESCRIBED = {TRAINING: "DescribeTrainingJob", AUTOML: "DescribeAutoMLJobV2", LABELING: "DescribeLabelingJob"}
# How each kind names itself in its own members.
_NAMES = {TRAINING: "TrainingJob", AUTOML: "AutoMLJob", LABELING: "LabelingJob"}
_TRAINING_KEPT = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "CheckpointConfig",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ExperimentConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "Environment",
    "RetryStrategy",
    "RemoteDebugConfig",
    "InfraCheckConfig",
    "ServerlessJobConfig",
    "MlflowConfig",
    "ModelPackageConfig",
    "Tags",
)
_FLAGS = ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining")
_AUTOML_KEPT = (
    "AutoMLJobInputDataConfig",
    "OutputDataConfig",
    "RoleArn",
    "AutoMLJobObjective",
    "AutoMLProblemTypeConfig",
    "ModelDeployConfig",
    "DataSplitConfig",
    "SecurityConfig",
    "AutoMLComputeConfig",
    "Tags",
)
_PROBLEM_TYPES = {
    "ImageClassificationJobConfig": "ImageClassification",
    "TextClassificationJobConfig": "TextClassification",
    "TimeSeriesForecastingJobConfig": "TimeSeriesForecasting",
    "TabularJobConfig": "Tabular",
    "TextGenerationJobConfig": "TextGeneration",
}
_LABELING_KEPT = (
    "LabelAttributeName",
    "InputConfig",
    "OutputConfig",
    "RoleArn",
    "LabelCategoryConfigS3Uri",
    "StoppingConditions",
    "LabelingJobAlgorithmsConfig",
    "HumanTaskConfig",
    "Tags",
)
_NO_LABELS = ("TotalLabeled", "HumanLabeled", "MachineLabeled", "FailedNonRetryableError", "Unlabeled")
_RUN = timedelta(minutes=7)


def _kept(p: Record, names: tuple[str, ...]) -> Record:
    return {name: p[name] for name in names if p.get(name) is not None}


class Jobs(Aggregate):
    """The jobs of one account and region, in `made_records` by kind and name."""

    made_records: dict[str, Record]

    def job(self, kind: str, name: str) -> Record:
        """A job by its name. Raises ResourceNotFound."""
        found = self.made_records.get(f"{kind}/{name}")
        if found is None:
            raise NotFound(f"Requested resource not found: {self.arn_of(kind, name)}.")
        return found

    def jobs(self, kind: str) -> list[Record]:
        """Every job of a kind."""
        return [record for key, record in self.made_records.items() if key.startswith(f"{kind}/")]

    def _made(self, kind: str, name: str, members: Record) -> str:
        key, arn = f"{kind}/{name}", self.arn_of(kind, name)
        if key in self.made_records:
            raise ValidationError(f"Job name must be unique within an AWS account and region: {arn} exists.")
        stem, at = _NAMES[kind], now()
        self.made_records[key] = {
            f"{stem}Name": name,
            f"{stem}Arn": arn,
            "CreationTime": at,
            "LastModifiedTime": at,
            **members,
        }
        self.touch("made", key)
        return arn

    def create_training(self, p: Record) -> str:
        """Source: SageMaker CreateTrainingJob."""
        name, at = p["TrainingJobName"], now()
        output = str(p["OutputDataConfig"]["S3OutputPath"]).rstrip("/")
        members: Record = {
            **_kept(p, _TRAINING_KEPT),
            **{flag: bool(p.get(flag)) for flag in _FLAGS},
            "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{name}/output/model.tar.gz"},
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "TrainingStartTime": at,
            "TrainingEndTime": at + _RUN,
            "TrainingTimeInSeconds": int(_RUN.total_seconds()),
            "BillableTimeInSeconds": int(_RUN.total_seconds()),
            "SecondaryStatusTransitions": [{"Status": "Completed", "StartTime": at, "EndTime": at + _RUN}],
        }
        return self._made(TRAINING, name, members)

    def create_automl(self, p: Record) -> str:
        """Source: SageMaker CreateAutoMLJobV2."""
        given = [name for name in _PROBLEM_TYPES if name in p["AutoMLProblemTypeConfig"]]
        if len(given) != 1:
            raise ValidationError("AutoMLProblemTypeConfig needs exactly one type of problem.")
        members = {
            **_kept(p, _AUTOML_KEPT),
            "AutoMLProblemTypeConfigName": _PROBLEM_TYPES[given[0]],
            "AutoMLJobStatus": "Completed",
            "AutoMLJobSecondaryStatus": "Completed",
            "EndTime": now() + _RUN,
        }
        return self._made(AUTOML, p["AutoMLJobName"], members)

    def create_labeling(self, p: Record) -> str:
        """Source: SageMaker CreateLabelingJob."""
        name, output = p["LabelingJobName"], str(p["OutputConfig"]["S3OutputPath"]).rstrip("/")
        members = {
            **_kept(p, _LABELING_KEPT),
            "LabelingJobStatus": "InProgress",
            "JobReferenceCode": f"{abs(hash(name)) % 10**10:010d}",
            "LabelCounters": dict.fromkeys(_NO_LABELS, 0),
            "LabelingJobOutput": {"OutputDatasetS3Uri": f"{output}/{name}/manifests/output/output.manifest"},
        }
        return self._made(LABELING, name, members)

    def come_to(self, kind: str, name: str, members: Record) -> Record:
        """Let a job say something else of itself, members of its Describe answer; an absent one raises."""
        record = self.job(kind, name)
        record.update(members)
        record["LastModifiedTime"] = now()
        self.touch("made", f"{kind}/{name}")
        return record


def outcome(wanted: Any) -> dict[str, Any]:
    """Say what a job came to: ``{"account", "region", "job": "training-job/NAME", "members": {...}}``.

    The members are those of the kind's Describe answer, as ``FinalMetricDataList`` or ``LabelCounters``; times are not
    changed. Returns ``{"arn"}``. Raises ValueError or TypeError, and then nothing is changed.
    """
    from .models import registry

    if not isinstance(wanted, dict) or not isinstance(wanted.get("members"), dict):
        raise TypeError("it must be a JSON object with members")
    account, job = str(wanted.get("account", "")), str(wanted.get("job", ""))
    kind, _, name = job.partition("/")
    if kind not in _DESCRIBED or not (account.isdigit() and len(account) == 12):
        raise ValueError(f"job must be one of {sorted(_DESCRIBED)} with /NAME, and account 12 digits")
    shape = get_service_model("sagemaker").operation_model(_DESCRIBED[kind]).output_shape
    allowed = {n for n, member in shape.members.items() if member.type_name != "timestamp"}
    if unknown := set(wanted["members"]) - allowed:
        raise ValueError(f"{_DESCRIBED[kind]} does not answer {sorted(unknown)}")
    try:
        record = registry(account, str(wanted.get("region") or REGION)).come_to(kind, name, _timed(wanted["members"]))
    except NotFound as error:
        raise ValueError(str(error)) from None
    return {"arn": record[f"{_NAMES[kind]}Arn"]}


def _timed(members: Record) -> Record:
    """Final metrics carry the moment they were measured at, which JSON cannot say: now."""
    if metrics := members.get("FinalMetricDataList"):
        members = {**members, "FinalMetricDataList": [{"Timestamp": now(), **metric} for metric in metrics]}
    if best := members.get("BestCandidate"):
        at = now()
        stamped = {"CreationTime": at, "LastModifiedTime": at, "CandidateSteps": [], **best}
        members = {**members, "BestCandidate": stamped}
    return members
