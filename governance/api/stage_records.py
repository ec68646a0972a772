"""The model stage governance table, and the metrics that are reported into it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import NotFound
from portal.core.filters import account_filter, arn_filter, exactly, one_of, use_case_filter
from portal.core.serializers import Input, Output, text, word
from portal.core.viewsets import ROW_ID, Revised
from registry.api.attributes import AttributeFilters, AttributesInput, AttributesOutput, Exported, exports
from registry.choices import ObjectKind

from ..choices import MetricKind, RiskRating, Stage, Status
from ..selectors import as_of, resources
from ..selectors.replay import replay
from ..selectors.stage_table import ATTRIBUTES
from ..services import metrics, record_attributes
from .as_of import AS_OF_PARAMETER, Dated, PastStageRecordFilters

COLUMNS = (
    "id",
    *ATTRIBUTES,
    "model_package_arn",
    "artifact_url",
    "hub_artifact_url",
    "account",
    "risk_tier",
    "risk_tier_source",
)


class StageRecordOutput(Output):
    """One row: a version at a stage (and account) for one use case it serves. Absent is null, never zero."""

    id = serializers.IntegerField(help_text="Of the record; a version that serves two use cases shows it twice.")
    use_case_id = serializers.CharField(allow_null=True)
    use_case_name = serializers.CharField(allow_null=True)
    use_case_stage = word(Stage, allow_null=True)
    model_group = serializers.CharField()
    model_version = serializers.IntegerField()
    model_owner = serializers.CharField(allow_null=True)
    model_lob = serializers.CharField(allow_null=True)
    model_project = serializers.CharField(allow_null=True)
    model_stage = word(Stage)
    model_status = word(Status)
    model_risk = word(RiskRating)
    validation_metrics = serializers.JSONField(allow_null=True)
    monitoring_metrics = serializers.JSONField(allow_null=True)
    audit_timestamp = serializers.DateTimeField()
    audit_user = serializers.CharField()
    model_package_arn = serializers.CharField()
    artifact_url = serializers.CharField(allow_null=True, help_text="Where the version says its artifact lies.")
    hub_artifact_url = serializers.CharField(allow_null=True, help_text="Where the hub keeps it.")
    account = serializers.CharField(allow_null=True)
    risk_tier = word(RiskRating)
    risk_tier_source = serializers.CharField()
    attributes = AttributesOutput(ObjectKind.STAGE_RECORD)
    revision = serializers.IntegerField(allow_null=True, help_text="null in a table of the past: it is not edited.")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Show the selector's row as it is: the table, its CSV and its history say the same."""
        row = instance if isinstance(instance, dict) else resources.stage_record_row(instance)
        shown = {name: row[name] for name in (*COLUMNS, "revision") if name in self.fields}
        if "attributes" in self.fields:
            shown["attributes"] = self.fields["attributes"].to_representation(row["attributes"])
        return shown


class RecordEdit(Input):
    """What people note about a record."""

    attributes = AttributesInput()


class ValidationInput(Input):
    """Results of a test."""

    metrics = serializers.JSONField(help_text="An object of names and values; null means not reported.")
    source = text(max_length=500)  # type: ignore[assignment]  # a field of that name, not the field's own source
    captured_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class MonitoringInput(Input):
    """Results of watching what runs."""

    metrics = serializers.JSONField(help_text="An object of names and values; null means not reported.")
    endpoint = text(max_length=2048)
    captured_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class StageRecordFilters(AttributeFilters):
    """Filters of the table."""

    attribute_kind = ObjectKind.STAGE_RECORD
    model_package_arn = arn_filter("version__arn")
    model_group = exactly("version__group__name", "The name of a model group.")
    model_stage = one_of(Stage, "stage")
    model_status = one_of(Status, "status")
    model_risk = one_of(RiskRating, "version__risk_rating")
    model_project = exactly("version__group__project__key", "The key of a project.")
    use_case_id = use_case_filter("row_use_case_number")
    account = account_filter("account__account_id")


class DisagreementOutput(Output):
    """One place where ledger or history and the present differ."""

    about = serializers.CharField(help_text="`record`, `position`, `step` or `history`.")
    what = serializers.CharField()
    words = serializers.CharField()


