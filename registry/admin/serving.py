"""What serves in the accounts, what CloudWatch counts of it, and the roles of people there: shown, as AWS said it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from portal.core.admin import RecordAdmin, RecordInline, console

from ..models import AccountRole, Endpoint, EndpointSeries, EndpointVariant


class VariantInline(RecordInline):
    model = EndpointVariant
    fields = ("name", "is_shadow", "inference_component", "weight", "model_name", "version", "missing_since")
    ordering = ("name", "pk")


@admin.register(Endpoint, site=console)
class EndpointAdmin(RecordAdmin):
    list_display = ("name", "account", "region", "status", "aws_modified_at", "read_at", "missing_since")
    list_filter = ("status", "account")
    list_select_related = ("account",)
    search_fields = ("name", "arn")
    ordering = ("-pk",)
    inlines = (VariantInline,)

    def object_links(self, row: Endpoint) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:endpoint", args=[row.pk]))]


@admin.register(EndpointVariant, site=console)
class EndpointVariantAdmin(RecordAdmin):
    list_display = ("name", "endpoint", "is_shadow", "weight", "model_name", "version", "network_isolation")
    list_filter = ("is_shadow", "network_isolation")
    list_select_related = ("endpoint", "version__group")
    search_fields = ("name", "model_name", "package_arn", "endpoint__name")
    ordering = ("-pk",)


@admin.register(EndpointSeries, site=console)
class EndpointSeriesAdmin(RecordAdmin):
    list_display = ("endpoint", "variant", "schedule", "metric", "statistic", "account", "region", "read_at")
    list_filter = ("namespace", "account")
    list_select_related = ("account",)
    search_fields = ("endpoint", "variant", "metric")
    ordering = ("-pk",)


@admin.register(AccountRole, site=console)
class AccountRoleAdmin(RecordAdmin):
    list_display = ("name", "account", "persona", "problem", "read_at", "missing_since")
    list_filter = ("persona", "account")
    list_select_related = ("account",)
    search_fields = ("name", "arn")
    ordering = ("-pk",)
