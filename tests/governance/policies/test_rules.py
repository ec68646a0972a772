"""Tiers, requirements, approvals still missing, blockers, and the words for them."""

from __future__ import annotations

import itertools
from datetime import timedelta, timezone

import pytest

from governance.choices import MetricKind
from governance.policies.engine import evidence_words, waiting_for
from governance.policies.facts import (
    ApprovalNeed,
    EvidenceFact,
    MetricRule,
    ModelInScope,
    Operator,
    OverrideFact,
    Requirements,
    SubjectFacts,
    UseCaseRisk,
    Vote,
)
from governance.policies.rules import (
    NoRule,
    evaluate,
    outstanding,
    requirements,
    tier_of_use_case,
    tier_of_version,
    use_case_blockers,
)
from portal.core.vocabulary import EvidenceKind, RiskClass, RiskRating, Role, Stage

from .making import DAY, NOW, OFFICER, OWNER, USE_CASE, VERSION, cell, matrix, metric, needs, report

TIER_OF = {
    RiskClass.UNCLASSIFIED: RiskRating.HIGH,
    RiskClass.UNACCEPTABLE: RiskRating.HIGH,
    RiskClass.HIGH: RiskRating.HIGH,
    RiskClass.LIMITED: RiskRating.MEDIUM,
    RiskClass.MINIMAL: RiskRating.LOW,
}
ORDER = (RiskRating.LOW, RiskRating.MEDIUM, RiskRating.HIGH)


@pytest.mark.parametrize("risk", RiskClass)
def test_the_tier_of_a_use_case(risk: RiskClass) -> None:
    tier = tier_of_use_case(UseCaseRisk("UC-0001", risk))
    assert tier.value is TIER_OF[risk]
    assert tier.source == (
        "UC-0001 is not classified yet, which counts as high"
        if risk is RiskClass.UNCLASSIFIED
        else f"UC-0001 is classified {risk.label.lower()}"
    )


@pytest.mark.parametrize("rating", RiskRating)
@pytest.mark.parametrize(
    "risks", [(), *itertools.product(RiskClass, repeat=1), *itertools.product(RiskClass, repeat=2)]
)
def test_the_tier_of_a_version_is_the_higher(rating: RiskRating, risks: tuple[RiskClass, ...]) -> None:
    tier = tier_of_version(rating, [UseCaseRisk(f"UC-{number}", risk) for number, risk in enumerate(risks)])
    own = RiskRating.HIGH if rating is RiskRating.UNKNOWN else rating
    assert tier.value is max([own, *(TIER_OF[risk] for risk in risks)], key=ORDER.index)


def test_the_source_of_a_tier_is_the_use_case_before_the_model() -> None:
    assert tier_of_version(RiskRating.LOW, []).source == "the model card rates it low"
    assert tier_of_version(RiskRating.UNKNOWN, []).source == "the model's own rating is unknown, which counts as high"
    both = tier_of_version(RiskRating.HIGH, [UseCaseRisk("UC-0001", RiskClass.HIGH)])
    assert both.source == "UC-0001 is classified high"


def test_the_requirements_are_those_of_the_cell() -> None:
    wanted = cell(
        VERSION, Stage.QA, RiskRating.HIGH, evidence=(EvidenceKind.LICENCE,), metrics=(metric(),), days_until_due=9
    )
    rules = matrix(wanted).rules
    assert requirements(rules, VERSION, Stage.QA, RiskRating.HIGH) == Requirements(
        wanted.approvals, 9, 30, wanted.evidence, wanted.metrics
    )
    for place in (
        (USE_CASE, Stage.QA, RiskRating.HIGH),
        (VERSION, Stage.PRODUCTION, RiskRating.HIGH),
        (VERSION, Stage.QA, RiskRating.LOW),
    ):
        assert requirements(rules, *place).evidence == ()
    with pytest.raises(NoRule) as refusal:
        requirements(rules, VERSION, Stage.RETIRED, RiskRating.LOW)
    assert str(refusal.value) == "The policy has no rule for model versions at Retired with low risk."


@pytest.mark.parametrize("wanted", [(), ((OFFICER, 1),), ((OFFICER, 2),), ((OFFICER, 2), (OWNER, 1))])
@pytest.mark.parametrize(
    "given", [(), ((1, OFFICER),), ((1, OFFICER), (1, OFFICER)), ((1, OFFICER), (1, OWNER)), ((1, OWNER), (2, OFFICER)),
              ((1, OFFICER), (2, OFFICER), (3, OFFICER)), ((1, OFFICER), (2, OFFICER), (3, OWNER))],
)  # fmt: skip
def test_a_person_counts_once_in_the_role_of_his_first_vote(
    wanted: tuple[tuple[Role, int], ...], given: tuple[tuple[int, Role], ...]
) -> None:
    first: dict[int, Role] = {}
    for person, role in given:
        first.setdefault(person, role)
    expected = tuple(
        ApprovalNeed(role, left) for role, count in wanted if (left := count - list(first.values()).count(role)) > 0
    )
    needed = [ApprovalNeed(role, count) for role, count in wanted]
    assert outstanding(needed, [Vote(*vote) for vote in given]) == expected


