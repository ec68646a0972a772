"""Model Monitor's schedules with what they found. Everything here was read from AWS; nothing is changed there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.core.filters import Filters, account_filter, exactly, one_of
from portal.core.orderings import moment_or_never
from portal.core.serializers import Output
from portal.core.viewsets import ROW_ID, Detailed, Listed

from ..choices import MonitorType
from ..models import MonitoringSchedule
from ..selectors import monitoring


class MonitorOutput(Output):
    """One monitoring schedule, in AWS's words; `last_count` is null where violations are not known, never 0."""

    id = serializers.IntegerField(source="pk")
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    name = serializers.CharField()
    arn = serializers.CharField()
    monitor_type = serializers.CharField()
    endpoint = serializers.CharField()
    status = serializers.CharField()
    failure_reason = serializers.CharField()
    expression = serializers.CharField()
    constraints_url = serializers.CharField()
    statistics_url = serializers.CharField()
    last_status = serializers.CharField(allow_null=True)
    last_count = serializers.IntegerField(allow_null=True)
    last_at = serializers.DateTimeField(allow_null=True)
    alerts_raised = serializers.IntegerField()
    trouble = serializers.SerializerMethodField(
        help_text='Why it does not do its work, such as a newest run that failed or never came; "" while it does.'
    )
    read_at = serializers.DateTimeField()
    missing_since = serializers.DateTimeField(allow_null=True)

    def get_trouble(self, schedule: MonitoringSchedule) -> str:
        return monitoring.trouble_of(schedule)


class ViolationOutput(Output):
    """One constraint that does not hold: of which column or metric, found by which check, in AWS's words."""

    subject = serializers.CharField()
    check = serializers.CharField()
    description = serializers.CharField()


class MonitorRunOutput(Output):
    """One run of a schedule. `report_problem` says why its report could not be read."""

    scheduled_at = serializers.DateTimeField()
    status = serializers.CharField()
    failure_reason = serializers.CharField()
    processing_job_arn = serializers.CharField()
    output_url = serializers.CharField()
    violation_count = serializers.IntegerField(allow_null=True)
    violations = ViolationOutput(many=True)
    metrics = serializers.DictField(child=serializers.FloatField(allow_null=True), allow_null=True)
    report_problem = serializers.CharField()
    report_sentence = serializers.CharField()
    read_at = serializers.DateTimeField()


class AlertChangeOutput(Output):
    """When an alert changed, and to what."""

    at = serializers.DateTimeField()
    status = serializers.CharField()


class MonitorAlertOutput(Output):
    """One alert: InAlert when `datapoints` of the last `period` runs found violations."""

    name = serializers.CharField()
    status = serializers.CharField()
    datapoints = serializers.IntegerField(allow_null=True)
    period = serializers.IntegerField(allow_null=True)
    changed_at = serializers.DateTimeField(allow_null=True)
    history = AlertChangeOutput(many=True)
    read_at = serializers.DateTimeField()
    missing_since = serializers.DateTimeField(allow_null=True)


class LimitOutput(Output):
    """One limit that is not as approved; null where a file does not have it."""

    name = serializers.CharField()
    approved = serializers.JSONField(allow_null=True)
    now = serializers.JSONField(allow_null=True)


class ComparisonOutput(Output):
    """A schedule's constraints beside those one version was approved with; `is_known` when both could be read."""

    version = serializers.IntegerField(source="version.pk")
    version_name = serializers.CharField(source="version.name")
    address = serializers.CharField()
    is_known = serializers.BooleanField()
    differences = LimitOutput(many=True)


class MonitorDetail(MonitorOutput):
    """One schedule with its newest runs, alerts, and its constraints beside the approved ones."""

    runs = serializers.SerializerMethodField()
    alerts = serializers.SerializerMethodField()
    comparisons = serializers.SerializerMethodField()

    @extend_schema_field(MonitorRunOutput(many=True))
    def get_runs(self, schedule: MonitoringSchedule) -> Any:
        return MonitorRunOutput(monitoring.runs_of(schedule), many=True).data

    @extend_schema_field(MonitorAlertOutput(many=True))
    def get_alerts(self, schedule: MonitoringSchedule) -> Any:
        return MonitorAlertOutput(monitoring.alerts_of(schedule), many=True).data

    @extend_schema_field(ComparisonOutput(many=True))
    def get_comparisons(self, schedule: MonitoringSchedule) -> Any:
        return ComparisonOutput(monitoring.compared(self.context["request"].user.actor, schedule), many=True).data


class MonitorFilters(Filters):
    """Filters of the list."""

    account = account_filter("account__account_id")
    region = exactly("region", "A region of AWS.")
    endpoint = exactly("endpoint", "The name of an endpoint.")
    type = one_of(MonitorType, "monitor_type")
    status = exactly("status", "How the schedule stands, in AWS's words: Scheduled, Stopped, Failed, Pending.")


class Monitors(Listed, Detailed):
    """Monitoring schedules of the accounts and endpoints one sees, as AWS told of them."""

    noun = "monitoring schedule"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = MonitorDetail
    list_serializer_class = MonitorOutput
    filterset_class = MonitorFilters
    search_fields = ("name", "endpoint", "account__alias")
    ordering_fields = {
        "id": "pk",
        "name": "name",
        "endpoint": "endpoint",
        "account": "account__account_id",
        "status": "status",
        "read_at": "read_at",
        "last_at": moment_or_never("last_at"),
    }
    ordering = ("name",)

    def get_queryset(self) -> QuerySet[MonitoringSchedule]:
        return monitoring.schedules(self.actor)
