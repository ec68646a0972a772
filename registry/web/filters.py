"""The filters of the registry's lists; the address carries them."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet

from portal.core.vocabulary import RiskClass, RiskRating, Stage, Status
from registry.choices import AccountPurpose, ObjectKind, ReviewDue, SyncKind, SyncState

from ..models import AwsAccount, LineOfBusiness, ModelGroup, ModelVersion, Project, SyncRun, TrackingServer, UseCase
from ..selectors.catalogue import lines_of_business, versions_named, visible_projects
from ..selectors.operations import accounts
from ..selectors.review_dates import due_when
from ..selectors.sync_health import OF_CHANGES
from .attributes import AttributeFilterSet


def _projects(request: Any) -> QuerySet[Project]:
    return visible_projects(request.user.actor)


def _lines(request: Any) -> QuerySet[LineOfBusiness]:
    return lines_of_business(request.user.actor)


def line_of_business(path: str) -> filters.ModelChoiceFilter:
    """Return a filter over the line of business of the project at `path`."""
    return filters.ModelChoiceFilter(
        queryset=_lines,
        label="Line of business",
        field_name=f"{path}__line_of_business",
        empty_label="Any line of business",
    )


def choice(words: Any, label: str, name: str, every: str) -> filters.ChoiceFilter:
    """Return a filter over one vocabulary."""
    return filters.ChoiceFilter(choices=words.choices(), label=label, field_name=name, empty_label=every)


def search(placeholder: str) -> filters.CharFilter:
    """Return the free-text filter; the filter set says in `search` what it looks through."""
    return filters.CharFilter(
        method="search", label="Search", widget=forms.TextInput(attrs={"placeholder": placeholder, "type": "search"})
    )


class UseCaseFilter(AttributeFilterSet):
    attribute_kind = ObjectKind.USE_CASE
    q = search("Name, UC-0001")
    stage = choice(Stage, "Stage", "stage", "Any stage")
    status = choice(Status, "Status", "status", "Any status")
    risk_class = choice(RiskClass, "Risk", "risk_class", "Any risk")
    project = filters.ModelChoiceFilter(queryset=_projects, label="Project", empty_label="Any project")
    line_of_business = line_of_business("project")
    review = filters.ChoiceFilter(
        method="by_review", label="Next review", empty_label="Any time", choices=ReviewDue.choices()
    )

    class Meta:
        model = UseCase
        fields: list[str] = []

    def by_review(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(due_when(ReviewDue(value)))

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(name__icontains=value) | Q(intended_purpose__icontains=value)
        digits = value.upper().removeprefix("UC-")
        if digits.isdecimal() and len(digits) < 10:
            condition |= Q(number=int(digits))
        return rows.filter(condition)


class GroupFilter(AttributeFilterSet):
    attribute_kind = ObjectKind.MODEL_GROUP
    q = search("Name or ARN")
    project = filters.ModelChoiceFilter(queryset=_projects, label="Project", empty_label="Any project")
    claimed = filters.ChoiceFilter(
        method="by_claim",
        label="Claimed",
        empty_label="Either way",
        choices=[("no", "Not claimed yet"), ("yes", "Claimed")],
    )

    class Meta:
        model = ModelGroup
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value) | Q(arn__icontains=value))

    def by_claim(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(project__isnull=value == "no")


class VersionFilter(filters.FilterSet):
    q = search("Group, description or ARN")
    stage = choice(Stage, "Stage", "stage", "Any stage")
    status = choice(Status, "Status", "status", "Any status")
    risk_rating = choice(RiskRating, "Risk", "risk_rating", "Any risk")
    project = filters.ModelChoiceFilter(
        queryset=_projects, label="Project", field_name="group__project", empty_label="Any project"
    )
    line_of_business = line_of_business("group__project")

    class Meta:
        model = ModelVersion
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return versions_named(rows, value)


class TrackingServerFilter(filters.FilterSet):
    q = search("Name or address")

    class Meta:
        model = TrackingServer
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value) | Q(url__icontains=value))


class AccountFilter(filters.FilterSet):
    q = search("Alias, account id")
    purpose = filters.ChoiceFilter(
        method="by_purpose", choices=AccountPurpose.choices(), label="For", empty_label="Anything"
    )
    connection = filters.ChoiceFilter(
        method="by_connection",
        label="Connection",
        empty_label="Any",
        choices=[("ok", "Connected"), ("failed", "Failed"), ("untried", "Not tried")],
    )
    enabled = filters.ChoiceFilter(
        field_name="is_enabled",
        label="Enabled",
        empty_label="Either way",
        choices=[("True", "Enabled"), ("False", "Disabled")],
    )

    class Meta:
        model = AwsAccount
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(alias__icontains=value) | Q(account_id__startswith=value.replace(" ", "")))

    def by_purpose(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(purposes__contains=[value])

    def by_connection(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value == "untried":
            return rows.filter(checked_at=None)
        tried = rows.exclude(checked_at=None)
        return tried.filter(check_error="") if value == "ok" else tried.exclude(check_error="")


class SyncRunFilter(filters.FilterSet):
    q = search("Account, error, who asked")
    account = filters.ModelChoiceFilter(
        queryset=lambda request: accounts(request.user.actor),
        to_field_name="account_id",
        label="Account",
        empty_label="Any account",
    )
    kind = choice(SyncKind, "Kind", "kind", "Any kind")
    state = choice(SyncState, "State", "state", "Any state")
    # Links from the strip of the last day.
    region = filters.CharFilter(widget=forms.HiddenInput)
    since = filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="gte", widget=forms.HiddenInput)
    until = filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="lt", widget=forms.HiddenInput)
    of_changes = filters.ChoiceFilter(
        method="by_what", choices=[("yes", "Passes that read versions")], widget=forms.HiddenInput
    )

    class Meta:
        model = SyncRun
        fields: list[str] = []

    def by_what(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(kind__in=OF_CHANGES)

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(account__alias__icontains=value)
            | Q(account__account_id__startswith=value)
            | Q(requested_by__icontains=value)
            | Q(error__icontains=value)
        )
