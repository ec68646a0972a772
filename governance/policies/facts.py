"""What policy is asked about, frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.core.vocabulary import RiskClass, RiskRating, Role, Stage, SubjectKind


@dataclass(frozen=True)
class ApprovalNeed:
    """So many people in that role must approve."""

    role: Role
    count: int


@dataclass(frozen=True)
class Rule:
    """One cell of the matrix."""

    kind: SubjectKind
    stage: Stage
    tier: RiskRating
    approvals: tuple[ApprovalNeed, ...]
    days_until_due: int
    days_until_expiry: int


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
    versions: int
    approved: bool
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class Requirements:
    """What one request needs; copied into it, so a later policy changes nothing about it."""

    approvals: tuple[ApprovalNeed, ...]
    days_until_due: int
    days_until_expiry: int

    def as_json(self) -> dict[str, Any]:
        """Return the copy kept on the request."""
        return {
            "approvals": [{"role": need.role.value, "count": need.count} for need in self.approvals],
            "days_until_due": self.days_until_due,
            "days_until_expiry": self.days_until_expiry,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Requirements:
        """Read the copy kept on a request."""
        return cls(
            approvals=needs_from_json(kept["approvals"]),
            days_until_due=int(kept["days_until_due"]),
            days_until_expiry=int(kept["days_until_expiry"]),
        )


def needs_from_json(needs: Sequence[Mapping[str, Any]]) -> tuple[ApprovalNeed, ...]:
    """Read a list of {"role", "count"}."""
    return tuple(ApprovalNeed(Role(need["role"]), int(need["count"])) for need in needs)
