"""Approvals and deployments: asked for, decided on, withdrawn, reported."""

from __future__ import annotations

from typing import Any

import pytest

from registry.models import ModelVersion

from .client import Api
from .world import World


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
    ModelVersion.objects.filter(pk=world.trial.pk).update(metadata={"validation_auc": "0.10"})
    path = f"approvals/{world.version_request.public_id}/"
    refusal = world.api("governance_officer").post(f"{path}decisions/", {"decision": "approve"}, 409)
    assert refusal["code"] == "stale-request"
    assert "metadata.validation_auc" in refusal["errors"]
    moved = world.api("auditor").get(f"{path}difference/")
    assert {"field": "metadata.validation_auc", "before": "0.78", "after": "0.10"} in moved
    assert world.api("auditor").get(path)["state"] == "outdated"


def test_only_who_asked_withdraws(world: World) -> None:
    path = f"approvals/{world.version_request.public_id}/withdraw/"
    shown = world.api("data_scientist").post(path, {"reason": "Too early."}, 200)
    assert (shown["state"], shown["closing_note"], shown["waiting_for"]) == ("withdrawn", "Too early.", "")
    assert world.api("data_scientist").post(path, {}, 409)["code"] == "request-closed"


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
