"""What every page stands on: somebody is signed in, a refusal has a name, and htmx gets a part of the page.

A view parses input, calls one service and redirects with a message. It decides nothing: services refuse, and
templates only hide what would be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.text import slugify
from django.views.generic import TemplateView, View

from .actors import Actor
from .errors import InvalidInput, WrongState
from .listing import (
    COLUMNS,
    EVERY_FIELD,
    EXPORT,
    FIELDS,
    LOOKS,
    MOVE,
    PAGE,
    PER_PAGE,
    SORT,
    VIEW,
    Listing,
    columns_in,
    filters_set,
)
from .paging import CappedPaginator, page_number, page_size
from .permissions import Act, require_anywhere
from .saved_views import View as SavedView
from .saved_views import views_of
from .table_export import XLSX_ROWS, FileFormat, csv_file, xlsx_file
from .tables import PortalTable
from .templatetags.portal_ui import empty_state

# A form that cannot be used is shown again with this status; htmx is told to swap it in.
UNUSABLE = 422
_BATCH = 500
# The columns of a file that holds every field, and what makes its rows of a queryset.
CompleteFile = tuple[Sequence[str], Callable[[QuerySet[Any]], Iterable[Mapping[str, Any]]]]


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page; going back in the history needs the whole of it."""
    htmx = cast("Any", request).htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


class SignedIn(LoginRequiredMixin):
    """A view for people who are signed in; `actor` is what services take. Nothing of it is kept by a cache."""

    request: HttpRequest
    # Who has no role that includes this act anywhere is refused with the roles that do.
    needs: ClassVar[Act | None] = None

    @cached_property
    def actor(self) -> Actor:
        return cast("Actor", cast("Any", self.request.user).actor)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and self.needs is not None:
            require_anywhere(self.actor, self.needs)
        response = self.answer(request, *args, **kwargs)
        patch_vary_headers(cast("HttpResponse", response), ["HX-Request"])
        add_never_cache_headers(response)
        return response

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the answer of the method that was asked for, or the way to the sign-in."""
        return super().dispatch(request, *args, **kwargs)

    def handle_no_permission(self) -> HttpResponseRedirect:
        if not wants_fragment(self.request):
            return super().handle_no_permission()
        # A fragment cannot hold the sign-in page: the whole page goes there, and comes back where it was.
        page = urlsplit(cast("Any", self.request).htmx.current_url or "/")
        query = urlencode({"next": f"{page.path}{f'?{page.query}' if page.query else ''}"})
        response = HttpResponse(status=401, headers={"HX-Redirect": f"{reverse('sign_in')}?{query}"})
        return cast("HttpResponseRedirect", response)


class Page(SignedIn, TemplateView):
    """One page. With `fragment`, htmx gets that named part of the template instead of the whole."""

    fragment: ClassVar[str] = ""

    def get_template_names(self) -> list[str]:
        names = super().get_template_names()
        if self.fragment and wants_fragment(self.request):
            return [f"{name}#{self.fragment}" for name in names]
        return names

    def breadcrumbs(self) -> list[dict[str, str]]:
        """Return where the page lies, this page last."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"breadcrumbs": self.breadcrumbs(), "actor": self.actor, **kwargs})


