"""Registry events kept aside, and how the queues are doing: shown, never written from here."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse

from portal.core.admin import RecordAdmin, console

from ..models import EventQueueHealth, ParkedEvent


@admin.register(ParkedEvent, site=console)
class ParkedEventAdmin(RecordAdmin):
    list_display = ("message_id", "account", "problem", "state", "attempts", "first_seen_at", "last_seen_at")
    list_filter = ("state", "problem", "account")
    list_select_related = ("account",)
    search_fields = ("message_id", "model_package_arn", "error")
    date_hierarchy = "first_seen_at"
    ordering = ("-last_seen_at",)

    def object_links(self, row: ParkedEvent) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:parked_event", args=[row.pk]))]


@admin.register(EventQueueHealth, site=console)
class EventQueueHealthAdmin(RecordAdmin):
    list_display = (
        "account",
        "reader",
        "heartbeat_at",
        "waiting",
        "dead_letters",
        "last_handled_at",
        "lag_ms",
        "failures",
    )
    list_select_related = ("account",)
    search_fields = ("account__account_id", "account__alias", "reader", "error")
    ordering = ("account",)
