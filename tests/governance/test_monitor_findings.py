"""What monitors complain of and do not do, wherever AWS shows what runs: known versions, unknown models, batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import FindingKind, FindingState, MetricKind
from governance.models import Finding, MetricReport, StageRecord
from governance.services import monitors, review
from portal.core.vocabulary import Stage
from registry.aws.cloudwatch import MODEL_QUALITY
from registry.choices import SyncKind, SyncState
from registry.models import (
    AwsAccount,
    Deployment,
    Endpoint,
    EndpointSeries,
    EndpointVariant,
    ModelVersion,
    MonitoringAlert,
    MonitoringExecution,
    MonitoringSchedule,
    SyncRun,
)
from registry.selectors import monitoring
from registry.selectors.placements import placements
from tests.factories import at_stage, group, version
from tests.factories.people import SYSTEM

from .conftest import Place

pytestmark = pytest.mark.django_db

HERE, THERE = "us-east-1", "eu-west-1"
HOURLY = "cron(0 * ? * * *)"


class Account:
    """The production account, as the last readings left it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.row = AwsAccount.objects.filter(purposes__contains=["production"]).order_by("pk")[0]
        self.now = timezone.now().replace(microsecond=0)

    def version(self) -> ModelVersion:
        return version(group(self.place.project, self.place.people))

    def endpoint(self, name: str, served: ModelVersion | None = None, region: str = HERE) -> EndpointVariant:
        arn = f"arn:aws:sagemaker:{region}:{self.row.account_id}:endpoint/{name.lower()}"
        on, _ = Endpoint.objects.get_or_create(
            account=self.row,
            region=region,
            name=name,
            defaults={"arn": arn, "status": "InService", "read_at": self.now},
        )
        row, _ = EndpointVariant.objects.update_or_create(
            endpoint=on, name="AllTraffic", defaults={"version": served, "model_name": "model"}
        )
        return row

    def report(self, of: ModelVersion, endpoint: str, ago: int = 60) -> Deployment:
        return Deployment.objects.create(
            version=of,
            account=self.row,
            region=HERE,
            stage=Stage.PRODUCTION,
            state="deployed",
            endpoint=endpoint,
            reported_at=self.now - timedelta(minutes=ago),
        )

    def read(self, kind: SyncKind, region: str = HERE, state: SyncState = SyncState.SUCCEEDED, error: str = "") -> None:
        SyncRun.objects.create(
            account=self.row, region=region, kind=kind, state=state, finished_at=timezone.now(), error=error
        )

    def schedule(self, name: str, endpoint: str, region: str = HERE, **values: Any) -> MonitoringSchedule:
        fields = {"monitor_type": "DataQuality", "status": "Scheduled", "expression": HOURLY, "read_until": self.now}
        return MonitoringSchedule.objects.create(
            account=self.row, region=region, name=name, endpoint=endpoint, read_at=self.now, **{**fields, **values}
        )

    def run(self, of: MonitoringSchedule, status: str = "Completed", ago: int = 1, **values: Any) -> None:
        count = {"Completed": 0, "CompletedWithViolations": 1}.get(status)
        MonitoringExecution.objects.create(
            schedule=of,
            scheduled_at=self.now - timedelta(hours=ago),
            status=status,
            read_at=self.now,
            **{"violation_count": count, **values},
        )


@pytest.fixture
def account(place: Place) -> Account:
    return Account(place)


def standing(kind: FindingKind) -> dict[str, str]:
    """What stands of a kind after the portal looked again, by what it is about."""
    review.review_kinds(actor=SYSTEM, kinds=[kind])
    rows = Finding.objects.unresolved().filter(kind=kind).select_related("version", "account")
    return {row.subject_key.partition("/")[0].partition(":")[0]: row.summary for row in rows}


def test_what_aws_shows_wins_over_what_was_reported(account: Account) -> None:
    old, new = account.version(), account.version()
    account.report(old, "Credit-Risk")
    account.endpoint("Credit-Risk", new)

    def where() -> dict[int, Any]:
        return {one.version.pk: one.places for one in placements(account=account.row)}

    # The report is newer than any reading of the whole account: both count.
    assert where() == {old.pk: ((HERE, "credit-risk"),), new.pk: ((HERE, "credit-risk"),)}
    account.read(SyncKind.ENDPOINTS)
    assert where() == {old.pk: (), new.pk: ((HERE, "credit-risk"),)}
    account.endpoint("Credit-Risk", new, region=THERE)
    assert where()[new.pk] == ((THERE, "credit-risk"), (HERE, "credit-risk"))
    assert monitoring.watched_places(SYSTEM, old) == []
    shown = monitoring.watched_places(SYSTEM, new)
    assert sorted((one.endpoint, one.region) for one in shown) == [("Credit-Risk", THERE), ("Credit-Risk", HERE)]


