"""What one policy asks differently from another, cell by cell and in plain words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.core.vocabulary import RiskRating, Role, Stage, SubjectKind

from ..choices import OutsideResponse
from .engine import evidence_words, provenance_words
from .facts import ApprovalNeed, Matrix, MetricRule, Requirements, Rule
from .metrics import metric_label, needed_words
from .validation import cells

NO_RULE = "no rule"
RESPONSE_LABELS = {
    "on_outside_approval": "An approval in SageMaker past the portal",
    "on_outside_rejection": "Any other change of status or stage there",
}


@dataclass(frozen=True)
class Difference:
    """One thing that is asked for differently."""

    field: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class CellDifference:
    """Everything one cell asks for differently."""

    kind: SubjectKind
    stage: Stage
    tier: RiskRating
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class PolicyDifference:
    """Everything two policies ask for differently: the paths, the cells, and the answers to changes made outside."""

    paths: tuple[Difference, ...]
    cells: tuple[CellDifference, ...]
    responses: tuple[Difference, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.paths or self.cells or self.responses)


def approvals_words(needs: Sequence[ApprovalNeed]) -> str:
    """Say who must approve: "2 governance officers and 1 model owner"."""
    return " and ".join(f"{need.count} {_role(need.role)}{'s' if need.count > 1 else ''}" for need in needs) or "nobody"


def metric_rule_words(rule: MetricRule) -> str:
    """Say what a metric rule asks for: "AUC: at least 0.75 is needed, at most 30 days old"."""
    age = "" if rule.max_age_days is None else f", at most {rule.max_age_days} day{_plural(rule.max_age_days)} old"
    return f"{metric_label(rule)}: {needed_words(rule)}{age}"


def path_words(path: Iterable[Stage]) -> str:
    """Say the stages of a path in order."""
    return ", ".join(stage.label for stage in path) or "none"


def response_words(response: OutsideResponse) -> str:
    """Say what is done about a change made outside the portal."""
    return {
        OutsideResponse.REPORT: "report it",
        OutsideResponse.ADOPT: "adopt it as the person's decision where he may decide, report it otherwise",
        OutsideResponse.WRITE_BACK: "write the portal's word back",
    }[response]


def of_requirements(before: Requirements | Rule, after: Requirements | Rule | None) -> tuple[Difference, ...]:
    """Return what is asked for differently; `after` None is a policy that has no rule there."""
    if after is None:
        return (Difference("rule", "Rule", approvals_words(before.approvals), NO_RULE),)
    then = _said(after)
    return tuple(
        Difference(field, label, said, then[field][1])
        for field, (label, said) in _said(before).items()
        if said != then[field][1]
    )


def of_policies(before: Matrix, after: Matrix) -> PolicyDifference:
    """Return what a policy asks for differently from an earlier one."""
    paths = tuple(
        Difference(field, label, path_words(before.path(kind)), path_words(after.path(kind)))
        for kind, field, label in (
            (SubjectKind.MODEL_VERSION, "model_path", "Stages of a model version"),
            (SubjectKind.USE_CASE, "use_case_path", "Stages of a use case"),
        )
        if before.path(kind) != after.path(kind)
    )
    changed = (
        CellDifference(kind, stage, tier, _of_cell(before.cell(kind, stage, tier), after.cell(kind, stage, tier)))
        for kind in (SubjectKind.MODEL_VERSION, SubjectKind.USE_CASE)
        for stage, tier in cells(kind)
    )
    responses = tuple(
        Difference(field, label, response_words(getattr(before, field)), response_words(getattr(after, field)))
        for field, label in RESPONSE_LABELS.items()
        if getattr(before, field) is not getattr(after, field)
    )
    return PolicyDifference(paths, tuple(cell for cell in changed if cell.differences), responses)


def _of_cell(before: Rule | None, after: Rule | None) -> tuple[Difference, ...]:
    if before is not None:
        return of_requirements(before, after)
    if after is None:
        return ()
    return (Difference("rule", "Rule", NO_RULE, approvals_words(after.approvals)),)


def _said(needs: Requirements | Rule) -> dict[str, tuple[str, str]]:
    return {
        "approvals": ("Approvals", approvals_words(needs.approvals)),
        "evidence": ("Evidence", ", ".join(map(evidence_words, needs.evidence)) or "none"),
        "metrics": ("Metrics", "; ".join(map(metric_rule_words, needs.metrics)) or "none"),
        "provenance": ("Provenance", ", ".join(map(provenance_words, needs.provenance)) or "none"),
        "days_until_due": ("Days until due", str(needs.days_until_due)),
        "days_until_expiry": ("Days until expiry", str(needs.days_until_expiry)),
    }


def _role(role: Role) -> str:
    return role.label if role.label.startswith("ML") else role.label.lower()


def _plural(count: int) -> str:
    return "" if count == 1 else "s"
