"""`fields=`: answers that hold only what was asked for, and compute nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from .errors import InvalidInput

FIELDS = "fields"
FIELDS_PARAMETER = OpenApiParameter(
    FIELDS,
    OpenApiTypes.STR,
    description="Names of top-level fields, separated by commas (`id,name,stage`): only these are answered, and"
    " nothing else is computed. An unknown name is refused with the known ones.",
)

S = TypeVar("S", bound=serializers.BaseSerializer)


def asked_fields(request: Request, known: Collection[str]) -> frozenset[str] | None:
    """Return the names in `?fields=`, None when it was not sent and everything is wanted.

    Raises InvalidInput naming the known fields for a name that is not one of `known`.
    """
    given = request.query_params.get(FIELDS)
    if given is None:
        return None
    asked = frozenset(name.strip() for name in given.split(","))
    if unknown := sorted(asked.difference(known)):
        names = ", ".join(name or "an empty name" for name in unknown)
        raise InvalidInput(
            "Some query parameters cannot be used; nothing was done.",
            errors={FIELDS: [f"There is no such field here: {names}. Known are {', '.join(known)}."]},
        )
    return asked


def narrowed(serializer: S, request: Request) -> S:
    """Drop from a serializer, or from that of a list's rows, what `?fields=` does not name, before it runs.

    Raises InvalidInput naming the known fields for one there is not.
    """
    row: Any = getattr(serializer, "child", serializer)
    asked = asked_fields(request, list(row.fields))
    if asked is not None:
        for name in [name for name in row.fields if name not in asked]:
            del row.fields[name]
    return serializer


def in_order(asked: frozenset[str] | None, known: Iterable[str]) -> list[str]:
    """Return the known names that are asked for, in the order they are known by; all of them for None."""
    return [name for name in known if asked is None or name in asked]


def only(row: dict[str, Any], asked: frozenset[str] | None) -> dict[str, Any]:
    """Return what is asked for of a row that is a dictionary already."""
    return row if asked is None else {name: value for name, value in row.items() if name in asked}
