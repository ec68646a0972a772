"""The lists of notifications and of API tokens."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import django_filters as filters
import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.core.actors import Actor
from portal.core.tables import PortalTable, absent, two
from portal.core.templatetags.portal_ui import badge, icon, reltime
from portal.core.vocabulary import NotificationKind
from registry.models import ApiToken
from registry.selectors.resources import projects
from registry.web.filters import search

from ..models import Notification
from ..selectors import notifications
from ..selectors.notifications import CONCEALED
from ..selectors.told_choices import GROUPS, KINDS

ICONS: dict[NotificationKind, tuple[str, str]] = {
    NotificationKind.REQUEST_WAITS: ("inbox", "wait"),
    NotificationKind.REQUEST_DUE_SOON: ("clock", "warn"),
    NotificationKind.REQUEST_OVERDUE: ("calendar-due", "bad"),
    NotificationKind.REQUEST_ESCALATED: ("alert-triangle", "bad"),
    NotificationKind.REQUEST_PROGRESS: ("check", "busy"),
    NotificationKind.REQUEST_APPROVED: ("circle-check", "good"),
    NotificationKind.REQUEST_SENT_BACK: ("circle-x", "bad"),
    NotificationKind.REQUEST_LAPSED: ("clock-off", "mute"),
    NotificationKind.FINDING_OPENED: ("flag", "warn"),
    NotificationKind.FINDING_ASSIGNED: ("user-check", "live"),
    NotificationKind.FINDING_DUE: ("calendar-due", "warn"),
    NotificationKind.REVIEW_DUE: ("calendar", "warn"),
    NotificationKind.BREAK_GLASS: ("hand-stop", "bad"),
    NotificationKind.SHARE_DRIFT: ("share-3", "warn"),
    NotificationKind.DEPLOYMENT_FAILED: ("alert-octagon", "bad"),
    NotificationKind.DEPLOYMENT_DONE: ("rocket", "live"),
    NotificationKind.WRITE_BACK_GIVEN_UP: ("cloud-off", "bad"),
    NotificationKind.SYNC_FAILING: ("refresh-alert", "bad"),
    NotificationKind.DELEGATION_BEGINS: ("users", "live"),
    NotificationKind.DELEGATION_ENDS: ("users", "mute"),
    NotificationKind.PACK_READY: ("file-zip", "good"),
    NotificationKind.WEBHOOK_DISABLED: ("cloud-off", "bad"),
}


def mark(row: Notification) -> SafeString:
    """Return the picture of a notification's kind."""
    name, tone = ICONS[NotificationKind(row.kind)]
    return format_html('<span class="note-mark tone-{}">{}</span>', tone, icon(name))


class NotificationTable(PortalTable):
    label = "Notifications"
    css_class = "table table-vcenter table-stack note-table"
    concealed: frozenset[int] = frozenset()
    title = tables.Column("What", order_by=("title", "pk"))
    kind = tables.Column("Kind", order_by=("kind", "pk"))
    happened_at = tables.Column("When", order_by=("happened_at", "pk"))
    act = tables.TemplateColumn(
        template_name="governance/notification_actions.html",
        verbose_name="Change",
        orderable=False,
        exclude_from_export=True,
    )

    def render_title(self, record: Notification) -> SafeString:
        if record.pk in self.concealed:
            return format_html('<span class="note">{}{}</span>', mark(record), absent(CONCEALED))
        new = badge("New", "live") if record.read_at is None and not record.is_quiet else ""
        return format_html(
            '<span class="note{}">{}<span class="note-words"><a href="{}" data-notification="{}" data-queue-item>{}</a>'
            ' {}<span class="kv-hint">{}</span></span></span>',
            " is-new" if new else "",
            mark(record),
            record.path,
            reverse("governance:notification_read", args=[record.pk]),
            record.title,
            new,
            record.text,
        )

    def value_title(self, record: Notification) -> str:
        if record.pk in self.concealed:
            return CONCEALED
        return f"{record.title}: {record.text}" if record.text else record.title

    def render_kind(self, record: Notification) -> SafeString:
        words = format_html("{}", KINDS[NotificationKind(record.kind)].label)
        return two(words, badge("Over", "mute", "check")) if record.settled_at else words

    def render_happened_at(self, record: Notification) -> SafeString:
        return reltime(record.happened_at)


