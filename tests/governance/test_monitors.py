"""Model Monitor as the sandbox has it, read into the portal: schedules, executions, alerts, numbers, and what is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import FindingKind, FindingState, MetricKind
from governance.models import Finding, MetricReport, StageRecord
from governance.selectors.monitor_findings import running, watching
from governance.services import monitors as service
from governance.services import readings
from portal.core.vocabulary import Stage
from registry.aws.session import AwsSession
from registry.choices import DeploymentState, SyncKind, SyncState
from registry.models import (
    AwsAccount,
    Deployment,
    ModelVersion,
    MonitoringAlert,
    MonitoringConstraints,
    MonitoringExecution,
    MonitoringSchedule,
    SyncRun,
)
from registry.services import accounts
from tests.local.sandbox import monitors
from tests.sandbox import Sandbox

from .conftest import Place
from .finding_stories import OfVersion

pytestmark = pytest.mark.django_db

HUB = "111111111111"
VIOLATIONS = [
    {"feature_name": "fare_amount", "constraint_check_type": "data_type_check", "description": "Value: 0.49 does not"},
    {"feature_name": "tip_amount", "constraint_check_type": "completeness_check", "description": "Value: 0.0 does not"},
]
QUALITY = {
    "version": 0.0,
    "dataset": {"item_count": 100},
    "regression_metrics": {
        "mae": {"value": 0.504, "standard_deviation": "NaN"},
        "r2": {"value": "NaN", "standard_deviation": "NaN"},
    },
}
AT = datetime(2026, 5, 4, 10, tzinfo=UTC)


class Line:
    """An account of its own with a bucket, an endpoint's schedules and the means to let them run."""

    def __init__(self, aws: Sandbox) -> None:
        self.aws = aws
        self.account = AwsAccount.objects.get(account_id=HUB)
        self.session: AwsSession = accounts.reach(self.account, self.account.region)
        self.sagemaker, self.s3 = self.session.sagemaker, self.session.s3
        self.bucket = f"monitor-{timezone.now():%H%M%S%f}"
        self.endpoint = self.bucket.replace("monitor", "endpoint")
        self.s3.create_bucket(Bucket=self.bucket)

    def schedule(self, kind: str = "DataQuality") -> str:
        name = f"{self.endpoint}-{kind.lower()}"
        if kind == "DataQuality":
            monitors.data_quality(self.sagemaker, HUB, name, self.bucket, self.endpoint)
        else:
            self.sagemaker.create_model_quality_job_definition(
                JobDefinitionName=name,
                ModelQualityAppSpecification={"ImageUri": monitors.IMAGE, "ProblemType": "Regression"},
                ModelQualityJobInput={
                    "EndpointInput": {"EndpointName": self.endpoint, "LocalPath": "/opt/ml/processing/input"},
                    "GroundTruthS3Input": {"S3Uri": f"s3://{self.bucket}/truth"},
                },
                ModelQualityJobOutputConfig=monitors.output(self.bucket),
                JobResources=monitors.CLUSTER,
                RoleArn=f"arn:aws:iam::{HUB}:role/Monitor",
            )
        monitors.schedule(self.sagemaker, name, name, kind)
        return name

    def run(self, name: str, at: datetime = AT, **wanted: Any) -> None:
        monitors.run(self.aws.url, HUB, name, scheduled_time=at.isoformat(), **wanted)

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def read(self) -> SyncRun:
        (run,) = readings.read_account(account_id=HUB, kind=SyncKind.MONITORS, requested_by="test")
        run.refresh_from_db()
        return run

    def close(self) -> None:
        """Leave no schedule behind for the next test."""
        for page in self.sagemaker.get_paginator("list_monitoring_schedules").paginate():
            for summary in page["MonitoringScheduleSummaries"]:
                self.sagemaker.delete_monitoring_schedule(MonitoringScheduleName=summary["MonitoringScheduleName"])


@pytest.fixture
def line(aws: Sandbox, place: Place) -> Any:
    made = Line(aws)
    yield made
    made.close()


@pytest.fixture
def deployed(line: Line, place: Place) -> ModelVersion:
    """A version in production at the endpoint of the line, in the hub."""
    story = OfVersion(place)
    story.begin(drift_baselines={"ModelDataQuality": {"Constraints": {"S3Uri": f"s3://{line.bucket}/approved.json"}}})
    Deployment.objects.create(
        version=story.version,
        account=line.account,
        region=line.account.region,
        stage=Stage.DEVELOPMENT,
        state=DeploymentState.DEPLOYED,
        endpoint=line.endpoint.upper(),
    )
    return story.version


