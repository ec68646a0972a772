"""Facts and rules for the tests of policy: short to write, nothing of Django behind them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.choices import MetricKind
from governance.lifecycle import MODEL_STAGES, USE_CASE_STAGES
from governance.policies.facts import (
    ApprovalNeed,
    Check,
    EvidenceFact,
    Matrix,
    MetricRule,
    MetricsFact,
    Operator,
    OverrideFact,
    Requirements,
    Rule,
    SubjectFacts,
)
from governance.policies.rules import evaluate
from governance.policies.validation import TIERS
from portal.core.vocabulary import EvidenceKind, RiskRating, Role, Stage, SubjectKind

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OWNER, OFFICER = Role.MODEL_OWNER, Role.GOVERNANCE_OFFICER
VERSION, USE_CASE = SubjectKind.MODEL_VERSION, SubjectKind.USE_CASE


def metric(path: str = "auc", operator: str = ">=", value: Any = 0.75, **more: Any) -> MetricRule:
    """Return a metric rule; a pair as value is `between`."""
    return MetricRule(path, Operator.BETWEEN if isinstance(value, tuple) else Operator(operator), value, **more)


def needs(*metrics: MetricRule, evidence: tuple[EvidenceKind, ...] = ()) -> Requirements:
    """Return requirements that ask for these metrics and this evidence."""
    return Requirements((ApprovalNeed(OFFICER, 1),), 5, 30, evidence, metrics)


def report(
    values: Mapping[str, Any],
    *,
    kind: MetricKind = MetricKind.VALIDATION,
    captured_at: datetime | None = NOW,
    where: str = "",
) -> MetricsFact:
    """Return one report of metrics."""
    return MetricsFact(kind, values, captured_at, where)


def has(*kinds: EvidenceKind) -> SubjectFacts:
    """Return a subject with one piece of evidence of each kind."""
    return SubjectFacts(evidence=tuple(EvidenceFact(kind, f"EV of {kind}", "0" * 64) for kind in kinds))


def check(rule: MetricRule, *reports: MetricsFact, overrides: tuple[OverrideFact, ...] = ()) -> Check:
    """Return the one check of a metric rule."""
    (found,) = evaluate(needs(rule), SubjectFacts(metrics=reports), overrides, NOW)
    return found


def cell(
    kind: SubjectKind = VERSION, stage: Stage = Stage.QA, tier: RiskRating = RiskRating.LOW, **changed: Any
) -> Rule:
    """Return one cell that can be used, with what is changed about it."""
    values: dict[str, Any] = {"approvals": (ApprovalNeed(OFFICER, 1),), "days_until_due": 5, "days_until_expiry": 30}
    return Rule(kind, stage, tier, **{**values, **changed})


def matrix(*changed: Rule, without: tuple[Rule, ...] = (), **paths: tuple[Stage, ...]) -> Matrix:
    """Return a whole policy, with some cells in place of the plain ones and some left out."""
    cells = {
        (kind, stage, tier): cell(kind, stage, tier)
        for kind, stages in ((VERSION, MODEL_STAGES), (USE_CASE, USE_CASE_STAGES))
        for stage in stages
        for tier in TIERS
    }
    cells |= {(rule.kind, rule.stage, rule.tier): rule for rule in changed}
    for rule in without:
        del cells[rule.kind, rule.stage, rule.tier]
    return Matrix(tuple(cells.values()), **{"model_path": MODEL_STAGES, "use_case_path": USE_CASE_STAGES, **paths})
