"""The policy matrix: what each kind of subject needs at each stage and tier of risk."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.filters import Filters, one_of
from portal.core.serializers import Output, word
from portal.core.viewsets import Listed

from ..choices import PolicyState, RiskRating, Stage, SubjectKind
from ..models import PolicyVersion
from ..selectors import resources
from .requirements import NeedOutput


class RuleOutput(Output):
    """One cell of the matrix."""

    kind = word(SubjectKind)
    stage = word(Stage)
    tier = word(RiskRating)
    approvals = NeedOutput(many=True)
    days_until_due = serializers.IntegerField()
    days_until_expiry = serializers.IntegerField()


class PolicyOutput(Output):
    """One edition of the matrix; the newest published one is in force."""

    number = serializers.IntegerField()
    state = word(PolicyState)
    note = serializers.CharField()
    model_path = serializers.ListField(child=word(Stage))
    use_case_path = serializers.ListField(child=word(Stage))
    published_at = serializers.DateTimeField(allow_null=True)
    published_by = serializers.CharField()
    rules = RuleOutput(many=True, source="rules.all")


class PolicyFilters(Filters):
    """Filters of the list."""

    state = one_of(PolicyState, "state")


class Policies(Listed):
    """Editions of the policy matrix, newest first."""

    noun = "policy"
    serializer_class = PolicyOutput
    filterset_class = PolicyFilters
    ordering = ("-number",)
    ordering_fields = {"number": "number"}
    tie_breaker = ("number",)

    def get_queryset(self) -> QuerySet[PolicyVersion]:
        return resources.policy_versions(self.actor)
