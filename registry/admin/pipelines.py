"""The pipeline runs that versions come from: shown, as AWS said it."""

from __future__ import annotations

from django.contrib import admin

from portal.core.admin import RecordAdmin, RecordInline, console

from ..models import PipelineExecution, PipelineRegistration, PipelineStep


class StepInline(RecordInline):
    model = PipelineStep
    fields = ("position", "name", "kind", "status", "outcome", "failure_reason")
    ordering = ("position",)


@admin.register(PipelineExecution, site=console)
class PipelineExecutionAdmin(RecordAdmin):
    list_display = ("pipeline", "display_name", "account", "region", "status", "begun_at", "read_at", "missing_since")
    list_filter = ("status", "account")
    list_select_related = ("account",)
    search_fields = ("arn", "pipeline", "display_name")
    ordering = ("-pk",)
    inlines = (StepInline,)


@admin.register(PipelineStep, site=console)
class PipelineStepAdmin(RecordAdmin):
    list_display = ("name", "kind", "status", "outcome", "execution", "report_problem")
    list_filter = ("kind", "status")
    list_select_related = ("execution",)
    search_fields = ("name", "execution__pipeline")
    ordering = ("-pk",)


@admin.register(PipelineRegistration, site=console)
class PipelineRegistrationAdmin(RecordAdmin):
    list_display = ("execution", "version", "source", "found_at")
    list_filter = ("source",)
    list_select_related = ("execution", "version__group")
    search_fields = ("execution__pipeline", "version__group__name")
    ordering = ("-pk",)
