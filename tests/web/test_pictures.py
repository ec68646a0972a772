"""Metrics of a version and over versions, and its lineage: what is drawn is what was reported, and nothing more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.choices import InPlace, MetricKind
from governance.models import StageRecord
from governance.policies.facts import MetricRule, Operator
from governance.policies.metrics import number_at, number_for, numbers
from governance.selectors import metric_history
from governance.selectors.endpoints import judged
from governance.selectors.lineage import lineage
from governance.selectors.metric_history import Metric
from governance.services import metrics
from portal.core.actors import Actor
from portal.core.vocabulary import RiskRating, Stage, Status
from registry.choices import DeploymentMode, DeploymentState
from registry.models import ModelVersion
from tests.api.world import World

AsRole = Callable[[str], Client]
HOSTILE = "</script><img src=x onerror=alert(1)>"
START = datetime(2026, 3, 1, tzinfo=UTC)


def specs(answer: Any) -> list[dict[str, Any]]:
    """Return what the figures of an answer draw."""
    found = re.findall(r'data-spec="([^"]*)"', answer.content.decode())
    return [json.loads(unescape(text)) for text in found]


class Asking:
    """Rules that ask for AUC in QA only."""

    RULE = MetricRule("auc", Operator.AT_LEAST, 0.75)

    def named(self, name: str, kind: MetricKind, stage: Stage, tier: RiskRating) -> tuple[MetricRule, ...]:
        return (self.RULE,) if (name, kind, stage) == ("auc", MetricKind.VALIDATION, Stage.QA) else ()


# Pure


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
    assert judged(state, mode, stage, status) is word


def test_every_deployment_there_can_be_stands_somehow() -> None:
    statuses = [*Status, None]
    words = {
        judged(state, mode, stage, status)
        for state in DeploymentState
        for mode in DeploymentMode
        for stage in Stage
        for status in statuses
    }
    assert words == set(InPlace)


# With the world


def report(world: World, kind: MetricKind, values: dict[str, Any], days: int = 0) -> None:
    metrics.report(
        actor=world.people.scientist.actor,
        record_id=world.trial_record.pk,
        kind=kind,
        metrics=values,
        captured_at=START + timedelta(days=days),
    )


def test_a_version_shows_its_metrics_by_stage_and_over_time(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    url = reverse("governance:version_metrics_chart", args=[world.trial.pk])
    report(world, MetricKind.VALIDATION, {"auc": 0.81, HOSTILE: 3, "huge": 10**400})
    for day, psi in enumerate((0.05, 0.4)):
        report(world, MetricKind.MONITORING, {"psi": psi}, day)
    answer = client.get(f"{url}?metric=auc&monitored=psi", headers={"HX-Request": "true"})
    by_stage, over_time = specs(answer)
    assert [point["y"] for line in by_stage["lines"] if not line["threshold"] for point in line["points"]] == [0.81]
    watched = [line for line in over_time["lines"] if not line["threshold"]]
    assert [point["y"] for point in watched[0]["points"]] == [0.05, 0.4]
    assert watched[0]["points"][0]["x"] == START.timestamp() * 1000
    text = answer.content.decode()
    assert "<img" not in text
    assert "Every validation metric by stage" in text
    # An integer no axis has a place for is in the table, and not drawn.
    huge = client.get(f"{url}?metric=huge")
    assert huge.status_code == 200
    assert "more than 1e18" in huge.content.decode()
    assert client.get(f"{url}?metric=%00&monitored=").status_code == 200


def test_what_is_beyond_a_threshold_is_marked_and_leads_to_its_finding(world: World, as_role: AsRole) -> None:
    url = reverse("governance:version_metrics_chart", args=[world.trial.pk])
    report(world, MetricKind.MONITORING, {"auc": 0.1, "psi": 99, "validation:auc": 0.1})
    rules = metric_history.Rules()
    asked = rules.about(MetricKind.MONITORING, Stage.QA, RiskRating.HIGH)
    page = as_role("governance_officer").get(url)
    drawn = [line for spec in specs(page) for line in spec["lines"] if not line["threshold"]]
    thresholds = [line for spec in specs(page) for line in spec["lines"] if line["threshold"]]
    assert bool(thresholds) is bool(asked)
    bad = [point for line in drawn for point in line["points"] if point["bad"]]
    assert all("/findings/?" in point["url"] and "beyond the threshold" in point["note"] for point in bad)


def test_nothing_reported_is_said_and_not_drawn(world: World, as_role: AsRole) -> None:
    answer = as_role("data_scientist").get(reverse("governance:version_metrics_chart", args=[world.fresh.pk]))
    assert not specs(answer)
    assert "No monitoring metric is reported" in answer.content.decode()


def test_a_metric_over_the_versions_of_a_group(world: World, as_role: AsRole) -> None:
    report(world, MetricKind.VALIDATION, {"auc": 0.81, "loss": 2})
    client = as_role("data_scientist")
    url = reverse("governance:group_metrics_chart", args=[world.trial.group_id])
    (spec,) = specs(client.get(f"{url}?metric=loss", headers={"HX-Request": "true"}))
    points = [point for line in spec["lines"] if not line["threshold"] for point in line["points"]]
    assert [(spec["labels"][int(point["x"])], point["y"]) for point in points] == [(f"v{world.trial.number}", 2)]
    assert points[0]["url"] == reverse("registry:version", args=[world.trial.pk])
    elsewhere = client.get(f"{url}?metric=loss&stage=production")
    assert not specs(elsewhere)
    assert "not reported" in elsewhere.content.decode()


def test_the_lineage_says_what_is_known_and_what_is_not_reported(world: World, as_role: AsRole) -> None:
    graph = lineage(Actor.system("test"), ModelVersion.objects.select_related("group").get(pk=world.trial.pk))
    kinds = {node.kind for node in graph.nodes.values()}
    assert {"Model version", "Model group", "Training job", "Training data", "QA"} <= kinds
    unknown = {node.kind for node in graph.nodes.values() if node.unknown}
    assert "Training data" in unknown
    joined = {end for edge in graph.edges for end in (edge.source, edge.target)}
    assert joined == set(graph.nodes), "every thing is joined to another, and no edge leads to nothing"
    answer = as_role("data_scientist").get(reverse("governance:version_lineage", args=[world.trial.pk]))
    (spec,) = specs(answer)
    assert {node["id"] for node in spec["nodes"]} == set(graph.nodes)
    table = answer.content.decode().partition("<table")[2]
    for edge in graph.edges:
        assert edge.label in table
    for node in graph.nodes.values():
        if node.url:
            assert f'href="{node.url}"' in table, node


def test_lineage_and_metrics_cost_the_same_however_much_there_is(world: World, as_role: AsRole) -> None:
    client = as_role("governance_officer")
    for name in ("version_lineage", "version_metrics_chart"):
        url = reverse(f"governance:{name}", args=[world.trial.pk])
        client.get(url, headers={"HX-Request": "true"})
        with CaptureQueriesContext(connection) as captured:
            client.get(url, headers={"HX-Request": "true"})
        # Three of them find out who asks and what he may see.
        assert len(captured) <= 20, (name, [query["sql"][:100] for query in captured])
