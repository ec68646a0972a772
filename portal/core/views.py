"""What every page stands on: somebody is signed in, a refusal has a name, and htmx gets a part of the page.

A view parses input, calls one service and redirects with a message. It decides nothing: services refuse, and
templates only hide what would be refused.
"""

from __future__ import annotations

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
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.views.generic import TemplateView, View
from django_tables2 import RequestConfig

from .actors import Actor
from .errors import InvalidInput
from .permissions import Act, require_anywhere
from .tables import PortalTable
from .templatetags.portal_ui import empty_state

# A form that cannot be used is shown again with this status; htmx is told to swap it in.
UNUSABLE = 422


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
        response = super().dispatch(request, *args, **kwargs)
        patch_vary_headers(cast("HttpResponse", response), ["HX-Request"])
        add_never_cache_headers(response)
        return response

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
    """A list: `rows` (already limited to what the actor may see), its filters from the URL, and a table."""

    fragment = "results"
    table_class: ClassVar[type[PortalTable]]
    filter_class: ClassVar[type[Any] | None] = None
    per_page: ClassVar[int] = 25

    def rows(self) -> QuerySet[Any]:
        """Return every row the actor may see, in the list's own order."""
        raise NotImplementedError

    def nothing(self) -> dict[str, str]:
        """Return the arguments of `empty_state` for a list with no rows at all: what to do next."""
        return {"title": "Nothing here yet"}

    def table_arguments(self) -> dict[str, Any]:
        """Return what the table is made with, beside its rows."""
        return {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chosen = None
        rows = self.rows()
        if self.filter_class is not None:
            chosen = self.filter_class(self.request.GET or None, queryset=rows, request=self.request)
            # A filter with a value that does not exist shows nothing and says so, instead of showing everything.
            rows = chosen.qs if not chosen.is_bound or chosen.form.is_valid() else rows.none()
        table = self.table_class(rows, request=self.request, **self.table_arguments())
        RequestConfig(self.request, paginate={"per_page": self.per_page}).configure(table)
        table.empty_text = self._empty_text(chosen)
        return super().get_context_data(**{"filter": chosen, "table": table, **kwargs})

    def _empty_text(self, chosen: Any) -> str:
        if chosen is not None and chosen.is_bound and any(value for value in chosen.form.data.values()):
            return empty_state(
                "Nothing matches these filters",
                "Change or clear a filter to see more.",
                icon="filter-off",
                action_label="Clear the filters",
                action_url=self.request.path,
            )
        return empty_state(**self.nothing())


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