class TablePage(Page):
    """A list: `rows` (already limited to what the actor may see), its filters from the URL, and a table.

    Searching, filters, sorting, columns, paging, saved views and files come with it: `filter_class` is a django-filter
    set (its free text is called `q` or `search`), `table_class` a PortalTable, and the template includes
    components/filter_bar.html above and components/results.html in `#results`.
    """

    fragment = "results"
    table_class: ClassVar[type[PortalTable]]
    filter_class: ClassVar[type[Any] | None] = None
    per_page: ClassVar[int] = 25
    # What the address says beside filters and looks, such as the tab of a list; kept when filters change.
    parameters: ClassVar[tuple[str, ...]] = ()
    # Whether a file of the shown columns makes sense; False where the cells are made for a page at a time.
    exports_columns: ClassVar[bool] = True

    def rows(self) -> QuerySet[Any]:
        """Return every row the actor may see, in the list's own order."""
        raise NotImplementedError

    def nothing(self) -> dict[str, str]:
        """Return the arguments of `empty_state` for a list with no rows at all: what to do next."""
        return {"title": "Nothing here yet"}

    def known_count(self) -> int | None:
        """Return how many rows the unfiltered list has, where the page knows it already; None has it counted."""
        return None

    def table_arguments(self) -> dict[str, Any]:
        """Return what the table is made with, beside its rows."""
        return {}

    def ready(self, table: PortalTable) -> None:
        """Tell the table what its cells need to know, before any of them is shown or written into a file."""

    def every_field(self) -> CompleteFile | None:
        """Return the columns of the complete file of this list and what makes its rows; None without such a file."""
        return None

    def file_name(self) -> str:
        """Return how a file of this list is called, without its day and ending."""
        return slugify(self.table_class.label)

    @property
    def list_key(self) -> str:
        """The name saved views know this list by; "" for a list below one object, which has none."""
        match = self.request.resolver_match
        return "" if match is None or match.kwargs else match.view_name

    @classmethod
    def saved_parameters(cls, request: HttpRequest) -> set[str]:
        """Return the names of what a saved view of this list may hold."""
        page = cls(request=request)
        chosen = page.chosen(page.rows().none())
        return {*(chosen.form.fields if chosen is not None else ()), *cls.parameters, *LOOKS}

    @cached_property
    def saved(self) -> Sequence[SavedView]:
        return views_of(self.actor, self.list_key) if self.list_key else ()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]  # a file
        if EXPORT in request.GET:
            return self.file()
        elsewhere = self.canonical()
        return HttpResponseRedirect(elsewhere) if elsewhere else super().get(request, *args, **kwargs)

    def canonical(self) -> str:
        """Return where the whole of what is asked for is in the address: of a view that is named, and of one's own."""
        query = self.request.GET
        if MOVE in query:
            moved = query.copy()
            moved.pop(MOVE)
            moved.setlist(COLUMNS, [",".join(columns_in(query))])
            return f"{self.request.path}?{moved.urlencode(safe=',')}"
        if set(query) - {VIEW} or wants_fragment(self.request):
            return ""
        given = query.get(VIEW, "")
        found = next((view for view in self.saved if (str(view.pk) == given if given else view.is_default)), None)
        return f"{self.request.path}?{found.query}&{VIEW}={found.pk}" if found and found.query else ""

    def chosen(self, rows: QuerySet[Any]) -> Any:
        """Return the filters as the address has them, None for a list without."""
        if self.filter_class is None:
            return None
        return self.filter_class(self.request.GET or None, queryset=rows, request=self.request)

    def table_of(self, rows: QuerySet[Any]) -> PortalTable:
        """Return the table over these rows, sorted and with the columns the address asks for."""
        # Not with the request: django-tables2 would count the list to its end to cut a page by its own rules.
        table = self.table_class(rows, **self.table_arguments())
        table.request = self.request
        table.choose_columns(columns_in(self.request.GET))
        if wanted := self.request.GET.getlist(SORT):
            table.order_by = wanted
        return table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = self.rows()
        chosen = self.chosen(rows)
        if chosen is not None:
            # A filter with a value that does not exist shows nothing and says so, instead of showing everything.
            rows = chosen.qs if not chosen.is_bound or chosen.form.is_valid() else rows.none()
        table = self.table_of(rows)
        self.ready(table)
        size = page_size(self.request.GET.get(PER_PAGE, ""), self.per_page)
        table.paginator = CappedPaginator(table.rows, size)
        if not (chosen is not None and filters_set(chosen.form)):
            table.paginator.found = self.known_count()
        table.page = table.paginator.get_page(page_number(self.request.GET.get(PAGE, "")))
        self.listing = Listing(
            self.request,
            key=self.list_key,
            table=table,
            chosen=chosen,
            beside=self.parameters,
            views=self.saved,
            has_every_field=type(self).every_field is not TablePage.every_field,
            has_shown_columns=self.exports_columns,
        )
        table.empty_text = self._empty_text(chosen)
        return super().get_context_data(**{"filter": chosen, "table": table, "listing": self.listing, **kwargs})

    def _empty_text(self, chosen: Any) -> str:
        if chosen is not None and filters_set(chosen.form):
            return empty_state(
                "Nothing matches these filters",
                "Change or clear a filter to see more.",
                icon="filter-off",
                action_label="Clear the filters",
                action_url=self.listing.clear_url,
            )
        return empty_state(**self.nothing())

    def file(self) -> HttpResponseBase:
        """Return the list as the file the address asks for. Raises InvalidInput."""
        try:
            form = FileFormat(self.request.GET.get(EXPORT, ""))
        except ValueError:
            raise InvalidInput("A list can be had as csv or xlsx.", errors={EXPORT: ["Give csv or xlsx."]}) from None
        rows = self.rows()
        chosen = self.chosen(rows)
        if chosen is not None:
            if chosen.is_bound and not chosen.form.is_valid():
                raise InvalidInput("These filters cannot be used.", errors=dict(chosen.form.errors))
            rows = chosen.qs
        table = self.table_of(rows)
        self.ready(table)
        rows = table.data.data
        if form is FileFormat.XLSX:
            rows = rows[: XLSX_ROWS + 1]
        heads, lines = self._sheet(table, rows)
        name = f"{self.file_name()}-{timezone.now():%Y-%m-%d}"
        if form is FileFormat.CSV:
            return csv_file(name, heads, lines)
        return xlsx_file(name, str(self.table_class.label), heads, lines)

    def _sheet(self, table: PortalTable, rows: QuerySet[Any]) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        complete = self.every_field()
        if complete is not None and (self.request.GET.get(FIELDS) == EVERY_FIELD or not self.exports_columns):
            columns, made = complete
            return columns, ([row[name] for name in columns] for row in made(rows))
        names = table.file_columns()
        records = rows.iterator(chunk_size=_BATCH)
        return (
            [table.head_of(name) for name in names],
            ([table.file_value(name, record) for name in names] for record in records),
        )


