"""Monitoring schedules for the tests of the sandbox: a job definition, a schedule on it, and executions."""

from __future__ import annotations

from typing import Any

import requests

IMAGE = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CLUSTER: Any = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}


def output(bucket: str) -> Any:
    """Where a monitoring job writes what it finds."""
    local = "/opt/ml/processing/output"
    return {"MonitoringOutputs": [{"S3Output": {"S3Uri": f"s3://{bucket}/monitor", "LocalPath": local}}]}


def data_quality(sagemaker: Any, account: str, name: str, bucket: str, endpoint: str = "credit-risk") -> None:
    """Make a data quality job definition whose baseline lies in the bucket."""
    sagemaker.create_data_quality_job_definition(
        JobDefinitionName=name,
        DataQualityBaselineConfig={
            "ConstraintsResource": {"S3Uri": f"s3://{bucket}/baseline/constraints.json"},
            "StatisticsResource": {"S3Uri": f"s3://{bucket}/baseline/statistics.json"},
        },
        DataQualityAppSpecification={"ImageUri": IMAGE},
        DataQualityJobInput={"EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input"}},
        DataQualityJobOutputConfig=output(bucket),
        JobResources=CLUSTER,
        RoleArn=f"arn:aws:iam::{account}:role/Monitor",
    )


def schedule(sagemaker: Any, name: str, definition: str, kind: str = "DataQuality", hours: str = "*") -> str:
    """Make a schedule that runs a job definition at an hour; return its ARN."""
    answer = sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=name,
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": f"cron(0 {hours} ? * * *)"},
            "MonitoringJobDefinitionName": definition,
            "MonitoringType": kind,
        },
    )
    return str(answer["MonitoringScheduleArn"])


def run(url: str, account: str, name: str, **wanted: Any) -> dict[str, Any]:
    """Let an execution happen."""
    body = {"account": account, "schedule": name, **wanted}
    answer = requests.post(f"{url}/sandbox/monitor", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def story(sagemaker: Any, s3: Any, url: str, account: str, bucket: str) -> None:
    """Call every operation on schedules, executions and alerts once where there is something to answer."""
    s3.create_bucket(Bucket=bucket)
    data_quality(sagemaker, account, "inputs", bucket)
    schedule(sagemaker, "hourly", "inputs")
    run(url, account, "hourly", violations=[{"feature_name": "age"}], statistics={"version": 0.0})
    sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")
    sagemaker.list_monitoring_schedules(EndpointName="credit-risk")
    sagemaker.list_monitoring_executions(MonitoringScheduleName="hourly")
    sagemaker.list_monitoring_alerts(MonitoringScheduleName="hourly")
    sagemaker.list_monitoring_alert_history()
    sagemaker.update_monitoring_alert(
        MonitoringScheduleName="hourly", MonitoringAlertName="hourly-alert", DatapointsToAlert=1, EvaluationPeriod=3
    )
    sagemaker.update_monitoring_schedule(
        MonitoringScheduleName="hourly",
        MonitoringScheduleConfig={"MonitoringJobDefinitionName": "inputs", "MonitoringType": "DataQuality"},
    )
    sagemaker.stop_monitoring_schedule(MonitoringScheduleName="hourly")
    sagemaker.start_monitoring_schedule(MonitoringScheduleName="hourly")
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="hourly")
