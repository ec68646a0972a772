"""Turn what botocore hands over into values JSON and PostgreSQL can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def json_safe(value: Any) -> Any:
    """Copy a botocore answer into what JSON and PostgreSQL can hold: ISO times in UTC, no NUL, no infinity."""
    if isinstance(value, Mapping):
        return {plain_text(key): json_safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(item) for item in value]
    if isinstance(value, datetime):
        moment = utc(value)
        return moment.isoformat() if moment else None
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return plain_text(value)


def plain_text(value: Any) -> str:
    """Return text that UTF-8 and PostgreSQL can hold; NUL and lone surrogates become the replacement mark."""
    # Nearly every value is plain already, and a sync reads millions of them.
    if type(value) is str and value.isascii() and "\x00" not in value:
        return value
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "\ufffd")


def utc(value: Any) -> datetime | None:
    """Return a moment in UTC, None for anything that is no moment; one without zone is taken as UTC."""
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