class ReplayOutput(Output):
    """What replaying the whole ledger found."""

    agrees = serializers.BooleanField(help_text="The ledger replays to the current state, and the history ends in it.")
    entries = serializers.IntegerField()
    records = serializers.IntegerField()
    disagreements = serializers.IntegerField()
    named = DisagreementOutput(many=True, help_text="The first of them.")


class StageRecords(Dated, Exported, Revised):
    """The model stage governance table: fifteen attributes per version, stage, account and use case."""

    noun = "stage record"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = StageRecordOutput
    filterset_class = StageRecordFilters
    search_fields = ("version__group__name", "row_use_case_name")
    ordering_fields = {
        "id": "pk",
        "model_group": "version__group__name",
        "model_version": "version__number",
        "model_stage": "stage",
        "model_status": "status",
        "model_risk": "version__risk_rating",
        "audit_timestamp": "audit_at",
    }
    tie_breaker = ("pk", "row_key")
    attribute_kind = ObjectKind.STAGE_RECORD
    export_columns = COLUMNS
    past = {
        "filterset_class": PastStageRecordFilters,
        "search_fields": ("model_group", "use_case_name"),
        "ordering_fields": {
            "id": "pk",
            "model_group": "model_group",
            "model_version": "model_version",
            "model_stage": "model_stage",
            "model_status": "model_status",
            "model_risk": "model_risk",
            "audit_timestamp": "audit_at",
        },
    }

    def get_queryset(self) -> QuerySet[Any]:
        if self.moment is not None:
            return as_of.stage_table_as_of(self.actor, self.moment)
        return resources.stage_records(self.actor)

    def get_object(self) -> Any:
        """Return the record's row for its first use case: it stands for the record itself."""
        found = self.get_queryset().filter(**self.lookup()).first()
        if found is None:
            raise NotFound("There is no such stage record.")
        return found

    def export_row(self, row: Any) -> dict[str, Any]:
        return resources.stage_record_row(row)

    @extend_schema(parameters=[AS_OF_PARAMETER])
    @exports(StageRecordOutput)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the table, page by page as JSON, or all of what matches as CSV."""
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=ReplayOutput)
    @action(detail=False, methods=["get"], problem_statuses=(403,), query_parameters=(), described_parameters=())
    def replay(self, request: Request) -> Response:
        """Replay the whole ledger and say whether it still leads to where everything stands."""
        return Response(ReplayOutput(replay(self.actor)).data)

    @extend_schema(request=RecordEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Put values over the record's custom attributes; If-Match says on which state."""
        record = self.get_object()
        revision = self.agreed_revision(record)
        values = self.read(RecordEdit).get("attributes", {})
        record_attributes.set_attributes(actor=self.actor, record_id=record.pk, values=values, revision=revision)
        edited = self.get_object()
        return Response(self.get_serializer(edited).data, headers=self.headers_of(edited))

    @extend_schema(request=ValidationInput, responses={201: StageRecordOutput})
    @action(detail=True, methods=["post"], url_path="validation-metrics")
    def validation_metrics(self, request: Request, **kwargs: Any) -> Response:
        """Report validation results; the newest by capture time is the record's attribute."""
        values = self.read(ValidationInput)
        return self._reported(MetricKind.VALIDATION, source=values.pop("source"), **values)

    @extend_schema(request=MonitoringInput, responses={201: StageRecordOutput})
    @action(detail=True, methods=["post"], url_path="monitoring-metrics")
    def monitoring_metrics(self, request: Request, **kwargs: Any) -> Response:
        """Report monitoring results and the endpoint they were captured from."""
        values = self.read(MonitoringInput)
        return self._reported(MetricKind.MONITORING, endpoint=values.pop("endpoint"), **values)

    def _reported(self, kind: MetricKind, **values: Any) -> Response:
        record = metrics.report(actor=self.actor, record_id=int(self.kwargs["id"]), kind=kind, **values)
        row = resources.stage_record(self.actor, record.pk)
        if row is None:  # the report was taken and its reader lost sight of it in the same moment
            raise NotFound("There is no such stage record.")
        return Response(StageRecordOutput(row, context=self.get_serializer_context()).data, status=201)
