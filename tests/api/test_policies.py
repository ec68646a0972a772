"""Policies over the API: drafted, tried and published; what subjects need, check by check."""

from __future__ import annotations

from typing import Any

import pytest

from governance.models import PolicyRule, PolicyVersion
from governance.policies.facts import ApprovalNeed, MetricRule, Operator, Rule
from governance.services import policies
from portal.core.vocabulary import RiskRating, Role, Stage, SubjectKind

from .client import Api, assert_problem
from .world import World

RULE: dict[str, Any] = {
    "kind": "model_version",
    "stage": "qa",
    "tier": "high",
    "approvals": [{"role": "governance_officer", "count": 2}],
    "evidence": ["model_card", "test_report"],
    "metrics": [
        {"path": "validation_auc", "operator": ">=", "value": 0.8, "max_age_days": 30},
        {"path": "bias.DI", "operator": "between", "value": [0.8, 1.25], "segment": "gender", "kind": "monitoring"},
    ],
    "days_until_due": 4,
    "days_until_expiry": 20,
}
STORED = [
    {"path": "validation_auc", "operator": ">=", "value": 0.8, "segment": "", "max_age_days": 30, "kind": "validation"},
    {
        "path": "bias.DI",
        "operator": "between",
        "value": [0.8, 1.25],
        "segment": "gender",
        "max_age_days": None,
        "kind": "monitoring",
    },
]


@pytest.fixture
def admin(world: World) -> Api:
    return world.api("ml_admin")


@pytest.fixture
def path(world: World) -> str:
    return f"policies/{world.policy_draft}/"


def etag(api: Api, path: str) -> str:
    return str(api.call("GET", path)["ETag"])


def test_a_policy_is_drafted_edited_tried_and_published(world: World, admin: Api) -> None:
    made = admin.post("policies/", {"note": "Ask for AUC.", "based_on": 2})
    assert (made["number"], made["state"], made["based_on"], made["revision"]) == (4, "draft", 2, 1)
    assert len(made["rules"]) == 27
    path = "policies/4/"
    edited = admin.send("PUT", f"{path}rules/", RULE, 200, **{"If-Match": '"1"'})
    (rule,) = [
        one for one in edited["rules"] if (one["kind"], one["stage"], one["tier"]) == ("model_version", "qa", "high")
    ]
    assert rule == {**RULE, "metrics": STORED, "provenance": []}
    assert (made["on_outside_approval"], made["on_outside_rejection"]) == ("report", "report")
    short = {"model_path": ["development", "qa", "production"], "note": "Shorter.", "on_outside_approval": "adopt"}
    edited = admin.send("PATCH", path, short, 200, **{"If-Match": etag(admin, path)})
    assert (edited["note"], edited["model_path"], edited["revision"]) == ("Shorter.", short["model_path"], 3)

    tried = world.api("auditor").get(f"{path}preview/", model_version=world.trial.pk, stage="qa")
    subject = tried["subject"]
    assert (subject["name"], subject["risk_tier"], subject["on_path"]) == (world.trial.name, "high", True)
    assert subject["metrics"] == STORED
    assert [(check["key"], check["outcome"]) for check in subject["checks"]] == [
        ("evidence:model_card", "pass"),
        ("evidence:test_report", "missing"),
        ("metric:validation_auc>=0.8", "fail"),
        ("metric:monitoring:bias.DI[gender] between 0.8 and 1.25", "missing"),
    ]
    (changed,) = tried["open_requests"]
    assert (changed["id"], changed["policy_version"]) == (world.version_request.public_id, 2)
    assert {one["field"] for one in changed["differences"]} >= {"evidence", "metrics", "to_stage"}
    assert {cell["stage"] for cell in tried["changes"]["cells"]} == {"qa"}
    assert [one["field"] for one in tried["changes"]["paths"]] == ["model_path"]
    assert [one["field"] for one in tried["changes"]["responses"]] == ["on_outside_approval"]

    answer = admin.call("POST", f"{path}publish/", **{"If-Match": '"3"'})
    assert (answer.status_code, answer["ETag"][:3], answer.json()["state"]) == (200, '"4-', "published")
    needs = world.api("data_scientist").get(f"model-versions/{world.fresh.pk}/requirements/", stage="qa")
    assert (needs["policy_version"], needs["metrics"]) == (4, STORED)
    kept = admin.get(f"approvals/{world.version_request.public_id}/")
    assert (kept["policy_version"], kept["state"]) == (2, "open")
    compared = world.api("data_scientist").get(f"{path}changes/", since=2)
    assert compared["since"] == 2
    assert len(compared["cells"]) == 1
    assert admin.get(f"{path}changes/")["cells"] == []


