"""The filters of approval requests; the address carries them, beside the part of the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet

from portal.core.actors import Actor
from portal.core.vocabulary import RiskRating, Stage
from registry.selectors.catalogue import projects_with_lines
from registry.selectors.scope import of_projects
from registry.web.filters import choice, search

from ..choices import Due, SubjectKind
from ..models import ApprovalRequest
from ..selectors.ageing import OVERDUE, due_when
from ..selectors.figures import OF_SUBJECT

# Several of the ways an open request can stand to its due date, by what a link asks for.
_GROUPS: dict[str, tuple[Due, ...]] = {"any": tuple(Due), "overdue": OVERDUE}


class _Known(filters.ChoiceFilter):
    """A filter over what the projects that who asks may see have; two of them read the projects once."""

    def __init__(self, *args: Any, known: Callable[[Actor], list[tuple[str, str]]], **kwargs: Any) -> None:
        super().__init__(*args, choices=[], **kwargs)
        self.known = known

    @property
    def field(self) -> Any:
        self.extra["choices"] = self.known(self.parent.request.user.actor)
        return super().field


def _projects(actor: Actor) -> list[tuple[str, str]]:
    return [(str(row.pk), row.name) for row in projects_with_lines(actor)]


def _lines(actor: Actor) -> list[tuple[str, str]]:
    found = {str(row.line_of_business_id): row.line_of_business.name for row in projects_with_lines(actor)}
    return sorted(found.items(), key=lambda line: line[1])


def project(*paths: str) -> filters.ChoiceFilter:
    """Return a filter over the project at any of the paths."""

    def by_project(rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(of_projects(int(value), None, *paths))

    return _Known(known=_projects, label="Project", empty_label="Any project", method=by_project)


def line_of_business(*paths: str) -> filters.ChoiceFilter:
    """Return a filter over the line of business of the project at any of the paths."""

    def by_line(rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(of_projects(None, int(value), *paths))

    return _Known(known=_lines, label="Line of business", empty_label="Any line of business", method=by_line)


class RequestFilter(filters.FilterSet):
    """Approval requests by what they are about and by how they stand to their due date."""

    q = search("Name, AR-000001")
    kind = choice(SubjectKind, "About", "kind", "Anything")
    stage = choice(Stage, "Stage", "stage", "Any stage")
    tier = choice(RiskRating, "Risk", "tier", "Any risk")
    due = filters.ChoiceFilter(
        method="by_due",
        label="Due",
        empty_label="Any time",
        choices=[("any", "Any date, still open"), ("overdue", "Overdue"), *Due.choices()],
    )
    project = project(*OF_SUBJECT)
    line_of_business = line_of_business(*OF_SUBJECT)

    class Meta:
        model = ApprovalRequest
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(use_case__name__icontains=value) | Q(version__group__name__icontains=value)
        digits = value.upper().removeprefix("AR-")
        if digits.isdecimal() and len(digits) < 19:
            condition |= Q(pk=int(digits))
        return rows.filter(condition)

    def by_due(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        found = Q()
        for due in _GROUPS.get(value) or (Due(value),):
            found |= due_when(due)
        return rows.filter(found)
