"""The pages of findings: the list with its filters and file, what one page offers to whom, and its forms."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from governance.choices import FindingKind
from governance.models import Finding
from governance.selectors.findings import COLUMNS
from governance.services import findings
from portal.core.operations import operation
from tests.api.world import World
from tests.factories.people import SYSTEM

AsRole = Callable[[str], Client]


def words_of(answer: Any) -> str:
    """Return what a person reads, without the tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def rows_of(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def ids(answer: Any) -> set[str]:
    return set(re.findall(r"FND-\d{6}", answer.content.decode()))


@pytest.fixture
def officer(as_role: AsRole) -> Client:
    return as_role("governance_officer")


def path_of(finding: Finding, verb: str = "") -> str:
    return f"/findings/{finding.public_id}/{f'{verb}/' if verb else ''}"


FILTERS = [
    ("", {"open", "accepted"}),
    ("?state=standing", {"open"}),
    ("?state=accepted", {"accepted"}),
    ("?kind=review_overdue", {"accepted"}),
    ("?kind=share_drift", set()),
    ("?severity=warning&state=open", {"open"}),
    ("?severity=critical", set()),
    ("?owner=null", {"open", "accepted"}),
    ("?due=overdue", set()),
    ("?due=soon", set()),
    ("?use_case={asked}", {"accepted"}),
    ("?version={fresh}", {"open"}),
    ("?group={group}", set()),
    ("?version=999999999999999999999", set()),
    ("?version=x", set()),
    ("?use_case=-1", set()),
    ("?q=review+was+due", {"accepted"}),
    ("?q={open}", {"open"}),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_the_list_and_its_file_take_the_same_filters(
    world: World, officer: Client, query: str, expected: set[str]
) -> None:
    known = {"open": world.finding.public_id, "accepted": world.accepted_finding.public_id}
    query = query.format(
        asked=world.asked.number, fresh=world.fresh.pk, group=world.group.pk, open=world.finding.public_id
    )
    wanted = {known[name] for name in expected}
    shown = officer.get(f"/findings/{query}")
    assert shown.status_code == 200
    assert ids(shown) & set(known.values()) - {world.finding.public_id if "q=FND" in query else ""} == wanted - {
        world.finding.public_id if "q=FND" in query else ""
    }
    filed = rows_of(officer.get(f"/findings/export.csv{query}"))
    assert {row["id"] for row in filed} & set(known.values()) == wanted


def test_a_filter_that_does_not_exist_is_refused(officer: Client) -> None:
    assert officer.get("/findings/export.csv?state=asleep").status_code == 400
    assert "valid choice" in words_of(officer.get("/findings/?state=asleep"))


def test_the_file_has_every_column_and_no_formula(world: World, officer: Client) -> None:
    with operation(SYSTEM):
        findings.observe(FindingKind.CARD_MISSING, world.trial, "=HYPERLINK()", {"problems": ["none"]})
    rows = rows_of(officer.get("/findings/export.csv"))
    assert tuple(rows[0]) == COLUMNS
    by_kind = {row["kind"]: row for row in rows}
    assert by_kind["card_missing"]["summary"] == "'=HYPERLINK()"
    assert by_kind["card_missing"]["evidence"] == '{"problems": ["none"]}'
    assert by_kind["review_overdue"]["accepted_by"] == world.people.officer.username
    assert by_kind["review_overdue"]["subject"] == world.asked.public_id


def test_one_page_offers_what_may_be_done_and_nothing_else(world: World, as_role: AsRole) -> None:
    offers = {
        "Take it on": path_of(world.finding, "acknowledge"),
        "Accept": path_of(world.finding, "accept"),
        "Assign": path_of(world.finding, "assign"),
        "Change": path_of(world.finding, "due"),
        "Resolve": "Resolve it by hand",
    }
    for role in ("governance_officer", "data_scientist", "auditor"):
        page = as_role(role).get(path_of(world.finding)).content.decode()
        for name, mark in offers.items():
            assert (mark in page) is (role == "governance_officer"), (role, name)
    accepted = as_role("governance_officer").get(path_of(world.accepted_finding)).content.decode()
    assert path_of(world.accepted_finding, "reopen") in accepted
    assert path_of(world.accepted_finding, "accept") not in accepted
    assert "It is under way." in accepted


def test_its_owner_may_take_it_on_and_resolve_it(world: World, as_role: AsRole) -> None:
    findings.assign(
        actor=world.people.officer.actor, finding_id=world.finding.pk, owner=world.people.scientist, reason="Yours."
    )
    client = as_role("data_scientist")
    page = client.get(path_of(world.finding)).content.decode()
    assert path_of(world.finding, "acknowledge") in page
    assert path_of(world.finding, "accept") not in page
    assert client.post(path_of(world.finding, "acknowledge")).status_code == 302
    assert client.get(path_of(world.finding, "accept")).status_code == 403
    assert client.post(path_of(world.finding), {"note": "The card is right now."}).status_code == 302
    ended = client.get(path_of(world.finding))
    text = words_of(ended)
    for told in ("How it ended", "The card is right now.", f"Assigned to {world.people.scientist}", "Taken on"):
        assert told in text


def test_accepting_reopening_and_the_history_on_the_page(world: World, officer: Client) -> None:
    until = timezone.localdate() + timedelta(days=20)
    answer = officer.post(path_of(world.finding, "accept"), {"reason": "Known.\nTold.", "until": str(until)})
    assert (answer.status_code, answer["Location"]) == (302, path_of(world.finding))
    page = officer.get(path_of(world.finding))
    assert f"{world.finding.public_id} is accepted until {until}." in words_of(page)
    assert "Known.<br>Told." in page.content.decode()
    # A double click is told what is so by now.
    again = officer.post(path_of(world.finding, "accept"), {"reason": "Known.", "until": str(until)})
    assert again.status_code == 409
    officer.post(path_of(world.finding, "reopen"), {"reason": "It got worse."})
    text = words_of(officer.get(path_of(world.finding)))
    assert "Acceptance taken back" in text
    assert "It got worse." in text
    assert f"Accepted until {until}" in text


BAD = [
    ("accept", {"reason": "", "until": "2999-01-01"}, ["This field is required."]),
    ("accept", {"reason": "Known.", "until": ""}, ["This field is required."]),
    ("accept", {"reason": "Known.", "until": "2999-01-01"}, ["Choose a day no later than"]),
    ("accept", {"reason": "Known.", "until": "2020-01-01"}, ["Choose today or a later day."]),
    ("accept", {"reason": "Known.", "until": "soon"}, ["Enter a valid date."]),
    ("accept", {"reason": "a\x00b", "until": "2999-01-01"}, ["Null characters are not allowed."]),
    ("accept", {"reason": "x" * 20_001, "until": "2999-01-01"}, ["at most 20000 characters"]),
    ("due", {"due_on": "2020-01-01"}, ["Choose today or a later day."]),
    ("due", {"due_on": "99999-01-01"}, ["Enter a valid date."]),
    ("assign", {"owner": "999999999999999999999"}, ["Select a valid choice."]),
    ("assign", {"owner": "nobody"}, ["Select a valid choice."]),
    ("reopen", {"reason": ""}, ["This field is required."]),
    ("", {"note": ""}, ["This field is required."]),
]


@pytest.mark.parametrize(("verb", "body", "said"), BAD)
def test_what_cannot_be_meant_is_said_beside_the_field(
    world: World, officer: Client, verb: str, body: dict[str, str], said: list[str]
) -> None:
    finding = world.accepted_finding if verb == "reopen" else world.finding
    before = Finding.objects.filter(pk=finding.pk).values().get()
    answer = officer.post(path_of(finding, verb), body)
    assert answer.status_code == 422
    for text in said:
        assert text in words_of(answer)
    for value in body.values():
        if 0 < len(value) < 1000 and "\x00" not in value and verb != "assign":
            assert value in answer.content.decode(), "what was typed is kept"
    assert Finding.objects.filter(pk=finding.pk).values().get() == before


def test_overdue_is_said_and_found(world: World, officer: Client) -> None:
    Finding.objects.filter(pk=world.finding.pk).update(due_on=timezone.localdate() - timedelta(days=2))
    for path in (path_of(world.finding), "/findings/", f"/model-versions/{world.fresh.pk}/governance/"):
        assert "Overdue" in words_of(officer.get(path))
    late = rows_of(officer.get("/findings/export.csv?due=overdue"))
    assert [(row["id"], row["overdue"]) for row in late] == [(world.finding.public_id, "True")]


def test_the_pages_of_what_it_is_about_lead_to_all_of_them(world: World, officer: Client) -> None:
    version = officer.get(f"/model-versions/{world.fresh.pk}/governance/").content.decode()
    assert path_of(world.finding) in version
    assert f"/findings/?version={world.fresh.pk}" in version
    assert ids(officer.get(f"/findings/?version={world.fresh.pk}")) >= {world.finding.public_id}
