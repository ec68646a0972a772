"""The dashboard: each number is that of the list behind it, for whoever looks, narrowed or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.choices import FindingKind, InPlace
from governance.services import approvals, findings
from portal.core.operations import operation
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase
from registry.selectors.sync_strip import HOURS
from tests.api.world import World
from tests.factories import at_stage, use_case, version
from tests.factories.people import SYSTEM
from tests.web.conftest import browser

AsRole = Callable[[str], Client]

# A link whose first words are, or end with, a number: "7", "Pending 7".
NUMBERED = re.compile(r'<a [^>]*href="([^"]+)"[^>]*>\s*(?:<span class="stat-mark">.*?</span>)?(?:[^<]*?)(\d+)\s*<')
STAT = re.compile(r'<a class="stat[^"]*" href="([^"]+)">.*?<span class="stat-value">(\d+)</span>', re.DOTALL)
LISTS = ("/use-cases/", "/model-versions/", "/approvals/", "/findings/", "/endpoints/")


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
    return answer.content.decode().split('<main class="app-content"')[1]  # type: ignore[attr-defined]


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


@pytest.mark.parametrize("role", ["governance_officer", "data_scientist", "ml_admin"])
def test_every_number_is_that_of_the_list_it_opens(role: str, busy: World, as_role: AsRole) -> None:
    client = as_role(role)
    said = numbers(main_of(client.get("/dashboard/")))
    assert {address.partition("?")[0] for address in said} == set(LISTS)
    assert sum(said.values()) > 20
    assert {address: listed(client, address) for address in said} == said


def test_narrowed_to_a_project_and_a_line_the_lists_are_narrowed_too(busy: World, as_role: AsRole) -> None:
    client = as_role("governance_officer")
    query = f"project={busy.project.pk}&line_of_business={busy.project.line_of_business_id}"
    said = numbers(main_of(client.get(f"/dashboard/?{query}")))
    assert said
    assert all(f"project={busy.project.pk}" in address and "line_of_business=" in address for address in said)
    some = dict(list(said.items())[::4])
    assert {address: listed(client, address) for address in some} == some


def test_another_project_has_numbers_of_its_own(busy: World, as_role: AsRole) -> None:
    client = browser(busy.people.outsider) if hasattr(busy.people, "outsider") else as_role("stranger")
    said = numbers(main_of(client.get("/dashboard/")))
    assert {address: listed(client, address) for address in said} == said
    whole = numbers(main_of(as_role("governance_officer").get("/dashboard/")))
    assert sum(said.values()) < sum(whole.values())


@pytest.mark.parametrize("query", ["project=999999999", "project=abc", "line_of_business=%00", "project=9" + "9" * 400])
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
    context = client.get("/endpoints/").context
    rows = [row.record for row in context["table"].rows]
    assert rows
    for word in InPlace:
        held = {row.pk for row in rows if row.in_place == word}
        found = client.get(f"/endpoints/?in_place={word.value}").context["table"]
        assert {row.record.pk for row in found.rows} == held
    assert not client.get("/endpoints/?in_place=nonsense").context["table"].rows


def test_the_posture_matrix_is_red_where_a_spoke_may_approve(world: World, as_role: AsRole) -> None:
    text = as_role("ml_admin").get("/shares/posture/").content.decode()
    assert "What other accounts can do" in text
    opened = as_role("ml_admin").get("/shares/posture/?account=%00%3Cscript%3E").content.decode()
    assert "let into no group you may see" in opened


def test_reviews_due_are_told_by_their_day(world: World, as_role: AsRole) -> None:
    today = timezone.localdate()
    days = {"overdue": -1, "within_30_days": 0, "later": 31, "no_date": None}
    for word, ahead in days.items():
        day = None if ahead is None else today + timedelta(days=ahead)
        with operation(SYSTEM):
            UseCase.objects.filter(pk=world.draft.pk).update(next_review_on=day)
        for asked in days:
            found = as_role("governance_officer").get(f"/use-cases/?review={asked}").context["table"]
            assert (world.draft.pk in {row.record.pk for row in found.rows}) is (asked == word), (word, asked)
