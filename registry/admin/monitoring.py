"""Model Monitor, shown: schedules, runs and alerts are what AWS said, and constraints what lay in S3."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from portal.core.admin import RecordAdmin, console

from ..models import MonitoringAlert, MonitoringConstraints, MonitoringExecution, MonitoringSchedule


@admin.register(MonitoringSchedule, site=console)
class MonitoringScheduleAdmin(RecordAdmin):
    list_display = ("name", "account", "region", "monitor_type", "endpoint", "status", "read_at", "missing_since")
    list_filter = ("monitor_type", "status", "account")
    list_select_related = ("account",)
    search_fields = ("name", "endpoint")
    ordering = ("name",)

    def object_links(self, row: MonitoringSchedule) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("registry:monitor", args=[row.pk]))]


@admin.register(MonitoringExecution, site=console)
class MonitoringExecutionAdmin(RecordAdmin):
    list_display = ("schedule", "scheduled_at", "status", "violation_count", "report_problem", "read_at")
    list_filter = ("status", "report_problem")
    list_select_related = ("schedule",)
    search_fields = ("schedule__name", "endpoint")
    ordering = ("-scheduled_at",)


@admin.register(MonitoringAlert, site=console)
class MonitoringAlertAdmin(RecordAdmin):
    list_display = ("name", "schedule", "status", "datapoints", "period", "changed_at", "read_at")
    list_filter = ("status",)
    list_select_related = ("schedule",)
    search_fields = ("name", "schedule__name")
    ordering = ("name",)


@admin.register(MonitoringConstraints, site=console)
class MonitoringConstraintsAdmin(RecordAdmin):
    list_display = ("address", "account", "problem", "read_at")
    list_filter = ("problem", "account")
    list_select_related = ("account",)
    search_fields = ("address",)
    ordering = ("address",)
