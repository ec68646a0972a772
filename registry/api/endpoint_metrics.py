"""What CloudWatch counted of endpoints, hour by hour."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.core.filters import Filters, exactly
from portal.core.serializers import Output
from portal.core.viewsets import ROW_ID, Detailed, Listed

from ..models import EndpointSeries
from ..selectors import endpoint_metrics


class HourCount(Output):
    """One hour with data."""

    begins_at = serializers.DateTimeField()
    value = serializers.FloatField()


class EndpointMetricOutput(Output):
    """One metric of an endpoint: of a variant, or of a monitoring schedule when it is one of model quality.

    `begins_at` to `ends_at` are the hours kept, ninety days at most; `problem` says why some may be lacking.
    """

    id = serializers.IntegerField(source="pk")
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    endpoint = serializers.CharField()
    variant = serializers.CharField()
    schedule = serializers.CharField()
    namespace = serializers.CharField()
    metric = serializers.CharField()
    statistic = serializers.CharField(help_text="How an hour is summed up: Sum, Average.")
    begins_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    last = serializers.SerializerMethodField(help_text="The newest hour with data; null: there is none.")
    problem = serializers.CharField()
    read_at = serializers.DateTimeField()

    @extend_schema_field(HourCount(allow_null=True))
    def get_last(self, row: EndpointSeries) -> Any:
        found = row.last
        return HourCount({"begins_at": found[0], "value": found[1]}).data if found else None


class EndpointMetricDetail(EndpointMetricOutput):
    """The same with its hours."""

    points = serializers.ListField(
        child=serializers.FloatField(allow_null=True),
        help_text="One number an hour, the first from `begins_at`; null is an hour without data, not zero.",
    )


class EndpointMetricFilters(Filters):
    """Filters of the list."""

    account = exactly("account__account_id", "An account by its twelve digits.")
    region = exactly("region", "A region of AWS.")
    endpoint = exactly("endpoint", "The name of an endpoint.")
    variant = exactly("variant", "The name of a variant.")
    namespace = exactly("namespace", "A namespace of CloudWatch, such as AWS/SageMaker.")
    metric = exactly("metric", "The name of a metric, such as Invocations.")


class EndpointMetrics(Listed, Detailed):
    """What CloudWatch counted of the endpoints one may see."""

    noun = "endpoint metric"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = EndpointMetricDetail
    list_serializer_class = EndpointMetricOutput
    filterset_class = EndpointMetricFilters
    search_fields = ("endpoint", "metric")
    ordering_fields = {"id": "pk", "endpoint": "endpoint", "metric": "metric", "read_at": "read_at"}

    def get_queryset(self) -> QuerySet[EndpointSeries]:
        return endpoint_metrics.series(self.actor)
