"""Figures: each number is that of the list behind it, for whoever looks; what is drawn is what was reported."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from governance.choices import FindingKind, InPlace, MetricKind
from governance.selectors import metric_history
from governance.selectors.lineage import lineage
from governance.services import approvals, findings, metrics
from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import RiskRating, Stage
from registry.choices import ReviewDue
from registry.models import ModelVersion, UseCase
from registry.selectors.review_dates import due_when
from registry.selectors.sync_strip import HOURS
from tests.api.world import World
from tests.factories import at_stage, use_case, version
from tests.factories.people import SYSTEM

AsRole = Callable[[str], Client]

# A link whose first words are, or end with, a number: "7", "Pending 7".
NUMBERED = re.compile(r'<a [^>]*href="([^"]+)"[^>]*>\s*(?:<span class="stat-mark">.*?</span>)?(?:[^<]*?)(\d+)\s*<')
STAT = re.compile(r'<a class="stat[^"]*" href="([^"]+)">.*?<span class="stat-value">(\d+)</span>', re.DOTALL)
HOSTILE = "</script><img src=x onerror=alert(1)>"
START = datetime(2026, 3, 1, tzinfo=UTC)
LISTS = ("/use-cases/", "/model-versions/", "/approvals/", "/findings/", "/deployments/")


def numbers(page: str) -> dict[str, int]:
    """Return what the page says each list holds; one list is never said to hold two numbers."""
    found: dict[str, int] = {}
    for url, number in [*STAT.findall(page), *NUMBERED.findall(page)]:
        address = unescape(url)
        if address.startswith(LISTS) and "?" in address:
            assert found.setdefault(address, int(number)) == int(number), address
    return found


def main_of(answer: object) -> str:
    """Return the page without its frame."""
    content = answer.content  # type: ignore[attr-defined]  # an untyped answer
    return content.decode().split('<main class="app-content"')[1]


def listed(client: Client, address: str) -> int:
    """Return how many rows the list at an address has."""
    context = client.get(address).context
    assert context["filter"].form.is_valid(), (address, context["filter"].form.errors)
    return int(context["table"].paginator.count)


@pytest.fixture
def busy(world: World) -> World:
    """Some of everything the dashboard counts, in more than one stage."""
    people = world.people
    late = use_case(people, world.project)
    with operation(SYSTEM):
        UseCase.objects.filter(pk=late.pk).update(next_review_on=date(2020, 1, 1))
    approvals.submit(actor=people.scientist.actor, subject_type=UseCase, subject_id=late.pk)
    made = at_stage(people, version(world.group, 90, risk="Low"), Stage.QA)
    approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    with operation(SYSTEM):
        findings.observe(FindingKind.METRIC_BREACHED, made, "AUC is 0.5, at least 0.75 is needed.", stage=Stage.QA)
        findings.observe(FindingKind.CARD_MISSING, made, "No card.")
    return world


@pytest.mark.parametrize(("role", "step"), [("governance_officer", 1), ("data_scientist", 3)])
def test_every_number_is_that_of_the_list_it_opens(role: str, step: int, busy: World, as_role: AsRole) -> None:
    client = as_role(role)
    said = numbers(main_of(client.get("/dashboard/")))
    assert {address.partition("?")[0] for address in said} == set(LISTS)
    assert sum(said.values()) > 20
    followed = dict(list(said.items())[::step])
    assert {address: listed(client, address) for address in followed} == followed


def test_narrowed_to_a_project_and_a_line_the_lists_are_narrowed_too(busy: World, as_role: AsRole) -> None:
    client = as_role("governance_officer")
    query = f"project={busy.project.pk}&line_of_business={busy.project.line_of_business_id}"
    said = numbers(main_of(client.get(f"/dashboard/?{query}")))
    assert said
    assert all(f"project={busy.project.pk}" in address and "line_of_business=" in address for address in said)
    some = dict(list(said.items())[::4])
    assert {address: listed(client, address) for address in some} == some


def test_another_project_has_numbers_of_its_own(busy: World, as_role: AsRole) -> None:
    client = as_role("stranger")
    said = numbers(main_of(client.get("/dashboard/")))
    assert {address: listed(client, address) for address in said} == said
    whole = numbers(main_of(as_role("governance_officer").get("/dashboard/")))
    assert sum(said.values()) < sum(whole.values())


@pytest.mark.parametrize("query", ["project=999999999", "line_of_business=%00", "project=9" + "9" * 400])
def test_a_project_that_does_not_exist_shows_nothing_and_says_so(query: str, world: World, as_role: AsRole) -> None:
    answer = as_role("governance_officer").get(f"/dashboard/?{query}")
    assert answer.status_code == 200
    assert "Nothing matches these filters" in answer.content.decode()
    assert not numbers(main_of(answer))


def test_it_costs_fifteen_queries_at_most_however_much_there_is(busy: World, as_role: AsRole) -> None:
    client = as_role("governance_officer")
    client.get("/dashboard/")
    with CaptureQueriesContext(connection) as captured:
        client.get("/dashboard/")
    assert len(captured) <= 15, [query["sql"][:120] for query in captured]


def test_every_figure_has_its_table(busy: World, as_role: AsRole) -> None:
    text = main_of(as_role("governance_officer").get("/dashboard/"))
    figures = text.split("<figure")[1:]
    assert len(figures) == 8
    assert all("<table" in figure.partition("</figure>")[0] for figure in figures)


def test_the_strip_of_a_day_agrees_with_the_list_of_passes(world: World, as_role: AsRole) -> None:
    client = as_role("ml_admin")
    answer = client.get("/sync-runs/last-day/")
    part = client.get("/sync-runs/last-day/", headers={"HX-Request": "true"}).content.decode()
    assert "<main" not in part
    strips = answer.context["strips"]
    assert strips
    assert all(len(strip["hours"]) == HOURS for strip in strips)
    assert sum(strip["passes"] for strip in strips) > 0
    for strip in strips:
        assert listed(client, strip["url"]) == strip["passes"]
        hours = [hour for hour in strip["hours"] if hour["url"]]
        assert sum(listed(client, hour["url"]) for hour in hours) == strip["passes"]
    assert "Show as table" in part


def test_endpoints_say_how_what_runs_stands_to_what_is_approved(world: World, as_role: AsRole) -> None:
    client = as_role("ml_engineer")
    context = client.get("/deployments/").context
    rows = [row.record for row in context["table"].rows]
    assert rows
    for word in InPlace:
        held = {row.pk for row in rows if row.in_place == word}
        found = client.get(f"/deployments/?in_place={word.value}").context["table"]
        assert {row.record.pk for row in found.rows} == held
    assert not client.get("/deployments/?in_place=nonsense").context["table"].rows


def test_the_posture_matrix_is_red_where_a_spoke_may_approve(world: World, as_role: AsRole) -> None:
    text = as_role("ml_admin").get("/shares/posture/").content.decode()
    assert "What other accounts can do" in text
    opened = as_role("ml_admin").get("/shares/posture/?account=%00%3Cscript%3E").content.decode()
    assert "let into no group you may see" in opened


def test_reviews_due_are_told_by_their_day(world: World) -> None:
    today = timezone.localdate()
    days = {ReviewDue.OVERDUE: -1, ReviewDue.SOON: 0, ReviewDue.LATER: 31, ReviewDue.NO_DATE: None}
    row = UseCase.objects.filter(pk=world.draft.pk)
    for word, ahead in days.items():
        with operation(SYSTEM):
            row.update(next_review_on=None if ahead is None else today + timedelta(days=ahead))
        assert [due for due in ReviewDue if row.filter(due_when(due)).exists()] == [word]


# Metrics and lineage


def specs(answer: Any) -> list[dict[str, Any]]:
    """Return what the figures of an answer draw."""
    found = re.findall(r'data-spec="([^"]*)"', answer.content.decode())
    return [json.loads(unescape(text)) for text in found]


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
    assert len(specs(answer)) == 1, "what was validated; nothing was monitored"
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
    assert {"Model version", "Model group", "Training job", "Training data"} <= kinds
    assert any(kind.startswith("QA") for kind in kinds)
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
