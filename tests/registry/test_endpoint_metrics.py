"""Endpoint metrics: an hour without data is a gap, what was read stays, and ninety days are all that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.services.readings import ACTOR, Tally
from portal.core.operations import operation
from registry.aws import cloudwatch
from registry.aws.cloudwatch import INSTANCES, MODEL_QUALITY, SAGEMAKER, EndpointMetric, Series
from registry.aws.errors import AwsThrottled
from registry.choices import DeploymentState
from registry.models import AwsAccount, Deployment, Endpoint, EndpointSeries, EndpointVariant
from registry.models.endpoint_series import HOUR, MOST_HOURS, joined
from registry.selectors import endpoint_metrics as selectors
from registry.services import endpoint_metrics
from tests.factories import group, version
from tests.governance.conftest import Place

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALLS = EndpointMetric(SAGEMAKER, "Invocations", "credit", "AllTraffic")
CPU = EndpointMetric(INSTANCES, "CPUUtilization", "credit", "AllTraffic")
AUC = EndpointMetric(MODEL_QUALITY, "auc", "credit", schedule="quality")
FOREIGN = EndpointMetric(SAGEMAKER, "Invocations", "somebody-elses", "AllTraffic")


def at(hours: int) -> datetime:
    return NOON + hours * HOUR


@pytest.mark.parametrize(
    ("kept", "read", "until", "first", "hours"),
    [
        ([], {}, 0, None, []),
        ([], {-3: 5.0, -1: 7.0}, 0, -3, [5.0, None, 7.0]),
        ([1.0, None, 3.0], {}, 0, -10, [1.0, None, 3.0]),
        ([1.0, 2.0, 3.0], {-9: 9.0, -6: 0.0}, 0, -10, [1.0, 9.0, 3.0, None, 0.0]),
        # The running hour is not over, so it is not kept yet; what lies ahead is nobody's.
        ([1.0], {0: 4.0, 5: 4.0}, 0, -10, [1.0]),
        ([1.0, None, 3.0], {}, MOST_HOURS - 9, -8, [3.0]),
        ([1.0], {}, 2 * MOST_HOURS, None, []),
    ],
)
def test_what_was_read_is_joined_to_what_is_kept(
    kept: list[float | None], read: dict[int, float], until: int, first: int | None, hours: list[float | None]
) -> None:
    begins, points = joined(
        at(-10) if kept else None, kept, {at(hour): value for hour, value in read.items()}, at(until)
    )
    assert (begins, points) == (None if first is None else at(first), hours)


class Said:
    """A CloudWatch that has these points, and remembers what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *series: Series) -> None:
        self.series = {one.metric: one for one in series}
        self.asked: list[tuple[list[EndpointMetric], datetime]] = []
        self.fails = False
        monkeypatch.setattr(cloudwatch, "endpoint_metrics", lambda session: list(self.series))
        monkeypatch.setattr(cloudwatch, "hourly", self.hourly)

    def hourly(self, session: Any, metrics: Sequence[EndpointMetric], start: datetime, end: datetime) -> list[Series]:
        if self.fails:
            raise AwsThrottled(
                service="cloudwatch", operation="GetMetricData", account_id="1", code="Throttling", message="slow down"
            )
        self.asked.append((list(metrics), start))
        return [self.series.get(metric, Series(metric, ())) for metric in metrics]


class _Session:
    """What a pass asks of its session."""

    def __init__(self, region: str) -> None:
        self.account = type("At", (), {"region": region})


@pytest.fixture
def account(place: Place) -> AwsAccount:
    found = AwsAccount.objects.get(account_id="444444444444")
    with operation(ACTOR):
        Deployment.objects.create(
            version=version(group(place.project, place.people)),
            account=found,
            region="us-east-1",
            stage="production",
            state=DeploymentState.DEPLOYED,
            endpoint=f"arn:aws:sagemaker:us-east-1:{found.account_id}:endpoint/credit",
        )
    return found


def read(account: AwsAccount) -> Tally:
    tally = Tally()
    session: Any = _Session("us-east-1")
    endpoint_metrics.read(ACTOR, account, session, tally)
    return tally


def hour(back: int) -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=back)


