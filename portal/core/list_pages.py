"""Lists by the names of their addresses: what saved views are views of, for whatever surface keeps one."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from .errors import InvalidInput
from .views import TablePage

# What is kept of a name, and what comes back in a refusal.
LONGEST_KEY = 80


def list_page(key: str) -> type[TablePage] | None:
    """Return the page of a list by the name of its address (`registry:use_case_list`), None for what is no list."""
    try:
        page = resolve(reverse(key)).func.view_class  # type: ignore[attr-defined]  # what as_view returns
    except (NoReverseMatch, Resolver404, AttributeError, ValueError):
        return None
    page = getattr(page, "list_page", page)
    return page if issubclass(page, TablePage) else None


def known_parameters(key: str, request: HttpRequest) -> set[str]:
    """Return what a saved view of a list may hold, for whoever asks. Raises InvalidInput for what is no list."""
    page = list_page(key)
    if page is None:
        raise InvalidInput("There is no such list.", errors={"list": ["Save a view from its list."]})
    return page.saved_parameters(request)


def list_label(key: str) -> str:
    """Return what a list is called, "" for one that is no longer there."""
    page = list_page(key)
    return "" if page is None else str(page.table_class.label)
