"""Every list with an address of its own, read from the resolver: a new one is tested without being named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from portal.core.permissions import ROLES
from portal.core.views import TablePage
from portal.core.vocabulary import Role


def _list_pages() -> Iterator[tuple[str, type[TablePage]]]:
    def walk(patterns: list[Any], space: str) -> Iterator[tuple[str, type[TablePage]]]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, pattern.namespace or space)
            elif isinstance(pattern, URLPattern) and not pattern.pattern.converters:
                page = getattr(pattern.callback, "view_class", None)
                page = getattr(page, "list_page", page)
                if isinstance(page, type) and issubclass(page, TablePage):
                    yield f"{space}:{pattern.name}" if space else str(pattern.name), page

    yield from walk(get_resolver().url_patterns, "")


LISTS = dict(_list_pages())


def person_for(page: type[TablePage]) -> str:
    """Return a role that may open a list: an ML admin where the right to see it is his, else an officer or auditor."""
    if page.needs is None:
        return "governance_officer"
    return next(role for role in ("ml_admin", "governance_officer", "auditor") if Role(role) in ROLES[page.needs])
