"""Answers to the AI Act questionnaire that wait for one's word."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.filters import Filters, one_of, use_case_filter
from portal.core.serializers import Output, word
from portal.core.viewsets import Listed

from ..choices import RiskClass
from ..models import Classification
from ..selectors import classifications as selectors
from .serializers import username


class ToConfirmOutput(Output):
    """One set of answers; confirmed or declined at its use case."""

    id = serializers.IntegerField(source="pk")
    use_case = serializers.CharField(source="use_case.public_id")
    name = serializers.CharField(source="use_case.name")
    edition = serializers.CharField()
    proposed_class = word(RiskClass)
    assessor = username("assessor")
    assessed_at = serializers.DateTimeField()


class ToConfirmFilters(Filters):
    """Filters of the list."""

    use_case = use_case_filter("use_case__number")
    proposed_class = one_of(RiskClass, "proposed_class")


class ToConfirm(Listed):
    """Complete answers that wait for your confirmation: not your own, nor about what you registered."""

    noun = "classification"
    serializer_class = ToConfirmOutput
    filterset_class = ToConfirmFilters
    search_fields = ("use_case__name",)
    ordering = ("-assessed_at",)
    ordering_fields = {"id": "pk", "assessed_at": "assessed_at"}

    def get_queryset(self) -> QuerySet[Classification]:
        return selectors.to_confirm(self.actor).select_related("assessor")
