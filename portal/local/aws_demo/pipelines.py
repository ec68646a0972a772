"""The pipeline the credit-risk model comes from, with its checks; and one that waits for the decision about it."""

from __future__ import annotations

import json
import os
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

from governance.choices import ChannelKind, PipelineHome
from governance.models import ApprovalRequest, DeploymentChannel, WaitingCallback
from governance.services import approvals, callbacks, channels, readings
from portal.core.vocabulary import Stage
from registry.aws.session import AwsSession
from registry.choices import SyncKind
from registry.models import ModelGroup, ModelVersion, User

from .. import demo_roles
from ..sandbox.accounts import DEVELOPMENT, HUB, TEST

TRAINING, DEPLOYMENT = "credit-risk-training", "deploy-credit-risk"
QUEUE = "deployment-callbacks-credit-risk"
BUCKET, PLACE = "ml-artifacts-dev", "credit-risk/pipeline"
_RUN = "4f2c1d9be07a"
EXECUTION = f"arn:aws:sagemaker:us-east-1:{DEVELOPMENT}:pipeline/{TRAINING}/execution/{_RUN}"
COMMIT = "4f2c1d9be07a3358c61d2f4ab90e7751d8c3a6f2"
_ROLE = f"arn:aws:iam::{DEVELOPMENT}:role/Pipeline"
_REPORTS: dict[str, dict[str, Any]] = {
    "bias/analysis.json": {
        "version": "1.0",
        "post_training_bias_metrics": {
            "label": "repaid",
            "facets": {
                "gender": [
                    {
                        "value_or_threshold": "F",
                        "metrics": [
                            {"name": "DI", "description": "Disparate Impact", "value": 0.94},
                            {"name": "DPPL", "description": "Difference in positive proportions", "value": 0.031},
                        ],
                    }
                ]
            },
        },
    },
    "bias/violations.json": {"version": "1.0", "violations": []},
    "quality/statistics.json": {
        "version": 0.0,
        "dataset": {"item_count": 20000},
        "binary_classification_metrics": {
            "auc": {"value": 0.861, "standard_deviation": 0.004},
            "recall": {"value": 0.716, "standard_deviation": 0.008},
            "precision": {"value": 0.757, "standard_deviation": 0.007},
        },
    },
    "quality/violations.json": {
        "violations": [
            {
                "feature_name": "recall",
                "constraint_check_type": "baseline_drift_check",
                "description": "Metric recall with 0.716 was below the baseline's threshold of 0.72",
            },
            {
                "feature_name": "precision",
                "constraint_check_type": "baseline_drift_check",
                "description": "Metric precision with 0.757 was below the baseline's threshold of 0.76",
            },
        ]
    },
}


def show(group: ModelGroup) -> None:
    """Have a training pipeline be what registered the newest version of a group, once, and read what it did."""
    client = demo_roles.administrator(DEVELOPMENT)
    newest = ModelVersion.objects.present().filter(group=group).order_by("-number").first()
    if newest and not client.sagemaker.list_pipelines(PipelineNamePrefix=TRAINING)["PipelineSummaries"]:
        for name, content in _REPORTS.items():
            client.s3.put_object(Bucket=BUCKET, Key=f"{PLACE}/{name}", Body=json.dumps(content).encode())
        _execution(newest.arn, newest.aws_created_at)
    readings.read_account(account_id=DEVELOPMENT, kind=SyncKind.PIPELINES, requested_by="demo")


def show_waiting(group: ModelGroup) -> None:
    """Have a pipeline wait for the word whether a version may be deployed, and ask for the approval it waits for."""
    version = ModelVersion.objects.filter(group=group, stage=Stage.DEVELOPMENT).order_by("-number").first()
    if version is None or WaitingCallback.objects.filter(version=version).exists():
        return
    hub = demo_roles.administrator(HUB)
    url = hub.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    if not DeploymentChannel.objects.filter(account__account_id=TEST, stage="qa").exists():
        channels.create(
            actor=User.objects.get(username="ml.admin").actor,
            account_id=TEST,
            stage="qa",
            kind=ChannelKind.CALLBACK,
            runs_in=PipelineHome.HUB,
            queue_url=url,
        )
    if not hub.sagemaker.list_pipelines(PipelineNamePrefix=DEPLOYMENT)["PipelineSummaries"]:
        _deployment(hub, url)
    hub.sagemaker.start_pipeline_execution(
        PipelineName=DEPLOYMENT,
        PipelineExecutionDisplayName=f"credit-risk-{version.number}-qa",
        PipelineParameters=[{"Name": "ModelPackageArn", "Value": version.arn}],
        ClientRequestToken=str(uuid.uuid5(uuid.NAMESPACE_URL, version.arn)),
    )
    if not ApprovalRequest.objects.open().filter(version=version).exists():
        approvals.submit(
            actor=User.objects.get(username="data.scientist").actor,
            subject_type=ModelVersion,
            subject_id=version.pk,
            note="The pipeline that deploys it to QA waits for this. Recall is just below the baseline: see its check.",
        )
    callbacks.read_all()
    readings.read_account(account_id=HUB, kind=SyncKind.PIPELINES, requested_by="demo")


