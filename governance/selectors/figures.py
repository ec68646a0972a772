"""What the dashboard counts: one query a kind, all of it within what the actor may see.

Each number is counted under the condition of the list it opens: `Scope` here and the filters there use the same
functions (`of_projects`, `due_when`, `endpoints.counts`), so the two agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from portal.core.actors import Actor
from portal.core.vocabulary import Stage, Status
from registry.choices import ReviewDue
from registry.models import ModelVersion, UseCase
from registry.selectors import review_dates
from registry.selectors.scope import of_projects

from ..choices import Due, FindingKind, InPlace, Severity
from ..models import Finding
from . import ageing, endpoints

# Where the project of an approval request stands, and of a finding.
OF_SUBJECT = ("use_case__project", "version__group__project")
OF_FINDING = (*OF_SUBJECT, "group__project")


@dataclass(frozen=True)
class Scope:
    """The project and the line of business that the figures are narrowed to, by their keys; None is all of them."""

    project: int | None = None
    line_of_business: int | None = None

    def on(self, *paths: str) -> Q:
        """Return the filter for rows whose project is at one of the paths."""
        return of_projects(self.project, self.line_of_business, *paths)

    @property
    def query(self) -> dict[str, Any]:
        """Return what an address says of it."""
        said = {"project": self.project, "line_of_business": self.line_of_business}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Funnel:
    """How many stand where; `risks` are counted per stage as well."""

    by_status: dict[tuple[Stage, Status], int]
    by_risk: dict[tuple[str, Stage], int]

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, str, int]]) -> Funnel:
        """Add up rows of stage, status, risk and how many."""
        by_status: dict[tuple[Stage, Status], int] = {}
        by_risk: dict[tuple[str, Stage], int] = {}
        for stage, status, risk, total in rows:
            where, how = Stage(stage), Status(status)
            by_status[where, how] = by_status.get((where, how), 0) + total
            by_risk[risk, where] = by_risk.get((risk, where), 0) + total
        return cls(by_status, by_risk)


def use_cases(actor: Actor, scope: Scope) -> tuple[Funnel, dict[ReviewDue, int]]:
    """Return how many use cases stand where, and how they stand to the dates of their reviews."""
    reviews = {due.value: Count("pk", filter=review_dates.due_when(due)) for due in ReviewDue}
    rows: list[Any] = list(
        UseCase.objects.visible_to(actor)
        .filter(scope.on("project"))
        .values("stage", "status", "risk_class")
        .annotate(total=Count("pk"), **reviews)
        .order_by()
    )
    funnel = Funnel.of((row["stage"], row["status"], row["risk_class"], row["total"]) for row in rows)
    return funnel, {due: sum(row[due.value] for row in rows) for due in ReviewDue}


def versions(actor: Actor, scope: Scope) -> Funnel:
    """Return how many model versions stand where."""
    rows = (
        ModelVersion.objects.visible_to(actor)
        .filter(scope.on("group__project"))
        .values_list("stage", "status", "risk_rating")
        .annotate(total=Count("pk"))
    )
    return Funnel.of(rows.order_by())


def requests(actor: Actor, scope: Scope) -> dict[Due, int]:
    """Return how many open requests stand how to their due dates."""
    return ageing.counts(actor, scope.on(*OF_SUBJECT))


def findings(actor: Actor, scope: Scope) -> dict[tuple[FindingKind, Severity], int]:
    """Return how many findings stand, by kind and severity."""
    rows = (
        Finding.objects.visible_to(actor)
        .standing()
        .filter(scope.on(*OF_FINDING))
        .values_list("kind", "severity")
        .annotate(total=Count("pk"))
    )
    return {(FindingKind(kind), Severity(severity)): total for kind, severity, total in rows.order_by()}


def running(actor: Actor, scope: Scope) -> dict[InPlace, int]:
    """Return how many deployments run as approved, run otherwise, or should run and do not."""
    return endpoints.counts(actor, scope.on("version__group__project"))