def scope(group: str, approved: bool, *waiting: str) -> ModelInScope:
    return ModelInScope(group, approved, waiting)


@pytest.mark.parametrize(
    ("stage", "risk", "models", "blockers"),
    [
        (Stage.POC, RiskClass.UNACCEPTABLE, (), ("Its risk is unacceptable: it can never leave POC.",)),
        (
            Stage.QA,
            RiskClass.UNACCEPTABLE,
            (scope("a", True),),
            ("Its risk is unacceptable: it can never leave POC.",),
        ),
        (Stage.POC, RiskClass.UNCLASSIFIED, (), ("Its risk is not classified.",)),
        (Stage.POC, RiskClass.HIGH, (), ()),
        (Stage.QA, RiskClass.UNCLASSIFIED, (scope("a", True),), ()),
        (Stage.QA, RiskClass.HIGH, (), ("No model group is linked to it.",)),
        (Stage.QA, RiskClass.HIGH, (scope("a", True), scope("b", True)), ()),
        (
            Stage.QA,
            RiskClass.HIGH,
            (scope("a", True), scope("b", False), scope("c", False, "version 1 is pending", "version 2 is rejected")),
            (
                "No version of b is approved in QA (it has no version there).",
                "No version of c is approved in QA (version 1 is pending, version 2 is rejected).",
            ),
        ),
    ],
)
def test_what_keeps_a_use_case_where_it_is(
    stage: Stage, risk: RiskClass, models: tuple[ModelInScope, ...], blockers: tuple[str, ...]
) -> None:
    assert use_case_blockers(stage, risk, models) == blockers


def test_an_approval_that_fell_behind_keeps_it_too() -> None:
    own = "It is no longer what was approved here: its approval must be asked for anew."
    assert use_case_blockers(Stage.POC, RiskClass.HIGH, (), outdated=True) == (own,)
    assert use_case_blockers(Stage.POC, RiskClass.UNCLASSIFIED, (), outdated=True) == (
        own,
        "Its risk is not classified.",
    )
    assert use_case_blockers(Stage.QA, RiskClass.HIGH, (), outdated=True) == (own, "No model group is linked to it.")
    assert use_case_blockers(Stage.QA, RiskClass.HIGH, (scope("a", True),), outdated=True) == (own,)
    assert use_case_blockers(Stage.QA, RiskClass.HIGH, (scope("b", False),), outdated=True) == (
        own,
        "No version of b is approved in QA (it has no version there).",
    )


@pytest.mark.parametrize(
    ("wanted", "missing", "words"),
    [
        ((), (), ""),
        (((OFFICER, 1),), (), ""),
        (((OFFICER, 1),), ((OFFICER, 1),), "waiting for a governance officer"),
        (((OWNER, 1),), ((OWNER, 1),), "waiting for the model owner"),
        (((OFFICER, 2),), ((OFFICER, 2),), "waiting for a governance officer (1 of 2)"),
        (((OFFICER, 2),), ((OFFICER, 1),), "waiting for a governance officer (2 of 2)"),
        (
            ((OWNER, 1), (OFFICER, 3)),
            ((OWNER, 1), (OFFICER, 2)),
            "waiting for the model owner and a governance officer (2 of 3)",
        ),
        (
            tuple((role, 1) for role in (Role.DATA_SCIENTIST, Role.ML_ENGINEER, Role.ML_ADMIN, Role.AUDITOR)),
            tuple((role, 1) for role in (Role.DATA_SCIENTIST, Role.ML_ENGINEER, Role.ML_ADMIN, Role.AUDITOR)),
            "waiting for a data scientist and an ML engineer and an ML admin and an auditor",
        ),
    ],
)
def test_who_a_request_waits_for_is_said(
    wanted: tuple[tuple[Role, int], ...], missing: tuple[tuple[Role, int], ...], words: str
) -> None:
    assert waiting_for([ApprovalNeed(*one) for one in wanted], [ApprovalNeed(*one) for one in missing]) == words


def test_kinds_of_evidence_are_named_as_people_do() -> None:
    assert evidence_words(EvidenceKind.BIAS_REPORT) == "Bias report"
    assert evidence_words(EvidenceKind.TRANSPARENCY) == "Transparency and explainability"
    assert evidence_words(EvidenceKind.MONITORING_PLAN) == "Monitoring and evaluation"


# Checks in full


