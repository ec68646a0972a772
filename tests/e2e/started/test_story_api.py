"""The story through the API alone: from a notebook in the development account to a deployed production model."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import requests

from . import scientist
from .conftest import Api, StartedPortal, eventually

pytestmark = pytest.mark.e2e

ATTRIBUTES = [
    "use_case_id",
    "use_case_name",
    "use_case_stage",
    "model_group",
    "model_version",
    "model_owner",
    "model_lob",
    "model_project",
    "model_stage",
    "model_status",
    "model_risk",
    "validation_metrics",
    "monitoring_metrics",
    "audit_timestamp",
    "audit_user",
]
LIFECYCLE_IN_AWS = {
    "development": "Development",
    "qa": "QA",
    "pre_production": "PreProduction",
    "production": "Production",
}


def test_a_version_registered_in_a_notebook_becomes_a_deployed_production_model(started_portal: StartedPortal) -> None:
    people = {
        name: started_portal.api(name)
        for name in (
            "data.scientist",
            "model.owner",
            "ml.engineer",
            "governance.officer",
            "second.officer",
            "ml.admin",
            "auditor",
        )
    }
    dana, owner, engineer = people["data.scientist"], people["model.owner"], people["ml.engineer"]
    officers = [people["governance.officer"], people["second.officer"]]

    # The portal works under the roles of deploy/ from here to the end, and they hold all it needs.
    for account in people["ml.admin"].results("accounts/"):
        (checked,) = account["preflights"]
        assert (checked["method"], checked["error"]) == ("simulated", ""), account["alias"]
        assert [entry for entry in checked["results"] if entry["outcome"] != "allowed"] == [], account["alias"]

    arn = scientist.register(started_portal.sandbox)

    # By event, with nobody asking, within ten seconds.
    records = eventually(
        lambda: dana.results("stage-records/", model_package_arn=arn), "the version by event", seconds=10
    )
    assert len(records) == 1
    record = records[0]
    assert (record["model_stage"], record["model_status"]) == ("development", "pending")
    filled = {name: record[name] for name in ATTRIBUTES if name != "monitoring_metrics"}
    assert all(value not in (None, "") for value in filled.values()), filled
    assert record["monitoring_metrics"] is None
    assert record["validation_metrics"] == {"validation_auc": 0.78}
    assert record["use_case_id"] == "UC-0001"
    assert record["audit_user"] == "data.scientist"
    version = dana.results("model-versions/", model_package_arn=arn)[0]["id"]

    # The artifact of the development bucket is copied to the hub's, and the version names both.
    def copied() -> dict[str, Any] | None:
        found = dana.get(f"model-versions/{version}/")
        return found if found["hub_artifact_url"] else None

    both = eventually(copied, "the artifact in the hub's bucket")
    assert both["artifact_url"].startswith("s3://ml-artifacts-dev/")
    assert both["hub_artifact_url"].startswith("s3://ml-artifacts-hub/")

    # Nobody decides on what he asked for, and a data scientist decides on nothing.
    request = dana.post(f"model-versions/{version}/submit/", {"note": "AUC 0.78 on the holdout"})
    assert request["id"].startswith("AR-")
    approve = f"approvals/{request['id']}/decisions/"
    refused = dana.post(approve, {"decision": "approve"}, expect=403)
    assert refused["type"].endswith("self-approval")
    assert [row["id"] for row in owner.results("approvals/", queue="mine")] == [request["id"]]
    owner.post(approve, {"decision": "approve", "comment": "Good work."})
    owner.post(approve, {"decision": "approve"}, expect=409)
    _written_to_aws(started_portal, arn, "development", "Approved")

    _evidence_is_asked_for_and_attached(dana, officers[0], version)
    for stage, following in (("qa", "pre_production"), ("pre_production", "production"), ("production", None)):
        record = dana.results("stage-records/", model_package_arn=arn, model_stage=stage)[0]
        assert record["model_status"] == "pending"
        deployment = engineer.results("deployments/", model_package_arn=arn, stage=stage)[0]
        reported = {"status": "deployed", "endpoint": f"credit-risk-{stage}"}
        if stage != "production":
            engineer.post(f"deployments/{deployment['id']}/status/", reported, expect=200)
        engineer.post(
            f"stage-records/{record['id']}/validation-metrics/", {"metrics": {"auc": 0.77}, "source": "test suite"}
        )
        request = dana.post(f"model-versions/{version}/submit/", {"note": f"{stage} results are in"})
        owner.post(f"approvals/{request['id']}/decisions/", {"decision": "approve"}, expect=403)
        for count, officer in enumerate(officers, start=1):
            officer.post(f"approvals/{request['id']}/decisions/", {"decision": "approve"})
            state = officer.get(f"approvals/{request['id']}/")["state"]
            assert state == ("approved" if count == 2 else "open")
        _written_to_aws(started_portal, arn, stage, "Approved")
        if following is None:
            engineer.post(f"deployments/{deployment['id']}/status/", reported, expect=200)
    record = dana.results("stage-records/", model_package_arn=arn, model_stage="production")[0]
    assert record["model_status"] == "deployed"
    assert record["validation_metrics"] == {"auc": 0.77}

    _orders_reached_eventbridge(started_portal, arn)
    _use_case_follows(dana, owner)
    _stage_table_as_csv(dana, arn)

    verified = people["auditor"].get("audit-events/verify/")
    assert verified["first_bad_sequence"] is None
    assert verified["rows"] > 100


def test_sync_now_brings_a_version_in_at_once(started_portal: StartedPortal) -> None:
    engineer, dana = started_portal.api("ml.engineer"), started_portal.api("data.scientist")
    arn = scientist.register(started_portal.sandbox, artifact="s3://ml-artifacts-hub/credit-risk/model.tar.gz")
    engineer.post("accounts/111111111111/sync/", expect=202)
    eventually(lambda: dana.results("model-versions/", model_package_arn=arn), "the version by sync", seconds=10)
    run = engineer.results("sync-runs/", account="111111111111")[0]
    assert run["error"] in (None, "")


def test_a_malformed_card_and_an_unknown_use_case_become_findings(started_portal: StartedPortal) -> None:
    dana = started_portal.api("data.scientist")
    broken = scientist.register(started_portal.sandbox, card="{not json")
    stray = scientist.register(started_portal.sandbox, use_case_id="UC-4711")

    def kinds(arn: str) -> set[str]:
        versions = dana.results("model-versions/", model_package_arn=arn)
        if not versions:
            return set()
        name = f"credit-risk/{arn.rsplit('/', 1)[1]}"
        return {row["kind"] for row in dana.results("findings/", state="open") if name in str(row)}

    eventually(lambda: "card_invalid" in kinds(broken), "the finding about the card")
    eventually(lambda: "use_case_unknown" in kinds(stray), "the finding about the use case")


def test_a_use_case_is_registered_rejected_reworked_and_approved(started_portal: StartedPortal) -> None:
    dana, owner = started_portal.api("data.scientist"), started_portal.api("model.owner")
    officer = started_portal.api("governance.officer")
    body = {"name": "Fraud alerts", "intended_purpose": "Flag card payments for review.", "project": "credit-risk"}
    made = dana.post("use-cases/", body)
    path = f"use-cases/{made['id']}/"
    assert (made["stage"], made["status"]) == ("poc", "pending")
    dana.post(f"{path}submit/", expect=409)
    body = {"risk_class": "limited", "reason": "Supports people."}
    officer.call("PUT", f"{path}classification/", json=body, headers={"If-Match": "*"})
    request = dana.post(f"{path}submit/", {"note": "Please look."})
    owner.post(f"approvals/{request['id']}/decisions/", {"decision": "reject"}, expect=400)
    owner.post(f"approvals/{request['id']}/decisions/", {"decision": "reject", "comment": "Say who oversees it."})
    assert dana.get(path)["status"] == "rejected"
    answer = requests.get(f"{started_portal.url}/api/v1/{path}", headers=dict(dana.session.headers), timeout=30)
    dana.call("PATCH", path, expect=412, json={"description": "x"}, headers={"If-Match": '"old"'})
    dana.call(
        "PATCH", path, json={"description": "Analysts see every alert."}, headers={"If-Match": answer.headers["ETag"]}
    )
    request = dana.post(f"{path}submit/", {"note": "Oversight is described now."})
    owner.post(f"approvals/{request['id']}/decisions/", {"decision": "approve"})
    now = dana.get(path)
    assert (now["stage"], now["status"]) == ("development", "pending")


def _evidence_is_asked_for_and_attached(dana: Api, officer: Api, version: int) -> None:
    """The use case is of high risk: without reports of bias and explainability no officer can approve."""

    def missing() -> set[str]:
        needs = dana.get(f"model-versions/{version}/requirements/", stage="qa")
        assert (needs["risk_tier"], needs["approvals"]) == ("high", [{"role": "governance_officer", "count": 2}])
        return {check["key"] for check in needs["checks"] if check["outcome"] == "missing"}

    assert missing() == {"evidence:bias_report", "evidence:explainability_report"}
    request = dana.post(f"model-versions/{version}/submit/", {"note": "Too early."})
    refused = officer.post(f"approvals/{request['id']}/decisions/", {"decision": "approve"}, expect=409)
    assert set(refused["errors"]) == {"evidence:bias_report", "evidence:explainability_report"}
    dana.post(f"approvals/{request['id']}/withdraw/", expect=200)
    for kind in ("bias_report", "explainability_report"):
        dana.call(
            "POST",
            "evidence/",
            expect=201,
            data={"kind": kind, "model_version": version, "title": f"{kind} of the holdout"},
            files={"file": (f"{kind}.json", b'{"version": "1.0"}', "application/json")},
        )
    assert missing() == set()


def _written_to_aws(portal: StartedPortal, arn: str, stage: str, status: str) -> None:
    def says() -> bool:
        described = scientist.describe(portal.sandbox, arn)
        life_cycle = described.get("ModelLifeCycle", {})
        return (life_cycle.get("Stage"), life_cycle.get("StageStatus")) == (LIFECYCLE_IN_AWS[stage], status) and (
            described["ModelApprovalStatus"] == "Approved"
        )

    eventually(says, f"{stage} {status} in SageMaker")


def _orders_reached_eventbridge(portal: StartedPortal, arn: str) -> None:
    def ordered() -> set[str]:
        calls = requests.get(f"{portal.sandbox}/sandbox/calls", timeout=30).json()
        rows = calls["calls"] if isinstance(calls, dict) else calls
        puts = [str(row) for row in rows if row.get("operation") == "PutEvents"]
        return {
            stage
            for stage in ("qa", "pre_production", "production")
            if any(arn in text and f'"stage": "{stage}"' in text.replace('\\"', '"') for text in puts)
        }

    eventually(lambda: ordered() == {"qa", "pre_production", "production"}, "the deployment orders on EventBridge")


def _use_case_follows(dana: Api, owner: Api) -> None:
    """The use case's own approval at development is given; its model is approved there, so it goes on."""
    before = dana.get("use-cases/UC-0001/")
    if before["stage"] == "development":
        request = dana.post("use-cases/UC-0001/submit/", {"note": "Its model is live."})
        owner.post(f"approvals/{request['id']}/decisions/", {"decision": "approve"})
    after = dana.get("use-cases/UC-0001/")
    assert (after["stage"], after["status"]) == ("qa", "pending")


def _stage_table_as_csv(dana: Api, arn: str) -> None:
    text = dana.get("stage-records/", format="csv", model_package_arn=arn)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["model_stage"] for row in rows] == ["production", "pre_production", "qa", "development"]
    assert set(ATTRIBUTES) <= set(rows[0])
