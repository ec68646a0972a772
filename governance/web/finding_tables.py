"""The list of findings: its columns and its filters; the address carries them, and a download takes the same ones."""

from __future__ import annotations

import re
from datetime import timedelta
from textwrap import shorten
from typing import Any

import django_filters as filters
import django_tables2 as tables
from django import forms
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import badge, person, reltime, status_badge
from portal.core.vocabulary import Stage
from registry.models import User
from registry.web.filters import choice, search

from ..choices import FindingKind, FindingState, Severity
from ..models import Finding
from ..querysets import FindingQuerySet
from ..selectors.figures import OF_FINDING
from ..selectors.findings import about, overdue, owners
from .request_filters import line_of_business, project
from .wording import name_of, url_of

_SOON = timedelta(days=7)
# Of what it says, where a finding is named outside its row.
_NAMED = 80
_SHARE = re.compile(r"SHR-(\d{1,9})")


def subject_link(finding: Finding) -> SafeString:
    """Return what a finding is about, as a link where there is a page."""
    if finding.use_case or finding.version:
        subject = finding.use_case or finding.version
        assert subject is not None
        return format_html('<a href="{}">{}</a>', url_of(subject), name_of(subject))
    if finding.group:
        url = reverse("registry:group", args=[finding.group.pk])
        return format_html('<a href="{}">{}</a>', url, finding.group.name)
    about = format_html("{}", finding.account) if finding.account else absent("the portal")
    declared = _SHARE.fullmatch(str(finding.evidence.get("declared_share", "")))
    if declared is None:
        return about
    url = reverse("governance:share", args=[int(declared[1])])
    return format_html('<a href="{}">{}</a> {}', url, declared[0], about)


class FindingTable(PortalTable):
    label = "Findings"
    kind = tables.Column("Finding", order_by=("kind", "pk"))
    public_id = tables.Column("Id", order_by=("pk",))
    summary = tables.Column("In words", orderable=False)
    severity = tables.Column("Severity", order_by=("gravity", "pk"))
    subject = tables.Column("About", orderable=False, empty_values=())
    state = tables.Column("State", order_by=("state", "pk"))
    owner = tables.Column("Owner", order_by=("owner__display_name", "pk"), empty_values=())
    due_on = tables.Column("Due", order_by=("due_on", "pk"), empty_values=())
    last_seen_at = tables.Column("Last seen", order_by=("last_seen_at", "pk"))
    first_seen_at = tables.Column("First seen", order_by=("first_seen_at", "pk"))
    optional = ("public_id", "summary", "first_seen_at")

    def stamp_of(self, record: Finding) -> str:
        return f"{record.state}-{record.owner_id}-{record.due_on}"

    def name_of(self, record: Finding) -> str:
        return f"{record.public_id} {shorten(record.summary, _NAMED, placeholder=' …')}"

    def value_kind(self, record: Finding) -> str:
        return record.kind

    def value_subject(self, record: Finding) -> str | None:
        return about(record)[1]

    def render_kind(self, record: Finding) -> SafeString:
        return name_cell(
            FindingKind(record.kind).label,
            reverse("governance:finding", args=[record.pk]),
            f"{record.public_id} · {record.summary}",
        )

    def render_severity(self, record: Finding) -> SafeString:
        return status_badge(record.severity, "severity")

    def render_subject(self, record: Finding) -> SafeString:
        return subject_link(record)

    def render_state(self, record: Finding) -> SafeString:
        until = f"until {record.accepted_until}" if record.accepted_until else ""
        return two(status_badge(record.state, "finding"), until)

    def render_owner(self, record: Finding) -> SafeString:
        return person(record.owner) if record.owner else absent("nobody")

    def render_due_on(self, record: Finding) -> SafeString:
        if not record.is_standing or record.due_on is None:
            return absent("no date" if record.is_standing else "not due")
        due = reltime(record.due_on)
        return two(due, badge("Overdue", "bad", "calendar-due")) if record.is_overdue else due

    def render_last_seen_at(self, record: Finding) -> SafeString:
        return reltime(record.last_seen_at)


def _owners(request: Any) -> QuerySet[User]:
    return owners(request.user.actor)


class FindingFilter(filters.FilterSet):
    q = search("Words, FND-000001")
    state = filters.ChoiceFilter(
        method="by_state",
        label="State",
        empty_label="Any state",
        choices=[("standing", "Open or acknowledged"), *FindingState.choices()],
    )
    severity = choice(Severity, "Severity", "severity", "Any severity")
    kind = choice(FindingKind, "Kind", "kind", "Any kind")
    owner = filters.ModelChoiceFilter(
        queryset=_owners, to_field_name="username", label="Owner", empty_label="Any owner", null_label="Nobody"
    )
    due = filters.ChoiceFilter(
        method="by_due",
        label="Due",
        empty_label="Any time",
        choices=[("overdue", "Overdue"), ("soon", "Within seven days")],
    )
    stage = choice(Stage, "Stage", "stage", "Any stage")
    project = project(*OF_FINDING)
    line_of_business = line_of_business(*OF_FINDING)
    # Links from the pages of what they are about.
    use_case = filters.CharFilter(method="by_number", field_name="use_case__number", widget=forms.HiddenInput)
    group = filters.CharFilter(method="by_number", field_name="group__pk", widget=forms.HiddenInput)
    version = filters.CharFilter(method="by_number", field_name="version__pk", widget=forms.HiddenInput)
    # About an account, or about where a version's package lies, which concerns it everywhere.
    touches = filters.CharFilter(method="by_account", widget=forms.HiddenInput)

    class Meta:
        model = Finding
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(summary__icontains=value)
        digits = value.upper().removeprefix("FND-")
        if digits.isdecimal() and len(digits) < 19:
            condition |= Q(pk=int(digits))
        return rows.filter(condition)

    def by_number(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        digits = value.strip()
        return rows.filter(**{name: int(digits)}) if digits.isdecimal() and len(digits) < 19 else rows.none()

    def by_account(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(account__account_id=value) | Q(account=F("version__group__account")))

    def by_state(self, rows: FindingQuerySet, name: str, value: str) -> QuerySet[Any]:
        return rows.standing() if value == "standing" else rows.filter(state=value)

    def by_due(self, rows: FindingQuerySet, name: str, value: str) -> QuerySet[Any]:
        if value == "overdue":
            return overdue(rows)
        return rows.standing().filter(due_on__lte=timezone.localdate() + _SOON)
