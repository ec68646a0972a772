"""Model cards, shown: they are what AWS said, and are written through the portal's pages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from portal.core.admin import RecordAdmin, console

from ..models import ModelCard, ModelCardEdit, ModelCardExport, ModelCardVersion


@admin.register(ModelCard, site=console)
class ModelCardAdmin(RecordAdmin):
    list_display = ("name", "account", "region", "number", "status", "risk_rating", "group", "missing_since", "read_at")
    list_filter = ("status", "risk_rating", "account")
    list_select_related = ("account", "group")
    search_fields = ("name", "owner_name", "group__name")
    ordering = ("name", "pk")

    def object_links(self, row: ModelCard) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:model_card", args=[row.pk]))]


@admin.register(ModelCardVersion, site=console)
class ModelCardVersionAdmin(RecordAdmin):
    list_display = ("card", "number", "status", "written_by", "aws_created_at", "read_at")
    list_filter = ("status",)
    list_select_related = ("card", "written_by")
    search_fields = ("card__name",)
    ordering = ("-pk",)


@admin.register(ModelCardEdit, site=console)
class ModelCardEditAdmin(RecordAdmin):
    list_display = ("name", "account", "region", "status", "state", "requested_by", "requested_at", "finished_at")
    list_filter = ("state", "status")
    list_select_related = ("account", "requested_by")
    search_fields = ("name",)
    ordering = ("-pk",)


@admin.register(ModelCardExport, site=console)
class ModelCardExportAdmin(RecordAdmin):
    list_display = ("card", "number", "state", "requested_by", "requested_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("card", "requested_by")
    search_fields = ("card__name",)
    ordering = ("-pk",)
