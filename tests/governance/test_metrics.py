"""Metrics of stage records: null is not zero, older does not overwrite newer, nonsense is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import MetricKind
from governance.models import MetricReport, StageRecord
from governance.services import metrics
from portal.core.errors import Forbidden, InvalidInput, NotFound
from tests.factories import Cast, group, version
from tests.scene import fingerprint

from .conftest import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(place: Place) -> StageRecord:
    return StageRecord.objects.get(version=version(group(place.project, place.people), metadata={}))


def report(people: Cast, record: StageRecord, values: Any, **options: Any) -> StageRecord:
    options.setdefault("kind", MetricKind.VALIDATION)
    return metrics.report(actor=people.engineer.actor, record_id=record.pk, metrics=values, **options)


def test_nothing_reported_is_null_and_null_stays_null(people: Cast, record: StageRecord) -> None:
    assert record.validation_metrics is None
    report(people, record, {"auc": None, "f1": 0, "by_segment": {"young": None}})
    record.refresh_from_db()
    assert record.validation_metrics == {"auc": None, "f1": 0, "by_segment": {"young": None}}
    assert record.monitoring_metrics is None


def test_an_older_report_is_kept_but_does_not_overwrite(people: Cast, record: StageRecord) -> None:
    now = timezone.now()
    report(people, record, {"auc": 0.8}, captured_at=now, source="pipeline 7")
    report(people, record, {"auc": 0.5}, captured_at=now - timedelta(days=1), source="pipeline 3")
    record.refresh_from_db()
    assert (record.validation_metrics, record.validation_source) == ({"auc": 0.8}, "pipeline 7")
    assert MetricReport.objects.filter(record=record).count() == 2
    report(people, record, {"auc": 0.9}, captured_at=now + timedelta(seconds=1))
    record.refresh_from_db()
    assert record.validation_metrics == {"auc": 0.9}


def test_the_two_kinds_do_not_mix(people: Cast, record: StageRecord) -> None:
    report(people, record, {"auc": 0.8})
    report(people, record, {"drift": 0.2}, kind=MetricKind.MONITORING, endpoint="live")
    record.refresh_from_db()
    assert (record.validation_metrics, record.monitoring_metrics, record.monitoring_endpoint) == (
        {"auc": 0.8},
        {"drift": 0.2},
        "live",
    )


@pytest.mark.parametrize(
    "values",
    [
        {},
        [],
        "auc",
        None,
        {"auc": float("nan")},
        {"auc": float("inf")},
        {"auc": {"young": float("-inf")}},
        {"auc": [1, float("nan")]},
        {"auc": object()},
        {"auc": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
        {"auc": "\x00"},
        {"\x00": 1},
        {"auc": "\ud800"},
        {f"m{i}": i for i in range(501)},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(people: Cast, record: StageRecord, values: Any) -> None:
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        report(people, record, values)
    assert "metrics" in refusal.value.errors
    assert fingerprint() == before


def test_no_metrics_from_the_future(people: Cast, record: StageRecord) -> None:
    with pytest.raises(InvalidInput) as refusal:
        report(people, record, {"auc": 1}, captured_at=timezone.now() + timedelta(hours=1))
    assert "captured_at" in refusal.value.errors


def test_who_may_report(people: Cast, record: StageRecord) -> None:
    for person in (people.scientist, people.engineer):
        metrics.report(actor=person.actor, record_id=record.pk, kind=MetricKind.VALIDATION, metrics={"auc": 1})
    for person in (people.owner, people.officer, people.admin, people.auditor):
        with pytest.raises(Forbidden):
            metrics.report(actor=person.actor, record_id=record.pk, kind=MetricKind.VALIDATION, metrics={"auc": 1})
    with pytest.raises(NotFound):
        metrics.report(actor=people.stranger.actor, record_id=record.pk, kind=MetricKind.VALIDATION, metrics={"auc": 1})
