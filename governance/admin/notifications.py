"""What people are told, in the console for ML admins: shown and searched, to see why somebody was not told."""

from __future__ import annotations

from django.contrib import admin

from portal.core.admin import RecordAdmin, RecordInline, console

from ..models import Notification, NotificationDelivery, NotificationSettings, Occasion, TokenTerms


class DeliveryInline(RecordInline):
    model = NotificationDelivery
    fields = ("channel", "state", "attempts", "last_error", "ended_at")
    ordering = ("-pk",)


@admin.register(Occasion, site=console)
class OccasionAdmin(RecordAdmin):
    """What happened that people are to be told of; one without a time of telling waits for a worker."""

    list_display = ("happened_at", "kind", "key", "actor_name", "told_at", "attempts", "problem")
    list_filter = ("kind", ("told_at", admin.EmptyFieldListFilter))
    search_fields = ("key", "actor_name", "problem")
    date_hierarchy = "happened_at"
    ordering = ("-pk",)


@admin.register(Notification, site=console)
class NotificationAdmin(RecordAdmin):
    list_display = ("happened_at", "person", "kind", "title", "read_at", "settled_at")
    list_filter = ("kind", ("read_at", admin.EmptyFieldListFilter), "is_quiet")
    list_select_related = ("person",)
    search_fields = ("title", "person__username", "key")
    date_hierarchy = "happened_at"
    ordering = ("-pk",)
    inlines = (DeliveryInline,)


@admin.register(NotificationDelivery, site=console)
class NotificationDeliveryAdmin(RecordAdmin):
    list_display = ("created_at", "person", "channel", "notification", "digest_on", "state", "attempts", "last_error")
    list_filter = ("state", "channel")
    list_select_related = ("person", "notification")
    search_fields = ("person__username", "notification__title", "last_error")
    date_hierarchy = "created_at"
    ordering = ("-pk",)


@admin.register(NotificationSettings, site=console)
class NotificationSettingsAdmin(RecordAdmin):
    """What each person chose for himself. The address of a chat is a secret; its host is shown."""

    hidden = ("chat_url",)
    list_display = ("person", "is_digest_on", "digest_hour", "time_zone", "chat_kind", "chat_host", "chat_problem")
    list_filter = ("is_digest_on", "chat_kind")
    list_select_related = ("person",)
    search_fields = ("person__username", "chat_host", "chat_problem")
    ordering = ("person__username",)


@admin.register(TokenTerms, site=console)
class TokenTermsAdmin(RecordAdmin):
    """What a token is held to, and when it was last used; it is revoked where the tokens are."""

    hidden = ("token",)
    list_display = ("name", "holder", "is_read_only", "project_ids", "rate", "made_by", "last_used_at")
    list_filter = ("is_read_only",)
    list_select_related = ("token__user",)
    search_fields = ("=token__token_key", "token__name", "token__user__username")
    ordering = ("-pk",)

    @admin.display(description="token")
    def name(self, row: TokenTerms) -> str:
        return str(row.token)

    @admin.display(description="person")
    def holder(self, row: TokenTerms) -> str:
        return row.token.user.username
