"""What belongs to one user: API tokens, which an ML admin can revoke; service accounts and saved views, only shown."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import reverse

from portal.core.actors import Actor
from portal.core.admin import RecordAdmin, ServiceAdmin, audit_trail_of, console

from ..models import ApiToken, SavedView, ServiceAccount, ServiceKeeper, UsualView
from ..services import tokens


class TokenList(ChangeList):
    """A token is known by its key: the primary key is the digest, which stays out of addresses."""

    def url_for_result(self, result: Any) -> str:
        return reverse("admin:registry_apitoken_change", args=[result.token_key])


@admin.register(ApiToken, site=console)
class ApiTokenAdmin(ServiceAdmin):
    """Shown, and revoked when one has leaked or its holder has left; nobody makes a token for somebody else."""

    may_delete: ClassVar[bool] = True
    hidden = ("digest",)
    list_display = ("token_key", "name", "user", "created", "expiry")
    list_filter = ("expiry",)
    list_select_related = ("user",)
    search_fields = ("=token_key", "name", "user__username")
    date_hierarchy = "created"
    ordering = ("-created",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TokenList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return self.get_queryset(request).filter(token_key=object_id.replace("\0", "")).first()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return not lookup.startswith("pk") and super().lookup_allowed(lookup, value, request)

    def object_links(self, row: ApiToken) -> list[tuple[str, str]]:
        return [("Revoke", reverse("admin:registry_apitoken_delete", args=[row.token_key]))]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # The stock link to delete has the primary key in its address.
        return super().render_change_form(request, {**context, "show_delete": False}, *args, **kwargs)

    def audit_trail(self, row: ApiToken) -> str:
        return audit_trail_of(self.opts.db_table, row.token_key)

    def remove(self, actor: Actor, row: Any) -> None:
        tokens.take_back(actor=actor, token_key=row.token_key)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the token with whose it is; what is kept beside it goes with it."""
        listed = [f"{row} of {row.user.username}" for row in objs]
        return listed, {self.opts.verbose_name_plural: len(listed)}, set(), []


@admin.register(ServiceAccount, site=console)
class ServiceAccountAdmin(RecordAdmin):
    """Users that only tokens speak for; they are made, changed and retired on their page in the portal."""

    list_display = ("user", "purpose", "responsible", "made_by", "made_at", "retired_at")
    list_filter = (("retired_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user", "responsible")
    search_fields = ("user__username", "purpose", "responsible__username")
    ordering = ("user__username",)

    def object_links(self, row: ServiceAccount) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("governance:service_account", args=[row.pk]))]


@admin.register(ServiceKeeper, site=console)
class ServiceKeeperAdmin(RecordAdmin):
    """Who answers or answered for a service account, or was shown one of its tokens; written for good."""

    list_display = ("account", "person", "since")
    list_select_related = ("account", "person")
    search_fields = ("account__username", "person__username")
    ordering = ("account__username", "since")


@admin.register(SavedView, site=console)
class SavedViewAdmin(RecordAdmin):
    list_display = ("name", "list_key", "owner", "audience", "project", "changed_at")
    list_filter = ("audience", "project", "list_key")
    list_select_related = ("owner", "project")
    search_fields = ("name", "list_key", "owner__username", "query")
    ordering = ("list_key", "name")

    def object_links(self, row: SavedView) -> list[tuple[str, str]]:
        return [("Page in the portal", reverse("registry:saved_view", args=[row.pk]))]


@admin.register(UsualView, site=console)
class UsualViewAdmin(RecordAdmin):
    list_display = ("person", "list_key", "view")
    list_filter = ("list_key",)
    list_select_related = ("person", "view")
    search_fields = ("person__username", "list_key", "view__name")
    ordering = ("person__username", "list_key")
