"""Model cards of their own: what SageMaker keeps beside the registry. They are written through the governance app."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, account_filter, one_of
from portal.core.orderings import moment_or_never
from portal.core.serializers import Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed
from portal.core.vocabulary import RiskRating

from ..choices import CardStatus
from ..models import ModelCard
from ..selectors import model_cards


class CardVersionOutput(Output):
    """One version of a card; its content never changes."""

    version = serializers.IntegerField(source="number")
    status = word(CardStatus)
    content = serializers.JSONField(allow_null=True, help_text="null: it is no JSON object; see `text`.")
    text = serializers.CharField(help_text="What AWS gave where it is no JSON object, else empty.")
    problems = serializers.ListField(child=serializers.CharField(), help_text="What breaks SageMaker's schema.")
    author_arn = serializers.CharField()
    written_by = serializers.CharField(source="written_by.username", allow_null=True, default=None)
    created_at = serializers.DateTimeField(source="aws_created_at", allow_null=True)
    modified_at = serializers.DateTimeField(source="aws_modified_at", allow_null=True)
    read_at = serializers.DateTimeField()


class CardOutput(Output):
    """One model card of an account and region, with what its latest version says."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    arn = serializers.CharField()
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    version = serializers.IntegerField(source="number", help_text="The latest.")
    status = word(CardStatus)
    problems = serializers.ListField(child=serializers.CharField(), help_text="What breaks SageMaker's schema.")
    model_name = serializers.CharField()
    risk_rating = word(RiskRating)
    owner = serializers.CharField(source="owner_name")
    line_of_business = serializers.CharField()
    purpose = serializers.CharField()
    use_case_named = serializers.CharField(help_text="The use case its content names, known or not.")
    use_case = serializers.CharField(source="use_case.public_id", allow_null=True, default=None)
    model_group = serializers.IntegerField(source="group_id", allow_null=True)
    model_version = serializers.IntegerField(source="version_id", allow_null=True)
    created_at = serializers.DateTimeField(source="aws_created_at")
    modified_at = serializers.DateTimeField(source="aws_modified_at", allow_null=True)
    missing_since = serializers.DateTimeField(allow_null=True, help_text="Since when AWS no longer lists it.")
    read_at = serializers.DateTimeField()
    revision = serializers.IntegerField()


class CardDetail(CardOutput):
    """One model card with its latest content."""

    content = serializers.SerializerMethodField()

    def get_content(self, card: ModelCard) -> dict[str, Any] | None:
        return model_cards.card_version(card).content


class CardFilters(Filters):
    """Filters of the list."""

    status = one_of(CardStatus, "status")
    risk_rating = one_of(RiskRating, "risk_rating")
    account = account_filter("account__account_id")


class ModelCards(Listed, Detailed):
    """Model cards of their own."""

    noun = "model card"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = CardDetail
    list_serializer_class = CardOutput
    filterset_class = CardFilters
    search_fields = ("name", "model_name", "owner_name", "group__name")
    ordering_fields = {
        "id": "pk",
        "name": "name",
        "modified_at": moment_or_never("aws_modified_at"),
        "read_at": "read_at",
    }

    def get_queryset(self) -> QuerySet[ModelCard]:
        return model_cards.cards(self.actor).order_by()

    @extend_schema(
        summary="Every version of a model card",
        description="The newest first, each with its content.",
        responses=CardVersionOutput(many=True),
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def versions(self, request: Request, **kwargs: Any) -> Response:
        rows = model_cards.versions(self.get_object()).defer(None)
        return Response(CardVersionOutput(rows, many=True).data)
