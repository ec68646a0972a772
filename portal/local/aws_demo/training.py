"""How the credit-risk model was trained: its jobs, the labeling behind their data, and a hub of what is allowed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from django.utils import timezone

from governance.services import readings
from registry.choices import SyncKind
from registry.models import ModelGroup

from .. import demo_roles
from ..sandbox.accounts import DEVELOPMENT

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient

OLDER, NEWEST, LABELS = "credit-risk-by-hand", "pipelines-4f2c1d9be07a-Train", "loan-outcomes-2025"
_BUCKET = "s3://ml-artifacts-dev/credit-risk"
_ROLE = f"arn:aws:iam::{DEVELOPMENT}:role/Training"
_TEAM = f"arn:aws:sagemaker:us-east-1:{DEVELOPMENT}:workteam/private-crowd/loan-officers"
_TASK = "arn:aws:lambda:us-east-1:432418664414:function"
_KEY = f"arn:aws:kms:us-east-1:{DEVELOPMENT}:key/6f0c2f5e-9d3b-4a51-8c1e-0d9b7a3e5f21"
_PARAMETERS = {"objective": "binary:logistic", "num_round": "240", "max_depth": "5", "eta": "0.08", "subsample": "0.8"}


def show(group: ModelGroup) -> None:
    """Have the version that serves trained without isolation and the newest with it, once, and read both."""
    client = demo_roles.administrator(DEVELOPMENT).sagemaker
    if not client.list_labeling_jobs(NameContains=LABELS)["LabelingJobSummaryList"]:
        versions = group.versions.present().order_by("number")
        older = versions.filter(training_job_arn__endswith=f"/{OLDER}").last()
        if older is not None:
            with _back_then(older.aws_created_at - timedelta(minutes=31)):
                _job(client, OLDER, {"max_depth": "6", "eta": "0.1"}, f"{_BUCKET}/{older.number}/train/")
                _ended(OLDER, auc=0.8712, loss=0.3391)
        newest = versions.last()
        # As its pipeline says: the training ended a quarter of an hour before the version was registered.
        with _back_then((newest.aws_created_at if newest else timezone.now()) - timedelta(minutes=33)):
            _label(client)
            _train(client, _allow(client))
    readings.read_account(account_id=DEVELOPMENT, kind=SyncKind.TRAINING, requested_by="demo")


def _label(client: SageMakerClient) -> None:
    client.create_labeling_job(
        LabelingJobName=LABELS,
        LabelAttributeName="outcome",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": f"{_BUCKET}/raw/outcomes.manifest"}}},
        OutputConfig={"S3OutputPath": f"{_BUCKET}/labels/"},
        RoleArn=_ROLE,
        HumanTaskConfig={
            "WorkteamArn": _TEAM,
            "UiConfig": {"UiTemplateS3Uri": f"{_BUCKET}/labels/task.html"},
            "PreHumanTaskLambdaArn": f"{_TASK}:PRE-TextMultiClass",
            "TaskTitle": "Was the loan repaid as agreed?",
            "TaskDescription": "Read the account's history and choose.",
            "NumberOfHumanWorkersPerDataObject": 3,
            "TaskTimeLimitInSeconds": 600,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{_TASK}:ACS-TextMultiClass"},
        },
    )
    counters = {
        "TotalLabeled": 39_204,
        "HumanLabeled": 11_730,
        "MachineLabeled": 27_474,
        "FailedNonRetryableError": 61,
        "Unlabeled": 953,
    }
    _outcome(f"labeling-job/{LABELS}", {"LabelingJobStatus": "Completed", "LabelCounters": counters})


def _train(client: SageMakerClient, encoder: str) -> None:
    _job(
        client,
        NEWEST,
        {},
        f"{_BUCKET}/labels/{LABELS}/manifests/output/output.manifest",
        encoder=encoder,
        EnableNetworkIsolation=True,
        EnableInterContainerTrafficEncryption=True,
        VpcConfig={"SecurityGroupIds": ["sg-0a1b2c3d4e5f6a7b8"], "Subnets": ["subnet-0f1e2d3c4b5a69788"]},
    )
    _ended(NEWEST, auc=0.8834, loss=0.3217)


def _ended(name: str, *, auc: float, loss: float) -> None:
    metrics = [
        {"MetricName": "train:auc", "Value": round(auc + 0.0214, 4)},
        {"MetricName": "validation:auc", "Value": auc},
        {"MetricName": "validation:logloss", "Value": loss},
    ]
    _outcome(f"training-job/{name}", {"FinalMetricDataList": metrics, "TrainingTimeInSeconds": 1170})


@contextmanager
def _back_then(moment: datetime) -> Iterator[None]:
    """Have the sandbox AWS stamp what it is told as of that moment, and as of now again afterwards."""
    _post("settings", {"clock_behind_seconds": max(0.0, (timezone.now() - moment).total_seconds())})
    try:
        yield
    finally:
        _post("settings", {"clock_behind_seconds": 0.0})


def _job(
    client: SageMakerClient, name: str, other: dict[str, str], data: str, *, encoder: str = "", **flags: Any
) -> None:
    is_newest = bool(encoder)
    channels: list[dict[str, Any]] = [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}}}
    ]
    if encoder:
        # What applicants write about the loan's purpose goes through a small language model first.
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": f"{_BUCKET}/encoder/",
            "HubAccessConfig": {"HubContentArn": encoder},
            "ModelAccessConfig": {"AcceptEula": True},
        }
        channels.append({"ChannelName": "encoder", "DataSource": {"S3DataSource": source}})
    resources: dict[str, Any] = {
        "InstanceType": "ml.m5.2xlarge",
        "InstanceCount": 2 if is_newest else 1,
        "VolumeSizeInGB": 50,
    }
    output: dict[str, Any] = {"S3OutputPath": f"{_BUCKET}/models"}
    if is_newest:
        resources["VolumeKmsKeyId"] = output["KmsKeyId"] = _KEY
    client.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            "TrainingInputMode": "File",
        },
        RoleArn=_ROLE,
        HyperParameters=_PARAMETERS | other,
        InputDataConfig=channels,  # type: ignore[arg-type]  # made of parts
        OutputDataConfig=output,  # type: ignore[arg-type]  # made of parts
        ResourceConfig=resources,  # type: ignore[arg-type]  # made of parts
        StoppingCondition={"MaxRuntimeInSeconds": 7200},
        **flags,
    )


def _allow(client: SageMakerClient) -> str:
    """A private hub with one model of AWS's that people here may begin with; return that content's ARN."""
    client.create_hub(HubName="allowed-models", HubDescription="What people in consumer lending may begin with")
    public = client.list_hub_contents(HubName="SageMakerPublicHub", HubContentType="Model", NameContains="distilbert")
    [content] = public["HubContentSummaries"]
    arn = content["HubContentArn"].rpartition("/")[0]
    made = client.create_hub_content_reference(HubName="allowed-models", SageMakerPublicHubContentArn=arn)
    return made["HubContentArn"]


def _outcome(job: str, members: dict[str, Any]) -> None:
    _post("outcome", {"account": DEVELOPMENT, "job": job, "members": members})


def _post(path: str, said: dict[str, Any]) -> None:
    request = Request(
        f"{os.environ['AWS_ENDPOINT_URL'].rstrip('/')}/sandbox/{path}",
        json.dumps(said).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=30):
        pass
