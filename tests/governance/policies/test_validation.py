"""What makes a policy usable: each problem of a cell, a path and a whole matrix."""

from __future__ import annotations

from typing import Any

import pytest

from governance.choices import MetricKind
from governance.lifecycle import MODEL_STAGES, USE_CASE_STAGES
from governance.policies.facts import ApprovalNeed, MetricRule, Operator, Rule
from governance.policies.validation import TIERS, cell_name, cells, problems_of, problems_of_path, problems_of_rule
from portal.core.vocabulary import EvidenceKind, RiskRating, Role, Stage, SubjectKind

from .making import OFFICER, OWNER, USE_CASE, VERSION, cell, matrix, metric

HIGH, LOW = RiskRating.HIGH, RiskRating.LOW
WHOLE = {VERSION: MODEL_STAGES, USE_CASE: USE_CASE_STAGES}


def needed(*pairs: tuple[Role, int]) -> dict[str, Any]:
    return {"approvals": tuple(ApprovalNeed(role, count) for role, count in pairs)}


def asked(*metrics: MetricRule) -> dict[str, Any]:
    return {"metrics": metrics}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        needed((OWNER, 1)),
        needed((OWNER, 9), (OFFICER, 9)),
        {"evidence": tuple(EvidenceKind)},
        {"days_until_due": 1, "days_until_expiry": 1},
        {"days_until_due": 365, "days_until_expiry": 365},
        asked(*(metric(f"m{number}") for number in range(20))),
        asked(metric(), metric(operator="<=", value=0.9)),
        asked(metric(), metric(kind=MetricKind.MONITORING), metric(segment="a"), metric(value=0.8)),
        asked(metric("p" * 120, segment="s" * 60, max_age_days=1)),
        asked(metric(max_age_days=365)),
        asked(metric("bias.post_training.DI[gender]", value=(0.8, 1.25))),
        asked(metric("a[b][c].d e", value=(1, 1))),
        asked(metric(value=0), metric("x", value=-1), metric("y", value=10**15), metric("z", value=-1e15)),
    ],
)
def test_a_cell_that_can_be_used(changed: dict[str, Any]) -> None:
    assert problems_of_rule(cell(**changed)) == {}


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"approvals": ()}, {"approvals": ["Somebody must approve: name at least one role."]}),
        (
            needed((OFFICER, 1), (OFFICER, 2)),
            {"approvals": ["Governance officer is named more than once."]},
        ),
        (
            needed((Role.AUDITOR, 1)),
            {"approvals": ["Auditor: this role may not decide. Choose model owner or governance officer."]},
        ),
        (needed((OFFICER, 0)), {"approvals": ["Governance officer: ask for 1 to 9 approvals, not 0."]}),
        (needed((OFFICER, -1)), {"approvals": ["Governance officer: ask for 1 to 9 approvals, not -1."]}),
        (needed((OFFICER, 10)), {"approvals": ["Governance officer: ask for 1 to 9 approvals, not 10."]}),
        (
            {"evidence": (EvidenceKind.MONITORING_PLAN, EvidenceKind.MONITORING_PLAN)},
            {"evidence": ["Monitoring and evaluation is asked for more than once."]},
        ),
        ({"days_until_due": 0}, {"days_until_due": ["Give 1 to 365 days."]}),
        ({"days_until_due": -1}, {"days_until_due": ["Give 1 to 365 days."]}),
        ({"days_until_expiry": 366}, {"days_until_expiry": ["Give 1 to 365 days."]}),
        (
            {"days_until_due": 366, "days_until_expiry": 0},
            {"days_until_due": ["Give 1 to 365 days."], "days_until_expiry": ["Give 1 to 365 days."]},
        ),
        (
            {"days_until_due": 31, "days_until_expiry": 30},
            {"days_until_due": ["It cannot be due after it has expired."]},
        ),
        (
            {"stage": Stage.POC},
            {"stage": ["A model version is never asked about at POC."]},
        ),
        (
            {"kind": USE_CASE, "stage": Stage.RETIRED},
            {"stage": ["A use case is never asked about at Retired."]},
        ),
        ({"tier": RiskRating.UNKNOWN}, {"stage": ["There is no tier unknown: it counts as high."]}),
        (
            {"kind": USE_CASE, **asked(metric())},
            {"metrics": ["Metrics are reported for model versions; a use case has none."]},
        ),
        (
            asked(*(metric(f"m{number}") for number in range(21))),
            {"metrics": ["Ask for at most 20 metrics."]},
        ),
        (asked(metric(), metric(max_age_days=3)), {"metrics": ["auc>=0.75 is asked for more than once."]}),
        (
            asked(metric("DI[gender]"), metric("DI", segment="gender")),
            {"metrics": ["DI[gender]>=0.75 is asked for more than once."]},
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_with_a_cell_is_said_by_field(changed: dict[str, Any], problems: dict[str, list[str]]) -> None:
    values = {"kind": VERSION, **changed}
    assert problems_of_rule(cell(values.pop("kind"), **values)) == problems


PATH = "name it by a path such as auc or bias.post_training.DI[gender], at most 120 characters."
SEGMENT = "name the segment without brackets, in at most 60 characters."
NUMBER = "the threshold must be a number."
ENDS = "`between` takes two numbers, every other comparison one."


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        *((metric(path), PATH) for path in ("", " ", ".", "a.", ".a", "a..b", "a[", "a]", "a[]", "[a]", "a[b", "a[[b]]",
                                             "a[b]c", "a\x00", "a\n", "a\x7f", "a\ud800", " a", "a ", "p" * 121)),
        *((metric(segment=segment), SEGMENT) for segment in (" ", " a", "a ", "a[b", "b]", "a\x00", "a\x1f", "a\udfff",
                                                              "s" * 61)),
        *((metric(value=value), NUMBER) for value in (float("nan"), float("inf"), True, 1.1e15, -1.1e15, 10**400)),
        (metric(value=(0, float("nan"))), NUMBER),
        (metric(value=(0, 2e15)), NUMBER),
        (MetricRule("auc", Operator.AT_LEAST, (0, 1)), ENDS),
        (MetricRule("auc", Operator.BETWEEN, 1), ENDS),
        (metric(value=(2, 1)), "the lower end comes first."),
        (metric(max_age_days=0), "an age is 1 to 365 days."),
        (metric(max_age_days=366), "an age is 1 to 365 days."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_metric_is_said_with_its_number(rule: MetricRule, problem: str) -> None:
    assert problems_of_rule(cell(metrics=(metric("fine"), rule))) == {"metrics": [f"Metric 2: {problem}"]}


def test_every_problem_of_a_metric_is_named() -> None:
    rule = MetricRule("", Operator.BETWEEN, 1, segment="[", max_age_days=0)
    assert problems_of_rule(cell(metrics=(rule,))) == {
        "metrics": [f"Metric 1: {text}" for text in (PATH, SEGMENT, ENDS, "an age is 1 to 365 days.")]
    }


@pytest.mark.parametrize("kind", [VERSION, USE_CASE])
@pytest.mark.parametrize("left_out", [(), (Stage.QA,), (Stage.PRE_PRODUCTION,), (Stage.QA, Stage.PRE_PRODUCTION)])
def test_what_may_be_left_out_of_a_path(kind: SubjectKind, left_out: tuple[Stage, ...]) -> None:
    assert problems_of_path(kind, tuple(stage for stage in WHOLE[kind] if stage not in left_out)) == []


@pytest.mark.parametrize("kind", [VERSION, USE_CASE])
@pytest.mark.parametrize(
    "path", [(), (Stage.QA,), (Stage.PRODUCTION, Stage.DEVELOPMENT), (*MODEL_STAGES, Stage.RETIRED), MODEL_STAGES[1:]]
)
def test_what_a_path_must_have(kind: SubjectKind, path: tuple[Stage, ...]) -> None:
    assert problems_of_path(kind, path) == [
        "Name the stages in their order; only QA and Pre-production may be left out."
    ]


def test_a_complete_matrix_has_no_problem() -> None:
    assert problems_of(matrix()) == {}


@pytest.mark.parametrize("kind", [VERSION, USE_CASE])
@pytest.mark.parametrize("tier", TIERS)
def test_every_stage_on_the_path_needs_every_tier(kind: SubjectKind, tier: RiskRating) -> None:
    for stage in WHOLE[kind]:
        missing = matrix(without=(cell(kind, stage, tier),))
        assert problems_of(missing) == {f"{kind}.{stage}.{tier}": ["There is no rule."]}


def test_a_stage_off_the_path_needs_no_rule_but_no_broken_one_either() -> None:
    short = (Stage.DEVELOPMENT, Stage.QA, Stage.PRODUCTION)
    gone = tuple(cell(VERSION, Stage.PRE_PRODUCTION, tier) for tier in TIERS)
    assert problems_of(matrix(without=gone, model_path=short)) == {}
    broken = cell(VERSION, Stage.PRE_PRODUCTION, HIGH, days_until_due=0)
    assert problems_of(matrix(broken, model_path=short)) == {
        "model_version.pre_production.high": ["Give 1 to 365 days."]
    }


def test_every_problem_of_a_matrix_is_named() -> None:
    broken: tuple[Rule, ...] = (
        cell(USE_CASE, Stage.POC, LOW, approvals=(), days_until_due=0),
        cell(VERSION, Stage.QA, HIGH, days_until_due=31),
    )
    found = problems_of(matrix(*broken, model_path=(Stage.QA,), use_case_path=()))
    assert found == {
        "model_path": ["Name the stages in their order; only QA and Pre-production may be left out."],
        "use_case_path": ["Name the stages in their order; only QA and Pre-production may be left out."],
        "use_case.poc.low": ["Somebody must approve: name at least one role.", "Give 1 to 365 days."],
        "model_version.qa.high": ["It cannot be due after it has expired."],
    }


def test_the_cells_are_every_stage_by_every_tier() -> None:
    assert [*cells(VERSION)] == [(stage, tier) for stage in MODEL_STAGES for tier in TIERS]
    assert len([*cells(USE_CASE)]) == 15
    assert cell_name(VERSION, Stage.QA, HIGH) == "model_version.qa.high"
    assert TIERS == (RiskRating.HIGH, RiskRating.MEDIUM, RiskRating.LOW)
