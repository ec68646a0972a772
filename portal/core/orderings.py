"""What lists are ordered by besides columns that are never NULL: a cursor needs a value beside every row."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Value
from django.db.models.functions import Coalesce

_LATEST = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)


def absent_last(path: str, last: Any) -> Coalesce:
    """Return what orders by a column that may be NULL; such rows stand where `last` would."""
    return Coalesce(path, Value(last))


def text_or_nothing(path: str) -> Coalesce:
    """Order by a text that may be absent: those without it come first."""
    return absent_last(path, "")


def day_or_never(path: str) -> Coalesce:
    """Order by a day that may be absent: those without it come last."""
    return absent_last(path, dt.date.max)


def moment_or_never(path: str) -> Coalesce:
    """Order by a moment that may be absent: those without it come last."""
    return absent_last(path, _LATEST)
