"""The filters of governance's lists; the address carries them, and a download takes the same ones."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from portal.core.moments import MomentFilter
from portal.core.vocabulary import RiskRating, Stage, Status
from registry.choices import ObjectKind
from registry.models import Project
from registry.selectors.catalogue import visible_projects
from registry.web.attributes import AttributeFilterSet
from registry.web.filters import choice, search

from ..choices import OutboxKind, OutboxState
from ..models import AuditEvent, OutboxMessage, StageRecord
from ..selectors.audit_trail import tables
from ..selectors.words import field_words, table_words


def project_keys(request: Any) -> QuerySet[Project]:
    """Return the projects that who asks may see."""
    return visible_projects(request.user.actor)


class StageTableFilter(AttributeFilterSet):
    """The filters of the stage governance table, under the names the API uses."""

    attribute_kind = ObjectKind.STAGE_RECORD

    search = filters.CharFilter(
        method="by_words",
        label="Search",
        widget=forms.TextInput(attrs={"placeholder": "Use case, group, owner, ARN", "type": "search"}),
    )
    use_case_id = filters.CharFilter(method="by_use_case", label="Use case id")
    model_project = filters.ModelChoiceFilter(
        queryset=project_keys,
        to_field_name="key",
        field_name="version__group__project",
        label="Project",
        empty_label="Any project",
    )
    model_stage = choice(Stage, "Model stage", "stage", "Any stage")
    model_status = choice(Status, "Model status", "status", "Any status")
    model_risk = choice(RiskRating, "Risk", "version__risk_rating", "Any risk")
    model_package_arn = filters.CharFilter(field_name="version__arn", label="ARN", widget=forms.HiddenInput)
    prominent = ("as_of",)
    as_of = MomentFilter(label="As of (UTC)")

    class Meta:
        model = StageRecord
        fields: list[str] = []

    def by_words(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(row_use_case_name__icontains=value)
            | Q(version__group__name__icontains=value)
            | Q(version__owner_name__icontains=value)
            | Q(version__arn__icontains=value)
        )

    def by_use_case(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        digits = value.strip().upper().removeprefix("UC-")
        if not digits.isdecimal() or len(digits) > 9:
            return rows.none()
        return rows.filter(row_use_case_number=int(digits))


class OutboxFilter(filters.FilterSet):
    q = search("What is to be done, error")
    state = choice(OutboxState, "State", "state", "Any state")
    kind = choice(OutboxKind, "Kind", "kind", "Any kind")
    account = filters.CharFilter(
        method="by_account", label="Account", widget=forms.TextInput(attrs={"placeholder": "Twelve digits"})
    )
    version = filters.CharFilter(method="by_version", label="Model version", widget=forms.HiddenInput)

    class Meta:
        model = OutboxMessage
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(summary__icontains=value)
            | Q(last_error__icontains=value)
            | Q(waiting_for__icontains=value)
            | Q(version__arn__icontains=value)
        )

    def by_account(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        digits = value.strip()
        return rows.filter(lane__startswith=digits) if digits.isdecimal() and len(digits) == 12 else rows.none()

    def by_version(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(version_id=int(value)) if value.isdecimal() and len(value) < 19 else rows.none()


_ACTIONS = [("insert", "Created"), ("update", "Changed"), ("delete", "Deleted")]


class AuditFilter(filters.FilterSet):
    q = search("Reason, who, entry number")
    actor = filters.CharFilter(method="by_actor", label="Who", help_text="")
    table = filters.ChoiceFilter(label="What", empty_label="Anything", choices=[])
    object_id = filters.CharFilter(label="Its number")
    action = filters.ChoiceFilter(label="Action", empty_label="Any action", choices=_ACTIONS)
    since = filters.DateFilter(
        field_name="at", lookup_expr="date__gte", label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = filters.DateFilter(
        field_name="at", lookup_expr="date__lte", label="To", widget=forms.DateInput(attrs={"type": "date"})
    )
    named = filters.ChoiceFilter(
        method="by_name",
        label="Attributed",
        empty_label="Either way",
        choices=[("no", "Nobody named"), ("yes", "Somebody named")],
    )
    correlation = filters.CharFilter(widget=forms.HiddenInput, label="Operation")

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = tables(self.request.user.actor)
        self.filters["table"].extra["choices"] = [(table, field_words(table_words(table))) for table in found]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        words = value.strip()
        if words.isascii() and words.isdecimal() and len(words) < 19:
            return rows.filter(sequence=int(words))
        return rows.filter(Q(reason__icontains=words) | Q(actor__icontains=words))

    def by_actor(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(actor__icontains=value.strip())

    def by_name(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        nobody = Q(actor=None) | Q(actor="")
        return rows.filter(nobody) if value == "no" else rows.exclude(nobody)
