"""JSON that the portal can keep: of bounded size, depth and number, in text a database can hold."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from portal.core.errors import DomainError

DEEPEST = 32
# Names and values in one body. Far more than any address takes: what is wrong is named one by one, however many.
MOST_VALUES = 20_000


class BodyTooLarge(DomainError):
    """More than one request may carry."""

    code = "body-too-large"
    title = "The body is too large"
    status = 413


class JSONParser(parsers.JSONParser):
    """DRF's strict JSON, with a limit on size, depth and number, and no text that PostgreSQL cannot store."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise BodyTooLarge(f"Send at most {limit} bytes.")
        try:
            data = super().parse(io.BytesIO(raw), media_type, parser_context)
        except RecursionError:
            raise ParseError(f"The body is nested deeper than {DEEPEST} levels.") from None
        _check(data)
        return data


def _check(data: Any) -> None:
    level: list[Any] = [data]
    count = 0
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inner(outer)]
        count += len(level)
        if count > MOST_VALUES:
            raise ParseError(f"The body holds more than {MOST_VALUES} names and values.")
        if not level:
            return
    raise ParseError(f"The body is nested deeper than {DEEPEST} levels.")


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and ("\x00" in value or not _encodable(value)):
        raise ParseError("The body holds characters that are not text (null characters or lone surrogates).")
    return ()


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
