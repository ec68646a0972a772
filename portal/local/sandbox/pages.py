"""Cut an answer into pages whose tokens stay right while rows come and go."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
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
    ordered = sorted(rows, key=key, reverse=descending)
    if token:
        try:
            asked, last = json.loads(base64.urlsafe_b64decode(token.encode()))
        except ValueError as error:
            raise BadToken from error
        if asked != bound:
            raise BadToken
        ordered = [r for r in ordered if (key(r) < last if descending else key(r) > last)]
    page = ordered[:limit]
    if len(ordered) <= limit:
        return page, None
    return page, base64.urlsafe_b64encode(json.dumps([bound, key(page[-1])]).encode()).decode()
