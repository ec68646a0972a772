"""What makes a policy usable: every problem of a cell, a path and a whole matrix, in plain words. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from portal.core.permissions import ROLES, Act
from portal.core.vocabulary import Provenance, RiskRating, Role, Stage, SubjectKind

from ..lifecycle import SKIPPABLE, STAGES, check_path
from .engine import evidence_words, provenance_words
from .facts import ApprovalNeed, Matrix, MetricRule, Operator, Rule
from .metrics import is_number, key_of

# The tiers policies look at: unknown counts as high.
TIERS: tuple[RiskRating, ...] = (RiskRating.HIGH, RiskRating.MEDIUM, RiskRating.LOW)
MOST_APPROVALS = 9
MOST_DAYS = 365
MOST_METRICS = 20
LONGEST_PATH, LONGEST_SEGMENT = 120, 60
# An endpoint is what a decision leads to, so none can wait for it.
ASKABLE: tuple[Provenance, ...] = tuple(kind for kind in Provenance if kind is not Provenance.ENDPOINT)
# Beyond this a double no longer tells one whole number from the next.
LARGEST_THRESHOLD = 1e15

_NAME = r"[^\x00-\x1f\x7f.\[\]\ud800-\udfff]+"
_PATH = re.compile(rf"{_NAME}(\.{_NAME}|\[[^\x00-\x1f\x7f\[\]\ud800-\udfff]+\])*")
_SEGMENT = re.compile(r"[^\x00-\x1f\x7f\[\]\ud800-\udfff]+")

Problems = dict[str, list[str]]


def cell_name(kind: SubjectKind, stage: Stage, tier: RiskRating) -> str:
    """Return how problems name a cell: "model_version.qa.high"."""
    return f"{kind}.{stage}.{tier}"


def cells(kind: SubjectKind) -> Iterator[tuple[Stage, RiskRating]]:
    """Yield every stage and tier a kind of subject can be asked at."""
    for stage in STAGES[kind]:
        for tier in TIERS:
            yield stage, tier


def problems_of_rule(rule: Rule) -> Problems:
    """Return what is wrong with one cell, by field; empty when it can be used."""
    found = {
        "stage": [*_place(rule)],
        "approvals": [*_approvals(rule.approvals)],
        "evidence": [*_evidence(rule)],
        "metrics": [*_metrics(rule)],
        "provenance": [*_provenance(rule)],
        "days_until_due": [*_days(rule.days_until_due)],
        "days_until_expiry": [*_days(rule.days_until_expiry)],
    }
    if not found["days_until_due"] and not found["days_until_expiry"] and rule.days_until_due > rule.days_until_expiry:
        found["days_until_due"] = ["It cannot be due after it has expired."]
    return {field: texts for field, texts in found.items() if texts}


def problems_of_path(kind: SubjectKind, path: tuple[Stage, ...]) -> list[str]:
    """Return what is wrong with the stages a kind of subject is to pass."""
    try:
        check_path(kind, path)
    except ValueError:
        skippable = " and ".join(stage.label for stage in STAGES[kind] if stage in SKIPPABLE)
        return [f"Name the stages in their order; only {skippable} may be left out."]
    return []


def problems_of(matrix: Matrix) -> Problems:
    """Return what keeps a whole policy from being published, by cell ("model_version.qa.high") or path.

    Every stage on a path needs a cell for every tier; cells off the path are kept for the day it is switched on, and
    must be sound as well.
    """
    found: Problems = {}
    for kind, field in ((SubjectKind.MODEL_VERSION, "model_path"), (SubjectKind.USE_CASE, "use_case_path")):
        if texts := problems_of_path(kind, matrix.path(kind)):
            found[field] = texts
        for stage, tier in cells(kind):
            rule = matrix.cell(kind, stage, tier)
            if rule is not None:
                texts = [text for texts in problems_of_rule(rule).values() for text in texts]
            else:
                texts = ["There is no rule."] if stage in matrix.path(kind) else []
            if texts:
                found[cell_name(kind, stage, tier)] = texts
    return found


def _place(rule: Rule) -> Iterator[str]:
    if rule.stage not in STAGES[rule.kind]:
        yield f"A {rule.kind.label.lower()} is never asked about at {rule.stage.label}."
    if rule.tier not in TIERS:
        yield f"There is no tier {rule.tier.label.lower()}: it counts as high."


def _approvals(needs: tuple[ApprovalNeed, ...]) -> Iterator[str]:
    if not needs:
        yield "Somebody must approve: name at least one role."
    for role, times in Counter(need.role for need in needs).items():
        if times > 1:
            yield f"{role.label} is named more than once."
    for need in needs:
        if need.role not in ROLES[Act.DECIDE]:
            yield f"{need.role.label}: this role may not decide. Choose {_deciding()}."
        if not 1 <= need.count <= MOST_APPROVALS:
            yield f"{need.role.label}: ask for 1 to {MOST_APPROVALS} approvals, not {need.count}."


def _deciding() -> str:
    return " or ".join(role.label.lower() for role in Role if role in ROLES[Act.DECIDE])


def _evidence(rule: Rule) -> Iterator[str]:
    for kind, times in Counter(rule.evidence).items():
        if times > 1:
            yield f"{evidence_words(kind)} is asked for more than once."


def _provenance(rule: Rule) -> Iterator[str]:
    if rule.provenance and rule.kind is SubjectKind.USE_CASE:
        yield "Where a model comes from is known of model versions; a use case has no such thing."
    for kind, times in Counter(rule.provenance).items():
        if kind not in ASKABLE:
            yield f"{provenance_words(kind)} cannot be asked for: it comes after the decision."
        if times > 1:
            yield f"{provenance_words(kind)} is asked for more than once."


def _days(days: int) -> Iterator[str]:
    if not 1 <= days <= MOST_DAYS:
        yield f"Give 1 to {MOST_DAYS} days."


def _metrics(rule: Rule) -> Iterator[str]:
    if rule.metrics and rule.kind is SubjectKind.USE_CASE:
        yield "Metrics are reported for model versions; a use case has none."
    if len(rule.metrics) > MOST_METRICS:
        yield f"Ask for at most {MOST_METRICS} metrics."
    usable = []
    for number, metric in enumerate(rule.metrics, start=1):
        texts = [*_metric(metric)]
        yield from (f"Metric {number}: {text}" for text in texts)
        if not texts:
            usable.append(metric)
    for key, times in Counter(map(key_of, usable)).items():
        if times > 1:
            yield f"{key.removeprefix('metric:')} is asked for more than once."


def _metric(metric: MetricRule) -> Iterator[str]:
    if not _PATH.fullmatch(metric.path) or len(metric.path) > LONGEST_PATH or metric.path != metric.path.strip():
        yield f"name it by a path such as auc or bias.post_training.DI[gender], at most {LONGEST_PATH} characters."
    if metric.segment and (
        not _SEGMENT.fullmatch(metric.segment)
        or len(metric.segment) > LONGEST_SEGMENT
        or metric.segment != metric.segment.strip()
    ):
        yield f"name the segment without brackets, in at most {LONGEST_SEGMENT} characters."
    yield from _threshold(metric)
    if metric.max_age_days is not None and not 1 <= metric.max_age_days <= MOST_DAYS:
        yield f"an age is 1 to {MOST_DAYS} days."


def _threshold(metric: MetricRule) -> Iterator[str]:
    ends = metric.value if isinstance(metric.value, tuple) else (metric.value,)
    if len(ends) != (2 if metric.operator is Operator.BETWEEN else 1):
        yield "`between` takes two numbers, every other comparison one."
    elif not all(map(is_number, ends)) or any(abs(end) > LARGEST_THRESHOLD for end in ends):
        yield "the threshold must be a number."
    elif list(ends) != sorted(ends):
        yield "the lower end comes first."
