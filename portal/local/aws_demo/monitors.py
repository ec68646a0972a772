"""Two weeks of Model Monitor on the credit-risk endpoint: inputs that begin to drift, and quality that holds."""

from __future__ import annotations

import json
import os
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

from botocore.exceptions import ClientError
from django.utils import timezone

from governance.services import readings
from portal.core.vocabulary import Status
from registry.aws.session import AwsSession
from registry.choices import SyncKind
from registry.models import AwsAccount, Endpoint, ModelVersion
from registry.reports.monitor import approved_addresses

from .. import demo_roles

HUB = "111111111111"
# Of the production account: its portal role may read it.
BUCKET = "ml-monitoring-production"
DAYS = 14
_IMAGE = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
_CLUSTER: Any = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}
_LOCAL = "/opt/ml/processing/input"
_PLAIN = {
    "version": 0.0,
    "features": [
        {"name": "age", "inferred_type": "Integral", "completeness": 1.0, "num_constraints": {"is_non_negative": True}},
        {"name": "debt_to_income", "inferred_type": "Fractional", "completeness": 1.0},
    ],
}
# What the inputs do in the last days, the newest first.
_DRIFT = (
    [
        ("age", "completeness_check", "Value: 0.91 does not meet the constraint requirement! "),
        ("debt_to_income", "baseline_drift_check", "Baseline drift distance: 0.17 exceeds threshold: 0.1"),
        ("region", "categorical_values_check", "Value: 0.964 does not meet the constraint requirement! "),
    ],
    [("debt_to_income", "baseline_drift_check", "Baseline drift distance: 0.13 exceeds threshold: 0.1")],
)


def show(name: str) -> None:
    """Have two schedules on the endpoint of that name run for two weeks, once, and read them."""
    endpoints = Endpoint.objects.standing().filter(name__startswith=name).select_related("account")
    endpoint = endpoints.order_by("name", "pk").first()
    account = endpoint.account if endpoint else AwsAccount.objects.get(account_id=HUB)
    session = demo_roles.administrator(account.account_id)
    if not session.sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"]:
        _make(session, account, endpoint.name if endpoint else name, name)
        others = Endpoint.objects.standing().filter(account=account, name__endswith="-live").order_by("name")
        # Two of them nobody watches.
        for other in list(others.exclude(name__startswith=name))[:-2]:
            _watch_inputs(session, account, other.name)
    serving = Endpoint.objects.standing().order_by("account").values_list("account__account_id", flat=True)
    for account_id in {account.account_id, *serving.distinct()}:
        readings.read_account(account_id=account_id, kind=SyncKind.MONITORS, requested_by="demo")


def _make(session: AwsSession, account: AwsAccount, endpoint: str, group: str) -> None:
    bucket = account.artifact_buckets[0] if account.artifact_buckets else BUCKET
    if bucket not in {one["Name"] for one in session.s3.list_buckets()["Buckets"]}:
        session.s3.create_bucket(Bucket=bucket)
    place = f"{group}/monitor"
    session.s3.put_object(Bucket=bucket, Key=f"{place}/constraints.json", Body=_baseline(group))
    written = {"S3Uri": f"s3://{bucket}/{place}", "LocalPath": "/opt/ml/processing/output"}
    output: Any = {"MonitoringOutputs": [{"S3Output": written}]}
    watched: Any = {"EndpointInput": {"EndpointName": endpoint, "LocalPath": _LOCAL}}
    judged: Any = {**watched, "GroundTruthS3Input": {"S3Uri": f"s3://{bucket}/{place}/truth"}}
    inputs, quality = f"{group}-data-quality", f"{group}-model-quality"
    session.sagemaker.create_data_quality_job_definition(
        JobDefinitionName=inputs,
        DataQualityBaselineConfig={"ConstraintsResource": {"S3Uri": f"s3://{bucket}/{place}/constraints.json"}},
        DataQualityAppSpecification={"ImageUri": _IMAGE},
        DataQualityJobInput=watched,
        DataQualityJobOutputConfig=output,
        JobResources=_CLUSTER,
        RoleArn=_role_of(account),
    )
    session.sagemaker.create_model_quality_job_definition(
        JobDefinitionName=quality,
        ModelQualityAppSpecification={"ImageUri": _IMAGE, "ProblemType": "BinaryClassification"},
        ModelQualityJobInput=judged,
        ModelQualityJobOutputConfig=output,
        JobResources=_CLUSTER,
        RoleArn=_role_of(account),
    )
    _schedule(session, account, inputs, "DataQuality", DAYS)
    _schedule(session, account, quality, "ModelQuality", DAYS)


