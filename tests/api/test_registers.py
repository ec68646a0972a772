"""Registers and figures over the API: decisions, endpoints, audit packs, search, the dashboard, posture."""

from __future__ import annotations

from typing import Any

import pytest

from governance.models import AuditPack, Decision

from .client import assert_problem
from .world import World


def test_the_register_of_decisions_says_who_decided_what_on_which_content(world: World) -> None:
    api = world.api("auditor")
    row = api.get(f"decisions/{world.decision.pk}/")
    decision = Decision.objects.select_related("decider", "request").get(pk=world.decision.pk)
    expected: dict[str, Any] = {
        "request": decision.request.public_id,
        "decision": "approve",
        "decided_by": decision.decider.username,
        "role": "model_owner",
        "digest": decision.digest,
        "is_outdated": False,
        "source": "portal",
    }
    assert expected.items() <= row.items()
    assert row["subject"]["id"] == str(world.trial.pk)
    for query in (
        {"decided_by": decision.decider.username},
        {"request": decision.request.public_id},
        {"project": "here", "stage": "development"},
        {"is_outdated": "false", "delegated": "false"},
        {"since": "2020-01-01", "until": "2099-01-01"},
        {"search": "models"},
    ):
        assert row in api.results("decisions/", **query), query
    for query in ({"project": "there"}, {"until": "2020-01-01"}, {"delegated": "true"}, {"decision": "reject"}):
        assert api.results("decisions/", **query) == [], query


def test_what_runs_is_held_against_what_is_approved(world: World) -> None:
    api = world.api("ml_engineer")
    row = api.get(f"endpoints/{world.deployment.pk}/")
    assert (row["status"], row["record_status"], row["in_place"], row["project"]) == (
        "ordered", "pending", "ordered", "here",
    )  # fmt: skip
    assert api.results("endpoints/", disagrees="true") == []
    api.post(f"deployments/{world.deployment.pk}/status/", {"status": "deployed", "endpoint": "e"}, expect=200)
    assert [found["in_place"] for found in api.results("endpoints/", in_place=["on_trial", "runs_unapproved"])]
    assert row["id"] in [found["id"] for found in api.results("endpoints/", project="here")]


def test_a_pack_is_asked_for_with_what_would_be_in_it(world: World) -> None:
    api = world.api("auditor")
    body = {"scope": "use_case", "use_case": world.draft.public_id}
    seen = api.post("audit-packs/preview/", body, expect=200)
    assert seen["refusal"] == ""
    assert seen["counts"]["evidence"] == seen["files"] == 1
    assert AuditPack.objects.count() == 1
    asked = api.post("audit-packs/", body, expect=202)
    assert asked == {**asked, "state": "waiting", "use_case": world.draft.public_id, "sha256": "", "downloads": []}
    assert api.post("audit-packs/", body, expect=202)["id"] == asked["id"]
    assert "being built" in assert_problem(api.call("GET", f"audit-packs/{asked['id']}/file/"), 409)["detail"]
    script: Any = api.client.get("/api/v1/audit-packs/verifier/")
    assert b"def main" in b"".join(script.streaming_content)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"scope"}),
        ({"scope": "use_case"}, {"use_case"}),
        ({"scope": "use_case", "use_case": "UC-9999"}, {"use_case"}),
        ({"scope": "use_case", "use_case": "UC-0001", "project": "here"}, {"project"}),
        ({"scope": "period"}, {"starts_on", "ends_on"}),
        ({"scope": "period", "starts_on": "2026-02-02", "ends_on": "2026-01-01", "project": "here"}, {"ends_on"}),
        ({"scope": "period", "use_case": "UC-0001"}, {"use_case"}),
        ({"scope": "period", "project": "there"}, {"project"}),
    ],
)
def test_a_pack_is_about_one_thing(world: World, body: dict[str, Any], fields: set[str]) -> None:
    problem = world.api("auditor").post("audit-packs/", body, expect=400)
    assert set(problem["errors"]) == fields


def test_a_period_of_everything_takes_the_role_everywhere(world: World) -> None:
    body = {"scope": "period", "starts_on": "2026-01-01", "ends_on": "2026-01-31"}
    assert_problem(world.api("auditor").call("POST", "audit-packs/", body), 403)
    assert world.api("auditor").post("audit-packs/", {**body, "project": "here"}, expect=202)["project"] == "here"


def test_search_finds_what_one_may_see(world: World) -> None:
    found = {one["kind"]: one for one in world.api("auditor").get("search/", q="asked")["results"]}
    hit = found["use_case"]["results"][0]
    assert hit == {**hit, "id": world.asked.public_id, "path": f"use-cases/{world.asked.public_id}/"}
    assert world.api("auditor").get(hit["path"])["name"] == "Asked"
    exact = world.api("auditor").get("search/", q=world.version_request.public_id)["results"]
    assert [(one["kind"], one["is_exact"]) for one in exact] == [("request", True)]
    assert world.api("stranger").get("search/", q="asked") == {"results": []}
    only = world.api("auditor").get("search/", q="models", kind="group")["results"]
    assert [one["kind"] for one in only] == ["group"]
    assert world.api("auditor").get("search/", expect=400, q="x")["errors"]["q"]
    assert world.api("auditor").get("search/", expect=400, q="models", kind="person")["errors"]["kind"]


def test_every_figure_is_the_length_of_its_list(world: World) -> None:
    api = world.api("governance_officer")
    found = api.get("dashboard/")
    assert found["use_cases"]["total"] == len(api.results("use-cases/", page_size=200))
    assert found["model_versions"]["total"] == len(api.results("model-versions/", page_size=200))
    for row in found["model_versions"]["by_status"]:
        listed = api.results("model-versions/", stage=row["stage"], status=row["status"], page_size=200)
        assert len(listed) == row["count"]
    assert sum(row["count"] for row in found["open_requests"]) == len(api.results("approvals/", state="open"))
    assert api.get("dashboard/", project="here") == found
    assert api.get("dashboard/", expect=400, project="there")["errors"]["project"]
    assert world.api("stranger").get("dashboard/")["use_cases"]["total"] == 0


def test_posture_says_who_can_do_what(world: World) -> None:
    found = world.api("ml_engineer").get("shares/posture/")
    assert found["left_out"] == found["guarded"] == 0
    assert world.api("ml_engineer").get("shares/posture/", account="222222222222")["groups"] == found["groups"]
    assert world.api("stranger").get("shares/posture/")["groups"] == []


def test_the_queue_of_what_one_asked_for(world: World) -> None:
    rows = world.api("data_scientist").results("approvals/", queue="asked")
    assert {row["requester"] for row in rows} == {world.people.scientist.username}
    assert world.api("model_owner").results("approvals/", queue="asked") == []


def test_the_last_day_of_sync(world: World) -> None:
    strips = world.api("ml_engineer").get("sync-runs/last-day/")
    assert {strip["account"] for strip in strips} >= {"111111111111", "333333333333"}
    assert all(len(strip["hours"]) == 24 for strip in strips)
    hub = next(strip for strip in strips if strip["account"] == "111111111111")
    assert hub["hours"][-1]["passes"] + hub["hours"][-2]["passes"] == 1
