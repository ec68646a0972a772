"""What one policy asks differently from another, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from governance.choices import MetricKind, OutsideResponse
from governance.policies.differences import (
    NO_RULE,
    CellDifference,
    Difference,
    approvals_words,
    metric_rule_words,
    of_policies,
    of_requirements,
    path_words,
    response_words,
)
from governance.policies.facts import ApprovalNeed, MetricRule, Requirements
from portal.core.vocabulary import EvidenceKind, RiskRating, Role, Stage

from .making import OFFICER, OWNER, USE_CASE, VERSION, cell, matrix, metric

SHORT = (Stage.DEVELOPMENT, Stage.QA, Stage.PRODUCTION)


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ((), "nobody"),
        (((OFFICER, 1),), "1 governance officer"),
        (((OFFICER, 2),), "2 governance officers"),
        (((OFFICER, 2), (OWNER, 1)), "2 governance officers and 1 model owner"),
        (((Role.ML_ADMIN, 2),), "2 ML admins"),
    ],
)
def test_approvals_are_said(needs: tuple[tuple[Role, int], ...], words: str) -> None:
    assert approvals_words([ApprovalNeed(role, count) for role, count in needs]) == words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (metric(), "AUC: at least 0.75 is needed"),
        (metric(max_age_days=1), "AUC: at least 0.75 is needed, at most 1 day old"),
        (metric(max_age_days=2), "AUC: at least 0.75 is needed, at most 2 days old"),
        (metric(segment="women", value=(0, 1)), "AUC for women: between 0 and 1 is needed"),
        (metric(kind=MetricKind.MONITORING), "AUC (monitoring): at least 0.75 is needed"),
    ],
)
def test_metric_rules_are_said(rule: MetricRule, words: str) -> None:
    assert metric_rule_words(rule) == words


def test_answers_to_changes_outside_are_told_apart() -> None:
    before = matrix()
    after = replace(before, on_outside_approval=OutsideResponse.ADOPT, on_outside_rejection=OutsideResponse.WRITE_BACK)
    found = of_policies(before, after)
    assert found
    assert (found.paths, found.cells) == ((), ())
    assert [(one.field, one.before, one.after) for one in found.responses] == [
        ("on_outside_approval", "report it", response_words(OutsideResponse.ADOPT)),
        ("on_outside_rejection", "report it", "write the portal's word back"),
    ]
    assert not of_policies(after, after)


def test_paths_are_said() -> None:
    assert path_words(SHORT) == "Development, QA, Production"
    assert path_words(()) == "none"


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        (
            {"approvals": (ApprovalNeed(OFFICER, 2),)},
            Difference("approvals", "Approvals", "1 governance officer", "2 governance officers"),
        ),
        (
            {"evidence": (EvidenceKind.MODEL_CARD, EvidenceKind.MONITORING_PLAN)},
            Difference("evidence", "Evidence", "none", "Model card, Monitoring and evaluation"),
        ),
        (
            {"metrics": (metric(), metric("f1"))},
            Difference("metrics", "Metrics", "none", "AUC: at least 0.75 is needed; F1: at least 0.75 is needed"),
        ),
        ({"days_until_due": 6}, Difference("days_until_due", "Days until due", "5", "6")),
        ({"days_until_expiry": 31}, Difference("days_until_expiry", "Days until expiry", "30", "31")),
    ],
    ids=lambda value: str(value)[:30],
)
def test_each_thing_asked_for_differently_is_named(changed: dict[str, Any], difference: Difference) -> None:
    before, after = cell(), cell(**changed)
    assert of_requirements(before, after) == (difference,)
    assert of_requirements(after, after) == ()
    found = of_policies(matrix(), matrix(after))
    assert found.cells == (CellDifference(VERSION, Stage.QA, RiskRating.LOW, (difference,)),)
    assert (found.paths, bool(found)) == ((), True)


def test_a_copy_in_a_request_is_compared_like_a_cell() -> None:
    rule = cell(evidence=(EvidenceKind.LICENCE,))
    kept = Requirements(rule.approvals, rule.days_until_due, rule.days_until_expiry, rule.evidence, rule.metrics)
    assert of_requirements(kept, rule) == ()
    assert [one.field for one in of_requirements(kept, cell())] == ["evidence"]


def test_a_rule_that_comes_or_goes_is_named() -> None:
    rule = cell()
    gone, come = matrix(without=(rule,)), matrix()
    assert of_requirements(rule, None) == (Difference("rule", "Rule", "1 governance officer", NO_RULE),)
    assert of_policies(come, gone).cells[0].differences == (
        Difference("rule", "Rule", "1 governance officer", "no rule"),
    )
    assert of_policies(gone, come).cells[0].differences == (
        Difference("rule", "Rule", "no rule", "1 governance officer"),
    )
    assert not of_policies(gone, gone)


def test_paths_that_differ_are_named() -> None:
    found = of_policies(matrix(), matrix(model_path=SHORT, use_case_path=(Stage.POC, *SHORT)))
    assert found.paths == (
        Difference(
            "model_path",
            "Stages of a model version",
            "Development, QA, Pre-production, Production",
            "Development, QA, Production",
        ),
        Difference(
            "use_case_path",
            "Stages of a use case",
            "POC, Development, QA, Pre-production, Production",
            "POC, Development, QA, Production",
        ),
    )
    assert (found.cells, bool(found)) == ((), True)
    assert len(of_policies(matrix(), matrix(model_path=SHORT)).paths) == 1


def test_cells_come_in_the_order_of_the_matrix() -> None:
    changed = (
        cell(USE_CASE, Stage.POC, RiskRating.HIGH, days_until_due=1),
        cell(VERSION, Stage.PRODUCTION, RiskRating.HIGH, days_until_due=1),
        cell(VERSION, Stage.QA, RiskRating.LOW, days_until_due=1),
    )
    found = of_policies(matrix(), matrix(*changed))
    assert [(one.kind, one.stage) for one in found.cells] == [
        (VERSION, Stage.QA),
        (VERSION, Stage.PRODUCTION),
        (USE_CASE, Stage.POC),
    ]
    assert not of_policies(matrix(), matrix())