def _execution(version_arn: str, registered_at: datetime) -> None:
    """Have the run be there as it went: prepared, trained, checked, decided and registered within forty minutes."""
    job = f"arn:aws:sagemaker:us-east-1:{DEVELOPMENT}"
    at = registered_at - timedelta(minutes=39)
    steps: list[dict[str, Any]] = []

    def add(name: str, minutes: float, **more: Any) -> None:
        nonlocal at
        ended = at + timedelta(minutes=minutes)
        steps.append({"StepName": name, "StartTime": at.isoformat(), "EndTime": ended.isoformat(), **more})
        at = ended

    def check(kind: str, check_type: str, folder: str, name: str, **more: Any) -> dict[str, Any]:
        found = {
            "CheckType": check_type,
            "ModelPackageGroupName": "credit-risk",
            "ViolationReport": f"s3://{BUCKET}/{PLACE}/{folder}/violations.json",
            "CheckJobArn": f"{job}:processing-job/pipelines-{_RUN}-{name}",
            "SkipCheck": False,
            "RegisterNewBaseline": False,
        }
        return {kind: {**found, **more}}

    begun = at.isoformat()
    add("PrepareData", 6, Metadata={"ProcessingJob": {"Arn": f"{job}:processing-job/pipelines-{_RUN}-PrepareData"}})
    add("Train", 19.5, Metadata={"TrainingJob": {"Arn": f"{job}:training-job/pipelines-{_RUN}-Train"}})
    analysis = f"s3://{BUCKET}/{PLACE}/bias/analysis.json"
    add(
        "CheckBias",
        7,
        StepDisplayName="Check bias",
        Metadata=check("ClarifyCheck", "MODEL_BIAS", "bias", "CheckBias", CalculatedBaselineConstraints=analysis),
    )
    statistics = f"s3://{BUCKET}/{PLACE}/quality/statistics.json"
    add(
        "CheckQuality",
        6,
        StepDisplayName="Check model quality",
        Metadata=check(
            "QualityCheck", "MODEL_QUALITY", "quality", "CheckQuality", CalculatedBaselineStatistics=statistics
        ),
    )
    add("GoodEnough", 0.02, StepDisplayName="AUC above 0.8?", Metadata={"Condition": {"Outcome": "True"}})
    add("Register", 0.1, Metadata={"RegisterModel": {"Arn": version_arn}})
    wanted = {
        "account": DEVELOPMENT,
        "pipeline": TRAINING,
        "id": _RUN,
        "started": begun,
        "description": "Nightly training",
        "steps": steps,
    }
    request = Request(
        f"{os.environ['AWS_ENDPOINT_URL'].rstrip('/')}/sandbox/pipeline-executions", json.dumps(wanted).encode()
    )
    with urlopen(request, timeout=30) as answer:  # the sandbox's own address, of this machine
        answer.read()


def _deployment(hub: AwsSession, queue_url: str) -> None:
    ask = {
        "Name": "AskGovernance",
        "Type": "Callback",
        "DependsOn": ["Prepare"],
        "SqsQueueUrl": queue_url,
        "Arguments": {"model_package_arn": {"Get": "Parameters.ModelPackageArn"}, "stage": "qa", "account": TEST},
    }
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "ModelPackageArn", "Type": "String"}],
        "Steps": [
            {"Name": "Prepare", "Type": "Processing"},
            ask,
            {"Name": "Deploy", "Type": "Lambda", "DependsOn": ["AskGovernance"]},
        ],
    }
    hub.sagemaker.create_pipeline(
        PipelineName=DEPLOYMENT,
        PipelineDefinition=json.dumps(definition),
        ClientRequestToken=str(uuid.uuid5(uuid.NAMESPACE_URL, DEPLOYMENT)),
        RoleArn=_ROLE.replace(DEVELOPMENT, HUB),
    )