def _watch_inputs(session: AwsSession, account: AwsAccount, endpoint: str) -> None:
    """Watch the inputs of an endpoint of which nothing is to be told: every day, and nothing is found."""
    name = f"{endpoint.removesuffix('-live')}-data-quality"
    watched: Any = {"EndpointName": endpoint, "LocalPath": _LOCAL}
    written: Any = {"S3Uri": f"s3://{BUCKET}/{name}", "LocalPath": "/opt/ml/processing/output"}
    session.sagemaker.create_data_quality_job_definition(
        JobDefinitionName=name,
        DataQualityAppSpecification={"ImageUri": _IMAGE},
        DataQualityJobInput={"EndpointInput": watched},
        DataQualityJobOutputConfig={"MonitoringOutputs": [{"S3Output": written}]},
        JobResources=_CLUSTER,
        RoleArn=_role_of(account),
    )
    _schedule(session, account, name, "DataQuality", 2)


def _role_of(account: AwsAccount) -> str:
    return f"arn:aws:iam::{account.account_id}:role/ModelMonitor"


def _schedule(session: AwsSession, account: AwsAccount, name: str, kind: str, days: int) -> None:
    """Have a job run every night at three, as it has for so many days."""
    config: Any = {
        "ScheduleConfig": {"ScheduleExpression": "cron(0 3 ? * * *)"},
        "MonitoringJobDefinitionName": name,
        "MonitoringType": kind,
    }
    session.sagemaker.create_monitoring_schedule(MonitoringScheduleName=name, MonitoringScheduleConfig=config)
    today = timezone.now().replace(hour=3, minute=0, second=0, microsecond=0)
    for back in range(days - 1, -1, -1):
        found = _found(kind, back) if days == DAYS else {"violations": []}
        _run(account, name, today - timedelta(days=back), found)


def _baseline(group: str) -> bytes:
    """The constraints a version was approved with where they can be read, with one limit that somebody loosened."""
    content: dict[str, Any] = deepcopy(_PLAIN)
    hub = demo_roles.administrator(HUB)
    versions = ModelVersion.objects.present().filter(group__name=group).order_by("number")
    for version in sorted(versions, key=lambda one: one.status == Status.DEPLOYED):
        for address in approved_addresses("DataQuality", version.drift_baselines):
            bucket, _, key = address.removeprefix("s3://").partition("/")
            try:
                content = json.loads(hub.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            except (ClientError, ValueError):
                continue
    for feature in content.get("features", ())[:1]:
        feature["completeness"] = 0.8
    return json.dumps(content).encode()


def _found(kind: str, back: int) -> dict[str, Any]:
    if kind == "DataQuality":
        names = _DRIFT[back] if back < len(_DRIFT) else []
        return {
            "violations": [
                {"feature_name": name, "constraint_check_type": check, "description": words}
                for name, check, words in names
            ]
        }
    measured = {"auc": 0.851, "accuracy": 0.826, "recall": 0.709}
    return {
        "statistics": {
            "version": 0.0,
            "dataset": {"item_count": 2_000 - 7 * back},
            "binary_classification_metrics": {
                name: {"value": round(value + 0.0004 * back, 4), "standard_deviation": "NaN"}
                for name, value in measured.items()
            },
        }
    }


def _run(account: AwsAccount, schedule: str, at: datetime, found: dict[str, Any]) -> None:
    if at > timezone.now():
        return
    wanted = {"account": account.account_id, "schedule": schedule, "scheduled_time": at.isoformat(), **found}
    address = f"{os.environ['AWS_ENDPOINT_URL'].rstrip('/')}/sandbox/monitor"
    with urlopen(Request(address, json.dumps(wanted).encode()), timeout=30):
        pass
