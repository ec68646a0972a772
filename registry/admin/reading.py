"""What was read of a version's reports and of its lineage: shown, as it was read."""

from __future__ import annotations

from django.contrib import admin

from portal.core.admin import RecordAdmin, console

from ..models import VersionLineage, VersionReport


@admin.register(VersionReport, site=console)
class VersionReportAdmin(RecordAdmin):
    list_display = ("version", "kind", "address", "problem", "read_at", "replaced_at")
    list_filter = ("kind", "problem")
    list_select_related = ("version__group",)
    search_fields = ("address", "version__group__name")
    ordering = ("-pk",)


@admin.register(VersionLineage, site=console)
class VersionLineageAdmin(RecordAdmin):
    list_display = ("version", "vertex_count", "is_cut", "problem", "read_at", "missing_since")
    list_filter = ("is_cut",)
    list_select_related = ("version__group",)
    search_fields = ("version__group__name",)
    ordering = ("-pk",)