def test_schedules_executions_and_alerts_are_taken_in_and_stay(line: Line) -> None:
    name = line.schedule()
    line.run(name, violations=VIOLATIONS)
    line.run(name, AT + timedelta(hours=1), status="Failed", failure_reason="No data were captured.")
    first = line.read()
    assert (first.state, first.error) == (SyncState.SUCCEEDED, "")
    schedule = MonitoringSchedule.objects.get(name=name)
    assert (schedule.monitor_type, schedule.endpoint, schedule.status) == ("DataQuality", line.endpoint, "Scheduled")
    assert schedule.expression == "cron(0 * ? * * *)"
    assert schedule.constraints_url == f"s3://{line.bucket}/baseline/constraints.json"
    failed, violated = schedule.executions.order_by("-scheduled_at")
    assert (violated.violation_count, failed.violation_count) == (2, None)
    assert violated.violations[0] == {
        "subject": "fare_amount", "check": "data_type_check", "description": "Value: 0.49 does not",
    }  # fmt: skip
    assert violated.output_url.startswith(f"s3://{line.bucket}/monitor/{line.endpoint}/")
    assert failed.failure_reason == "No data were captured."
    alert = schedule.alerts.get()
    assert (alert.status, alert.datapoints, alert.period) == ("OK", 1, 1)
    assert [one["status"] for one in alert.history] == ["OK", "InAlert"]

    line.aws.forget()
    assert line.read().unchanged == 3
    asked = {call["operation"] for call in line.aws.calls(service="sagemaker", account=HUB)}
    assert asked == {"ListMonitoringSchedules", "ListMonitoringExecutions", "ListMonitoringAlerts"}

    line.close()
    assert line.read().missing == 1
    schedule.refresh_from_db()
    assert schedule.missing_since is not None
    assert MonitoringExecution.objects.filter(schedule=schedule).count() == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "missing"),
        ('{"violations": [{"feature_name": "a"', "truncated"),
        ("<html>AccessDenied</html>", "wrong_type"),
        ("not json", "not_json"),
        ('{"violations": 7}', "wrong_type"),
        ("[]", "wrong_type"),
    ],
)
def test_a_broken_report_is_named_and_nothing_is_lost(line: Line, content: str | None, problem: str) -> None:
    name = line.schedule()
    line.run(name, status="CompletedWithViolations", violations=content)
    run = line.read()
    assert run.state == SyncState.FAILED
    execution = MonitoringExecution.objects.get(schedule__name=name)
    assert (execution.report_problem, execution.violation_count, execution.violations) == (problem, None, [])
    assert execution.report_sentence in run.error
    line.put(
        execution.output_url.removeprefix(f"s3://{line.bucket}/") + "/constraint_violations.json", b'{"violations": []}'
    )
    assert line.read().state == SyncState.SUCCEEDED
    execution.refresh_from_db()
    assert (execution.report_problem, execution.violation_count) == ("", 0)


def test_numbers_reach_the_stage_record_once_with_their_endpoint(line: Line, deployed: ModelVersion) -> None:
    quality, inputs = line.schedule("ModelQuality"), line.schedule()
    line.run(quality, statistics=QUALITY)
    line.run(inputs, violations=VIOLATIONS)
    line.read()
    record = StageRecord.objects.get(version=deployed, stage=Stage.DEVELOPMENT)
    assert record.monitoring_metrics == {
        "mae": 0.504, "r2": None, "violation_count": 2, "violations": {"DataQuality": 2, "ModelQuality": 0},
        "alerts_raised": 1, "status": "in alert",
    }  # fmt: skip
    assert (record.monitoring_endpoint, record.monitoring_captured_at) == (line.endpoint, AT)
    line.read()
    reports = MetricReport.objects.filter(record=record, kind=MetricKind.MONITORING)
    assert reports.count() == 1
    line.run(inputs, AT + timedelta(hours=1), violations=[])
    line.read()
    record.refresh_from_db()
    assert (reports.count(), record.monitoring_metrics["violation_count"]) == (2, 0)
    assert service.report(actor=readings.ACTOR, account=line.account, region=line.account.region) == []
    assert reports.count() == 2


def test_a_finding_tells_of_violations_and_goes_with_them(line: Line, deployed: ModelVersion) -> None:
    name = line.schedule()
    line.run(name, violations=VIOLATIONS)
    line.read()
    finding = Finding.objects.get(kind=FindingKind.MONITOR_VIOLATIONS, version=deployed)
    assert f"{name} found 2 violations (fare_amount, tip_amount)" in finding.summary
    line.run(name, AT + timedelta(hours=1), violations=[])
    line.read()
    finding.refresh_from_db()
    assert finding.state == FindingState.RESOLVED