def test_violations_where_no_known_version_runs_are_of_the_account(account: Account) -> None:
    watching = account.schedule("inputs", "nobodys")
    account.run(watching, "CompletedWithViolations", violations=[{"subject": "age"}])
    told = standing(FindingKind.MONITOR_VIOLATIONS)
    assert list(told) == ["awsaccount"]
    assert "endpoint nobodys, where no known version runs: inputs found 1 violation (age)" in told["awsaccount"]
    # Once AWS shows a version there, it is the version's; and nobody's once a run is clear.
    account.endpoint("nobodys", account.version())
    assert list(standing(FindingKind.MONITOR_VIOLATIONS)) == ["modelversion"]
    account.run(watching, ago=0)
    assert standing(FindingKind.MONITOR_VIOLATIONS) == {}
    assert {row.state for row in Finding.objects.filter(kind=FindingKind.MONITOR_VIOLATIONS)} == {FindingState.RESOLVED}


def test_an_alert_over_batch_transforms_is_told_and_goes(account: Account) -> None:
    alert = MonitoringAlert.objects.create(
        schedule=account.schedule("nightly", ""), name="nightly-alert", status="InAlert", read_at=account.now
    )
    told = standing(FindingKind.MONITOR_VIOLATIONS)
    assert "on batch transforms: nightly has its alert nightly-alert raised" in told["awsaccount"]
    MonitoringAlert.objects.filter(pk=alert.pk).update(status="OK")
    assert standing(FindingKind.MONITOR_VIOLATIONS) == {}


def test_one_name_in_two_regions_is_two_endpoints(account: Account) -> None:
    account.endpoint("credit", account.version())
    for region, status in ((HERE, "Completed"), (THERE, "CompletedWithViolations")):
        account.run(account.schedule("inputs", "credit", region), status)
    assert list(standing(FindingKind.MONITOR_VIOLATIONS)) == ["awsaccount"]


def test_an_endpoint_with_an_unknown_model_lacks_its_monitor_too(account: Account) -> None:
    account.endpoint("somebodys")
    assert standing(FindingKind.MONITOR_MISSING) == {}, "Where schedules were never read, nobody can tell."
    account.read(SyncKind.MONITORS)
    told = standing(FindingKind.MONITOR_MISSING)
    assert "serves a model that no registered version is behind, where there is no monitoring" in told["awsaccount"]
    watching = account.schedule("inputs", "somebodys")
    account.run(watching)
    assert standing(FindingKind.MONITOR_MISSING) == {}


@pytest.mark.parametrize(
    ("bring_about", "told"),
    [
        (lambda at, of: at.run(of, "Failed", 0, failure_reason="No data."), "inputs failed at its run of"),
        (lambda at, of: at.run(of, "Stopped", 0), "inputs was stopped at its run of"),
        (lambda at, of: at.run(of, ago=9), "inputs has not run since"),
        (
            lambda at, of: change(of, status="Failed", failure_reason="No role."),
            "no monitoring runs: inputs failed (No",
        ),
        (lambda at, of: change(of, status="Stopped"), "no monitoring runs: inputs is stopped"),
        (lambda at, of: change(of, missing_since=at.now), "there is no monitoring schedule"),
    ],
)
def test_a_monitor_that_does_not_do_its_work_is_found_and_settled(
    account: Account, bring_about: Callable[[Account, MonitoringSchedule], None], told: str
) -> None:
    served = account.version()
    ModelVersion.objects.filter(pk=served.pk).update(risk_rating="high")
    account.endpoint("credit", served)
    watching = account.schedule("inputs", "credit")
    bring_about(account, watching)
    assert told in standing(FindingKind.MONITOR_MISSING)["modelversion"]
    # The page says the same; one that somebody stopped, or that is gone, is shown as that.
    (row,) = monitoring.schedules(SYSTEM)
    assert bool(monitoring.trouble_of(row)) is (row.status != "Stopped" and row.missing_since is None)
    change(watching, status="Scheduled", missing_since=None, read_until=account.now + timedelta(hours=1))
    account.run(watching, ago=-1)
    assert standing(FindingKind.MONITOR_MISSING) == {}


