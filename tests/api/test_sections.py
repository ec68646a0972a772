"""What the sections of pages show, over the API: comparing, lineage, metrics, reviews, histories, who decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance.models import Finding
from governance.services import use_case_reviews
from registry.models import UseCase

from .client import assert_problem
from .world import World

TODAY = datetime.now(UTC).date()


def test_versions_are_compared_field_by_field(world: World) -> None:
    api = world.api("data_scientist")
    path = f"model-versions/{world.fresh.pk}/compare/"
    found = api.get(path, 200, **{"with": str(world.trial.pk)})
    assert [version["id"] for version in found["versions"]] == [world.fresh.pk, world.trial.pk]
    standing = next(section for section in found["sections"] if section["title"] == "Where it stands")
    stage = next(line for line in standing["lines"] if line["field"] == "Stage")
    assert stage["differs"]
    assert [cell["value"] for cell in stage["cells"]] == ["Development", "QA"]
    assert standing["same"] == sum(not line["differs"] for line in standing["lines"]) > 0
    fewer = api.get(path, 200, **{"with": str(world.trial.pk), "only": "differences"})
    assert all(line["differs"] for section in fewer["sections"] for line in section["lines"])


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 400),
        ({"with": ","}, 400),
        ({"with": "SELF"}, 400),
        ({"with": "TRIAL,TRIAL"}, 400),
        ({"with": "TRIAL,1,2,3"}, 400),
        ({"with": "999999999999"}, 404),
        ({"with": "\u0661"}, 404),
        ({"with": "9" * 40}, 404),
        ({"with": "TRIAL", "only": "everything"}, 400),
        ({"with": "TRIAL", "without": "1"}, 400),
    ],
)
def test_what_cannot_be_compared_is_said(world: World, given: dict[str, str], status: int) -> None:
    query = {
        name: text.replace("SELF", str(world.fresh.pk)).replace("TRIAL", str(world.trial.pk))
        for name, text in given.items()
    }
    problem = world.api("auditor").get(f"model-versions/{world.fresh.pk}/compare/", expect=status, **query)
    assert status == 404 or problem["errors"]


def test_a_version_of_others_is_not_compared_with(world: World) -> None:
    world.api("stranger").get(f"model-versions/{world.trial.pk}/compare/", expect=404, **{"with": str(world.fresh.pk)})


def test_lineage_names_what_is_known_and_what_is_not(world: World) -> None:
    found = world.api("auditor").get(f"model-versions/{world.trial.pk}/lineage/")
    nodes = {node["id"]: node for node in found["nodes"]}
    assert nodes["version"]["here"]
    assert nodes["data"] == {**nodes["data"], "label": "not reported", "unknown": True}
    assert {edge["source"] for edge in found["edges"]} | {edge["target"] for edge in found["edges"]} <= set(nodes)
    assert {"kind": "Use case", "label": f"{world.asked.public_id} Asked"}.items() <= next(
        node for node in found["nodes"] if node["kind"] == "Use case"
    ).items()


def test_metrics_are_read_against_the_policy_and_missing_is_not_zero(world: World) -> None:
    engineer = world.api("ml_engineer")
    engineer.post(f"stage-records/{world.trial_record.pk}/validation-metrics/", {"metrics": {"recall": 0.5}})
    found = engineer.get(f"model-versions/{world.trial.pk}/metrics/")
    series = {one["metric"]: one for one in found["series"] if one["kind"] == "validation"}
    readings = {one["stage"]: one for one in series["recall"]["readings"]}
    assert readings["qa"]["value"] == 0.5
    assert readings["qa"]["stage_record"] == world.trial_record.pk
    assert readings["development"]["value"] is None
    group = engineer.get(f"model-groups/{world.group.pk}/metrics/", metric="recall", stage="qa")
    told = {one["number"]: one["reading"] for one in group["versions"]}
    assert told[1] is None
    assert told[2]["value"] == 0.5
    assert engineer.get(f"model-groups/{world.group.pk}/metrics/", expect=400, metric="nobody")["errors"]["metric"]
    assert engineer.get(f"model-groups/{world.group.pk}/metrics/", expect=400, stage="poc")["errors"]["stage"]


def test_a_review_is_planned_and_recorded_on_the_state_it_was_read_in(world: World) -> None:
    officer, path = world.api("governance_officer"), f"use-cases/{world.asked.public_id}/"
    officer.post(f"findings/{world.accepted_finding.public_id}/reopen/", {"reason": "It did not hold."}, expect=200)
    body = {"reviewed_on": str(TODAY), "note": "It holds.", "next_review_on": str(TODAY + timedelta(days=90))}
    assert_problem(officer.call("POST", f"{path}reviews/", body), 428)
    tag = officer.call("GET", path)["ETag"]
    recorded = officer.send("POST", f"{path}reviews/", body, 201, **{"If-Match": tag})
    assert recorded == {**recorded, **body, "reviewer": world.people.officer.username}
    assert_problem(officer.call("POST", f"{path}reviews/", body, **{"If-Match": tag}), 412)
    assert [row["id"] for row in officer.results(f"{path}reviews/")] == [recorded["id"]]
    assert Finding.objects.get(pk=world.accepted_finding.pk).state == "resolved"
    due = next(row for row in officer.results("reviews/") if row["id"] == world.asked.public_id)
    assert (due["next_review_on"], due["last_reviewed_on"]) == (body["next_review_on"], str(TODAY))
    assert not due["is_overdue"]
    planned = officer.send("PUT", f"{path}review-plan/", {"next_review_on": None}, 200, **{"If-Match": "*"})
    assert planned["next_review_on"] is None
    assert world.asked.public_id in [row["id"] for row in officer.results("reviews/", review="no_date")]
    counts = officer.get("reviews/counts/")
    assert counts["no_date"] == len(officer.results("reviews/", review="no_date"))


def test_reviews_come_by_their_dates(world: World) -> None:
    officer = world.people.officer.actor
    draft = UseCase.objects.get(pk=world.draft.pk)
    use_case_reviews.plan(
        actor=officer, use_case_id=draft.pk, revision=draft.revision, next_review_on=TODAY + timedelta(days=3)
    )
    rows = world.api("auditor").results("reviews/")
    assert [row["id"] for row in rows][:1] == [world.draft.public_id]
    assert world.api("auditor").results("reviews/", ordering="-review_date")[-1]["id"] == world.draft.public_id


def test_sending_back_is_a_decision_on_the_request_that_waits(world: World) -> None:
    owner, path = world.api("model_owner"), f"use-cases/{world.asked.public_id}/"
    before = owner.get(f"{path}deciders/")
    assert before["request"] == world.use_case_request.public_id
    assert [seat["role"] for seat in before["signatures"]] == ["model_owner"]
    decided = owner.post(f"{path}reject-back/", {"reason": "No oversight plan."})
    assert decided == {**decided, "decision": "reject", "comment": "No oversight plan.", "back_to": "poc"}
    assert decided["request"]["state"] == "rejected"
    assert owner.get(path)["status"] == "rejected"
    problem = owner.post(f"{path}reject-back/", {"reason": "Again."}, expect=409)
    assert "waits for a decision" in problem["detail"]
    assert world.api("governance_officer").post(f"{path}reject-back/", {"reason": "x"}, expect=409)


@pytest.mark.parametrize(
    "body", [{}, {"reason": " "}, {"reason": "x", "back_to": "retired"}, {"reason": "x", "back_to": "production"}]
)
def test_sending_back_needs_a_reason_and_a_stage_on_the_way(world: World, body: dict[str, Any]) -> None:
    problem = world.api("model_owner").post(f"use-cases/{world.asked.public_id}/reject-back/", body, expect=400)
    assert set(problem["errors"]) <= {"reason", "back_to"}
    assert problem["errors"]


def test_a_page_of_a_request_can_be_read_as_data(world: World) -> None:
    found = world.api("governance_officer").get(f"approvals/{world.version_request.public_id}/outlook/")
    assert [(seat["role"], seat["count"], seat["given"]) for seat in found["signatures"]] == [
        ("governance_officer", 2, 0)
    ]
    signers = {one["username"] for seat in found["signatures"] for one in seat["could"]}
    assert signers == {world.people.officer.username, world.people.second_officer.username}
    assert found["approval"]["first"]
    assert found["stages_back"][0] == "development"
    assert any("rejected" in line for line in found["rejection"]["portal"])


def test_histories_tell_who_did_what(world: World) -> None:
    api = world.api("auditor")
    titles = [entry["title"] for entry in api.get(f"use-cases/{world.asked.public_id}/history/")]
    assert any("asked" in title.lower() or "registered" in title.lower() for title in titles)
    moves = api.get(f"model-versions/{world.trial.pk}/history/")
    assert world.version_request.public_id in {entry["request"] for entry in moves}
    assert moves == sorted(moves, key=lambda entry: entry["at"], reverse=True)
    assert [entry["title"] for entry in api.get(f"shares/{world.share.public_id}/history/")][-1] == "Declared"


def test_one_write_back_says_what_it_asks_and_how_it_went(world: World) -> None:
    found = world.api("ml_engineer").get(f"outbox/{world.message.pk}/")
    assert {"name": "AWS operation", "value": "sagemaker:UpdateModelPackage"} in found["asked"]
    assert found["ahead"] == []


def test_people_of_a_use_case(world: World) -> None:
    found = world.api("data_scientist").get(f"use-cases/{world.draft.public_id}/people/")
    workers = {one["username"]: one for one in found["workers"]}
    assert workers[world.people.owner.username]["roles"] == ["model_owner"]
    assert workers[world.people.admin.username]["everywhere"] == ["ml_admin"]
    assert found["shown_to"] == []
