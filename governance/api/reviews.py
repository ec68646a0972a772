"""Use cases by the date of their next review."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly, one_of
from portal.core.serializers import Output, word
from portal.core.viewsets import Listed
from registry.api.serializers import username
from registry.choices import ReviewDue, RiskClass
from registry.models import UseCase
from registry.selectors.review_dates import due_when
from registry.services.use_cases import is_review_overdue

from ..choices import Stage, Status
from ..selectors import use_case_reviews as selectors


class ReviewDueOutput(Output):
    """One use case and its reviews."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    project = serializers.CharField(source="project.key")
    model_owner = username("model_owner")
    stage = word(Stage)
    status = word(Status)
    risk_class = word(RiskClass)
    next_review_on = serializers.DateField(allow_null=True, help_text="null: none is planned.")
    last_reviewed_on = serializers.DateField(allow_null=True, help_text="null: it was never reviewed.")
    is_overdue = serializers.SerializerMethodField()
    revision = serializers.IntegerField()

    def get_is_overdue(self, use_case: UseCase) -> bool:
        return is_review_overdue(use_case)


class ReviewCountsOutput(Output):
    """How many use cases stand how to the date of their next review."""

    overdue = serializers.IntegerField()
    within_30_days = serializers.IntegerField()
    later = serializers.IntegerField()
    no_date = serializers.IntegerField()


class ReviewDueFilters(Filters):
    """Filters of the list."""

    review = ChoiceFilter(choices=ReviewDue.choices(), method="when_due", help_text="How it stands to its next review.")
    stage = one_of(Stage, "stage")
    status = one_of(Status, "status")
    risk_class = one_of(RiskClass, "risk_class")
    project = exactly("project__key", "The key of a project.")
    model_owner = exactly("model_owner__username", "A sign-in name.")

    def when_due(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(due_when(ReviewDue(value)))


class Reviews(Listed):
    """Use cases in service by the date of their next review; recorded and planned at the use case."""

    noun = "use case"
    serializer_class = ReviewDueOutput
    filterset_class = ReviewDueFilters
    search_fields = ("name", "description", "intended_purpose")
    ordering = ("review_date",)
    ordering_fields = {"review_date": "review_date", "id": "number", "name": "name", "stage": "stage"}
    tie_breaker = ("number",)

    def get_queryset(self) -> QuerySet[UseCase]:
        return selectors.with_review_date(selectors.by_next_review(self.actor))

    @extend_schema(responses=ReviewCountsOutput)
    @action(detail=False, methods=["get"], pagination_class=None, filter_backends=[])
    def counts(self, request: Request) -> Response:
        """Say how many use cases are overdue for a review, due soon, due later, or without a date."""
        found = selectors.counts(self.actor)
        return Response(ReviewCountsOutput({due.value: total for due, total in found.items()}).data)