class FormPage(Page):
    """A page around one form. What is wrong goes back into it, beside the fields, with everything kept."""

    form_class: ClassVar[type[BaseForm]]
    submit_label: ClassVar[str] = "Save"

    def form_arguments(self) -> dict[str, Any]:
        """Return what the form is made with, beside what was sent."""
        return {}

    def build(self, data: Any = None) -> BaseForm:
        return self.form_class(data, **self.form_arguments())

    def carry_out(self, form: BaseForm) -> str:
        """Call the one service and return where to go next."""
        raise NotImplementedError

    def cancel_url(self) -> str:
        """Return where to go without doing anything."""
        return "/"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if "form" not in kwargs:
            kwargs["form"] = self.build()
        return super().get_context_data(
            **{"submit_label": self.submit_label, "cancel_url": self.cancel_url(), **kwargs}
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.build(request.POST)
        if form.is_valid():
            try:
                return HttpResponseRedirect(self.carry_out(form))
            except InvalidInput as refusal:
                put_back(form, refusal)
        return self.show_again(form, UNUSABLE)

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().answer(request, *args, **kwargs)
        except WrongState as refusal:
            if request.method != "POST":
                raise
            # It changed while the page was open. What was typed is kept; where nothing can be shown, this raises anew.
            form = self.build(request.POST)
            form.add_error(None, refusal.detail)
            return self.show_again(form, refusal.status)

    def show_again(self, form: BaseForm, status: int, **context: Any) -> HttpResponse:
        """Show the form as it was filled in."""
        return self.render_to_response(self.get_context_data(form=form, **context), status=status)

    def say(self, text: str) -> None:
        """Leave a message for the next page."""
        messages.success(self.request, text)


class ActionView(SignedIn, View):
    """A button: POST only, one service, a message, and back to a page."""

    http_method_names = ["post", "options"]

    def carry_out(self) -> str:
        """Call the one service and return where to go next."""
        raise NotImplementedError

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(resolve_url(self.carry_out()))

    def say(self, text: str, level: int = messages.SUCCESS) -> None:
        """Leave a message for the next page."""
        messages.add_message(self.request, level, text)


def put_back(form: BaseForm, refusal: InvalidInput) -> None:
    """Write a refusal into the form: each word beside its field, the rest at its head."""
    placed = False
    for name, texts in refusal.errors.items():
        for text in texts:
            form.add_error(name if name in form.fields else None, text)
            placed = True
    if not placed:
        form.add_error(None, refusal.detail)
