"""Cut an answer into pages whose tokens stay right while rows come and go."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

Row = TypeVar("Row")


class BadToken(Exception):
    """The token was not given out for this question."""


def binding(parameters: dict[str, Any]) -> str:
    """Digest the question a token belongs to: everything asked but the page size and the token itself."""
    asked = {k: v for k, v in parameters.items() if k not in ("NextToken", "MaxResults", "nextToken", "maxResults")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]


def cut(
    rows: Sequence[Row],
    key: Callable[[Row], list[Any]],
    limit: int,
    token: str | None,
    bound: str,
    descending: bool = False,
) -> tuple[list[Row], str | None]:
    """Return the page after ``token`` and the token of the next one (None at the end).

    ``key`` gives a total order as a list of JSON values. The token carries the key of the last row given out, so rows
    added or deleted in between neither repeat nor hide others. Raises BadToken for a foreign or garbled token.
    """
    last = _last(token, bound)
    ordered = sorted(rows, key=key, reverse=descending)
    if last is not None:
        ordered = [r for r in ordered if (key(r) < last if descending else key(r) > last)]
    page = ordered[:limit]
    if len(ordered) <= limit:
        return page, None
    return page, _token(bound, key(page[-1]))


def _last(token: str | None, bound: str) -> list[Any] | None:
    """The key a token carries. Raises BadToken."""
    if not token:
        return None
    try:
        asked, last = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError) as error:
        raise BadToken from error
    if asked != bound or not isinstance(last, list):
        raise BadToken
    return last


def _token(bound: str, key: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([bound, key]).encode()).decode()


def walk(
    rows: Callable[[list[Any] | None], Iterator[Row]],
    key: Callable[[Row], list[Any]],
    limit: int,
    token: str | None,
    bound: str,
) -> tuple[list[Row], str | None]:
    """Return a page as ``cut`` does, of rows that come in order: ``rows(last)`` begins behind the key ``last``."""
    found = list(islice(rows(_last(token, bound)), limit + 1))
    if len(found) <= limit:
        return found, None
    return found[:limit], _token(bound, key(found[limit - 1]))
