"""The list of evidence: its columns and its filters."""

from __future__ import annotations

from typing import Any

import django_filters as filters
import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, name_cell
from portal.core.templatetags.portal_ui import badge, plain, reltime
from registry.web.filters import choice, search

from ..choices import EvidenceKind
from ..models import Evidence
from ..selectors.evidence import that_count
from .wording import name_of, url_of


def standing_badge(row: Evidence) -> SafeString:
    """Return whether a piece of evidence counts, and why not."""
    if row.withdrawn_at is not None:
        return badge("Withdrawn", "bad", "circle-x")
    if row.superseded_at is not None:
        return badge("Superseded", "mute", "replace")
    return badge("Counts", "good", "circle-check")


class EvidenceTable(PortalTable):
    label = "Evidence"
    title = tables.Column("Evidence", order_by=("title", "pk"))
    kind = tables.Column("Kind", order_by=("kind", "pk"))
    subject = tables.Column("About", accessor="pk", orderable=False)
    standing = tables.Column("Standing", accessor="pk", orderable=False)
    size = tables.Column("Size", order_by=("size", "pk"))
    added_at = tables.Column("Added", order_by=("added_at", "pk"))

    def render_title(self, record: Evidence) -> SafeString:
        note = f"{record.public_id}, edition {record.edition}" if record.edition > 1 else record.public_id
        return name_cell(record.title, reverse("governance:evidence", args=[record.pk]), note)

    def render_kind(self, record: Evidence) -> str:
        return str(plain(record.kind))

    def render_subject(self, record: Evidence) -> SafeString:
        return format_html('<a href="{}">{}</a>', url_of(record.subject), name_of(record.subject))

    def render_standing(self, record: Evidence) -> SafeString:
        return standing_badge(record)

    def render_size(self, record: Evidence) -> str:
        return str(filesizeformat(record.size))

    def render_added_at(self, record: Evidence) -> SafeString:
        return format_html(
            '{} <span class="kv-hint">{}</span>', reltime(record.added_at), record.author or record.author_name
        )


class EvidenceFilter(filters.FilterSet):
    q = search("Title, EV-000001, SHA-256, S3 address")
    kind = choice(EvidenceKind, "Kind", "kind", "Any kind")
    standing = filters.ChoiceFilter(
        method="by_standing",
        label="Standing",
        empty_label="Either way",
        choices=[("yes", "Counts"), ("no", "Superseded or withdrawn")],
    )

    class Meta:
        model = Evidence
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        words = value.strip()
        condition = (
            Q(title__icontains=words)
            | Q(filename__icontains=words)
            | Q(s3_uri__icontains=words)
            | Q(sha256=words.lower())
            | Q(use_case__name__icontains=words)
            | Q(version__group__name__icontains=words)
        )
        digits = words.upper().removeprefix("EV-")
        if digits.isdecimal() and len(digits) < 19:
            condition |= Q(pk=int(digits))
        return rows.filter(condition)

    def by_standing(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return that_count(rows, counts=value == "yes")
