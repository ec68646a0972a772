"""Pages by position in the ordering, not by number: the last page costs what the first does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from portal.core.errors import InvalidInput
from portal.core.filters import CURSOR, PAGE_SIZE

from .ordering import Key, StableOrdering

_SALT = "api-cursor"


@dataclass(frozen=True)
class Cursor:
    """A place between two rows: the ordering columns of the row beside it, and the direction to read in."""

    ordering: tuple[str, ...]
    values: tuple[Any, ...]
    backwards: bool

    def encode(self) -> str:
        """Return it as the signed text of a query parameter; it is for the portal to read only."""
        return signing.dumps([list(self.ordering), list(self.values), self.backwards], salt=_SALT, compress=True)

    @classmethod
    def decode(cls, text: str, ordering: Sequence[str]) -> Cursor:
        """Read a cursor. Raises InvalidInput for one the portal did not write, or wrote for another ordering."""
        try:
            written, values, backwards = signing.loads(text, salt=_SALT)
        except (signing.BadSignature, ValueError):
            raise InvalidInput(
                "This page does not exist.", errors={CURSOR: ["Follow `next` or `previous` of a page as they are."]}
            ) from None
        if tuple(written) != tuple(ordering):
            raise InvalidInput(
                "This page does not exist.", errors={CURSOR: ["This cursor belongs to another ordering."]}
            )
        return cls(tuple(written), tuple(values), bool(backwards))


class CursorPagination(BasePagination):
    """Answers `{next, previous, results}`; `page_size` is 50 unless asked otherwise, at most 200."""

    default_size = 50
    largest_size = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size = self._size(request)
        keys = StableOrdering().keys(request, view)
        self._url = remove_query_param(request.build_absolute_uri(), CURSOR)
        self._ordering = tuple(key.clause() for key in keys)
        given = request.query_params.get(CURSOR)
        cursor = Cursor.decode(given, self._ordering) if given else None
        backwards = cursor is not None and cursor.backwards
        rows = queryset.order_by(*(key.clause(reverse=backwards) for key in keys))
        if cursor is not None:
            rows = rows.filter(_beyond(keys, cursor))
        found = list(rows[: size + 1])
        page = found[:size]
        if backwards:
            page.reverse()
        more = len(found) > size
        self._next = self._link(keys, page[-1:], backwards=False) if page and (more or backwards) else None
        has_previous = more if backwards else cursor is not None
        self._previous = self._link(keys, page[:1], backwards=True) if has_previous else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._next, "previous": self._previous, "results": data})

    def _link(self, keys: Sequence[Key], beside: list[Any], *, backwards: bool) -> str:
        if not beside:  # rows were deleted since: the beginning is the page before
            return self._url
        values = tuple(_value(beside[0], key.path) for key in keys)
        return replace_query_param(self._url, CURSOR, Cursor(self._ordering, values, backwards).encode())

    def _size(self, request: Request) -> int:
        given = request.query_params.get(PAGE_SIZE)
        if given is None:
            return self.default_size
        if not given.isascii() or not given.isdigit() or not 1 <= int(given[:6]) <= self.largest_size:
            raise InvalidInput(
                "No such page size.", errors={PAGE_SIZE: [f"Give a number from 1 to {self.largest_size}."]}
            )
        return int(given)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page for the OpenAPI document."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters for the OpenAPI document."""
        return [
            {
                "name": CURSOR,
                "required": False,
                "in": "query",
                "description": "Where a page begins; taken from `next` and `previous`.",
                "schema": {"type": "string"},
            },
            {
                "name": PAGE_SIZE,
                "required": False,
                "in": "query",
                "description": "Rows on a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.largest_size,
                    "default": self.default_size,
                },
            },
        ]


def _beyond(keys: Sequence[Key], cursor: Cursor) -> Q:
    """Return the rows behind a place: (a, b) > (x, y) as a >= x, and a > x, or a = x and b > y.

    That a >= x says nothing new, but lets an index on (a, b) begin at the place instead of reading all rows before it.
    """
    condition, equal = Q(), Q()
    for key, value in zip(keys, cursor.values, strict=True):
        side = _side(key, cursor)
        condition |= equal & Q(**{f"{key.path}__{side}": value})
        equal &= Q(**{key.path: value})
    first, value = keys[0], cursor.values[0]
    return Q(**{f"{first.path}__{_side(first, cursor)}e": value}) & condition


def _side(key: Key, cursor: Cursor) -> str:
    return "lt" if key.descending != cursor.backwards else "gt"


def _value(row: Any, path: str) -> Any:
    """Return a column of a row, which is an object or already plain: a mapping from paths to values."""
    if isinstance(row, Mapping):
        row = row[path]
    else:
        for name in path.split("__"):
            row = getattr(row, name)
    return row.isoformat() if isinstance(row, dt.date) else row
