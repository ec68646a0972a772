"""The table every list is: django-tables2 with the house's template, filters in the URL, sorting in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import django_tables2
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .table_values import plain, text_of
from .templatetags.portal_ui import NOT_REPORTED

RESULTS = "#results"
# Of an error in a list; AWS's own words come first.
_FAILURE_SHOWN = 120


# With more columns than this a table scrolls sideways instead of squeezing them.
_FIT = 8


class PortalTable(django_tables2.Table):
    """A list whose sorting and paging replace `#results` in place; `label` names it to those who cannot see it.

    People choose its columns: those in `optional` are offered and not shown at first. A file of the list holds what a
    method `value_<column>(record)` returns, else the stored value, else the words of the cell; a column of buttons
    says `exclude_from_export=True`.
    """

    htmx_target = RESULTS
    label = "Table"
    css_class = "table table-vcenter table-stack"
    optional: ClassVar[tuple[str, ...]] = ()
    # Whether rows can be marked for an action on several; the page that has such actions says so.
    selectable = False

    class Meta:
        attrs = {"id": "table"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.every: tuple[str, ...] = tuple(self.columns.names())
        self.choose_columns(())

    def usual_columns(self) -> list[str]:
        """Return the columns that are shown to who chose none."""
        return [
            name
            for name in self.every
            if name not in self.optional and not getattr(self.columns.columns[name].column, "is_optional", False)
        ]

    def choose_columns(self, asked: Sequence[str]) -> None:
        """Show these columns in this order; unknown names are left out, and with none left it shows its usual ones."""
        known = list(dict.fromkeys(name for name in asked if name in self.every)) or self.usual_columns()
        hidden = [name for name in self.every if name not in known]
        self.sequence = (*known, *hidden)
        self.exclude = tuple(hidden)
        if len(known) > _FIT:
            self.css_class = "table table-vcenter table-wide"

    def head_of(self, name: str) -> str:
        """Return what stands above a column."""
        return str(self.columns.columns[name].header)

    def shown_columns(self) -> list[str]:
        """Return the columns that are shown, in their order."""
        return list(self.columns.names())

    def file_columns(self) -> list[str]:
        """Return the shown columns that a file holds: those of buttons are left out."""
        return [
            name
            for name in self.shown_columns()
            if not self.columns.columns[name].column.exclude_from_export
            and not isinstance(self.columns.columns[name].column, django_tables2.TemplateColumn)
        ]

    def file_value(self, name: str, record: Any) -> Any:
        """Return what a file holds of a record in a column: "" for what is missing, never markup."""
        own = getattr(self, f"value_{name}", None)
        if own is not None:
            said = own(record)
            found = plain(said)
            return found if found is not None else "" if said is None else str(said)
        column = self.columns.columns[name]
        accessor = str(column.accessor)
        if accessor != "pk" and (accessor == name or getattr(self, f"render_{name}", None) is None):
            stored = column.accessor.resolve(record, quiet=True)
            if stored is None and column.column.empty_values != ():
                return ""
            if (found := plain(stored)) is not None:
                return found
        cell = django_tables2.rows.BoundRow(record, table=self).get_cell(name)
        return "" if cell is None or cell == column.default else text_of(str(cell))

    def stamp_of(self, record: Any) -> str:
        """Return what changes when a record does, so that an action on several rows can tell one that did."""
        return str(getattr(record, "revision", ""))

    def name_of(self, record: Any) -> str:
        """Return what to call a record where its row is not in sight."""
        return str(record)


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
