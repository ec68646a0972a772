"""The AI Act over the API: answered, confirmed, declined, read again."""

from __future__ import annotations

from typing import Any

import pytest

from registry.ai_act import current, edition
from tests.registry.ai_act.cases import CREDIT, EXEMPT
from tests.registry.ai_act.filled import AMENDED, FIRST, filled

from .world import World

CURRENT = {"If-Match": "*"}


def _path(world: World) -> str:
    return f"use-cases/{world.draft.public_id}/classification/"


def test_answers_are_kept_and_confirmed_by_an_officer(world: World) -> None:
    answers = filled(**CREDIT)
    scientist, officer = world.api("data_scientist"), world.api("governance_officer")
    shown = scientist.send("PUT", _path(world), {"answers": answers, "reason": "As planned."}, **CURRENT)
    assert shown["id"] == world.draft.public_id
    assert (shown["risk_class"], shown["current"]["edition"]) == ("limited", ""), "what was set by hand still stands"
    waits = shown["waiting"]
    assert (waits["state"], waits["proposed_class"], waits["edition"]) == ("proposed", "high", AMENDED)
    assert (waits["answers"], waits["reason"]) == (answers, "As planned.")
    assert waits["assessor"] == world.people.scientist.username
    assert {"rule", "article", "text", "risk_class"} == set(waits["reasons"][0])
    assert next(duty for duty in waits["duties"] if duty["key"] == "fria")["applies_from"] == "2027-12-02"
    assert "not legal advice" in shown["disclaimer"]

    shown = officer.post(f"{_path(world)}confirm/", {"classification": waits["id"]}, 200)
    assert (shown["risk_class"], shown["waiting"]) == ("high", None)
    assert shown["current"]["id"] == waits["id"]
    assert shown["current"]["decided_by"] == shown["risk_classified_by"] == world.people.officer.username
    assert shown == officer.get(_path(world))
    assert [row["state"] for row in shown["history"]] == ["confirmed", "superseded", "superseded"]
    assert officer.get(f"use-cases/{world.draft.public_id}/")["risk_class"] == "high"


def test_an_officers_own_answers_take_effect_at_once(world: World) -> None:
    shown = world.api("governance_officer").send("PUT", _path(world), {"answers": filled(t_interacts="yes")}, **CURRENT)
    assert (shown["risk_class"], shown["current"]["state"]) == ("limited", "confirmed")
    assert [flag["article"] for flag in shown["current"]["flags"]] == ["Art. 50(1)"]


def test_open_questions_are_said_and_not_confirmed(world: World) -> None:
    shown = world.api("data_scientist").send("PUT", _path(world), {"answers": {"ai_system": "unsure"}}, **CURRENT)
    missing = {"question": "ai_system", "article": "Art. 3(1)", "is_unsure": True}
    assert missing.items() <= shown["waiting"]["missing"][0].items()
    refusal = world.api("governance_officer").post(f"{_path(world)}confirm/", {}, 409)
    assert "still open" in refusal["detail"]


def test_a_decision_is_on_what_was_read(world: World) -> None:
    scientist, officer = world.api("data_scientist"), world.api("governance_officer")
    read = officer.get(_path(world))["waiting"]["id"]
    scientist.send("PUT", _path(world), {"answers": filled(**CREDIT)}, **CURRENT)
    for verb in ("confirm", "decline"):
        refusal = officer.post(f"{_path(world)}{verb}/", {"classification": read, "reason": "x"}, 409)
        assert refusal["code"] == "not-proposed"
    officer.post(f"{_path(world)}decline/", {"reason": "Say what it scores."}, 200)
    officer.post(f"{_path(world)}confirm/", {}, 409)
    assert officer.get(_path(world))["history"][0]["decision_reason"] == "Say what it scores."


