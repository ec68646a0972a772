"""Tracking servers and runs, shown: servers are set on their page in the portal, runs are what servers said."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from portal.core.admin import RecordAdmin, RecordInline, console

from ..models import RunReading, TrackingServer, TrackingServerProject, VersionRun


class TrackingServerProjectInline(RecordInline):
    model = TrackingServerProject
    fields = ("project",)
    ordering = ("project",)


@admin.register(TrackingServer, site=console)
class TrackingServerAdmin(RecordAdmin):
    """Where runs are read from; servers are set, tried and removed on their page in the portal."""

    hidden = ("secret",)
    list_display = ("name", "url", "login", "is_enabled", "checked_at", "check_error")
    list_filter = ("login", "is_enabled")
    search_fields = ("name", "url")
    ordering = ("name",)
    inlines = (TrackingServerProjectInline,)

    def object_links(self, row: TrackingServer) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("registry:tracking_server", args=[row.pk]))]


@admin.register(TrackingServerProject, site=console)
class TrackingServerProjectAdmin(RecordAdmin):
    list_display = ("server", "project")
    list_select_related = ("server", "project")
    search_fields = ("server__name", "project__key")
    ordering = ("server__name", "project__key")


@admin.register(VersionRun, site=console)
class VersionRunAdmin(RecordAdmin):
    list_display = ("run_id", "version", "server", "attached_by", "attached_at", "detached_at", "read_at", "last_error")
    list_filter = ("server", "is_settled")
    list_select_related = ("version__group", "server", "attached_by")
    search_fields = ("run_id", "version__group__name")
    ordering = ("-pk",)


@admin.register(RunReading, site=console)
class RunReadingAdmin(RecordAdmin):
    list_display = ("run", "read_at", "name", "experiment_name", "status", "lifecycle_stage", "read_by")
    list_filter = ("status", "lifecycle_stage")
    list_select_related = ("run__server",)
    search_fields = ("run__run_id", "name", "experiment_name")
    ordering = ("-pk",)
