"""What the address of a list says: filters, sorting, columns, page and view; and the addresses that change one of it.

Everything a person set is in the address, so that a link shows the same list to whoever may see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.db.models import Model
from django.forms import BaseForm
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property

from .paging import PAGE_SIZES
from .saved_views import View
from .table_export import XLSX_ROWS, FileFormat
from .tables import PortalTable

SORT, PAGE, PER_PAGE, COLUMNS, MOVE, VIEW = "sort", "page", "per_page", "cols", "move", "view"
EXPORT, FIELDS, EVERY_FIELD = "export", "fields", "all"
# The value of `view` that asks for the list as it is, without a person's usual view.
NO_VIEW = "none"
SEARCHES = ("q", "search")
# What stays the same when filters change, and is kept in a saved view.
LOOKS = (SORT, COLUMNS, PER_PAGE)
_UP, _DOWN = "up", "down"


@dataclass(frozen=True)
class Chip:
    """A filter that is set: its label, its value in words, and the address without it."""

    name: str
    label: str
    words: str
    url: str
    is_wrong: bool


@dataclass(frozen=True)
class ColumnChoice:
    """A column as the chooser offers it."""

    name: str
    label: str
    is_shown: bool
    is_first: bool
    is_last: bool


def columns_in(query: QueryDict) -> list[str]:
    """Return the columns an address asks for, in order: `cols=name,stage`, or `cols=name&cols=stage` as a form has it.

    With `move=stage:up` one of them has changed places with its neighbour.
    """
    found = [name for given in query.getlist(COLUMNS) for name in given.split(",") if name]
    name, _, where = query.get(MOVE, "").rpartition(":")
    if name in found and where in (_UP, _DOWN):
        here = found.index(name)
        there = here + (1 if where == _DOWN else -1)
        if 0 <= there < len(found):
            found[here], found[there] = found[there], found[here]
    return found


def filters_set(form: BaseForm | None) -> dict[str, list[str]]:
    """Return the filters of a form that are set, with what was given."""
    if form is None or not form.is_bound:
        return {}
    data: Any = form.data
    given = {name: [value for value in data.getlist(form.add_prefix(name)) if value.strip()] for name in form.fields}
    return {name: values for name, values in given.items() if values}


class Listing:
    """One list as an address asks for it."""

    def __init__(
        self,
        request: HttpRequest,
        *,
        key: str,
        table: PortalTable,
        chosen: Any,
        beside: Sequence[str] = (),
        views: Sequence[View] = (),
        has_every_field: bool = False,
        has_shown_columns: bool = True,
    ) -> None:
        self.request, self.key, self.table, self.views = request, key, table, list(views)
        self.form: BaseForm | None = chosen.form if chosen is not None else None
        self.prominent: tuple[str, ...] = tuple(getattr(chosen, "prominent", ()))
        self.beside = tuple(beside)
        self.has_every_field, self.has_shown_columns = has_every_field, has_shown_columns

    # Addresses

    def url(self, *without: str, **changed: str) -> str:
        """Return this address with something changed or left out; it shows the first page."""
        query = self.request.GET.copy()
        for name in (*without, PAGE, MOVE, EXPORT, FIELDS):
            query.pop(name, None)
        for name, value in changed.items():
            query[name] = value
        written = query.urlencode(safe=",")
        return f"{self.request.path}?{written}" if written else self.request.path

    @cached_property
    def clear_url(self) -> str:
        """The address without any filter, in the same part of the list."""
        bare = self.url(*self.filters, VIEW)
        has_usual = any(view.is_default for view in self.views)
        return self.url(*self.filters, view=NO_VIEW) if has_usual and bare == self.request.path else bare

    @property
    def plain_url(self) -> str:
        """The address of the list with nothing set."""
        kept = QueryDict(mutable=True)
        for name in self.beside:
            kept.setlist(name, self.request.GET.getlist(name))
        if any(view.is_default for view in self.views):
            kept[VIEW] = NO_VIEW
        return f"{self.request.path}?{kept.urlencode()}" if kept else self.request.path

    def kept(self) -> list[tuple[str, str]]:
        """Return what a form that changes the filters takes along."""
        return self._pairs((*self.beside, *LOOKS, VIEW))

    def kept_beside_columns(self) -> list[tuple[str, str]]:
        """Return what a form that changes the columns takes along."""
        return self._pairs(name for name in self.request.GET if name not in (COLUMNS, PAGE, MOVE, EXPORT, FIELDS))

    def kept_beside_size(self) -> list[tuple[str, str]]:
        """Return what a form that changes the rows per page takes along."""
        return self._pairs(name for name in self.request.GET if name not in (PER_PAGE, PAGE, MOVE, EXPORT, FIELDS))

    def _pairs(self, names: Iterable[str]) -> list[tuple[str, str]]:
        return [(name, value) for name in names for value in self.request.GET.getlist(name)]

    # Filters

    @cached_property
    def filters(self) -> dict[str, list[str]]:
        """The filters that are set, with what was given."""
        return filters_set(self.form)

    @property
    def active(self) -> int:
        """How many filters are set."""
        return len(self.filters)

    @property
    def hidden_active(self) -> int:
        """How many filters are set beside the free-text search."""
        return len([name for name in self.filters if name not in SEARCHES])

    @property
    def search_field(self) -> Any:
        """The free-text field of the form, None without one."""
        if self.form is None:
            return None
        return next((self.form[name] for name in SEARCHES if name in self.form.fields), None)

    def prominent_fields(self) -> list[Any]:
        """Return the fields that stand beside the search: those the filter set names in `prominent`."""
        return [field for field in self._beside_search() if field.name in self.prominent]

    def other_fields(self) -> list[Any]:
        """Return the other visible fields."""
        return [field for field in self._beside_search() if field.name not in self.prominent]

    def _beside_search(self) -> list[Any]:
        if self.form is None:
            return []
        return [field for field in self.form.visible_fields() if field.name not in SEARCHES]

    def total(self) -> str:
        """Return how many rows there are, in words; "" for none."""
        paginator = getattr(self.table, "paginator", None)
        if paginator is None or not paginator.count:
            return ""
        if paginator.has_more:
            return f"More than {paginator.count:,} rows"
        return f"{paginator.count:,} row{'' if paginator.count == 1 else 's'}"

    @cached_property
    def has_mistakes(self) -> bool:
        """Whether a filter cannot be used."""
        return bool(self.form is not None and self.form.is_bound and self.form.errors)

    def mistakes(self) -> list[str]:
        """Return what is wrong with filters that stand nowhere in the form, in words."""
        if self.form is None or not self.has_mistakes:
            return []
        hidden = {field.name for field in self.form.hidden_fields()}
        return [
            f"{self._label(name)}: {text}"
            for name, texts in self.form.errors.items()
            if name in hidden
            for text in texts
        ]

    def chips(self) -> list[Chip]:
        """Return the filters that are set, each with the address without it."""
        wrong = self.form.errors if self.form is not None and self.form.is_bound else {}
        return [
            Chip(name, self._label(name), self._words(name, given), self._without(name), name in wrong)
            for name, given in self.filters.items()
        ]

    def _without(self, name: str) -> str:
        usual = len(self.filters) == 1 and any(view.is_default for view in self.views)
        return self.clear_url if usual else self.url(name)

    def _label(self, name: str) -> str:
        assert self.form is not None
        label = self.form.fields[name].label
        return str(label) if label else name.replace("_", " ").capitalize()

    def _words(self, name: str, given: Sequence[str]) -> str:
        assert self.form is not None
        cleaned = getattr(self.form, "cleaned_data", {}).get(name)
        if isinstance(cleaned, Model):
            return str(cleaned)
        field: Any = self.form.fields[name]
        known = {} if hasattr(field, "queryset") else {str(key): str(words) for key, words in _flat(field)}
        if hasattr(field, "queryset") and getattr(field, "null_value", None) in given:
            return str(getattr(field, "null_label", given[0]))
        return ", ".join(known.get(value, value) for value in given)

    # Columns

    def columns(self) -> list[ColumnChoice]:
        """Return every column: first those that are shown in their order, then the others."""
        shown = self.table.shown_columns()
        return [
            ColumnChoice(name, self.table.head_of(name), name in shown, name == shown[0], name == shown[-1])
            for name in (*shown, *(name for name in self.table.every if name not in shown))
        ]

    @property
    def has_own_columns(self) -> bool:
        """Whether other columns are shown than usual."""
        return self.table.shown_columns() != self.table.usual_columns()

    @property
    def usual_columns_url(self) -> str:
        """The address that shows the usual columns."""
        return self.url(COLUMNS)

    def page_sizes(self) -> list[int]:
        """Return the numbers of rows per page that are offered."""
        return sorted({*PAGE_SIZES, int(self.table.paginator.per_page)})

    # Files

    def files(self) -> list[dict[str, str]]:
        """Return the files of this list: label, hint, url."""
        found = []
        total = getattr(self.table, "paginator", None)
        is_long = total is not None and total.has_more
        limit = f" The first {XLSX_ROWS:,} rows at most; CSV has all." if is_long else ""
        if self.has_shown_columns:
            found += [
                {"label": "CSV", "hint": "These columns, every row.", "url": self._file(FileFormat.CSV)},
                {"label": "Excel", "hint": f"These columns.{limit}", "url": self._file(FileFormat.XLSX)},
            ]
        if self.has_every_field:
            found += [
                {
                    "label": "CSV, every field",
                    "hint": "As the API names them.",
                    "url": self._file(FileFormat.CSV, True),
                },
                {
                    "label": "Excel, every field",
                    "hint": f"As the API names them.{limit}",
                    "url": self._file(FileFormat.XLSX, True),
                },
            ]
        return found

    def _file(self, form: FileFormat, every: bool = False) -> str:
        return self.url(**({EXPORT: form.value, FIELDS: EVERY_FIELD} if every else {EXPORT: form.value}))

    # Views

    @cached_property
    def view(self) -> View | None:
        """The view this address was opened with."""
        given = self.request.GET.get(VIEW, "")
        return next((view for view in self.views if str(view.pk) == given), None)

    @property
    def is_changed(self) -> bool:
        """Whether something was changed since the view was opened."""
        return self.view is not None and set(parse_qsl(self.view.query)) != set(parse_qsl(self.query))

    @property
    def query(self) -> str:
        """What a view of this list keeps: filters, part of the list, sorting, columns, rows per page."""
        query = self.request.GET.copy()
        known = {*(self.form.fields if self.form is not None else ()), *self.beside, *LOOKS}
        for name in list(query):
            if name not in known or not any(query.getlist(name)):
                del query[name]
        return query.urlencode(safe=",")

    def view_url(self, view: View) -> str:
        """Return the address that shows a view."""
        return f"{self.request.path}?{f'{view.query}&' if view.query else ''}{VIEW}={view.pk}"

    def view_links(self) -> list[tuple[View, str, bool]]:
        """Return the views that can be applied with their addresses, and which of them is."""
        return [(view, self.view_url(view), view == self.view) for view in self.views]


def _flat(field: Any) -> Iterable[tuple[Any, Any]]:
    for key, words in getattr(field, "choices", ()):
        if isinstance(words, list | tuple):
            yield from words
        else:
            yield key, words