def test_a_laxer_class_is_refused_and_by_hand_is_possible(world: World) -> None:
    officer = world.api("governance_officer")
    world.api("data_scientist").send("PUT", _path(world), {"answers": filled(**CREDIT)}, **CURRENT)
    refusal = officer.post(f"{_path(world)}confirm/", {"risk_class": "limited", "reason": "Small."}, 400)
    assert "by hand" in refusal["errors"]["risk_class"][0]
    refusal = officer.post(f"{_path(world)}confirm/", {"risk_class": "unacceptable"}, 400)
    assert "reason" in refusal["errors"]
    shown = officer.send("PUT", _path(world), {"risk_class": "limited", "reason": "Counsel says so."}, **CURRENT)
    assert (shown["risk_class"], shown["current"]["edition"], shown["waiting"]) == ("limited", "", None)
    assert shown["current"]["decision_reason"] == "Counsel says so."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "answers"),
        ({"answers": {}, "risk_class": "high", "reason": "x"}, "answers"),
        ({"answers": []}, "answers"),
        ({"answers": None}, "answers"),
        ({"answers": "yes"}, "answers"),
        ({"answers": {"nothing": "yes"}}, "answers.nothing"),
        ({"answers": {"ai_system": 10**40}}, "answers.ai_system"),
        ({"answers": {"role": {"provider": True}}}, "answers.role"),
        ({"answers": {}, "edition": "1999"}, "edition"),
        ({"answers": {}, "edition": None}, "edition"),
        ({"answers": {}, "reason": "x" * 20_001}, "reason"),
        ({"answers": {}, "state": "confirmed"}, "state"),
        ({"answers": {}, "confirmed_class": "minimal"}, "confirmed_class"),
        ({"answers": filled(**CREDIT, **EXEMPT)}, "derogation_reason"),
        ({"risk_class": "high", "reason": ""}, "reason"),
        ({"risk_class": "high", "reason": "x", "edition": FIRST}, "risk_class"),
        ({"risk_class": "high", "reason": "x", "derogation_reason": "y"}, "risk_class"),
    ],
)
def test_what_cannot_be_used(world: World, body: dict[str, Any], field: str) -> None:
    assert field in world.api("governance_officer").send("PUT", _path(world), body, 400, **CURRENT)["errors"]


@pytest.mark.parametrize(
    "body", [{"answers": {"a\x00": "yes"}}, {"answers": {}, "edition": "x\x00"}, {"answers": {}, "reason": "\x00"}]
)
def test_characters_no_text_holds(world: World, body: dict[str, Any]) -> None:
    world.api("governance_officer").send("PUT", _path(world), body, 400, **CURRENT)


@pytest.mark.parametrize("value", [0, -1, 2**63, 10**40, "x", None, [], 1.5])
def test_a_classification_there_cannot_be(world: World, value: Any) -> None:
    refusal = world.api("governance_officer").post(f"{_path(world)}confirm/", {"classification": value}, 400)
    assert "classification" in refusal["errors"]


def test_editions_and_their_questions(world: World) -> None:
    api = world.api("data_scientist")
    listed = api.get("ai-act/editions/")
    assert listed["current"] == current().id == AMENDED
    assert [(found["id"], found["is_current"]) for found in listed["results"]] == [(FIRST, False), (AMENDED, True)]
    assert {"key": "annex_iii", "on": "2027-12-02"}.items() <= next(
        day for day in listed["results"][1]["dates"] if day["key"] == "annex_iii"
    ).items()
    asked = api.get(f"ai-act/editions/{AMENDED}/questionnaire/")
    questions = {found["key"]: found for section in asked["sections"] for found in section["questions"]}
    assert list(questions) == list(current().questions)
    assert [option["value"] for option in questions["ai_system"]["options"]] == ["yes", "no", "unsure"]
    assert [key for key, found in questions.items() if found["is_asked_first"]] == ["ai_system"]
    api.get("ai-act/editions/1999/questionnaire/", 404)
    assert "x" in api.get("ai-act/editions/", 400, x="1")["errors"]


def test_what_another_edition_changes(world: World) -> None:
    answers = filled(edition(FIRST), **CREDIT)
    world.api("governance_officer").send("PUT", _path(world), {"answers": answers, "edition": FIRST}, **CURRENT)
    shown = world.api("auditor").get("ai-act/rerun/")
    change = next(found for found in shown["results"] if found["use_case"] == world.draft.public_id)
    assert (change["class_before"], change["class_after"], change["class_so_far"]) == ("high", "unclassified", "high")
    moved = {duty["duty"]: (duty["before"], duty["after"]) for duty in change["duties"]}
    assert moved["registration"] == ("2026-08-02", "2027-12-02")
    assert {missing["question"] for missing in change["unanswered"]} == {"p_intimate_imagery", "p_child_abuse"}
    assert shown["by_hand"] == 1
    assert world.api("auditor").get("ai-act/rerun/", edition=FIRST)["results"] == []
    assert world.api("stranger").get("ai-act/rerun/")["results"] == []
    world.api("auditor").get("ai-act/rerun/", 404, edition="1999")
