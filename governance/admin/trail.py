"""The audit trail and what is taken from it, in the console for ML admins: read and searched, never written."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from portal.core.admin import Given, RecordAdmin, RecordInline, audit_trail_of, console

from ..models import AuditAnchor, AuditCheck, AuditEvent, AuditPack, AuditPackDownload


class ActionFilter(admin.SimpleListFilter):
    """What the trigger writes, by name: the trail itself is too long to ask."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("insert", "insert"), ("update", "update"), ("delete", "delete")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class TableFilter(admin.SimpleListFilter):
    """The governed tables by name, read from the models for the same reason."""

    title = "table"
    parameter_name = "table"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        labels = {"registry", "governance", "auth"}
        found = {
            model._meta.db_table: str(model._meta.verbose_name_plural)
            for model in apps.get_models(include_auto_created=True)
            if model._meta.app_label in labels and model is not AuditEvent
        }
        return sorted(found.items(), key=lambda pair: pair[1].lower())

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(table=self.value()) if self.value() else queryset


class AttributedFilter(admin.SimpleListFilter):
    """Changes made outside any service name nobody."""

    title = "attribution"
    parameter_name = "attributed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Made by nobody named"), ("people", "Made by people"), ("system", "Made by the portal itself")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        prefixes = {"people": "user:", "system": "system:"}
        if self.value() == "no":
            return queryset.filter(actor=None)
        prefix = prefixes.get(self.value() or "")
        return queryset.filter(actor__startswith=prefix) if prefix else queryset


class ChainFilter(Given):
    title = "object"
    parameter_name = "chain"


class CorrelationFilter(Given):
    title = "operation"
    parameter_name = "correlation"


class ActorFilter(Given):
    title = "actor"
    parameter_name = "actor"


@admin.register(AuditEvent, site=console)
class AuditEventAdmin(RecordAdmin):
    """The trail; object, operation and actor of each entry lead to the other entries about the same."""

    list_display = ("sequence", "at", "by", "action", "about", "reason", "together")
    list_filter = (ActionFilter, TableFilter, AttributedFilter, ChainFilter, CorrelationFilter, ActorFilter)
    search_fields = ("=chain", "^actor", "reason", "=correlation")
    date_hierarchy = "at"
    ordering = ("-sequence",)

    @admin.display(description="actor", ordering="actor")
    def by(self, row: AuditEvent) -> str:
        return _filtered("actor", row.actor, row.actor) if row.actor else "nobody named"

    @admin.display(description="object", ordering="chain")
    def about(self, row: AuditEvent) -> str:
        return format_html('<a href="{}">{}</a>', audit_trail_of(row.table, row.object_id), row.chain)

    @admin.display(description="operation")
    def together(self, row: AuditEvent) -> str:
        return _filtered("correlation", row.correlation, row.correlation[:8]) if row.correlation else ""

    def audit_trail(self, row: AuditEvent) -> str:
        return audit_trail_of(row.table, row.object_id)


@admin.register(AuditAnchor, site=console)
class AuditAnchorAdmin(RecordAdmin):
    list_display = ("number", "first_sequence", "last_sequence", "rows", "total_rows", "signed_at")
    search_fields = ("=number", "=digest", "=file_sha256")
    date_hierarchy = "signed_at"
    ordering = ("-number",)

    def object_links(self, row: AuditAnchor) -> list[tuple[str, str]]:
        return [("Signed file", reverse("governance:audit_anchor_file", args=[row.number]))]


@admin.register(AuditCheck, site=console)
class AuditCheckAdmin(RecordAdmin):
    list_display = ("pk", "scope", "state", "requested_by", "requested_at", "rows", "verified_to", "anchor", "problem")
    list_filter = ("state", "scope")
    list_select_related = ("requested_by",)
    search_fields = ("=pk", "problem")
    date_hierarchy = "requested_at"
    ordering = ("-pk",)

    def object_links(self, row: AuditCheck) -> list[tuple[str, str]]:
        return [("Checks of the audit trail", reverse("governance:audit_checks"))]


class AuditPackDownloadInline(RecordInline):
    model = AuditPackDownload
    fields = ("person", "person_name", "at")
    ordering = ("-pk",)


@admin.register(AuditPack, site=console)
class AuditPackAdmin(RecordAdmin):
    list_display = ("public_id", "scope", "use_case", "starts_on", "ends_on", "state", "is_sound", "requested_by")
    list_filter = ("state", "scope", "is_sound")
    list_select_related = ("requested_by", "use_case")
    search_fields = ("=pk", "=sha256", "use_case__name", "requested_by__username")
    date_hierarchy = "requested_at"
    ordering = ("-pk",)
    inlines = (AuditPackDownloadInline,)

    def object_links(self, row: AuditPack) -> list[tuple[str, str]]:
        return [("Page of the pack", reverse("governance:pack", args=[row.pk]))]


@admin.register(AuditPackDownload, site=console)
class AuditPackDownloadAdmin(RecordAdmin):
    list_display = ("pack", "person", "at")
    list_select_related = ("pack", "person")
    search_fields = ("=pack__pk", "person_name")
    date_hierarchy = "at"
    ordering = ("-pk",)


def _filtered(name: str, value: str, label: str) -> str:
    address = f"{reverse('admin:governance_auditevent_changelist')}?{urlencode({name: value})}"
    return format_html('<a href="{}">{}</a>', address, label)
