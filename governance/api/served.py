"""What AWS shows to be serving across accounts, and the model dashboard: against what is approved to run there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.core.filters import Filters, account_filter, arn_filter, exactly, one_of, yes_or_no
from portal.core.serializers import Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed

from ..choices import FindingKind, Stage, Status
from ..selectors import model_dashboard, served
from ..serving_words import Presence, Serves, Watched


class ServedOutput(Output):
    """One model behind a variant of an endpoint, as it was read last; null is what AWS did not say."""

    id = serializers.IntegerField(source="pk")
    endpoint = serializers.CharField(source="endpoint.name")
    endpoint_arn = serializers.CharField(source="endpoint.arn")
    endpoint_status = serializers.CharField(source="endpoint.status", help_text="AWS's own word, such as `InService`.")
    endpoint_config = serializers.CharField(source="endpoint.config_name")
    pending_config = serializers.CharField(
        source="endpoint.pending_config", help_text='What an update under way changes it to; "": none is.'
    )
    is_asynchronous = serializers.BooleanField(
        source="endpoint.is_asynchronous", help_text="It answers through S3 instead of at once."
    )
    account = serializers.CharField(source="endpoint.account.account_id")
    region = serializers.CharField(source="endpoint.region")
    variant = serializers.CharField(source="name")
    is_shadow = serializers.BooleanField(help_text="It hears requests and answers none.")
    is_pending = serializers.BooleanField(help_text="An update under way brings it up beside what serves.")
    is_serverless = serializers.BooleanField()
    inference_component = serializers.CharField(help_text='"" where the variant itself names the model.')
    component_status = serializers.CharField(help_text="AWS's own word about the component.")
    container = serializers.CharField(help_text="Named where several containers of a model come from packages.")
    weight = serializers.FloatField(allow_null=True, help_text="The share of the traffic among its fellows.")
    instance_count = serializers.IntegerField(
        allow_null=True, help_text="Copies, where an inference component brings the model."
    )
    instance_type = serializers.CharField()
    model_name = serializers.CharField()
    model_arn = serializers.CharField()
    model_package_arn = serializers.CharField(source="package_arn", help_text='"": made from no package.')
    model_version = serializers.IntegerField(
        source="version_id", allow_null=True, help_text="The id of the registered version; null: there is none."
    )
    name = serializers.CharField(source="version.name", allow_null=True, default=None)
    image = serializers.CharField()
    network_isolation = serializers.BooleanField(allow_null=True)
    in_vpc = serializers.BooleanField(allow_null=True)
    many_under = serializers.CharField(
        help_text='The S3 prefix of a container that loads any model it finds there; "": it serves one model.'
    )
    problem = serializers.CharField(help_text="Why its model could not be read.")
    stage = serializers.SerializerMethodField(help_text="The stage its record is of; null: there is none there.")
    record_status = serializers.SerializerMethodField(help_text="null: there is no record there.")
    verdict = word(Serves, help_text="How it stands to the portal's word about its version there.")
    read_at = serializers.DateTimeField(source="endpoint.read_at")

    @extend_schema_field(word(Stage, allow_null=True))
    def get_stage(self, row: Any) -> str | None:
        return row.record_stage or None

    @extend_schema_field(word(Status, allow_null=True))
    def get_record_status(self, row: Any) -> str | None:
        return row.record_status or None


class ServedFilters(Filters):
    """Filters of the list."""

    account = account_filter("endpoint__account__account_id")
    endpoint = exactly("endpoint__name", "The name of an endpoint.")
    region = exactly("endpoint__region", "An AWS region.")
    model_package_arn = arn_filter("package_arn")
    project = exactly("version__group__project__key", "The key of a project.")
    stage = one_of(Stage, "record_stage")
    verdict = one_of(Serves, "verdict")
    is_shadow = yes_or_no("is_shadow", "Shadow variants, or all others.")


class ObservedEndpoints(Listed, Detailed):
    """What AWS shows to serve, one row for each model behind a variant; orders and reports are `endpoints/`."""

    noun = "served model"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = ServedOutput
    filterset_class = ServedFilters
    search_fields = ("endpoint__name", "model_name", "version__group__name", "endpoint__account__alias")
    ordering_fields = {"id": "pk", "endpoint": "endpoint__name", "account": "endpoint__account__account_id"}

    def get_queryset(self) -> QuerySet[Any]:
        return served.served(self.actor)


class PlaceOutput(Output):
    """One variant that serves the version in the account."""

    endpoint = serializers.CharField(source="endpoint.name")
    region = serializers.CharField(source="endpoint.region")
    variant = serializers.CharField(source="name")
    weight = serializers.FloatField(allow_null=True)
    is_shadow = serializers.BooleanField()


class LiveVersionOutput(Output):
    """One version in one account where it is seen serving, was reported deployed, or is approved for production."""

    id = serializers.IntegerField(source="pk")
    model_version = serializers.IntegerField(source="version_id")
    name = serializers.CharField(source="version.name")
    model_package_arn = serializers.CharField(source="version.arn")
    project = serializers.CharField(source="version.group.project.key", allow_null=True, default=None)
    account = serializers.CharField(source="account.account_id")
    presence = word(Presence)
    places = serializers.SerializerMethodField(help_text="What serves it there.")
    verdict = serializers.SerializerMethodField(help_text="The worst of what serves it there; null: nothing is seen.")
    findings = serializers.IntegerField(help_text="How many findings about it stand there, or where its package lies.")
    failing = serializers.ListField(child=word(FindingKind), help_text="The kinds of those findings.")
    watched = word(Watched, help_text="Whether a monitor watches every endpoint that serves it there.")
    read_at = serializers.DateTimeField(
        allow_null=True, help_text="When the account's endpoints were last read whole; null: never."
    )

    @extend_schema_field(PlaceOutput(many=True))
    def get_places(self, row: Any) -> list[dict[str, Any]]:
        return list(PlaceOutput(model_dashboard.places(row), many=True).data)

    @extend_schema_field(word(Serves, allow_null=True))
    def get_verdict(self, row: Any) -> str | None:
        return row.verdict or None


class DashboardFilters(Filters):
    """Filters of the list."""

    account = account_filter("account__account_id")
    model_package_arn = arn_filter("version__arn")
    project = exactly("version__group__project__key", "The key of a project.")
    presence = one_of(Presence, "presence")
    verdict = one_of(Serves, "verdict")
    watched = one_of(Watched, "watched")
    failing = ChoiceFilter(
        method="by_kind", choices=FindingKind.choices(), help_text="About which a finding of this kind stands."
    )
    region = exactly("", "An AWS region it is seen in.", method="by_region")

    def by_kind(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return model_dashboard.failing(rows, value)

    def by_region(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return model_dashboard.in_region(rows, value)


class ModelDashboard(Listed):
    """Which versions are live in which account, how that stands to their approval, and whether a monitor watches."""

    noun = "model dashboard row"
    serializer_class = LiveVersionOutput
    filterset_class = DashboardFilters
    search_fields = ("version__group__name", "account__alias")
    ordering_fields = {"id": "pk", "account": "account__account_id"}

    def get_queryset(self) -> QuerySet[Any]:
        return model_dashboard.rows(self.actor)