class NotificationFilter(filters.FilterSet):
    prominent = ("state",)
    q = search("Words")
    state = filters.ChoiceFilter(
        method="by_state",
        label="Read",
        empty_label="Read and unread",
        choices=[("unread", "Unread"), ("read", "Read")],
    )
    kind = filters.ChoiceFilter(
        label="Kind",
        empty_label="Any kind",
        choices=[(name, [(kind.kind.value, kind.label) for kind in kinds]) for name, kinds in GROUPS],
    )

    class Meta:
        model = Notification
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        # What is concealed is not found by its words either.
        found = rows.filter(Q(title__icontains=value) | Q(text__icontains=value))
        return notifications.still_seen(self.request.user.actor, found)

    def by_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(read_at=None, is_quiet=False) if value == "unread" else rows.exclude(read_at=None)


def names_of_projects(actor: Actor) -> Mapping[int, str]:
    """Return the names of the projects an actor sees, by their ids; read when a token that is held to some is shown."""
    return cast("Mapping[int, str]", SimpleLazyObject(lambda: dict(projects(actor).values_list("pk", "name"))))


class TokenTable(PortalTable):
    label = "API tokens"
    whose = "Whatever you may"
    # Names by id, of the projects that whoever looks may know of.
    project_names: Mapping[int, str] = MappingProxyType({})
    name = tables.Column("Name", order_by=("name", "token_key"), empty_values=())
    may = tables.Column("It may", accessor="token_key", orderable=False)
    created = tables.Column("Made", order_by=("created", "token_key"))
    expiry = tables.Column("Holds until", order_by=("expiry", "token_key"), empty_values=())
    last_used_at = tables.Column("Last used", accessor="token_key", orderable=False)
    act = tables.TemplateColumn(
        template_name="governance/token_actions.html",
        verbose_name="Revoke",
        orderable=False,
        exclude_from_export=True,
    )

    def render_name(self, record: ApiToken) -> SafeString:
        name = record.name or absent("signed in to the API")
        return format_html('{}<span class="kv-hint">begins with <code>{}</code></span>', name, record.token_key)

    def render_may(self, record: ApiToken) -> SafeString:
        terms = getattr(record, "terms", None)
        reads = terms is not None and terms.is_read_only
        shown = badge("Only read", "mute", "eye") if reads else badge(self.whose, "warn", "edit")
        hints = []
        if terms is not None and terms.project_ids is not None:
            names = sorted(self.project_names[pk] for pk in terms.project_ids if pk in self.project_names)
            if hidden := len(terms.project_ids) - len(names):
                names.append(f"{hidden} you do not see")
            hints.append(f"Only on {', '.join(names)}")
        if terms is not None and terms.rate is not None:
            hints.append(f"{terms.rate:,} requests a minute")
        return format_html(
            "{}{}", shown, format_html_join("", '<span class="kv-hint">{}</span>', ((h,) for h in hints))
        )

    def render_created(self, record: ApiToken) -> SafeString:
        return reltime(record.created)

    def render_expiry(self, record: ApiToken) -> SafeString:
        if record.expiry is None:
            return absent("no end")
        if record.expiry <= timezone.now():
            return two(reltime(record.expiry), badge("Expired", "mute", "clock-off"))
        return reltime(record.expiry)

    def render_last_used_at(self, record: ApiToken) -> SafeString:
        terms = getattr(record, "terms", None)
        return reltime(terms.last_used_at, "never") if terms is not None else absent()
