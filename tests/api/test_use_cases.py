"""Use cases and model groups: registered, edited, classified, documented, claimed."""

from __future__ import annotations

from typing import Any

import pytest
from guardian.shortcuts import assign_perm

from tests.factories import group

from .world import World


def _etag(world: World, path: str) -> str:
    return str(world.api("ml_admin").call("GET", path)["ETag"])


def test_a_use_case_is_registered(world: World) -> None:
    body = {
        "name": "New",
        "intended_purpose": "Rank.",
        "project": "here",
        "description": "Text",
        "business_owner": "Head of lending",
        "model_owner": world.people.owner.username,
        "next_review_on": "2027-01-31",
    }
    made = world.api("data_scientist").post("use-cases/", body)
    assert {name: made[name] for name in body} == body
    assert (made["stage"], made["status"], made["risk_class"]) == ("poc", "pending", "unclassified")
    assert made["blockers"] == ["Its risk is not classified."]
    assert made["requirements"]["approvals"] == [{"role": "model_owner", "count": 1}]
    assert made["requirements"]["risk_tier"] == "high"
    assert made["requirements"]["open_request"] is None
    assert made["registered_by"] == world.people.scientist.username
    assert made == world.api("auditor").get(f"use-cases/{made['id']}/")
    assert made["documents"] == made["model_groups"] == made["model_versions"] == []
    for address in made["links"].values():
        assert world.api("auditor").client.get(address).status_code == 200, address


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"project": "there"}, "project"),
        ({"project": ["here"]}, "project"),
        ({"model_owner": "nobody.at.all"}, "model_owner"),
        ({"model_owner": 7}, "model_owner"),
        ({"name": "x" * 201}, "name"),
        ({"name": None}, "name"),
        ({"next_review_on": "31.1.2027"}, "next_review_on"),
        ({"id": "UC-0099"}, "id"),
        ({"status": "approved"}, "status"),
    ],
)
def test_a_use_case_that_cannot_be_registered(world: World, change: dict[str, Any], field: str) -> None:
    body = {"name": "New", "intended_purpose": "Rank.", "project": "here", **change}
    assert field in world.api("data_scientist").post("use-cases/", body, 400)["errors"]


def test_a_stranger_cannot_own_a_use_case(world: World) -> None:
    body = {"name": "x", "intended_purpose": "x", "project": "here", "model_owner": world.people.stranger.username}
    assert "holds no role" in world.api("data_scientist").post("use-cases/", body, 400)["errors"]["model_owner"][0]


def test_an_edit_says_on_which_state_it_was_made(world: World) -> None:
    path, api = f"use-cases/{world.draft.public_id}/", world.api("data_scientist")
    etag = _etag(world, path)
    assert api.send("PATCH", path, {"description": "A"}, 428)["code"] == "precondition-required"
    assert api.send("PATCH", path, {"description": "A"}, 412, **{"If-Match": '"old"'})["code"] == "stale-edit"
    answer = api.call("PATCH", path, {"description": "A"}, **{"If-Match": etag})
    assert answer.status_code == 200
    assert answer["ETag"] != etag
    assert answer.json()["description"] == "A"
    assert answer.json()["name"] == "Draft"
    api.send("PATCH", path, {"description": "B"}, 412, **{"If-Match": etag})
    api.send("PATCH", path, {"description": "B"}, 200, **{"If-Match": f'"x", W/{answer["ETag"]}'})
    assert api.send("PATCH", path, {"model_owner": None}, 200, **{"If-Match": "*"})["model_owner"] is None


def test_a_move_makes_an_edit_stale(world: World) -> None:
    path = f"use-cases/{world.asked.public_id}/"
    etag = _etag(world, path)
    world.api("model_owner").post(f"approvals/{world.use_case_request.public_id}/decisions/", {"decision": "approve"})
    world.api("data_scientist").send("PATCH", path, {"description": "B"}, 412, **{"If-Match": etag})


def test_a_classification_needs_its_reason(world: World) -> None:
    path, api = f"use-cases/{world.draft.public_id}/classification/", world.api("governance_officer")
    assert "reason" in api.send("PUT", path, {"risk_class": "high"}, 400, **{"If-Match": "*"})["errors"]
    assert (
        "risk_class"
        in api.send("PUT", path, {"risk_class": "severe", "reason": "x"}, 400, **{"If-Match": "*"})["errors"]
    )
    shown = api.send("PUT", path, {"risk_class": "high", "reason": "Decides on credit."}, **{"If-Match": "*"})
    assert (shown["risk_class"], shown["risk_reason"]) == ("high", "Decides on credit.")
    assert shown["risk_classified_by"] == world.people.officer.username