def test_requirements_say_how_each_stands(world: World) -> None:
    api = world.api("data_scientist")
    needs = api.get(f"model-versions/{world.trial.pk}/requirements/")
    assert (needs["stage"], needs["open_request"]) == ("qa", world.version_request.public_id)
    assert needs["evidence"] == ["model_card", "bias_report", "explainability_report", "validation_metrics"]
    assert {check["outcome"] for check in needs["checks"]} == {"pass"}
    assert set(needs["checks"][0]) == {"key", "label", "outcome", "detail", "actual", "threshold"}
    of_use_case = api.get(f"use-cases/{world.draft.public_id}/requirements/", stage="production")
    assert [(check["key"], check["outcome"]) for check in of_use_case["checks"]] == [
        ("evidence:risk_assessment", "overridden"),
        ("evidence:transparency_explainability", "missing"),
    ]
    for name, stage in ((f"model-versions/{world.trial.pk}", "poc"), (f"use-cases/{world.draft.public_id}", "gone")):
        assert "stage" in api.get(f"{name}/requirements/", 400, stage=stage)["errors"]


def test_an_edit_asks_which_state_it_was_made_on(admin: Api, path: str) -> None:
    calls = (
        ("PATCH", path, {"note": "x"}),
        ("PUT", f"{path}rules/", RULE),
        ("POST", f"{path}publish/", None),
        ("DELETE", path, None),
    )
    for method, address, body in calls:
        assert_problem(admin.call(method, address, body), 428)
        assert assert_problem(admin.call(method, address, body, **{"If-Match": '"7"'}), 412)["code"] == "stale-edit"


def test_a_draft_is_discarded(admin: Api, path: str) -> None:
    answer = admin.call("DELETE", path, **{"If-Match": "*"})
    assert (answer.status_code, answer.content) == (204, b"")
    admin.get(path, 404)


def test_a_published_policy_is_refused_by_name(admin: Api) -> None:
    every = {"If-Match": "*"}
    for method, address, body in (
        ("PATCH", "policies/2/", {"note": "x"}),
        ("PUT", "policies/2/rules/", RULE),
        ("POST", "policies/2/publish/", None),
        ("DELETE", "policies/2/", None),
    ):
        assert assert_problem(admin.call(method, address, body, **every), 409)["code"] == "policy-published"


def test_an_incomplete_draft_names_its_cells(world: World, admin: Api, path: str) -> None:
    PolicyRule.objects.filter(policy__number=world.policy_draft, kind="use_case", stage="qa", tier="low").delete()
    problem = assert_problem(admin.call("POST", f"{path}publish/", **{"If-Match": "*"}), 400)
    assert (problem["code"], problem["errors"]) == ("policy-incomplete", {"use_case.qa.low": ["There is no rule."]})