def test_constraints_of_the_schedule_and_of_the_approval_are_read(line: Line, deployed: ModelVersion) -> None:
    Deployment.objects.filter(version=deployed).update(stage=Stage.PRODUCTION)
    line.schedule()
    line.put(
        "baseline/constraints.json",
        json.dumps({"version": 0.0, "features": [{"name": "age", "completeness": 0.5}]}).encode(),
    )
    line.put("approved.json", b"\x00broken")
    assert line.read().state == SyncState.SUCCEEDED
    found = {one.address.rsplit("/", 1)[-1]: one for one in MonitoringConstraints.objects.all()}
    assert found["constraints.json"].limits == {"features / age / completeness": 0.5}
    assert (found["approved.json"].limits, found["approved.json"].problem) == (None, "not_json")


def test_what_runs_and_what_watches_cost_the_same_however_many(
    line: Line, deployed: ModelVersion, django_assert_num_queries: Any
) -> None:
    for kind in ("DataQuality", "ModelQuality"):
        line.run(line.schedule(kind), violations=[])
    line.read()
    with django_assert_num_queries(3):
        assert [row.names for row in running() if row.version.pk == deployed.pk] == [line.endpoint]
    with django_assert_num_queries(3):
        (watched,) = watching([line.account.pk]).values()
    assert len(watched) == MonitoringAlert.objects.count() == 2


def test_what_aws_refuses_fails_the_pass_and_keeps_what_is_known(line: Line) -> None:
    name = line.schedule()
    line.read()
    line.aws.fault(service="sagemaker", operation="ListMonitoringSchedules", error="AccessDeniedException", times=None)
    try:
        run = line.read()
    finally:
        line.aws.forget()
    assert run.state == SyncState.FAILED
    assert MonitoringSchedule.objects.get(name=name).missing_since is None


def test_what_breaks_off_in_the_middle_is_read_the_next_time(line: Line) -> None:
    """A listing of runs that AWS refuses leaves none out, and neither does a schedule or a history it kept back."""
    name, other = line.schedule(), line.schedule("ModelQuality")
    line.run(name, violations=VIOLATIONS)
    for operation in ("ListMonitoringExecutions", "ListMonitoringAlertHistory", "DescribeMonitoringSchedule"):
        line.aws.fault(service="sagemaker", operation=operation, error="AccessDeniedException", times=1)
    run = line.read()
    assert run.state == SyncState.FAILED
    # The first schedule was not described, the second's runs were not listed: neither counts as read.
    line.run(other, statistics=QUALITY)
    assert set(MonitoringSchedule.objects.values_list("name", "read_until")) == {(other, None)}
    line.aws.fault(service="sagemaker", operation="ListMonitoringAlertHistory", error="AccessDeniedException", times=1)
    assert "History of alert" in line.read().error
    assert set(MonitoringExecution.objects.values_list("schedule__name", flat=True)) == {name, other}
    assert not MonitoringSchedule.objects.filter(read_until=None).exists()
    assert line.read().state == SyncState.SUCCEEDED
    assert MonitoringAlert.objects.get(schedule__name=name).history


def test_runs_are_removed_after_a_year_but_the_newest_that_finished(line: Line) -> None:
    name, before = line.schedule(), timezone.now().replace(microsecond=0) - timedelta(days=500)
    for hours, status in ((0, "Completed"), (1, "Completed"), (2, "Failed")):
        line.run(name, before + timedelta(hours=hours), status=status)
    line.read()
    (kept,) = MonitoringExecution.objects.filter(schedule__name=name)
    assert (kept.status, kept.scheduled_at) == ("Completed", before + timedelta(hours=1))


def test_a_schedule_is_seen_by_who_sees_what_runs_there_and_by_who_operates(
    line: Line, deployed: ModelVersion, place: Place
) -> None:
    name = line.schedule()
    line.run(name, violations=[])
    line.read()
    for actor, sees in (
        (place.people.scientist.actor, True),
        (place.people.officer.actor, True),
    ):
        assert MonitoringSchedule.objects.visible_to(actor).filter(name=name).exists() is sees
        assert MonitoringExecution.objects.visible_to(actor).filter(schedule__name=name).exists() is sees
    Deployment.objects.filter(version=deployed).update(
        endpoint=f"arn:aws:sagemaker:us-east-1:{HUB}:endpoint/{line.endpoint}"
    )
    assert MonitoringSchedule.objects.visible_to(place.people.scientist.actor).get().name == name
    Deployment.objects.filter(version=deployed).update(endpoint="elsewhere")
    assert not MonitoringSchedule.objects.visible_to(place.people.scientist.actor).exists()
    assert MonitoringSchedule.objects.visible_to(place.people.officer.actor).exists()