def test_series_are_kept_with_their_gaps_and_read_on_from_their_last_hours(
    account: AwsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Said(
        monkeypatch,
        Series(CALLS, ((hour(5), 0.0), (hour(2), 7.0))),
        Series(AUC, ((hour(3), 0.8),)),
        Series(CPU, (), "CloudWatch gave only a part of the points."),
        Series(FOREIGN, ((hour(1), 1.0),)),
    )
    tally = read(account)
    assert (tally.created, tally.updated, tally.unchanged) == (3, 0, 0)
    assert tally.problems == ["CPUUtilization of credit: CloudWatch gave only a part of the points."]
    row = EndpointSeries.objects.get(metric="Invocations")
    assert (row.endpoint, row.variant, row.statistic) == ("credit", "AllTraffic", "Sum")
    assert list(row.hours()) == [(hour(5), 0.0), (hour(4), None), (hour(3), None), (hour(2), 7.0)]
    assert row.last == (hour(2), 7.0)
    assert EndpointSeries.objects.get(metric="CPUUtilization").last is None
    said.series = {CALLS: Series(CALLS, ((hour(2), 7.0), (hour(1), 2.0)))}
    said.asked.clear()
    tally = read(account)
    assert (tally.created, tally.updated, tally.unchanged) == (0, 1, 2)
    starts = {metric: start for metrics, start in said.asked for metric in metrics}
    # A metric CloudWatch no longer names is asked for as well, and one that was answered in part from the beginning.
    assert starts[CALLS] == starts[AUC] == hour(3)
    assert starts[CPU] == hour(MOST_HOURS)
    row.refresh_from_db()
    assert row.points == [0.0, None, None, 7.0, 2.0]
    assert EndpointSeries.objects.get(metric="auc").points == [0.8]


def test_what_was_read_stays_when_aws_does_not_answer(account: AwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said(monkeypatch, Series(CALLS, ((hour(2), 7.0),)))
    read(account)
    said.fails = True
    with pytest.raises(AwsThrottled):
        read(account)
    assert EndpointSeries.objects.get().points == [7.0]


def test_an_endpoint_with_more_metrics_than_anybody_reads_is_told(
    account: AwsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_metrics, "MOST_OF_ENDPOINT", 1)
    Said(monkeypatch, Series(CALLS, ()), Series(CPU, ()))
    tally = read(account)
    assert tally.problems == ["credit has 2 metrics in CloudWatch; the first 1 of them are read."]
    assert EndpointSeries.objects.count() == 1


def test_the_database_keeps_a_series_bounded_and_placed(account: AwsAccount) -> None:
    row = {"account": account, "region": "us-east-1", "endpoint": "e", "namespace": "n", "metric": "m"}
    for values in ({"points": [1.0]}, {"points": [None] * (MOST_HOURS + 1), "begins_at": NOON}):
        with pytest.raises(IntegrityError), transaction.atomic():
            EndpointSeries.objects.create(**row, **values, statistic="Sum", read_at=NOON)


def test_who_sees_no_version_there_sees_no_series(
    account: AwsAccount, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    Said(monkeypatch, Series(CALLS, ((hour(2), 7.0),)))
    read(account)
    people = place.people
    seen = {who: EndpointSeries.objects.visible_to(who.actor).count() for who in (people.scientist, people.stranger)}
    assert seen == {people.scientist: 1, people.stranger: 0}


def test_a_variant_that_serves_what_one_may_not_see_keeps_its_numbers_from_him(
    account: AwsAccount, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two projects may share an endpoint, each with a variant of its own."""
    Said(monkeypatch, Series(CALLS, ((hour(2), 7.0),)))
    read(account)
    arn = f"arn:aws:sagemaker:us-east-1:{account.account_id}:endpoint/credit"
    here = {"account": account, "region": "us-east-1", "name": "credit", "arn": arn, "status": "InService"}
    endpoint = Endpoint.objects.create(**here, read_at=NOON)
    people = place.people
    theirs = version(group(place.elsewhere, replace(people, engineer=people.stranger, owner=people.stranger)))
    EndpointVariant.objects.create(endpoint=endpoint, name="AllTraffic", version=theirs)
    seen = [EndpointSeries.objects.visible_to(who.actor).count() for who in (people.scientist, people.stranger)]
    assert seen == [0, 1]
    ours = Deployment.objects.get(account=account).version
    EndpointVariant.objects.create(endpoint=endpoint, name="AllTraffic", inference_component="ours", version=ours)
    assert EndpointSeries.objects.visible_to(people.scientist.actor).count() == 1


def test_a_name_is_the_same_however_it_is_written(
    account: AwsAccount, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was reported is an ARN, which has the name in small letters; CloudWatch has it as it was given."""
    Said(monkeypatch, Series(replace(CALLS, endpoint="Credit"), ((hour(2), 7.0),)))
    assert read(account).created == 1
    for actor in (place.people.scientist.actor, place.people.officer.actor):
        (found,) = selectors.metrics_of_version(actor, Deployment.objects.get(account=account).version)
        assert [part.variant for part in found.parts] == ["AllTraffic"]
        assert selectors.metrics(actor, account.account_id, "us-east-1", "credit").at.name == "Credit"


def test_what_has_no_hour_left_is_removed(account: AwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that is gone keeps what it has for ninety days: names of endpoints come and go for ever."""
    Said(monkeypatch, Series(CALLS, ((hour(2), 7.0),)))
    rows = {"account": account, "region": "us-east-1", "namespace": SAGEMAKER, "metric": "Invocations", "points": [1.0]}
    for name, ago in (("gone", MOST_HOURS + 2), ("lately", MOST_HOURS - 2)):
        EndpointSeries.objects.create(
            **rows, endpoint=name, statistic="Sum", begins_at=hour(ago + 1), read_at=hour(ago)
        )
    read(account)
    assert set(EndpointSeries.objects.values_list("endpoint", flat=True)) == {"credit", "lately"}
