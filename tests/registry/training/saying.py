"""A SageMaker that says what a test gives it: jobs, hubs and labeling jobs by name, or a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from botocore.exceptions import ClientError

from registry.aws.records import AccountRef
from registry.aws.session import AwsSession

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
HUB_ARN = "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/meta-llama-3-8b/2.2.1"


def refusal(operation: str, code: str, words: str = "it is so") -> ClientError:
    """What botocore raises for an error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": words}}, operation)


def training_arn(name: str, account: str = "111111111111", region: str = "us-east-1") -> str:
    """The ARN of a training job."""
    return f"arn:aws:sagemaker:{region}:{account}:training-job/{name}"


def labeling_arn(name: str) -> str:
    """The ARN of a labeling job of the hub."""
    return f"arn:aws:sagemaker:us-east-1:111111111111:labeling-job/{name}"


def training_job(name: str, **others: Any) -> dict[str, Any]:
    """A DescribeTrainingJob answer."""
    return {
        "TrainingJobName": name,
        "TrainingJobArn": training_arn(name),
        "TrainingJobStatus": "Completed",
        "AlgorithmSpecification": {
            "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
        },
        "HyperParameters": {"max_depth": "5", "eta": "0.2"},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://loans/train/"}}}],
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://loans/models/{name}/output/model.tar.gz"},
        "OutputDataConfig": {"KmsKeyId": "alias/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "EnableNetworkIsolation": True,
        "EnableInterContainerTrafficEncryption": False,
        "FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.91, "Timestamp": AT}],
        "CreationTime": AT,
        **others,
    }


def labeling_job(name: str, **others: Any) -> dict[str, Any]:
    """A labeling job as a list and a description say it."""
    return {
        "LabelingJobName": name,
        "LabelingJobArn": labeling_arn(name),
        "LabelingJobStatus": "Completed",
        "LabelCounters": {
            "TotalLabeled": 900,
            "HumanLabeled": 600,
            "MachineLabeled": 300,
            "FailedNonRetryableError": 4,
            "Unlabeled": 96,
        },
        "LabelingJobOutput": {"OutputDatasetS3Uri": f"s3://loans/labels/{name}/manifests/output/output.manifest"},
        "HumanTaskConfig": {"TaskTitle": "Was it repaid?", "NumberOfHumanWorkersPerDataObject": 3},
        "CreationTime": AT,
        "LastModifiedTime": AT,
        **others,
    }


class Saying:
    """The client, and what it was asked; a value that is an error is raised."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.training: dict[str, Any] = {}
        self.automl: dict[str, Any] = {}
        self.labeling: dict[str, Any] = {}
        self.contents: dict[str, Any] = {}
        self.hubs: list[str] = []
        self.listing: Any = None

    def _one(self, operation: str, of: dict[str, Any], name: str) -> Any:
        self.asked.append((operation, name))
        said = of.get(name, refusal(operation, "ResourceNotFound", "no such thing"))
        if isinstance(said, Exception):
            raise said
        return said

    def describe_training_job(self, **asked: str) -> Any:
        return self._one("DescribeTrainingJob", self.training, asked["TrainingJobName"])

    def describe_auto_ml_job_v2(self, **asked: str) -> Any:
        return self._one("DescribeAutoMLJobV2", self.automl, asked["AutoMLJobName"])

    def describe_labeling_job(self, **asked: str) -> Any:
        return self._one("DescribeLabelingJob", self.labeling, asked["LabelingJobName"])

    def describe_hub_content(self, **asked: str) -> Any:
        return self._one("DescribeHubContent", self.contents, f"{asked['HubName']}/{asked['HubContentName']}")

    def list_hubs(self, **_: Any) -> Any:
        return {"HubSummaries": [{"HubName": name} for name in self.hubs]}

    def list_hub_contents(self, **asked: Any) -> Any:
        hub, kind = asked["HubName"], asked["HubContentType"]
        found = [key.partition("/")[2] for key in self.contents if key.startswith(f"{hub}/")]
        listed = [{"HubContentName": name, "HubContentType": kind} for name in found]
        return {"HubContentSummaries": listed if kind == "Model" else []}

    def list_labeling_jobs(self, **request: Any) -> Any:
        self.asked.append(("ListLabelingJobs", str(request.get("LastModifiedTimeAfter") or "")))
        if self.listing is not None:
            raise self.listing
        return {"LabelingJobSummaryList": [one for one in self.labeling.values() if isinstance(one, dict)]}

    def session(self, account: str = "111111111111", region: str = "us-east-1") -> AwsSession:
        """What the gateway takes for a session."""
        return cast("AwsSession", _Session(self, AccountRef(account, region)))


class _Session:
    def __init__(self, client: Saying, account: AccountRef) -> None:
        self.sagemaker, self.account = client, account

    @contextmanager
    def counting(self) -> Iterator[None]:
        yield None
