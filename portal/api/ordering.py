"""Orderings that are total, so that a page boundary never loses or repeats a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from portal.core.errors import InvalidInput
from portal.core.filters import ORDERING


@dataclass(frozen=True)
class Key:
    """One column of an ordering. The column is never NULL."""

    path: str
    descending: bool

    def clause(self, *, reverse: bool = False) -> str:
        """Return it for `order_by`."""
        return f"-{self.path}" if self.descending != reverse else self.path


class StableOrdering(BaseFilterBackend):
    """Orders by `?ordering=stage,-name`, then by the view's tie breaker; unknown names are refused."""

    def keys(self, request: Request, view: Any) -> list[Key]:
        """Return the ordering of this request. Raises InvalidInput naming what may be ordered by."""
        asked = request.query_params.get(ORDERING, "") if view.ordering_fields else ""
        names = [name.strip() for name in asked.split(",")] if asked else list(view.ordering)
        fields = {"id": "pk", **view.ordering_fields}
        unknown = [name for name in names if name.removeprefix("-") not in fields]
        if unknown:
            raise InvalidInput(
                "This cannot be ordered so.",
                errors={ORDERING: [f"Order by one of {', '.join(view.ordering_fields)}, with - in front to reverse."]},
            )
        keys = [Key(_path(name.removeprefix("-"), fields), name.startswith("-")) for name in names]
        ties = (Key(path, keys[0].descending) for path in view.tie_breaker)
        return _first_of_each([*keys, *ties])

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        keys = self.keys(request, view)
        fields = view.ordering_fields
        made = {_path(name, fields): by for name, by in fields.items() if not isinstance(by, str)}
        asked = {key.path: made[key.path] for key in keys if key.path in made}
        return (queryset.annotate(**asked) if asked else queryset).order_by(*(key.clause() for key in keys))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameter for the OpenAPI document."""
        if not view.ordering_fields:
            return []
        return [
            {
                "name": ORDERING,
                "required": False,
                "in": "query",
                "description": f"Fields to order by, separated by commas, with - in front to reverse:"
                f" {', '.join(view.ordering_fields)}. By default {', '.join(view.ordering)}.",
                "schema": {"type": "string"},
            }
        ]


def _path(name: str, fields: Mapping[str, Any]) -> str:
    """Return what a name is ordered by: a column, or what an expression is annotated as."""
    by = fields[name]
    return by if isinstance(by, str) else f"ordered_by_{name}"


def _first_of_each(keys: Iterable[Key]) -> list[Key]:
    seen: dict[str, Key] = {}
    for key in keys:
        seen.setdefault(key.path, key)
    return list(seen.values())
