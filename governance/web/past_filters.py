"""The filters of lists as of a moment: what is filtered is what was so then."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from portal.core.moments import MomentFilter
from portal.core.vocabulary import RiskRating, Stage, Status
from registry.web.filters import choice

from ..models import PastStageRow
from ..selectors.production import IN_PRODUCTION
from .filters import StageTableFilter, project_keys


def _project() -> filters.ModelChoiceFilter:
    return filters.ModelChoiceFilter(
        queryset=project_keys, to_field_name="key", method="by_project", label="Project", empty_label="Any project"
    )


class PastStageTableFilter(StageTableFilter):
    """The filters of the stage governance table, over the table of a moment."""

    model_project = _project()
    model_stage = choice(Stage, "Model stage", "model_stage", "Any stage")
    model_status = choice(Status, "Model status", "model_status", "Any status")
    model_risk = choice(RiskRating, "Risk", "model_risk", "Any risk")
    model_package_arn = filters.CharFilter(field_name="arn", label="ARN", widget=forms.HiddenInput)

    class Meta:
        model = PastStageRow
        fields: list[str] = []

    def by_words(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(use_case_name__icontains=value)
            | Q(model_group__icontains=value)
            | Q(model_owner__icontains=value)
            | Q(arn__icontains=value)
        )

    def by_use_case(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        digits = value.strip().upper().removeprefix("UC-")
        if not digits.isdecimal() or len(digits) > 9:
            return rows.none()
        return rows.filter(use_case_number=int(digits))

    def by_project(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return rows.filter(model_project=value.key)


class ProductionFilter(filters.FilterSet):
    """The filters of what ran in production."""

    prominent = ("as_of",)
    as_of = MomentFilter(label="On (UTC)")
    search = filters.CharFilter(
        method="by_words",
        label="Search",
        widget=forms.TextInput(attrs={"placeholder": "Use case, group, owner, ARN", "type": "search"}),
    )
    use_case_id = filters.CharFilter(method="by_use_case", label="Use case id")
    model_project = _project()
    model_status = filters.ChoiceFilter(
        choices=[(status.value, status.label) for status in IN_PRODUCTION], label="Status", empty_label="Either"
    )
    by_words = PastStageTableFilter.by_words
    by_use_case = PastStageTableFilter.by_use_case
    by_project = PastStageTableFilter.by_project

    class Meta:
        model = PastStageRow
        fields: list[str] = []
