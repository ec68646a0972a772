"""Findings on the REST API: filters, what people do, what happened, and bodies that cannot be meant."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.models import Finding
from governance.selectors.findings import COLUMNS
from tests.scene import fingerprint

from .world import World

pytestmark = pytest.mark.django_db

ACCEPTED = {"kind": "review_overdue"}


def day(days: int) -> str:
    return str(timezone.localdate() + timedelta(days=days))


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"state": ["open", "acknowledged"]}, {"finding"}),
        ({"state": "accepted"}, {"accepted"}),
        ({"use_case": "UC-0002"}, {"accepted"}),
        ({"group": "models"}, set()),
        ({"overdue": "true"}, set()),
        ({"overdue": "false"}, {"finding", "accepted"}),
        ({"owner": "nobody"}, set()),
        ({"version": "fresh"}, {"finding"}),
        ({"version": "9" * 30}, set()),
        ({"version": "x"}, set()),
        ({"search": "review was due"}, {"accepted"}),
    ],
)
def test_filters(world: World, params: dict[str, Any], found: set[str]) -> None:
    names = {world.finding.public_id: "finding", world.accepted_finding.public_id: "accepted"}
    given = {**params}
    if given.get("version") == "fresh":
        given["version"] = str(world.fresh.pk)
    if "use_case" in given:
        given["use_case"] = world.asked.public_id
    rows = world.api("governance_officer").results("findings/", **given)
    assert {names[row["id"]] for row in rows if row["id"] in names} == found


def test_overdue_ones_are_found_and_say_so(world: World) -> None:
    Finding.objects.filter(pk=world.finding.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    api = world.api("governance_officer")
    (row,) = api.results("findings/", overdue="true")
    assert (row["id"], row["overdue"]) == (world.finding.public_id, True)
    assert world.finding.public_id not in {row["id"] for row in api.results("findings/", overdue="false")}


def test_accepted_for_a_while_and_taken_back(world: World) -> None:
    api, path = world.api("governance_officer"), f"findings/{world.finding.public_id}/"
    accepted = api.post(f"{path}accept/", {"reason": "Known.", "until": day(30)}, 200)
    assert (accepted["state"], accepted["accepted_until"], accepted["acceptance_reason"], accepted["accepted_by"]) == (
        "accepted",
        day(30),
        "Known.",
        world.people.officer.username,
    )
    api.post(f"{path}accept/", {"reason": "Again.", "until": day(30)}, 409)
    api.post(f"{path}due/", {"due_on": day(1)}, 409)
    opened = api.post(f"{path}reopen/", {"reason": "It got worse."}, 200)
    assert (opened["state"], opened["accepted_until"], opened["accepted_by"]) == ("open", None, None)
    api.post(f"{path}reopen/", {"reason": "Again."}, 409)
    told = [(event["what"], event["words"]) for event in opened["history"]]
    assert told[:2] == [("Acceptance taken back", "It got worse."), (f"Accepted until {day(30)}", "Known.")]
    assert told[-1][0] == "Opened"
    assert "history" not in api.results("findings/")[0]


def test_assigned_dated_and_resolved_by_its_owner(world: World) -> None:
    api, path = world.api("governance_officer"), f"findings/{world.finding.public_id}/"
    given = api.post(f"{path}assign/", {"owner": world.people.engineer.username, "reason": "Yours."}, 200)
    assert given["owner"] == world.people.engineer.username
    assert api.post(f"{path}due/", {"due_on": day(3)}, 200)["due_on"] == day(3)
    assert {row["id"] for row in api.results("findings/", owner=world.people.engineer.username)} == {given["id"]}
    engineer = world.api("ml_engineer")
    engineer.post(f"{path}accept/", {"reason": "Mine.", "until": day(1)}, 403)
    assert engineer.post(f"{path}acknowledge/", {}, 200)["state"] == "acknowledged"
    assert engineer.post(f"{path}resolve/", {"note": "Corrected."}, 200)["state"] == "resolved"
    api.post(f"{path}assign/", {"owner": None}, 409)


LONG = "x" * 20_001
BODIES: list[tuple[str, Any]] = [
    ("accept", {}),
    ("accept", {"reason": "Known."}),
    ("accept", {"reason": "", "until": day(1)}),
    ("accept", {"reason": LONG, "until": day(1)}),
    ("accept", {"reason": "a\x00b", "until": day(1)}),
    ("accept", {"reason": ["Known."], "until": day(1)}),
    ("accept", {"reason": "Known.", "until": day(-1)}),
    ("accept", {"reason": "Known.", "until": day(366)}),
    ("accept", {"reason": "Known.", "until": 10**30}),
    ("accept", {"reason": "Known.", "until": "2026-02-30"}),
    ("accept", {"reason": "Known.", "until": None}),
    ("accept", {"reason": "Known.", "until": day(1), "state": "resolved"}),
    ("accept", [1]),
    ("assign", {}),
    ("assign", {"owner": "nobody.at.all"}),
    ("assign", {"owner": 7}),
    ("assign", {"owner": "a\x00b"}),
    ("assign", {"owner": None, "severity": "info"}),
    ("due", {}),
    ("due", {"due_on": "soon"}),
    ("due", {"due_on": day(-1)}),
    ("due", {"due_on": {"day": 1}}),
    ("reopen", {}),
    ("reopen", {"reason": None}),
    ("resolve", {"note": "\x00"}),
    ("resolve", {"note": "Done.", "extra": 1}),
    ("acknowledge", {"owner": "me"}),
]


@pytest.mark.parametrize(("verb", "body"), BODIES, ids=lambda value: str(value)[:50])
def test_a_body_that_cannot_be_meant_changes_nothing(world: World, verb: str, body: Any) -> None:
    finding = world.accepted_finding if verb == "reopen" else world.finding
    before = fingerprint()
    world.api("governance_officer").post(f"findings/{finding.public_id}/{verb}/", body, 400)
    assert fingerprint() == before


def test_nobody_is_given_what_he_cannot_see(world: World) -> None:
    path = f"findings/{world.finding.public_id}/assign/"
    refused = world.api("governance_officer").post(path, {"owner": world.people.stranger.username}, 400)
    assert "owner" in refused["errors"]


@pytest.mark.parametrize("query", ["overdue=perhaps", "state=asleep", "owner=", "use_case=7", "colour=red"])
def test_filters_that_do_not_exist_are_refused(world: World, query: str) -> None:
    world.api("governance_officer").get(f"findings/?{query}", expect=400)


def test_everything_that_matches_as_csv(world: World) -> None:
    answer = world.api("governance_officer").call("GET", "findings/?format=csv&state=accepted")
    assert answer["Content-Type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode()))
    assert tuple(row) == COLUMNS
    assert (row["kind"], row["subject"]) == ("review_overdue", world.asked.public_id)
    own = world.api("stranger").call("GET", "findings/?format=csv").getvalue().decode()
    assert own.strip().splitlines()[1:] == []
