"""The whole story through the API: a use case registered, a version taken in, approved to production, deployed."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from governance.selectors.stage_table import ATTRIBUTES
from portal.core.vocabulary import Role
from tests.factories import cast, group, person, project, version
from tests.factories.records import card
from tests.factories.walk import all_accounts

from .client import Api

pytestmark = pytest.mark.django_db


def test_from_an_idea_to_a_deployed_model() -> None:
    here, elsewhere = project("credit-risk"), project("elsewhere")
    all_accounts()
    people = cast(here, elsewhere)
    dana, owner, engineer = Api(people.scientist), Api(people.owner), Api(people.engineer)
    officers = [Api(people.officer), Api(people.second_officer)]

    # A use case is registered, refused, reworked, approved.
    body = {"name": "Credit risk scoring", "intended_purpose": "Rank applications.", "project": "credit-risk"}
    use_case = dana.post("use-cases/", body)["id"]
    path = f"use-cases/{use_case}/"
    assert "not classified" in dana.post(f"{path}submit/", {}, 409)["detail"]
    officers[0].send(
        "PUT", f"{path}classification/", {"risk_class": "high", "reason": "Decides on credit."}, **{"If-Match": "*"}
    )
    asked = dana.post(f"{path}submit/", {"note": "Please look."})["id"]
    decide = f"approvals/{asked}/decisions/"
    assert dana.post(decide, {"decision": "approve"}, 403)["code"] == "self-approval"
    owner.post(decide, {"decision": "reject"}, 400)
    owner.post(decide, {"decision": "reject", "comment": "Say who oversees it."})
    assert dana.get(path)["status"] == "rejected"
    dana.send("PUT", f"{path}documents/", {"human_oversight": "Analysts see every refusal."}, **{"If-Match": "*"})
    asked = dana.post(f"{path}submit/", {"note": "Oversight is described."})["id"]
    owner.post(f"approvals/{asked}/decisions/", {"decision": "approve"})
    _stands(dana.get(path), "development", "pending")

    # A version comes in from a development account, its card naming the use case.
    models = group(here, people, name="credit-risk")
    made = version(models, 1, card_content=card(use_case, "High"), metadata={"validation_auc": "0.78"})
    arn = made.arn
    record = dana.results("stage-records/", model_package_arn=arn)[0]
    assert (record["use_case_id"], record["use_case_name"]) == (use_case, "Credit risk scoring")
    assert record["validation_metrics"] == {"validation_auc": 0.78}
    unfilled = [name for name in ATTRIBUTES if record[name] in (None, "")]
    assert unfilled == ["monitoring_metrics"]
    blocked = dana.get(path)["blockers"]
    assert len(blocked) == 1
    assert blocked[0].startswith("No version of credit-risk is approved in Development")

    # It is approved by the model owner and ordered to the test account; the use case follows stage by stage.
    asked = dana.post(f"model-versions/{made.pk}/submit/", {"note": "AUC 0.78"})["id"]
    assert [row["id"] for row in owner.results("approvals/", queue="mine")] == [asked]
    officers[0].post(f"approvals/{asked}/decisions/", {"decision": "approve"}, 403)
    owner.post(f"approvals/{asked}/decisions/", {"decision": "approve", "comment": "Good work."})
    _stands(dana.get(f"model-versions/{made.pk}/"), "qa", "pending")
    kinds = [row["kind"] for row in engineer.results("outbox/", model_package_arn=arn, ordering="id")]
    assert kinds == ["write_back", "deployment_order"]
    _use_case_follows(dana, owner, officers, path, "development", "qa")

    for stage, following in (("qa", "pre_production"), ("pre_production", "production"), ("production", "")):
        deployment = engineer.results("deployments/", model_package_arn=arn, stage=stage)[0]
        report = {"status": "deployed", "endpoint": f"credit-risk-{stage}"}
        if following:
            engineer.post(f"deployments/{deployment['id']}/status/", report, 200)
        record = dana.results("stage-records/", model_package_arn=arn, model_stage=stage)[0]
        assert record["model_status"] == "pending"
        metrics = {"metrics": {"auc": 0.77}, "source": "test suite"}
        engineer.post(f"stage-records/{record['id']}/validation-metrics/", metrics)
        asked = dana.post(f"model-versions/{made.pk}/submit/", {})
        assert asked["to_stage"] == following
        for count, officer in enumerate(officers, start=1):
            decided = officer.post(f"approvals/{asked['id']}/decisions/", {"decision": "approve"})
            assert decided["request"]["state"] == ("approved" if count == 2 else "open")
        if following:
            _use_case_follows(dana, owner, officers, path, stage, following)
    _stands(dana.get(f"model-versions/{made.pk}/"), "production", "approved")
    shown = engineer.post(f"deployments/{deployment['id']}/status/", report, 200)
    assert (shown["mode"], shown["status"]) == ("live", "deployed")
    _stands(dana.get(f"model-versions/{made.pk}/"), "production", "deployed")
    monitored = {"metrics": {"drift": 0.02}, "endpoint": "credit-risk-production"}
    engineer.post(f"stage-records/{record['id']}/monitoring-metrics/", monitored)

    # The table says all of it, as JSON and as CSV.
    table = dana.results("stage-records/", model_package_arn=arn)
    stages = [(row["model_stage"], row["model_status"]) for row in table]
    assert stages == [
        ("production", "deployed"),
        ("pre_production", "approved"),
        ("qa", "approved"),
        ("development", "approved"),
    ]
    assert table[0]["monitoring_metrics"]["metrics"] == {"drift": 0.02}
    assert all(table[0][name] not in (None, "") for name in ATTRIBUTES)
    answer = dana.client.get("/api/v1/stage-records/", {"format": "csv", "model_package_arn": arn})
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["model_stage"], row["model_status"]) for row in lines] == stages
    verbs = [entry["verb"] for entry in dana.results(f"model-versions/{made.pk}/timeline/")]
    assert verbs == ["deploy", "approve", *["advance", "approve"] * 3, "register"]

    # Who may see nothing of it sees nothing of it; the trail is whole and names everybody.
    assert Api(people.stranger).results("stage-records/") == []
    auditor = Api(person(Role.AUDITOR))
    assert auditor.get("audit-events/verify/")["first_bad_sequence"] is None
    named = {row["actor"] for row in auditor.results("audit-events/", table="governance_decision")}
    assert named == {
        f"user:{name}" for name in (people.owner.username, people.officer.username, people.second_officer.username)
    }


def _stands(shown: dict[str, Any], stage: str, status: str) -> None:
    assert (shown["stage"], shown["status"]) == (stage, status)


def _use_case_follows(dana: Api, owner: Api, officers: list[Api], path: str, stage: str, following: str) -> None:
    shown = dana.get(path)
    _stands(shown, stage, "pending")
    assert shown["blockers"] == []
    if stage == "pre_production":
        # Of high risk, it is not let on before all five parts of its governance are written.
        needed = dana.get(f"{path}requirements/")
        missing = [check["key"] for check in needed["checks"] if check["outcome"] == "missing"]
        assert (len(needed["checks"]), len(missing)) == (5, 4)
        texts = {key.removeprefix("evidence:"): "Written down." for key in missing}
        dana.call("PUT", f"{path}documents/", texts, **{"If-Match": "*"})
    asked = dana.post(f"{path}submit/", {})
    for need in asked["requirements"]:
        for decider in [owner] if need["role"] == "model_owner" else officers[: need["count"]]:
            decider.post(f"approvals/{asked['id']}/decisions/", {"decision": "approve"})
    _stands(dana.get(path), following, "pending")
