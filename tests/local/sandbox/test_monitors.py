"""Model Monitor: schedules on job definitions, executions that are made to happen, alerts, filters and pages."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.local.sandbox import monitors
from tests.local.sandbox.test_seeding import post
from tests.local.sandbox.world import Aws, fresh_account, refused, running, unique


@pytest.fixture(scope="module")
def watched(aws: Aws) -> tuple[Any, str, str]:
    """SageMaker of an account with three schedules on two endpoints, and the bucket they write to."""
    account, bucket = fresh_account(), unique("monitor")
    sagemaker = aws.client("sagemaker", account)
    aws.client("s3", account).create_bucket(Bucket=bucket)
    for name, endpoint in (("one", "credit-risk"), ("two", "credit-risk"), ("three", "churn")):
        monitors.data_quality(sagemaker, account, name, bucket, endpoint)
        monitors.schedule(sagemaker, name, name)
    return sagemaker, account, bucket


def names(sagemaker: Any, **asked: Any) -> list[str]:
    pages = sagemaker.get_paginator("list_monitoring_schedules").paginate(**asked, PaginationConfig={"PageSize": 1})
    return [s["MonitoringScheduleName"] for page in pages for s in page["MonitoringScheduleSummaries"]]


def test_schedules_are_listed_by_endpoint_type_status_and_time(watched: tuple[Any, str, str]) -> None:
    sagemaker, _, _ = watched
    assert names(sagemaker, SortOrder="Ascending") == ["one", "two", "three"]
    assert names(sagemaker, EndpointName="credit-risk", SortBy="Name", SortOrder="Ascending") == ["one", "two"]
    assert names(sagemaker, MonitoringTypeEquals="ModelQuality") == []
    before = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="one")["LastModifiedTime"]
    sagemaker.stop_monitoring_schedule(MonitoringScheduleName="three")
    assert names(sagemaker, StatusEquals="Stopped") == ["three"]
    changed = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="three")["LastModifiedTime"]
    assert changed > before
    assert names(sagemaker, LastModifiedTimeAfter=changed - timedelta(microseconds=1000)) == ["three"]
    sagemaker.start_monitoring_schedule(MonitoringScheduleName="three")
    assert names(sagemaker, StatusEquals="Stopped") == []


def test_an_execution_leaves_a_processing_job_its_file_and_an_alert(aws: Aws, watched: tuple[Any, str, str]) -> None:
    sagemaker, account, bucket = watched
    violations = [{"feature_name": "age", "constraint_check_type": "data_type_check", "description": "no"}]
    at = datetime(2026, 3, 1, 14, tzinfo=UTC)
    monitors.run(aws.url, account, "one", violations=violations, scheduled_time=at.isoformat())
    (execution,) = sagemaker.list_monitoring_executions(MonitoringScheduleName="one")["MonitoringExecutionSummaries"]
    assert (execution["MonitoringExecutionStatus"], execution["ScheduledTime"]) == ("CompletedWithViolations", at)
    job = execution["ProcessingJobArn"].rsplit("/", 1)[-1]
    (output,) = sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingOutputConfig"]["Outputs"]
    uri = output["S3Output"]["S3Uri"]
    assert uri == f"s3://{bucket}/monitor/credit-risk/one/2026/03/01/14"
    key = uri.removeprefix(f"s3://{bucket}/") + "/constraint_violations.json"
    body = aws.client("s3", account).get_object(Bucket=bucket, Key=key)["Body"].read()
    assert json.loads(body) == {"violations": violations}
    (alert,) = sagemaker.list_monitoring_alerts(MonitoringScheduleName="one")["MonitoringAlertSummaries"]
    assert alert["AlertStatus"] == "InAlert"
    monitors.run(aws.url, account, "one", violations=[], scheduled_time=(at + timedelta(hours=1)).isoformat())
    history = sagemaker.list_monitoring_alert_history(MonitoringScheduleName="one", SortOrder="Ascending")
    assert [h["AlertStatus"] for h in history["MonitoringAlertHistory"]] == ["InAlert", "OK"]
    sagemaker.update_monitoring_alert(
        MonitoringScheduleName="one",
        MonitoringAlertName=alert["MonitoringAlertName"],
        DatapointsToAlert=1,
        EvaluationPeriod=2,
    )
    (alert,) = sagemaker.list_monitoring_alerts(MonitoringScheduleName="one")["MonitoringAlertSummaries"]
    assert (alert["AlertStatus"], alert["EvaluationPeriod"]) == ("InAlert", 2)


def test_executions_are_listed_by_what_changed(aws: Aws, watched: tuple[Any, str, str]) -> None:
    sagemaker, account, _ = watched
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for hour in range(3):
        when = (at + timedelta(hours=hour)).isoformat()
        monitors.run(aws.url, account, "two", status="InProgress", scheduled_time=when)
    pages = sagemaker.get_paginator("list_monitoring_executions")

    def listed(**asked: Any) -> list[tuple[int, str]]:
        found = pages.paginate(
            MonitoringScheduleName="two", SortOrder="Ascending", **asked, PaginationConfig={"PageSize": 1}
        )
        rows = [e for page in found for e in page["MonitoringExecutionSummaries"]]
        return [(e["ScheduledTime"].hour, e["MonitoringExecutionStatus"]) for e in rows]

    assert [hour for hour, _ in listed(StatusEquals="InProgress")] == [9, 10, 11]
    (last,) = sagemaker.list_monitoring_executions(MonitoringScheduleName="two", MaxResults=1)[
        "MonitoringExecutionSummaries"
    ]
    monitors.run(aws.url, account, "two", status="Failed", failure_reason="No data", scheduled_time=at.isoformat())
    assert listed(LastModifiedTimeAfter=last["LastModifiedTime"]) == [(9, "Failed")]
    assert listed(ScheduledTimeAfter=at) == [(10, "InProgress"), (11, "InProgress")]
    described = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="two")
    assert described["LastMonitoringExecutionSummary"]["ScheduledTime"].hour == 11
    with refused("ValidationException"):
        token = sagemaker.list_monitoring_executions(MonitoringScheduleName="two", MaxResults=1)["NextToken"]
        sagemaker.list_monitoring_executions(MonitoringScheduleName="one", NextToken=token)


def test_errors_are_those_of_sagemaker(aws: Aws, watched: tuple[Any, str, str]) -> None:
    sagemaker, account, _ = watched
    with refused("ResourceNotFound"):
        sagemaker.describe_monitoring_schedule(MonitoringScheduleName="none")
    with refused("ResourceNotFound"):
        sagemaker.list_monitoring_alerts(MonitoringScheduleName="none")
    with refused("ResourceInUse"):
        monitors.schedule(sagemaker, "one", "one")
    with refused("ValidationException"):
        monitors.schedule(sagemaker, "four", "no-such-definition")
    with refused("ValidationException"):
        monitors.schedule(sagemaker, "four", "one", hours="25")
    with refused("ResourceNotFound"):
        sagemaker.update_monitoring_alert(
            MonitoringScheduleName="one", MonitoringAlertName="none", DatapointsToAlert=1, EvaluationPeriod=1
        )
    post(aws, "monitor", 400, account=account, schedule="none")
    post(aws, "monitor", 400, account=account, schedule="one", region=7)
    post(aws, "monitor", 400, account=account, schedule="one", surprise=True)
    post(aws, "monitor", 400, account=account, schedule="one", scheduled_time="soon")
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="three")
    with refused("ResourceNotFound"):
        sagemaker.start_monitoring_schedule(MonitoringScheduleName="three")


def test_schedules_and_executions_survive_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as aws:
        account, bucket = fresh_account(), unique("monitor")
        sagemaker = aws.client("sagemaker", account)
        aws.client("s3", account).create_bucket(Bucket=bucket)
        monitors.data_quality(sagemaker, account, "inputs", bucket)
        monitors.schedule(sagemaker, "hourly", "inputs")
        made = monitors.run(aws.url, account, "hourly", violations=[{"feature_name": "age"}])
        aws.stop(signal.SIGKILL)
        aws.start()
        (execution,) = sagemaker.list_monitoring_executions()["MonitoringExecutionSummaries"]
        assert execution["ProcessingJobArn"] == made["processing_job"]
        job = sagemaker.describe_processing_job(ProcessingJobName=made["processing_job"].rsplit("/", 1)[-1])
        assert job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] == made["output"]
        alerts = sagemaker.list_monitoring_alerts(MonitoringScheduleName="hourly")["MonitoringAlertSummaries"]
        assert [a["AlertStatus"] for a in alerts] == ["InAlert"]