def test_documents_are_written_part_by_part(world: World) -> None:
    path, api = f"use-cases/{world.draft.public_id}/documents/", world.api("data_scientist")
    api.send("PUT", path, {"human_oversight": "Analysts.", "risk_assessment": ""}, **{"If-Match": "*"})
    shown = api.send("PUT", path, {"risk_assessment": "Low."}, **{"If-Match": "*"})
    assert {item["kind"]: item["text"] for item in shown["documents"]} == {
        "human_oversight": "Analysts.",
        "risk_assessment": "Low.",
    }
    assert "magic" in api.send("PUT", path, {"magic": "x"}, 400, **{"If-Match": "*"})["errors"]


def test_a_use_case_is_submitted_once(world: World) -> None:
    path, api = f"use-cases/{world.draft.public_id}/submit/", world.api("data_scientist")
    asked = api.post(path, {"note": "Please."})
    assert (asked["state"], asked["stage"], asked["note"]) == ("open", "poc", "Please.")
    assert asked["subject"]["id"] == world.draft.public_id
    assert asked["waiting_for"] == "waiting for the model owner"
    refusal = api.post(path, {}, 409)
    assert refusal["code"] == "already-open"
    assert asked["id"] in refusal["detail"]
    shown = api.get(f"use-cases/{world.draft.public_id}/")
    assert shown["requirements"]["open_request"] == asked["id"]


def test_a_use_case_is_retired_when_nothing_serves_it(world: World) -> None:
    officer = world.api("governance_officer")
    refusal = officer.post(f"use-cases/{world.asked.public_id}/retire/", {"reason": "Over."}, 409)
    assert "models/1" in refusal["detail"]
    shown = officer.post(f"use-cases/{world.draft.public_id}/retire/", {"reason": "Over."}, 200)
    assert (shown["stage"], shown["status"], shown["requirements"], shown["blockers"]) == (
        "retired",
        "retired",
        None,
        [],
    )
    officer.post(f"use-cases/{world.draft.public_id}/retire/", {"reason": "Over."}, 409)
    officer.post(f"use-cases/{world.draft.public_id}/retire/", {}, 400)
    world.api("data_scientist").send(
        "PATCH", f"use-cases/{world.draft.public_id}/", {"name": "x"}, 409, **{"If-Match": "*"}
    )


def test_the_ledger_is_the_timeline(world: World) -> None:
    world.api("model_owner").post(f"approvals/{world.use_case_request.public_id}/decisions/", {"decision": "approve"})
    entries = world.api("auditor").results(f"use-cases/{world.asked.public_id}/timeline/")
    assert [entry["verb"] for entry in entries] == ["advance", "approve", "register"]
    assert entries[1]["request"] == world.use_case_request.public_id
    assert entries[0]["position_stage"] == "development"
    page = world.api("auditor").get(f"use-cases/{world.asked.public_id}/timeline/", page_size=1)
    assert page["results"] == entries[:1]
    assert page["next"]


def test_a_use_case_shown_by_name_shows_no_models_of_a_hidden_project(world: World) -> None:
    assign_perm("view_usecase", world.people.stranger, world.asked)
    shown = world.api("stranger").get(f"use-cases/{world.asked.public_id}/")
    assert shown["name"] == "Asked"
    assert shown["model_groups"] == shown["model_versions"] == []


def test_a_group_is_claimed(world: World) -> None:
    loose = group(None, name="loose")
    path, api = f"model-groups/{loose.pk}/", world.api("ml_engineer")
    body = {"project": "here", "owner": world.people.owner.username, "use_cases": [world.draft.public_id]}
    api.send("PATCH", path, body, 428)
    shown = api.send("PATCH", path, body, 200, **{"If-Match": _etag(world, path)})
    assert {name: shown[name] for name in body} == body
    assert shown["arn"] == loose.arn
    kept = api.send("PATCH", path, {"owner": None}, 200, **{"If-Match": "*"})
    assert (kept["owner"], kept["project"], kept["use_cases"]) == (None, "here", [world.draft.public_id])
    api.send("PATCH", path, {"owner": None}, 412, **{"If-Match": '"1"'})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"project": "there"}, "project"),
        ({"project": None}, "use_cases"),
        ({"use_cases": ["UC-4711"]}, "use_cases"),
        ({"use_cases": "UC-0001"}, "use_cases"),
        ({"use_cases": [1]}, "use_cases"),
        ({"use_cases": None}, "use_cases"),
        ({"owner": "nobody.at.all"}, "owner"),
        ({"name": "mine"}, "name"),
    ],
)
def test_a_group_that_cannot_be_claimed(world: World, body: dict[str, Any], field: str) -> None:
    path = f"model-groups/{world.group.pk}/"
    assert field in world.api("ml_engineer").send("PATCH", path, body, 400, **{"If-Match": "*"})["errors"]
