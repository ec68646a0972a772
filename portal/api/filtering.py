"""Filters are made where a request filters: the forms behind them cost more than the page they would leave as it is."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import SearchFilter
from rest_framework.request import Request

from portal.core.filters import CURSOR, FORMAT, ORDERING, PAGE_SIZE, SEARCH
from portal.core.sparse import FIELDS

_NO_FILTERS = frozenset({CURSOR, FORMAT, ORDERING, PAGE_SIZE, SEARCH, FIELDS})


class Filtering(DjangoFilterBackend):
    """django-filter's backend, asked only for what is more than a page, an ordering or a search."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        if _NO_FILTERS.issuperset(request.query_params):
            return queryset
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class Searching(SearchFilter):
    """DRF's search, which says in the schema that it is there only where a list is searched."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameter for the OpenAPI document."""
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view) if view.search_fields else []
        return found
