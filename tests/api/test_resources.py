"""Each resource: what it shows, what its verbs do, how they refuse."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from guardian.shortcuts import assign_perm

from governance.models import OutboxMessage
from governance.services import sync
from portal.core.vocabulary import RiskClass
from registry.models import ModelVersion, ResourceShare, UseCase
from tests.factories import cast, group, use_case, version

from .client import Api, assert_problem
from .world import World


def _etag(world: World, path: str) -> str:
    return str(world.api("ml_admin").call("GET", path)["ETag"])


# use cases


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
    assert "reason" in api.send("PUT", path, {"risk_class": "high"}, 400)["errors"]
    assert "risk_class" in api.send("PUT", path, {"risk_class": "severe", "reason": "x"}, 400)["errors"]
    shown = api.send("PUT", path, {"risk_class": "high", "reason": "Decides on credit."})
    assert (shown["risk_class"], shown["risk_reason"]) == ("high", "Decides on credit.")
    assert shown["risk_classified_by"] == world.people.officer.username


def test_documents_are_written_part_by_part(world: World) -> None:
    path, api = f"use-cases/{world.draft.public_id}/documents/", world.api("data_scientist")
    api.send("PUT", path, {"human_oversight": "Analysts.", "risk_assessment": ""})
    shown = api.send("PUT", path, {"risk_assessment": "Low."})
    assert {item["kind"]: item["text"] for item in shown["documents"]} == {
        "human_oversight": "Analysts.",
        "risk_assessment": "Low.",
    }
    assert "magic" in api.send("PUT", path, {"magic": "x"}, 400)["errors"]


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


# groups


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


# versions


def test_a_version_says_what_aws_and_its_card_say(world: World) -> None:
    api = world.api("data_scientist")
    shown = api.get(f"model-versions/{world.trial.pk}/")
    assert shown["name"] == "models/2"
    assert shown["use_cases"] == [world.asked.public_id]
    assert (shown["stage"], shown["status"], shown["risk"], shown["risk_tier"]) == ("qa", "pending", "high", "high")
    assert "model card" in shown["risk_tier_source"]
    assert shown["artifact_url"] == "s3://hub/model.tar.gz"
    assert shown["metadata"]["algorithm"] == "xgboost"
    assert shown["card"]["intended_uses"]["risk_rating"] == "High"
    assert shown["requirements"]["open_request"] == world.version_request.public_id
    listed = next(row for row in api.results("model-versions/") if row["id"] == world.trial.pk)
    assert "card" not in listed
    assert listed["risk_tier"] == "high"


def test_requirements_of_a_stage(world: World) -> None:
    path, api = f"model-versions/{world.trial.pk}/requirements/", world.api("data_scientist")
    now = api.get(path)
    assert now["stage"] == "qa"
    assert now["approvals"] == now["missing"] == [{"role": "governance_officer", "count": 2}]
    assert now["waiting_for"] == "waiting for a governance officer (1 of 2)"
    later = api.get(path, stage="production")
    assert (later["stage"], later["open_request"], later["waiting_for"]) == ("production", None, "")
    assert later["risk_tier"] == "high"
    for stage in ("poc", "retired", "nowhere"):
        assert "stage" in api.get(path, 400, stage=stage)["errors"]


def test_a_version_is_retired(world: World) -> None:
    officer, path = world.api("governance_officer"), f"model-versions/{world.trial.pk}/"
    world.api("ml_engineer").post(
        f"deployments/{world.deployment.pk}/status/", {"status": "deployed", "endpoint": "e7"}, 200
    )
    refusal = officer.post(f"{path}retire/", {"reason": "Over."}, 409)
    assert "e7" in refusal["detail"]
    officer.post(f"{path}retire/", {"reason": "Over.", "force": "perhaps"}, 400)
    shown = officer.post(f"{path}retire/", {"reason": "Over.", "force": True}, 200)
    assert (shown["stage"], shown["status"], shown["requirements"]) == ("retired", "retired", None)
    officer.get(f"{path}requirements/", 409)
    assert officer.get(f"{path}requirements/", stage="qa")["stage"] == "qa"
    world.api("data_scientist").post(f"{path}submit/", {}, 409)
    assert officer.results(f"{path}timeline/")[0]["verb"] == "retire"


# the stage table


def test_the_table_has_the_fifteen_attributes(world: World) -> None:
    row = world.api("auditor").results("stage-records/", model_package_arn=world.trial.arn, model_stage="qa")[0]
    assert list(row)[:16] == [
        "id", "use_case_id", "use_case_name", "use_case_stage", "model_group", "model_version", "model_owner",
        "model_lob", "model_project", "model_stage", "model_status", "model_risk", "validation_metrics",
        "monitoring_metrics", "audit_timestamp", "audit_user",
    ]  # fmt: skip
    assert row["use_case_id"] == world.asked.public_id
    assert row["model_risk"] == row["risk_tier"] == "high"
    assert row["validation_metrics"] is None
    assert row["account"] == "333333333333"


def test_a_version_that_serves_two_use_cases_shows_two_rows(world: World) -> None:
    other = use_case(world.people, world.project, RiskClass.HIGH, name="Other")
    both = group(world.project, world.people, world.draft, other, name="both")
    made = version(both, 1)
    api = world.api("auditor")
    rows = api.results("stage-records/", model_package_arn=made.arn)
    assert [row["use_case_name"] for row in rows] == ["Other", "Draft"]
    assert len({row["id"] for row in rows}) == 1
    assert {row["risk_tier"] for row in rows} == {"high"}
    assert {row["model_risk"] for row in rows} == {"low"}
    page = api.get("stage-records/", model_package_arn=made.arn, page_size=1)
    following = api.client.get(page["next"]).json()
    assert [page["results"][0]["use_case_name"], following["results"][0]["use_case_name"]] == ["Other", "Draft"]
    assert len(api.results("stage-records/", model_package_arn=made.arn, use_case_id=other.public_id)) == 1


def test_a_version_without_a_use_case_has_a_row(world: World) -> None:
    made = version(group(world.project, world.people, name="alone"), 1)
    row = world.api("auditor").results("stage-records/", model_package_arn=made.arn)[0]
    assert row["use_case_id"] is row["use_case_name"] is None


def _csv(world: World, query: str = "") -> list[dict[str, str]]:
    answer = world.api("auditor").client.get(f"/api/v1/stage-records/?format=csv{query}")
    assert answer.status_code == 200
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="stage-records-')
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_csv_is_the_same_table(world: World) -> None:
    record = world.trial_record.pk
    world.api("ml_engineer").post(
        f"stage-records/{record}/validation-metrics/", {"metrics": {"auc": 0.8, "note": "=1+1"}}
    )
    rows = _csv(world)
    shown = world.api("auditor").results("stage-records/")
    assert [row["id"] for row in rows] == [str(row["id"]) for row in shown]
    assert list(rows[0]) == list(shown[0])
    qa = next(row for row in rows if row["model_stage"] == "qa")
    assert json.loads(qa["validation_metrics"]) == {"auc": 0.8, "note": "=1+1"}
    assert qa["monitoring_metrics"] == ""
    assert [row["model_stage"] for row in _csv(world, f"&model_package_arn={world.trial.arn}")] == ["qa", "development"]
    assert [row["model_stage"] for row in _csv(world, "&model_stage=qa&ordering=-id")] == ["qa"]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\tx"])
def test_csv_cannot_carry_a_formula(world: World, name: str) -> None:
    UseCase.objects.filter(pk=world.asked.pk).update(name=name)
    assert {row["use_case_name"] for row in _csv(world)} == {f"'{name}"}


def test_csv_by_accept_header(world: World) -> None:
    answer = world.api("auditor").client.get("/api/v1/stage-records/", headers={"Accept": "text/csv"})
    assert answer["Content-Type"].startswith("text/csv")


def test_metrics_are_reported(world: World) -> None:
    api, path = world.api("ml_engineer"), f"stage-records/{world.trial_record.pk}/"
    earlier = (timezone.now() - timedelta(days=1)).isoformat()
    row = api.post(f"{path}validation-metrics/", {"metrics": {"auc": 0.8, "f1": None}, "source": "suite"})
    assert row["id"] == world.trial_record.pk
    assert row["validation_metrics"] == {"auc": 0.8, "f1": None}
    assert row["audit_user"] == world.people.engineer.username
    row = api.post(f"{path}validation-metrics/", {"metrics": {"auc": 0.1}, "captured_at": earlier})
    assert row["validation_metrics"] == {"auc": 0.8, "f1": None}
    row = api.post(f"{path}monitoring-metrics/", {"metrics": {"drift": 0.2}, "endpoint": "e", "captured_at": earlier})
    assert row["monitoring_metrics"]["metrics"] == {"drift": 0.2}
    assert row["monitoring_metrics"]["endpoint"] == "e"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "metrics"),
        ({"metrics": {}}, "metrics"),
        ({"metrics": [1]}, "metrics"),
        ({"metrics": None}, "metrics"),
        ({"metrics": "0.8"}, "metrics"),
        ({"metrics": {"a": [[[[[[1]]]]]]}}, "metrics"),
        ({"metrics": {"a": 1}, "captured_at": "yesterday"}, "captured_at"),
        ({"metrics": {"a": 1}, "captured_at": "2999-01-01T00:00:00Z"}, "captured_at"),
        ({"metrics": {"a": 1}, "endpoint": "e"}, "endpoint"),
        ({"metrics": {"a": 1}, "source": "x" * 501}, "source"),
    ],
)
def test_metrics_that_cannot_be_recorded(world: World, body: dict[str, Any], field: str) -> None:
    path = f"stage-records/{world.trial_record.pk}/validation-metrics/"
    assert field in world.api("ml_engineer").post(path, body, 400)["errors"]


# approvals


def test_a_request_says_what_it_needs_and_who_may(world: World) -> None:
    path = f"approvals/{world.version_request.public_id}/"
    shown = world.api("governance_officer").get(path)
    assert shown["subject"]["model_package_arn"] == world.trial.arn
    assert shown["requirements"] == shown["missing"] == [{"role": "governance_officer", "count": 2}]
    assert (shown["may_decide"], shown["why_not"], shown["is_overdue"]) == (True, "", False)
    assert shown["to_stage"] == "pre_production"
    assert world.api("governance_officer").client.get(shown["subject"]["url"]).status_code == 200
    asker = world.api("data_scientist").get(path)
    assert asker["may_decide"] is False
    assert "yourself" in asker["why_not"]
    assert "governance officer" in world.api("model_owner").get(path)["why_not"]


def test_two_officers_decide(world: World) -> None:
    path = f"approvals/{world.version_request.public_id}/"
    first, second = world.api("governance_officer"), Api(world.people.second_officer)
    decided = first.post(f"{path}decisions/", {"decision": "approve", "comment": "Good."})
    assert decided["decision"] == "approve"
    assert decided["role"] == "governance_officer"
    assert decided["decided_by"] == world.people.officer.username
    assert decided["request"] == {
        "id": world.version_request.public_id,
        "state": "open",
        "waiting_for": "waiting for a governance officer (2 of 2)",
    }
    assert first.post(f"{path}decisions/", {"decision": "approve"}, 409)["code"] == "already-decided"
    assert second.post(f"{path}decisions/", {"decision": "approve"})["request"]["state"] == "approved"
    refusal = Api(world.people.second_officer).post(f"{path}decisions/", {"decision": "approve"}, 409)
    assert refusal["code"] == "request-closed"
    shown = first.get(path)
    assert shown["missing"] == []
    assert [item["decision"] for item in shown["decisions"]] == ["approve", "approve"]
    assert world.api("auditor").get(f"model-versions/{world.trial.pk}/")["stage"] == "pre_production"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "decision"),
        ({"decision": "maybe"}, "decision"),
        ({"decision": "reject"}, "comment"),
        ({"decision": "request_changes", "comment": "  "}, "comment"),
        ({"decision": "approve", "back_to": "development"}, "back_to"),
        ({"decision": "reject", "comment": "x", "back_to": "production"}, "back_to"),
        ({"decision": "reject", "comment": "x", "back_to": "retired"}, "back_to"),
        ({"decision": "reject", "comment": "x", "role": "auditor"}, "role"),
    ],
)
def test_a_decision_that_cannot_be_taken(world: World, body: dict[str, Any], field: str) -> None:
    path = f"approvals/{world.version_request.public_id}/decisions/"
    assert field in world.api("governance_officer").post(path, body, 400)["errors"]


def test_a_rejection_sends_back_and_is_taken_up_again(world: World) -> None:
    path = f"approvals/{world.version_request.public_id}/decisions/"
    body = {"decision": "reject", "comment": "Biased.", "back_to": "development"}
    decided = world.api("governance_officer").post(path, body)
    assert (decided["back_to"], decided["request"]["state"]) == ("development", "rejected")
    version_path = f"model-versions/{world.trial.pk}/"
    shown = world.api("auditor").get(version_path)
    assert (shown["stage"], shown["status"]) == ("development", "rejected")
    again = world.api("data_scientist").post(f"{version_path}submit/", {"note": "Corrected."})
    assert again["stage"] == "development"


def test_what_changed_since_it_was_submitted_is_not_decided_on(world: World) -> None:
    ModelVersion.objects.filter(pk=world.trial.pk).update(content_digest="sha256:other")
    path = f"approvals/{world.version_request.public_id}/"
    refusal = world.api("governance_officer").post(f"{path}decisions/", {"decision": "approve"}, 409)
    assert refusal["code"] == "stale-request"
    assert world.api("auditor").get(path)["state"] == "outdated"


def test_only_who_asked_withdraws(world: World) -> None:
    path = f"approvals/{world.version_request.public_id}/withdraw/"
    shown = world.api("data_scientist").post(path, {"reason": "Too early."}, 200)
    assert (shown["state"], shown["closing_note"], shown["waiting_for"]) == ("withdrawn", "Too early.", "")
    assert world.api("data_scientist").post(path, {}, 409)["code"] == "request-closed"


# deployments


def test_a_deployment_is_reported(world: World) -> None:
    api, path = world.api("ml_engineer"), f"deployments/{world.deployment.pk}/"
    shown = api.post(f"{path}status/", {"status": "in_progress"}, 200)
    assert shown["status"] == "in_progress"
    shown = api.post(f"{path}status/", {"status": "deployed", "endpoint": "e", "detail": "Blue."}, 200)
    assert (shown["status"], shown["endpoint"], shown["detail"], shown["mode"]) == ("deployed", "e", "Blue.", "trial")
    assert shown == api.get(path)
    assert "cannot be reported" in api.post(f"{path}status/", {"status": "failed"}, 409)["detail"]
    for status in ("ordered", "replaced", "gone", None, 1):
        assert "status" in api.post(f"{path}status/", {"status": status}, 400)["errors"]


# operations


def test_an_account_is_registered_and_changed(world: World) -> None:
    api = world.api("ml_admin")
    made = api.post(
        "accounts/",
        {
            "account_id": "555555555555",
            "alias": "new",
            "purposes": ["qa"],
            "regions": ["eu-central-1"],
            "role_arn": "arn:aws:iam::555555555555:role/Portal",
            "external_id": "not to be shown",
        },
    )
    assert made["has_external_id"] is True
    assert "not to be shown" not in json.dumps(made)
    changed = api.send("PATCH", "accounts/555555555555/", {"alias": "renamed", "is_enabled": False})
    assert (changed["alias"], changed["is_enabled"], changed["regions"]) == ("renamed", False, ["eu-central-1"])
    assert world.api("ml_admin").post("accounts/555555555555/sync/", {}, 409)["code"] == "wrong-state"
    assert (
        "account_id"
        in api.post("accounts/", {"account_id": "555555555555", "alias": "x", "purposes": ["qa"]}, 400)["errors"]
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"alias": ""}, "alias"),
        ({"purposes": []}, "purposes"),
        ({"purposes": ["lunch"]}, "purposes.0"),
        ({"purposes": "qa"}, "purposes"),
        ({"regions": []}, "regions"),
        ({"regions": [""]}, "regions.0"),
        ({"event_queue_url": "not a url"}, "event_queue_url"),
        ({"is_enabled": "perhaps"}, "is_enabled"),
        ({"account_id": "555555555555"}, "account_id"),
        ({"check_error": ""}, "check_error"),
    ],
)
def test_an_account_that_cannot_be_changed(world: World, body: dict[str, Any], field: str) -> None:
    assert field in world.api("ml_admin").send("PATCH", "accounts/333333333333/", body, 400)["errors"]


def test_a_connection_is_tried(world: World, aws_answers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.api("ml_admin").post("accounts/333333333333/test/", {}, 200)["check_error"] == ""
    shown = world.api("ml_admin").post("accounts/444444444444/test/", {}, 200)
    assert "333333333333" in shown["check_error"]
    assert shown["checked_at"]


@pytest.mark.parametrize("region", ["bad region!", "zz", "-", "eu-central-1.evil.example/"])
def test_a_region_there_is_not_is_written_down_not_a_fault(
    world: World, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    # Without an endpoint of its own the gateway makes the address from the region, as it does against AWS.
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    body = {"account_id": "666666666666", "alias": "far", "purposes": ["qa"], "regions": [region]}
    answer = world.api("ml_admin").call("POST", "accounts/", body)
    if answer.status_code == 201:
        assert world.api("ml_admin").post("accounts/666666666666/test/", {}, 200)["check_error"]
    else:
        assert_problem(answer, 400)


def test_a_sync_is_handed_to_a_worker(
    world: World, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(sync, "enqueue_on_commit", lambda name, **kwargs: sent.append((name, kwargs)))
    answer = world.api("ml_engineer").post("accounts/111111111111/sync/", {}, 202)
    assert answer["account_id"] == "111111111111"
    assert sent == [
        (
            "governance.sync_account",
            {"account_id": "111111111111", "requested_by": world.people.engineer.username},
        )
    ]


def test_the_outbox_is_tried_again(world: World) -> None:
    OutboxMessage.objects.filter(pk=world.message.pk).update(state="failed", last_error="AWS said no.")
    shown = world.api("ml_engineer").post(f"outbox/{world.message.pk}/retry/", {}, 200)
    assert (shown["state"], shown["last_error"]) == ("pending", "AWS said no.")
    assert shown["model_package_arn"] == world.trial.arn
    assert shown["request"].startswith("AR-")
    OutboxMessage.objects.filter(pk=world.message.pk).update(state="delivered")
    world.api("ml_engineer").post(f"outbox/{world.message.pk}/retry/", {}, 409)


def test_a_share_names_only_groups_one_sees(world: World) -> None:
    share = ResourceShare.objects.get()
    share.groups.add(group(world.elsewhere, cast(world.elsewhere, world.project), name="secret"))
    shown = world.api("data_scientist").results("shares/")[0]
    assert [item["name"] for item in shown["groups"]] == ["models"]
    assert [item["name"] for item in world.api("ml_admin").results("shares/")[0]["groups"]] == ["models", "secret"]


def test_a_finding_is_taken_on_and_resolved(world: World) -> None:
    api, path = world.api("governance_officer"), f"findings/{world.finding.public_id}/"
    shown = api.get(path)
    assert shown["subject"] == {"kind": "model_version", "id": str(world.fresh.pk), "name": "models/1"}
    assert shown["state"] == "open"
    taken = api.post(f"{path}acknowledge/", {}, 200)
    assert (taken["state"], taken["owner"]) == ("acknowledged", world.people.officer.username)
    api.post(f"{path}acknowledge/", {}, 409)
    assert "note" in api.post(f"{path}resolve/", {}, 400)["errors"]
    done = api.post(f"{path}resolve/", {"note": "Card corrected."}, 200)
    assert (done["state"], done["closing_note"]) == ("resolved", "Card corrected.")
    api.post(f"{path}resolve/", {"note": "Again."}, 409)


def test_the_policy_is_read(world: World) -> None:
    policy = world.api("data_scientist").results("policies/")[0]
    assert policy["state"] == "published"
    assert policy["model_path"] == ["development", "qa", "pre_production", "production"]
    rule = next(
        rule
        for rule in policy["rules"]
        if (rule["kind"], rule["stage"], rule["tier"]) == ("model_version", "qa", "high")
    )
    assert rule["approvals"] == [{"role": "governance_officer", "count": 2}]


def test_the_trail_names_actor_reason_and_request(world: World) -> None:
    answer = world.api("governance_officer").call(
        "PUT",
        f"use-cases/{world.draft.public_id}/classification/",
        {"risk_class": "high", "reason": "Decides on credit."},
        **{"X-Request-ID": "trace-0123456789"},
    )
    assert answer["X-Request-ID"] == "trace-0123456789"
    rows = world.api("auditor").results("audit-events/", correlation="trace-0123456789")
    assert {row["actor"] for row in rows} == {f"user:{world.people.officer.username}"}
    assert {row["reason"] for row in rows} == {"Decides on credit."}
    assert {row["table"] for row in rows} == {"registry_usecase"}
    assert any(row["changes"].get("risk_class") == ["limited", "high"] for row in rows)
    assert all(len(row["hash"]) == 64 for row in rows)


def test_projects_one_holds_a_role_on(world: World) -> None:
    assert [row["key"] for row in world.api("data_scientist").results("projects/")] == ["here"]
    assert [row["key"] for row in world.api("ml_admin").results("projects/")] == ["here", "there"]


def test_lists_hold_only_what_one_sees(world: World) -> None:
    for path in ("use-cases/", "model-groups/", "model-versions/", "stage-records/", "approvals/", "deployments/"):
        assert world.api("stranger").results(path) == [], path
        assert world.api("data_scientist").results(path), path
    assert world.api("data_scientist").results("outbox/")
    assert world.api("stranger").results("findings/", kind="card_invalid") == []
