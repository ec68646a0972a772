"""Asking as of a moment: how people write one, and rows that a database function gives for it.

`AsOfQuerySet` reads from a set-returning function of one moment instead of a table: `Model.objects.as_of(moment)`
filters, orders, counts and slices like any other queryset, in one query.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any, Self

from django.db import models
from django.db.models.sql import Query
from django.db.models.sql.datastructures import BaseTable
from django.utils import timezone

from .errors import InvalidInput

_HOW = "Give a day such as 2026-05-01, or a time with its offset such as 2026-05-01T14:30:00Z"
# "+" in an address that nobody encoded arrives as a blank.
_LOST_PLUS = re.compile(r"(T\S+) (\d{2}:?\d{2})\Z")


def moment_of(text: str, *, name: str = "as_of", is_utc: bool = False) -> datetime:
    """Return the moment a text names, in UTC: ISO 8601 with an offset, or a day, which means its end in UTC.

    Today means now. With `is_utc` a time without an offset is one in UTC, for forms that say so. Raises InvalidInput,
    naming the field `name`, for what is no moment and for one still to come.
    """
    written = _LOST_PLUS.sub(r"\1+\2", text.strip())
    now = timezone.now()
    try:
        try:
            day = date.fromisoformat(written)
        except ValueError:
            moment = datetime.fromisoformat(written)
        else:
            moment = now if day == now.date() else datetime.combine(day, time.max, UTC)
        if moment.tzinfo is None and is_utc:
            moment = moment.replace(tzinfo=UTC)
        if moment.tzinfo is None:
            raise _unusable(name, "Say which offset from UTC the time has: end it with Z or +02:00.")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unusable(name, f"{_HOW}.") from None
    if moment > now:
        raise _unusable(name, "This is still to come. Only what has been can be shown.")
    return moment


def _unusable(name: str, text: str) -> InvalidInput:
    return InvalidInput("This moment cannot be shown.", errors={name: [text]})


class AsOfTable(BaseTable):
    """A call of the function that the model's table names, in the place of a table; by default as of this statement."""

    def __init__(self, table_name: str, alias: str | None, moment: datetime | None = None) -> None:
        super().__init__(table_name, alias)
        self.moment = moment

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]  # Django's stubs name fewer types than it takes
        function, alias = (compiler.quote_name_unless_alias(name) for name in (self.table_name, self.table_alias))
        if self.moment is None:
            return f"{function}(statement_timestamp()) {alias}", []
        return f"{function}(%s) {alias}", [self.moment]

    def relabeled_clone(self, change_map: dict[str | None, str]) -> Self:
        alias = change_map.get(self.table_alias, self.table_alias)
        return self.__class__(self.table_name, alias, self.moment)

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, self.moment)


class AsOfQuery(Query):
    """A query whose first table is a call as of `moment`."""

    moment: datetime | None = None

    def base_table_class(self, table_name: str, alias: str | None) -> AsOfTable:  # type: ignore[override]  # Django's stubs name fewer types than it takes
        return AsOfTable(table_name, alias, self.moment)


class AsOfQuerySet(models.QuerySet[Any]):
    """Rows of a function of one moment."""

    def __init__(self, model: Any = None, query: Any = None, using: Any = None, hints: Any = None) -> None:
        super().__init__(model, query or AsOfQuery(model), using, hints)

    def as_of(self, moment: datetime) -> Self:
        """Rows as they were at a moment; said before anything else is asked."""
        chosen = self._chain()  # type: ignore[attr-defined]  # Django's own way to copy a queryset
        assert not chosen.query.alias_map, "Say the moment first: the filters before it asked another one."
        chosen.query.moment = moment
        return chosen