def test_publishing_overtakes_older_drafts(admin: Api, path: str) -> None:
    other = admin.post("policies/", {})
    assert admin.call("POST", f"policies/{other['number']}/publish/", **{"If-Match": "*"}).status_code == 200
    problem = assert_problem(admin.call("POST", f"{path}publish/", **{"If-Match": "*"}), 409)
    assert problem["code"] == "policy-overtaken"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "model"}, "kind"),
        ({"stage": "retired"}, "stage"),
        ({"stage": "poc"}, "stage"),
        ({"tier": "unknown"}, "tier"),
        ({"approvals": []}, "approvals"),
        ({"approvals": [{"role": "ml_admin", "count": 1}]}, "approvals"),
        ({"approvals": [{"role": "governance_officer", "count": 10**30}]}, "approvals"),
        ({"approvals": [{"role": "governance_officer"}]}, "approvals"),
        ({"approvals": {"role": "governance_officer"}}, "approvals"),
        ({"evidence": ["gossip"]}, "evidence"),
        ({"evidence": "model_card"}, "evidence"),
        ({"evidence": ["model_card", "model_card"]}, "evidence"),
        ({"metrics": [{"path": "auc", "operator": "~", "value": 1}]}, "metrics"),
        ({"metrics": [{"path": "auc", "operator": ">=", "value": "1"}]}, "metrics"),
        ({"metrics": [{"path": "auc", "operator": ">=", "value": True}]}, "metrics"),
        ({"metrics": [{"path": "auc", "operator": ">=", "value": 10**400}]}, "metrics"),
        ({"metrics": [{"path": "auc", "operator": ">=", "value": [0, 1]}]}, "metrics"),
        ({"metrics": [{"path": "auc", "operator": "between", "value": [1, 0]}]}, "metrics"),
        ({"metrics": [{"path": "auc", "operator": "between", "value": 1}]}, "metrics"),
        ({"metrics": [{"path": "a..b", "operator": ">=", "value": 1}]}, "metrics"),
        ({"metrics": [{"path": "auc", "operator": ">=", "value": 1, "colour": "red"}]}, "metrics"),
        ({"metrics": [1]}, "metrics"),
        ({"days_until_due": 21}, "days_until_due"),
        ({"days_until_due": None}, "days_until_due"),
        ({"days_until_expiry": 10**30}, "days_until_expiry"),
        ({"colour": "red"}, "colour"),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_a_cell_that_cannot_be_used_is_refused_by_field(
    admin: Api, path: str, changed: dict[str, Any], field: str
) -> None:
    before = admin.get(path)
    problem = admin.send("PUT", f"{path}rules/", {**RULE, **changed}, 400, **{"If-Match": "*"})
    assert any(name.split(".")[0] == field for name in problem["errors"]), problem["errors"]
    assert admin.get(path) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"on_outside_approval": "ignore"}, "on_outside_approval"),
        ({"on_outside_rejection": None}, "on_outside_rejection"),
        ({"model_path": ["qa"]}, "model_path"),
        ({"model_path": ["production", "development"]}, "model_path"),
        ({"model_path": []}, "model_path"),
        ({"use_case_path": ["poc", "development"]}, "use_case_path"),
        ({"use_case_path": "poc"}, "use_case_path"),
        ({"note": "x" * 2001}, "note"),
        ({"state": "published"}, "state"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_path_or_note_that_cannot_be_used_is_refused(admin: Api, path: str, body: dict[str, Any], field: str) -> None:
    assert field in admin.send("PATCH", path, body, 400, **{"If-Match": "*"})["errors"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("use_case=UC-0001&model_version=1", 400),
        ("use_case=1", 400),
        ("use_case=UC-9999", 404),
        ("model_version=x", 400),
        ("model_version=-1", 400),
        ("model_version=99999999999999999999", 400),
        ("model_version=999999999999999999", 404),
        ("model_version={trial}&stage=poc", 400),
        ("model_version={trial}&stage=", 400),
        ("stage=qa", 400),
        ("colour=red", 400),
    ],
)
def test_a_preview_of_nothing_is_refused(admin: Api, world: World, path: str, query: str, status: int) -> None:
    assert_problem(admin.call("GET", f"{path}preview/?{query.format(**world.ids)}"), status)


@pytest.mark.parametrize("query", ["since=x", "since=-1", "since=99999999999999999999", "until=1"])
def test_changes_since_nothing_are_refused(admin: Api, path: str, query: str) -> None:
    assert_problem(admin.call("GET", f"{path}changes/?{query}"), 400)
    assert_problem(admin.call("GET", f"{path}changes/?since=99"), 404)


def test_what_one_may_not_see_is_not_tried(world: World) -> None:
    stranger = world.api("stranger")
    stranger.get("policies/2/preview/", 404, use_case=world.draft.public_id)
    stranger.get("policies/2/preview/", 404, model_version=world.trial.pk)
    assert stranger.get("policies/1/preview/")["open_requests"] == []
    assert len(world.api("data_scientist").get("policies/1/preview/")["open_requests"]) == 1


@pytest.mark.parametrize("number", ["0", "99", "999999999999999999"])
def test_there_is_no_such_policy(admin: Api, number: str) -> None:
    assert_problem(admin.call("GET", f"policies/{number}/"), 404)


def test_details_show_metric_rules_too(world: World) -> None:
    admin = world.api("ml_admin")
    number = policies.draft(actor=world.people.admin.actor, note="Measured.").number
    draft = PolicyVersion.objects.get(number=number)
    for kind, stage in ((SubjectKind.MODEL_VERSION, Stage.DEVELOPMENT), (SubjectKind.USE_CASE, Stage.POC)):
        for tier in (RiskRating.HIGH, RiskRating.MEDIUM, RiskRating.LOW):
            draft.refresh_from_db()
            policies.set_rule(
                actor=world.people.admin.actor,
                policy_id=draft.pk,
                revision=draft.revision,
                rule=Rule(
                    kind=kind,
                    stage=stage,
                    tier=tier,
                    approvals=(ApprovalNeed(Role.GOVERNANCE_OFFICER, 1),),
                    days_until_due=5,
                    days_until_expiry=9,
                    metrics=(MetricRule("auc", Operator.AT_LEAST, 0.8),) if kind is SubjectKind.MODEL_VERSION else (),
                ),
            )
    draft.refresh_from_db()
    policies.publish(actor=world.people.admin.actor, policy_id=draft.pk, revision=draft.revision)
    shown = admin.get(f"model-versions/{world.fresh.pk}/")
    assert shown["requirements"]["metrics"][0]["path"] == "auc"
    assert admin.get(f"use-cases/{world.draft.public_id}/")["requirements"]["approvals"]
