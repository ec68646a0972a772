"""The table every list is: django-tables2 with the house's template, filters in the URL, sorting in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_tables2
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .templatetags.portal_ui import NOT_REPORTED

RESULTS = "#results"
# Of an error in a list; AWS's own words come first.
_FAILURE_SHOWN = 120


class PortalTable(django_tables2.Table):
    """A list whose sorting and paging replace `#results` in place; `label` names it to those who cannot see it."""

    htmx_target = RESULTS
    label = "Table"

    class Meta:
        attrs = {"id": "table"}


def name_cell(label: str, url: str, note: Any = "", *, queue: bool = False) -> SafeString:
    """Return a link with a line under it; `queue` makes it a stop of the j and k keys."""
    return format_html(
        '<a href="{}"{}>{}</a>{}',
        url,
        SafeString(" data-queue-item") if queue else "",
        label,
        format_html('<span class="kv-hint">{}</span>', note) if note else "",
    )


def failure(text: str) -> SafeString:
    """Return what went wrong under a cell; of a long text the beginning, and the whole of it when opened."""
    if len(text) <= _FAILURE_SHOWN:
        return format_html('<span class="cell-error">{}</span>', text) if text else SafeString("")
    beginning = text[:_FAILURE_SHOWN].rsplit(" ", 1)[0]
    return format_html('<details class="cell-error"><summary>{} …</summary>{}</details>', beginning, text)


def links(items: Iterable[tuple[str, str]], missing: str = "none") -> SafeString:
    """Return links one after another, or the word for none of them."""
    shown = format_html_join(", ", '<a class="nowrap" href="{}">{}</a>', items)
    return shown or absent(missing)


def absent(words: str = NOT_REPORTED) -> SafeString:
    """Return the word for what is not there."""
    return format_html('<span class="not-reported">{}</span>', words)


def two(first: Any, second: Any) -> SafeString:
    """Return two pieces side by side, wrapping where it is narrow."""
    return format_html('<span class="cell-pair">{} {}</span>', first, second)
