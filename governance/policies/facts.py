"""What policy is asked about, frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from portal.core.vocabulary import EvidenceKind, Provenance, RiskClass, RiskRating, Role, Stage, SubjectKind

from ..choices import MetricKind, OutsideResponse


@dataclass(frozen=True)
class ApprovalNeed:
    """So many people in that role must approve."""

    role: Role
    count: int


class Operator(StrEnum):
    """How a metric is compared with its threshold."""

    AT_LEAST = ">="
    MORE_THAN = ">"
    AT_MOST = "<="
    LESS_THAN = "<"
    EQUAL = "=="
    BETWEEN = "between"


Number = int | float


@dataclass(frozen=True)
class MetricRule:
    """A metric must be reported and within its threshold; `between` has two ends, both allowed.

    `path` names the metric, such as `auc` or `bias.post_training.DI[gender]`; `segment` the part of the data it was
    measured on. Older than `max_age_days`, a metric counts no more.
    """

    path: str
    operator: Operator
    value: Number | tuple[Number, Number]
    segment: str = ""
    max_age_days: int | None = None
    kind: MetricKind = MetricKind.VALIDATION

    def as_json(self) -> dict[str, Any]:
        """Return the rule as it is stored."""
        return {
            "path": self.path,
            "operator": self.operator.value,
            "value": list(self.value) if isinstance(self.value, tuple) else self.value,
            "segment": self.segment,
            "max_age_days": self.max_age_days,
            "kind": self.kind.value,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> MetricRule:
        """Read a stored rule."""
        value = stored["value"]
        return cls(
            path=stored["path"],
            operator=Operator(stored["operator"]),
            value=(value[0], value[1]) if isinstance(value, list) else value,
            segment=stored.get("segment") or "",
            max_age_days=stored.get("max_age_days"),
            kind=MetricKind(stored.get("kind") or MetricKind.VALIDATION),
        )


@dataclass(frozen=True)
class Rule:
    """One cell of the matrix."""

    kind: SubjectKind
    stage: Stage
    tier: RiskRating
    approvals: tuple[ApprovalNeed, ...]
    days_until_due: int
    days_until_expiry: int
    evidence: tuple[EvidenceKind, ...] = ()
    metrics: tuple[MetricRule, ...] = ()
    provenance: tuple[Provenance, ...] = ()


@dataclass(frozen=True)
class Matrix:
    """A whole policy: its cells, the stages each kind of subject must pass, and what is done about changes outside."""

    rules: tuple[Rule, ...]
    model_path: tuple[Stage, ...]
    use_case_path: tuple[Stage, ...]
    on_outside_approval: OutsideResponse = OutsideResponse.REPORT
    on_outside_rejection: OutsideResponse = OutsideResponse.REPORT

    def path(self, kind: SubjectKind) -> tuple[Stage, ...]:
        """Return the stages this kind of subject must pass."""
        return self.use_case_path if kind is SubjectKind.USE_CASE else self.model_path

    def cell(self, kind: SubjectKind, stage: Stage, tier: RiskRating) -> Rule | None:
        """Return one cell, None where the policy has none."""
        for rule in self.rules:
            if (rule.kind, rule.stage, rule.tier) == (kind, stage, tier):
                return rule
        return None


@dataclass(frozen=True)
class Vote:
    """One approval given so far: by whom, in which role."""

    person: int
    role: Role


@dataclass(frozen=True)
class Tier:
    """The tier of risk policies look at, and in plain words where it comes from."""

    value: RiskRating
    source: str


@dataclass(frozen=True)
class UseCaseRisk:
    """The class of one use case that a version serves, or of the use case itself."""

    name: str
    risk_class: RiskClass


@dataclass(frozen=True)
class ModelInScope:
    """One model group behind a use case and the best any of its versions has at the stage asked about."""

    group: str
    approved: bool
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class EvidenceFact:
    """One piece of evidence a subject has: `reference` says where, `sha256` is "" where nobody computed one.

    One with a `problem`, a sentence, is only pointed at: it could not be read, or is not what it says it is.
    """

    kind: EvidenceKind
    reference: str
    sha256: str
    problem: str = ""


@dataclass(frozen=True)
class MetricsFact:
    """One stage record's metrics as they were reported, empty where they are awaited; `where` says whose.

    Those of the MLflow run that a version comes from (`is_of_run`) count where no report says anything. One that the
    portal read itself, from a SageMaker job or its file (`is_of_file`), counts for what it names, beside the others;
    under bare names (`is_bare`), such as `auc`, it stands in for reports as a run does.
    """

    kind: MetricKind
    values: Mapping[str, Any]
    captured_at: datetime | None
    where: str
    is_of_run: bool = False
    is_of_file: bool = False
    is_bare: bool = False

    @property
    def stands_in(self) -> bool:
        """Whether it counts only where no report says anything."""
        return self.is_of_run or self.is_bare


@dataclass(frozen=True)
class ProvenanceFact:
    """One thing that is known of where a version comes from; `source` says who says so, in words."""

    kind: Provenance
    reference: str
    source: str


@dataclass(frozen=True)
class SubjectFacts:
    """What a subject has to show at a stage. A metric rule must hold in every one of its kind's reports.

    `unread` says in words why its lineage is not known, "" where SageMaker was asked and answered; `isolation` why
    nobody can say that its training job ran in isolation, and `isolation_off` that it is known not to have; `licence`
    and `licence_refused` the same of the agreement of the model it began with. `unreadable` are the reports of
    SageMaker's jobs that cannot be relied on: the first word of the paths they would answer, and a sentence about each.
    """

    evidence: tuple[EvidenceFact, ...] = ()
    metrics: tuple[MetricsFact, ...] = ()
    provenance: tuple[ProvenanceFact, ...] = ()
    unread: str = ""
    isolation: str = ""
    isolation_off: bool = False
    licence: str = ""
    licence_refused: bool = False
    unreadable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class OverrideFact:
    """A check that an officer set aside until a moment; `reference` says where and by whom."""

    key: str
    reference: str
    expires_at: datetime


class Outcome(StrEnum):
    """How a check came out; only `pass` and `overridden` let a decision through."""

    PASS = "pass"  # noqa: S105 - the outcome of a check, no password
    FAIL = "fail"
    MISSING = "missing"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True)
class Check:
    """One thing a policy asks for and how it stands. `key` is stable: an override names it."""

    key: str
    label: str
    outcome: Outcome
    detail: str
    actual: str
    threshold: str

    @property
    def holds(self) -> bool:
        """Whether a decision may rest on it."""
        return self.outcome in (Outcome.PASS, Outcome.OVERRIDDEN)


@dataclass(frozen=True)
class Requirements:
    """What one request needs; copied into it, so a later policy changes nothing about it."""

    approvals: tuple[ApprovalNeed, ...]
    days_until_due: int
    days_until_expiry: int
    evidence: tuple[EvidenceKind, ...] = ()
    metrics: tuple[MetricRule, ...] = ()
    provenance: tuple[Provenance, ...] = ()

    @property
    def has_checks(self) -> bool:
        """Whether anything beside approvals is needed."""
        return bool(self.evidence or self.metrics or self.provenance)

    def as_json(self) -> dict[str, Any]:
        """Return the copy kept on the request."""
        return {
            "approvals": [{"role": need.role.value, "count": need.count} for need in self.approvals],
            "days_until_due": self.days_until_due,
            "days_until_expiry": self.days_until_expiry,
            "evidence": [kind.value for kind in self.evidence],
            "metrics": [rule.as_json() for rule in self.metrics],
            "provenance": [kind.value for kind in self.provenance],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Requirements:
        """Read the copy kept on a request; one from before any of it was asked for asks for none."""
        return cls(
            approvals=needs_from_json(kept["approvals"]),
            days_until_due=int(kept["days_until_due"]),
            days_until_expiry=int(kept["days_until_expiry"]),
            evidence=evidence_from_json(kept.get("evidence") or ()),
            metrics=metrics_from_json(kept.get("metrics") or ()),
            provenance=provenance_from_json(kept.get("provenance") or ()),
        )


def needs_from_json(needs: Sequence[Mapping[str, Any]]) -> tuple[ApprovalNeed, ...]:
    """Read a list of {"role", "count"}."""
    return tuple(ApprovalNeed(Role(need["role"]), int(need["count"])) for need in needs)


def evidence_from_json(kinds: Sequence[str]) -> tuple[EvidenceKind, ...]:
    """Read a list of kinds of evidence."""
    return tuple(map(EvidenceKind, kinds))


def metrics_from_json(rules: Sequence[Mapping[str, Any]]) -> tuple[MetricRule, ...]:
    """Read a list of metric rules."""
    return tuple(map(MetricRule.from_json, rules))


def provenance_from_json(kinds: Sequence[str]) -> tuple[Provenance, ...]:
    """Read a list of what must be known of where a version comes from."""
    return tuple(map(Provenance, kinds))
