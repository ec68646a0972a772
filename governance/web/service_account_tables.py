"""Service accounts, and the tokens of one, as lists."""

from __future__ import annotations

from typing import Any

import django_filters as filters
import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import badge, person_name, reltime
from registry.access import ROLE_PREFIX
from registry.models import ServiceAccount
from registry.web.filters import search

from ..choices import Role
from .notification_tables import TokenTable

_STATES = [("used", "In use"), ("off", "Switched off"), ("retired", "Retired"), ("orphan", "Nobody answers for it")]


def roles_in_words(account: ServiceAccount) -> str:
    """Name the roles of an account with where they reach, from what the list has read."""
    user: Any = account.user
    found = [(one.codename, "everywhere") for one in user.user_permissions.all()]
    found += [(row.permission.codename, row.content_object.name) for row in user.projectuserobjectpermission_set.all()]
    return ", ".join(f"{Role(name.removeprefix(ROLE_PREFIX)).label} ({where})" for name, where in found)


def standing(account: ServiceAccount) -> SafeString:
    """Return how an account stands, as a badge."""
    if account.retired_at is not None:
        return badge("Retired", "mute", "archive")
    if not account.user.is_active:
        return badge("Switched off", "warn", "player-pause")
    return badge("In use", "good", "circle-check")


class ServiceAccountTable(PortalTable):
    label = "Service accounts"
    name = tables.Column("Name", accessor="user__username", order_by=("user__username", "pk"))
    standing = tables.Column("Standing", accessor="pk", orderable=False)
    roles = tables.Column("Roles", accessor="pk", orderable=False)
    responsible = tables.Column("Who answers", order_by=("responsible__display_name", "responsible__username", "pk"))
    tokens = tables.Column("Tokens", accessor="token_count", orderable=False, empty_values=())
    made_at = tables.Column("Made", order_by=("made_at", "pk"))

    def render_name(self, record: ServiceAccount) -> SafeString:
        url = reverse("governance:service_account", args=[record.pk])
        return name_cell(record.user.username, url, record.purpose[:120])

    def render_standing(self, record: ServiceAccount) -> SafeString:
        return standing(record)

    def render_roles(self, record: ServiceAccount) -> str | SafeString:
        return roles_in_words(record) or absent("none")

    def render_responsible(self, record: ServiceAccount) -> SafeString:
        name = person_name(record.responsible)
        if record.responsible.is_active or record.retired_at is not None:
            return format_html("{}", name)
        return two(name, badge("Has left", "bad", "alert-octagon"))

    def render_tokens(self, record: ServiceAccount) -> str | SafeString:
        count = getattr(record, "token_count", None)
        return str(count) if count else absent("none")

    def render_made_at(self, record: ServiceAccount) -> SafeString:
        return format_html('{}<span class="kv-hint">by {}</span>', reltime(record.made_at), record.made_by)


class AccountTokenTable(TokenTable):
    """The tokens of one service account, with who made each."""

    label = "Tokens of the service account"
    whose = "Whatever its roles allow"
    account_id = 0
    may_edit = False
    made_by = tables.Column("Made by", accessor="terms__made_by", orderable=False)
    act = tables.TemplateColumn(
        template_name="governance/service_account_token_actions.html",
        verbose_name="Revoke",
        orderable=False,
        exclude_from_export=True,
    )

    class Meta(TokenTable.Meta):
        sequence = ("name", "may", "made_by", "created", "expiry", "last_used_at", "act")


class ServiceAccountFilter(filters.FilterSet):
    q = search("Name, purpose, who answers")
    standing = filters.ChoiceFilter(method="by_standing", label="Standing", empty_label="Any", choices=_STATES)

    class Meta:
        model = ServiceAccount
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(user__username__icontains=value) | Q(purpose__icontains=value)
        for part in ("username", "display_name"):
            condition |= Q(**{f"responsible__{part}__icontains": value})
        return rows.filter(condition)

    def by_standing(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value == "retired":
            return rows.exclude(retired_at=None)
        if value == "orphan":
            return rows.filter(retired_at=None, responsible__is_active=False)
        return rows.filter(retired_at=None, user__is_active=value == "used")