def change(of: MonitoringSchedule, **values: Any) -> None:
    MonitoringSchedule.objects.filter(pk=of.pk).update(**values)


def test_a_run_over_another_endpoint_is_none_of_this_one(account: Account) -> None:
    account.run(account.schedule("inputs", "credit"), "CompletedWithViolations", endpoint="former")
    assert standing(FindingKind.MONITOR_VIOLATIONS) == {}


def test_numbers_go_to_what_aws_shows_and_not_to_its_successor(account: Account) -> None:
    first, second = (at_stage(account.place.people, account.version(), Stage.PRODUCTION) for _ in range(2))
    account.endpoint("Credit", first)
    quality = account.schedule("quality", "Credit", monitor_type="ModelQuality")
    account.run(quality, metrics={"auc": 0.8, "recall": None})
    series = EndpointSeries.objects.create(
        account=account.row,
        region=HERE,
        endpoint="Credit",
        schedule="quality",
        namespace=MODEL_QUALITY,
        metric="recall",
        statistic="Average",
        begins_at=datetime(2026, 3, 1, tzinfo=UTC),
        points=[0.6, 0.7, None],
        read_at=account.now,
    )

    def told(of: ModelVersion) -> Any:
        assert monitors.report(actor=SYSTEM, account=account.row, region=HERE) == []
        return StageRecord.objects.get(version=of, stage=Stage.PRODUCTION).monitoring_metrics

    assert told(first) == {
        "auc": 0.8, "recall": 0.7, "violation_count": 0, "violations": {"ModelQuality": 0}, "status": "no violations",
    }  # fmt: skip
    assert StageRecord.objects.get(version=first, stage=Stage.PRODUCTION).monitoring_endpoint == "Credit"
    # Moved: what was measured of the first is not the second's, the next run is.
    account.endpoint("Credit", second)
    assert told(second) is None
    account.run(quality, ago=0, metrics={"auc": 0.9, "recall": None})
    assert told(second)["auc"] == 0.9
    # An hour that CloudWatch counted later is newer than the run.
    EndpointSeries.objects.filter(pk=series.pk).update(begins_at=account.now, points=[0.75])
    assert told(second)["recall"] == 0.75
    reports = MetricReport.objects.filter(kind=MetricKind.MONITORING)
    before = reports.count()
    told(second)
    assert reports.count() == before == 3


def test_what_runs_before_its_approval_is_monitored_at_the_stage_it_has_come_to(account: Account) -> None:
    served = account.version()
    account.endpoint("early", served)
    account.run(account.schedule("inputs", "early"), "Completed")
    monitors.report(actor=SYSTEM, account=account.row, region=HERE)
    record = StageRecord.objects.get(version=served)
    assert (record.stage, record.monitoring_endpoint) == (Stage.DEVELOPMENT, "early")
    assert record.monitoring_metrics["status"] == "no violations"


def test_who_sees_a_version_sees_what_watches_it_where_aws_shows_it(account: Account, place: Place) -> None:
    watching = account.schedule("inputs", "Credit")
    account.run(watching)

    def sees() -> list[bool]:
        actor = place.people.scientist.actor
        runs = MonitoringExecution.objects.visible_to(actor).filter(schedule=watching)
        return [MonitoringSchedule.objects.visible_to(actor).filter(pk=watching.pk).exists(), runs.exists()]

    assert sees() == [False, False]
    account.endpoint("Credit", account.version())
    assert sees() == [True, True]


def test_a_reading_that_was_refused_is_none(account: Account) -> None:
    served = account.version()
    account.endpoint("credit", served)
    account.read(SyncKind.MONITORS, state=SyncState.FAILED, error="Not allowed.")
    (place,) = monitoring.watched_places(SYSTEM, served)
    assert (place.was_read, place.read_at, place.problem) == (False, None, "Not allowed.")
    account.read(SyncKind.MONITORS)
    (place,) = monitoring.watched_places(SYSTEM, served)
    assert (place.was_read, place.problem) == (True, "")