def test_evidence_is_named_where_it_lies() -> None:
    kind = EvidenceKind.BIAS_REPORT
    facts = SubjectFacts(
        evidence=(
            EvidenceFact(kind, "s3://b/1", "a"),
            EvidenceFact(EvidenceKind.LICENCE, "EV-000009", "b"),
            EvidenceFact(kind, "EV-000001 Report", "c"),
            EvidenceFact(kind, "s3://b/1", "d"),
        )
    )
    (there,) = evaluate(needs(evidence=(kind,)), facts, (), NOW)
    assert (there.label, there.detail, there.actual, there.threshold) == (
        "Bias report",
        "s3://b/1, EV-000001 Report.",
        "s3://b/1, EV-000001 Report",
        "present",
    )
    (missing,) = evaluate(needs(evidence=(kind,)), SubjectFacts(), (), NOW)
    assert (missing.detail, missing.actual, missing.threshold) == (
        "Bias report: not reported.",
        "not reported",
        "present",
    )


def test_the_checks_come_in_the_order_of_the_policy() -> None:
    asked = needs(metric("b"), metric("a"), evidence=(EvidenceKind.OTHER, EvidenceKind.LICENCE))
    assert [check.key for check in evaluate(asked, SubjectFacts(), (), NOW)] == [
        "evidence:other",
        "evidence:licence",
        "metric:b>=0.75",
        "metric:a>=0.75",
    ]


def test_the_longest_standing_override_is_named_with_its_end() -> None:
    key = "metric:auc>=0.75"
    overrides = (
        OverrideFact(key, "BG-000001", NOW + DAY),
        OverrideFact(key, "BG-000002", (NOW + 2 * DAY).astimezone(timezone(timedelta(hours=5)))),
        OverrideFact(key, "BG-000003", NOW - DAY),
        OverrideFact("evidence:licence", "BG-000004", NOW + 9 * DAY),
    )
    (found,) = evaluate(needs(metric()), SubjectFacts(metrics=(report({"auc": 0.7}),)), overrides, NOW)
    assert found.detail == ("AUC is 0.7, at least 0.75 is needed. Set aside by BG-000002 until 2026-03-04 12:00 UTC.")
    assert (found.actual, found.threshold, found.label) == ("0.7", ">=0.75", "AUC")


# The copies that are kept


@pytest.mark.parametrize(
    "rule",
    [
        metric(),
        metric(value=3),
        metric(value=(0.8, 1.25), segment="gender", max_age_days=30, kind=MetricKind.MONITORING),
        *(metric(operator=operator) for operator in Operator if operator is not Operator.BETWEEN),
    ],
)
def test_a_metric_rule_is_kept_as_json(rule: MetricRule) -> None:
    kept = rule.as_json()
    assert MetricRule.from_json(kept) == rule
    assert set(kept) == {"path", "operator", "value", "segment", "max_age_days", "kind"}
    assert all(type(kept[name]) is str for name in ("path", "operator", "segment", "kind"))
    assert isinstance(kept["value"], int | float | list)


def test_a_metric_rule_without_the_later_parts_is_read() -> None:
    bare = {"path": "auc", "operator": ">=", "value": 0.75}
    assert MetricRule.from_json(bare) == metric()
    assert MetricRule.from_json({**bare, "segment": None, "max_age_days": None, "kind": None}) == metric()


def test_requirements_are_kept_as_json_and_older_copies_are_read() -> None:
    full = needs(metric(), evidence=(EvidenceKind.LICENCE, EvidenceKind.OTHER))
    kept = full.as_json()
    assert kept == {
        "approvals": [{"role": "governance_officer", "count": 1}],
        "days_until_due": 5,
        "days_until_expiry": 30,
        "evidence": ["licence", "other"],
        "metrics": [metric().as_json()],
        "provenance": [],
    }
    assert Requirements.from_json(kept) == full
    older = {name: kept[name] for name in ("approvals", "days_until_due", "days_until_expiry")}
    assert Requirements.from_json(older) == needs()
    assert Requirements.from_json({**older, "evidence": None, "metrics": None}) == needs()
    assert Requirements.from_json({**older, "days_until_due": "5"}).days_until_due == 5
    read = Requirements.from_json(kept)
    assert isinstance(read.approvals[0].role, Role)
    assert isinstance(read.evidence[0], EvidenceKind)


def test_a_matrix_knows_its_paths_and_cells() -> None:
    whole = matrix(model_path=(Stage.DEVELOPMENT, Stage.PRODUCTION))
    assert whole.path(VERSION) == (Stage.DEVELOPMENT, Stage.PRODUCTION)
    assert whole.path(USE_CASE)[0] is Stage.POC
    assert whole.cell(USE_CASE, Stage.QA, RiskRating.HIGH) == cell(USE_CASE, Stage.QA, RiskRating.HIGH)
    assert whole.cell(VERSION, Stage.RETIRED, RiskRating.HIGH) is None
