"""The decision register: who decided what, in which role, on exactly which content, under which policy."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter, CharFilter, DateFilter, NumberFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.core.filters import Filters, PublicIdFilter, arn_filter, exactly, one_of, use_case_filter
from portal.core.serializers import Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed
from registry.api.serializers import username
from registry.models import UseCase

from ..choices import DecisionSource, RiskRating, Role, Stage, SubjectKind, Verdict
from ..models import Decision
from ..selectors import decisions
from .overrides import OverriddenOutput


class RegisterOutput(Output):
    """One person's word on a request."""

    id = serializers.IntegerField(source="pk")
    request = serializers.CharField(source="request.public_id")
    kind = word(SubjectKind, source="request.kind")
    subject = serializers.SerializerMethodField()
    model_package_arn = serializers.CharField(source="request.version.arn", allow_null=True, default=None)
    stage = word(Stage, source="request.stage")
    decision = word(Verdict, source="verdict")
    is_outdated = serializers.BooleanField(help_text="What it was given for has changed since.")
    decided_by = username("decider")
    role = word(Role)
    on_behalf_of = username("on_behalf_of")
    comment = serializers.CharField()
    back_to = serializers.CharField()
    decided_at = serializers.DateTimeField()
    risk_tier = word(RiskRating, source="request.tier")
    policy_version = serializers.IntegerField(source="request.policy.number")
    source = word(DecisionSource)  # type: ignore[assignment]  # a field of that name
    aws_principal = serializers.CharField()
    aws_at = serializers.DateTimeField(allow_null=True)
    digest = serializers.CharField(help_text="Of the content it was given for.")

    @extend_schema_field(OverriddenOutput)
    def get_subject(self, row: Decision) -> dict[str, Any]:
        subject = row.request.subject
        number = subject.public_id if isinstance(subject, UseCase) else str(subject.pk)
        return {"kind": row.request.kind, "id": number, "name": subject.name}


class DecisionFilters(Filters):
    """Filters of the list."""

    request = PublicIdFilter("request_id", "AR")
    decision = one_of(Verdict, "verdict")
    role = one_of(Role, "role")
    stage = one_of(Stage, "request__stage")
    risk_tier = one_of(RiskRating, "request__tier")
    source = one_of(DecisionSource, "source")
    decided_by = CharFilter(method="by_person", help_text="A part of a name, his own or of whom he stood in for.")
    use_case = use_case_filter("request__use_case__number")
    model_package_arn = arn_filter("request__version__arn")
    since = DateFilter(field_name="decided_at", lookup_expr="date__gte", help_text="A day; in UTC.")
    until = DateFilter(field_name="decided_at", lookup_expr="date__lte", help_text="A day, included; in UTC.")
    delegated = BooleanFilter(method="by_delegation", help_text="Whether it was given in somebody else's name.")
    is_outdated = BooleanFilter(method="by_content", help_text="Whether what it was given for has changed since.")
    policy_version = NumberFilter(
        field_name="request__policy__number", min_value=1, max_value=2_147_483_647, help_text="The number of a policy."
    )
    project = CharFilter(method="by_project", help_text="The key of a project.")
    digest = exactly("digest", "Of the content it was given for.")

    def by_person(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return decisions.by(rows, value)

    def by_delegation(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return decisions.delegated(rows, are=value)

    def by_content(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return decisions.outdated(rows, are=value)

    def by_project(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return decisions.of_project(rows, value)


class Decisions(Listed, Detailed):
    """Every decision on what one may see, newest first."""

    noun = "decision"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = RegisterOutput
    filterset_class = DecisionFilters
    search_fields = ("comment", "request__use_case__name", "request__version__group__name")
    ordering_fields = {"id": "pk", "decided_at": "decided_at", "decision": "verdict"}

    def get_queryset(self) -> QuerySet[Decision]:
        return decisions.register(self.actor)
