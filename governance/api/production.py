"""What ran in production at a moment, and on whose word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from portal.core.filters import Filters, account_filter, arn_filter, exactly, one_of, use_case_filter
from portal.core.serializers import Output, word
from portal.core.viewsets import Listed
from registry.api.attributes import exports

from ..choices import RiskRating, Role
from ..selectors import production
from .as_of import AS_OF_PARAMETER, Dated


class ApprovalGiven(Output):
    """One person's approval, as the decision register holds it."""

    decided_by = serializers.CharField()
    on_behalf_of = serializers.CharField(allow_null=True)
    role = word(Role)
    comment = serializers.CharField()
    decided_at = serializers.DateTimeField()


class MoveMade(Output):
    """One entry of the ledger since the approval."""

    verb = serializers.CharField()
    actor = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class RunningOutput(Output):
    """One version in production at a moment, in one account and for one use case, and the words behind it."""

    id = serializers.IntegerField(help_text="Of the stage record.")
    use_case_id = serializers.CharField(allow_null=True)
    use_case_name = serializers.CharField(allow_null=True)
    model_group = serializers.CharField()
    model_version = serializers.IntegerField()
    model_package_arn = serializers.CharField()
    model_owner = serializers.CharField(allow_null=True)
    model_project = serializers.CharField(allow_null=True)
    model_risk = word(RiskRating)
    account = serializers.CharField(allow_null=True)
    model_status = serializers.ChoiceField(
        choices=[(status.value, status.label) for status in production.IN_PRODUCTION],
        help_text="`deployed`, or `approved` while its deployment had not been reported.",
    )
    outdated_at = serializers.DateTimeField(
        allow_null=True, help_text="Since when it was no longer what had been approved."
    )
    approved_at = serializers.DateTimeField(allow_null=True)
    request = serializers.CharField(allow_null=True)
    policy_version = serializers.IntegerField(allow_null=True)
    digest = serializers.CharField(allow_null=True)
    approvals = ApprovalGiven(many=True)
    moves = MoveMade(many=True)
    endpoint = serializers.CharField(allow_null=True)
    reported_by = serializers.CharField(allow_null=True, help_text="Who reported that it was in place.")
    reported_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Show the selector's row as it is: the list and its file say the same."""
        row = production.running_row(instance)
        return {name: value for name, value in row.items() if name in self.fields}


class InProductionFilters(Filters):
    """Filters of the list."""

    model_package_arn = arn_filter("arn")
    model_group = exactly("model_group", "The name of a model group.")
    model_project = exactly("model_project", "The key of a project.")
    model_risk = one_of(RiskRating, "model_risk")
    model_status = one_of([(status.value, status.label) for status in production.IN_PRODUCTION], "model_status")
    use_case_id = use_case_filter("use_case_number")
    account = account_filter("account_id")


class InProduction(Dated, Listed):
    """What ran in production, as of now or of a moment, with the decisions that approved it."""

    noun = "version in production"
    serializer_class = RunningOutput
    filterset_class = InProductionFilters
    search_fields = ("model_group", "use_case_name")
    ordering = ("model_group", "-model_version")
    ordering_fields = {"id": "pk", "model_group": "model_group", "model_version": "model_version"}
    tie_breaker = ("pk", "row_key")

    def get_queryset(self) -> QuerySet[Any]:
        if self.moment is None:
            self.moment = timezone.now()
        return production.in_production(self.actor, self.moment)

    @extend_schema(parameters=[AS_OF_PARAMETER])
    @exports(RunningOutput)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show what ran in production and on whose word, page by page as JSON, or all of it as CSV."""
        return super().list(request, *args, **kwargs)

    def presented(self, rows: Iterable[Any]) -> Iterable[Any]:
        assert self.moment is not None
        return production.on_whose_word(rows, self.moment)
