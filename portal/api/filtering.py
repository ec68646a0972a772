"""Filters are made where a request filters: the forms behind them cost more than the page they would leave as it is."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import SearchFilter
from rest_framework.request import Request

from portal.core.errors import InvalidInput
from portal.core.filters import CURSOR, FORMAT, ORDERING, PAGE_SIZE, SEARCH
from portal.core.sparse import FIELDS

MOST_WORDS, LONGEST_SEARCH = 20, 500
_NO_FILTERS = frozenset({CURSOR, FORMAT, ORDERING, PAGE_SIZE, SEARCH, FIELDS})


class Filtering(DjangoFilterBackend):
    """django-filter's backend, asked only for what is more than a page, an ordering or a search."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        if _NO_FILTERS.issuperset(request.query_params):
            return queryset
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class Searching(SearchFilter):
    """DRF's search with a bound, which says in the schema that it is there only where a list is searched.

    Each word is a condition on every field that is searched: what the database plans for grows with their square.
    """

    def get_search_terms(self, request: Request) -> list[str]:
        """Return the words that are looked for. Raises InvalidInput for more than are looked for at once."""
        if len(request.query_params.get(SEARCH, "")) > LONGEST_SEARCH:
            raise _unusable(f"Give at most {LONGEST_SEARCH} characters.")
        words: list[str] = list(dict.fromkeys(super().get_search_terms(request)))
        if len(words) > MOST_WORDS:
            raise _unusable(f"Give at most {MOST_WORDS} words.")
        return words

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameter for the OpenAPI document."""
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view) if view.search_fields else []
        for parameter in found:
            parameter["description"] = f"Words that must all be found, at most {MOST_WORDS}."
            parameter["schema"] = {"type": "string", "maxLength": LONGEST_SEARCH}
        return found


def _unusable(text: str) -> InvalidInput:
    return InvalidInput("Some query parameters cannot be used; nothing was done.", errors={SEARCH: [text]})
