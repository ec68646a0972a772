"""What figures are made of: every number of a report, the rule it is held against, and how a deployment stands."""

from __future__ import annotations

from typing import Any

import pytest

from governance.choices import InPlace, MetricKind
from governance.models import StageRecord
from governance.policies.facts import MetricRule, Operator
from governance.policies.metrics import number_at, number_for, numbers
from governance.selectors import metric_history
from governance.selectors.endpoints import judged
from governance.selectors.metric_history import Metric
from portal.core.vocabulary import RiskRating, Stage, Status
from registry.choices import DeploymentMode, DeploymentState


class Asking:
    """Rules that ask for AUC in QA only."""

    RULE = MetricRule("auc", Operator.AT_LEAST, 0.75)

    def named(self, name: str, kind: MetricKind, stage: Stage, tier: RiskRating) -> tuple[MetricRule, ...]:
        return (self.RULE,) if (name, kind, stage) == ("auc", MetricKind.VALIDATION, Stage.QA) else ()


@pytest.mark.parametrize(
    ("report", "found"),
    [
        ({"auc": 0.8, "note": "good", "ok": True, "none": None}, {"auc": 0.8}),
        ({"bias": {"DI": {"value": 0.9, "unit": "x"}}}, {"bias.DI": 0.9}),
        (
            {"segments": [{"name": "young", "auc": 0.7}, {"auc": 0.6}]},
            {"segments.young.auc": 0.7, "segments.1.auc": 0.6},
        ),
        ({}, {}),
    ],
)
def test_every_number_of_a_report_is_found_under_its_path(report: dict[str, Any], found: dict[str, float]) -> None:
    assert numbers(report) == found
    assert {name: number_at(name, report) for name in found} == found


def test_a_metric_reported_twice_with_different_values_has_no_number() -> None:
    report = {"a.b": 1, "a": {"b": 2}}
    assert number_for(MetricRule("a.b", Operator.AT_MOST, 5), report) is None
    assert number_at("a.c", report) is None


def test_metrics_a_rule_is_about_come_first_and_missing_is_not_zero() -> None:
    offered = metric_history.choices([{"loss": 1, "auc": 0.8}, None], [Asking.RULE])
    assert [metric.name for metric in offered] == ["auc", "loss"]
    assert metric_history.chosen("loss", offered) == offered[1]
    assert metric_history.chosen("nonsense", offered) == offered[0]
    assert metric_history.chosen("auc", []) is None


def test_a_number_is_held_against_the_rule_of_its_own_stage() -> None:
    records = [
        StageRecord(stage=Stage.DEVELOPMENT, validation_metrics={"auc": 0.7}),
        StageRecord(stage=Stage.QA, validation_metrics={"auc": 0.7}),
        StageRecord(stage=Stage.PRODUCTION, validation_metrics=None),
    ]
    rules: Any = Asking()
    found = [reading for _, reading in metric_history.by_stage(records, Metric("auc", "AUC"), rules, RiskRating.LOW)]
    assert found[0] is not None
    assert found[1] is not None
    assert [found[0].is_bad, found[1].is_bad, found[2]] == [False, True, None]
    assert (found[0].needed, found[1].needed) == ("", "at least 0.75 is needed")


@pytest.mark.parametrize(
    ("state", "mode", "stage", "status", "word"),
    [
        ("deployed", "live", "qa", "approved", InPlace.RUNS_APPROVED),
        ("deployed", "live", "qa", "deployed", InPlace.RUNS_APPROVED),
        ("deployed", "trial", "qa", "pending", InPlace.ON_TRIAL),
        ("deployed", "live", "qa", "pending", InPlace.RUNS_UNAPPROVED),
        ("deployed", "trial", "qa", None, InPlace.RUNS_UNAPPROVED),
        ("deployed", "trial", "qa", "rejected", InPlace.RUNS_REJECTED),
        ("deployed", "live", "retired", "approved", InPlace.RUNS_REJECTED),
        ("ordered", "trial", "qa", "pending", InPlace.ORDERED),
        ("failed", "live", "production", "approved", InPlace.APPROVED_NOT_RUNNING),
        ("in_progress", "live", "retired", "approved", InPlace.OVER),
        ("ordered", "live", "production", "superseded", InPlace.OVER),
        ("removed", "live", "production", "approved", InPlace.OVER),
    ],
)
def test_how_a_deployment_stands(state: str, mode: str, stage: str, status: str | None, word: InPlace) -> None:
    assert judged(state, mode, status, retired=stage == Stage.RETIRED) is word


def test_every_deployment_there_can_be_stands_somehow() -> None:
    statuses = [*Status, None]
    words = {
        judged(state, mode, status, retired=retired, gone=gone)
        for state in DeploymentState
        for mode in DeploymentMode
        for retired in (True, False)
        for gone in (True, False)
        for status in statuses
    }
    assert words == set(InPlace)
