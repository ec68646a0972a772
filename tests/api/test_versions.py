"""Model versions and the stage table: shown, retired, measured, sent as CSV."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.services import out_of_band
from portal.core.vocabulary import RiskClass
from registry.models import UseCase
from tests.factories import group, use_case, version

from .world import World


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
    assert shown["agreement"]["verdict"] == "write_back_pending"
    assert "Approved, Development / Approved is on its way to SageMaker" in shown["agreement"]["words"]
    assert shown["outside_changes"] == []
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
    # Custom attributes have columns of their own, none of which is defined here.
    assert list(rows[0]) == [name for name in shown[0] if name not in ("attributes", "revision")]
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


def test_a_version_tells_what_was_changed_outside_the_portal_and_what_was_done(world: World) -> None:
    made = version(world.group, 91, approval_status="Approved")
    out_of_band.answer(actor=out_of_band.ACTOR, version_id=made.pk)
    shown = world.api("data_scientist").get(f"model-versions/{made.pk}/")
    assert shown["agreement"]["verdict"] == "approved_outside"
    assert f"SageMaker says {made.name} is Approved; nobody has decided about it" in shown["agreement"]["words"]
    assert shown["agreement"]["since"] == shown["aws_modified_at"]
    (change,) = shown["outside_changes"]
    assert (change["verdict"], change["aws_said"], change["portal_said"]) == (
        "approved_outside", "Approved", "PendingManualApproval",
    )  # fmt: skip
    assert (change["response"], change["outcome"], change["person"], change["policy_version"]) == (
        "report", "reported", None, 2,
    )  # fmt: skip
