"""Filters of the REST API: named like the fields, and never ignored silently."""

from __future__ import annotations

from typing import Any

import django_filters
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django_filters import rest_framework as rest
from rest_framework.request import Request

from .errors import InvalidInput
from .serializers import public_number
from .sparse import FIELDS
from .vocabulary import Word

CURSOR, PAGE_SIZE, ORDERING, SEARCH, FORMAT = "cursor", "page_size", "ordering", "search", "format"


class Filters(rest.FilterSet):
    """The filters of one list."""


def one_of(
    words: type[Word] | list[tuple[str, str]], field: str, help_text: str = "One or more of these."
) -> django_filters.MultipleChoiceFilter:
    """Return a filter on one or several words (`?stage=qa&stage=production`); an unknown word is refused."""
    choices = words if isinstance(words, list) else words.choices()
    return django_filters.MultipleChoiceFilter(field_name=field, choices=choices, distinct=False, help_text=help_text)


def exactly(field: str, help_text: str, **kwargs: Any) -> django_filters.CharFilter:
    """Return a filter on one exact text."""
    return django_filters.CharFilter(field_name=field, help_text=help_text, **kwargs)


class PublicIdFilter(django_filters.CharFilter):
    """A filter on a public id such as `UC-0001`; anything that is not one is refused."""

    def __init__(self, field: str, prefix: str, width: int = 6) -> None:
        self.prefix, self.width = prefix, width
        example = f"{prefix}-{1:0{width}d}"
        super().__init__(
            field_name=field,
            help_text=f"An id such as {example}.",
            validators=[RegexValidator(rf"^{prefix}-[0-9]{{{width},18}}\Z", f"Give an id such as {example}.")],
        )

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        number = public_number(value, self.prefix, self.width)
        return qs.none() if number is None else qs.filter(**{self.field_name: number})


def use_case_filter(field: str) -> PublicIdFilter:
    """Return a filter on a use case's public id; `field` leads to its number."""
    return PublicIdFilter(field, "UC", 4)


def arn_filter(field: str) -> django_filters.CharFilter:
    """Return a filter on a model package's ARN."""
    return exactly(field, "The ARN of a SageMaker model package.")


def account_filter(field: str) -> django_filters.CharFilter:
    """Return a filter on an account's twelve digits."""
    return exactly(
        field,
        "The twelve digits of an AWS account.",
        validators=[RegexValidator(r"^[0-9]{12}\Z", "An account id has twelve digits.")],
    )


def since(field: str) -> django_filters.DateFilter:
    """Return a filter on what was at a day or later."""
    return django_filters.DateFilter(field_name=field, lookup_expr="date__gte", help_text="A day; in UTC.")


def until(field: str) -> django_filters.DateFilter:
    """Return a filter on what was at a day or before."""
    return django_filters.DateFilter(field_name=field, lookup_expr="date__lte", help_text="A day, included; in UTC.")


def yes_or_no(field: str, help_text: str) -> rest.BooleanFilter:
    """Return a filter on what is or is not: `true` or `false`."""
    return rest.BooleanFilter(field_name=field, help_text=help_text)


def refuse_unknown_parameters(view: Any, request: Request) -> None:
    """Raise InvalidInput naming every query parameter this address does not know, has twice, or has empty."""
    allowed, several = _known(view)
    errors: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if name not in allowed:
            names = ", ".join(sorted(allowed))
            errors[name] = [f"There is no such parameter here; known are {names}."]
        elif len(values) > 1 and name not in several:
            errors[name] = ["Give this once."]
        elif not all(value.strip() for value in values):
            errors[name] = ["Give a value, or leave the parameter out."]
        elif any("\x00" in value for value in values):
            errors[name] = ["Null characters are not allowed."]
    if errors:
        raise InvalidInput("Some query parameters cannot be used; nothing was done.", errors=errors)


def _known(view: Any) -> tuple[set[str], set[str]]:
    allowed = {FORMAT, *getattr(view, "query_parameters", ())}
    several: set[str] = set()
    if getattr(view, "is_sparse", False):
        allowed.add(FIELDS)
    if getattr(view, "is_list", False):
        allowed |= {CURSOR, PAGE_SIZE}
        if view.search_fields:
            allowed.add(SEARCH)
        if view.ordering_fields:
            allowed.add(ORDERING)
        if view.filterset_class is not None:
            filters = view.filterset_class.base_filters
            allowed |= set(filters) | set(view.further_filters())
            several = {name for name, item in filters.items() if isinstance(item, django_filters.MultipleChoiceFilter)}
    return allowed, several
