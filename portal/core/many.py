"""One act on several rows over the REST API: carried out row by row, and answered row by row.

Each row goes through the one service that a single one goes through, in a transaction of its own. What is refused for
one row says why and keeps nothing from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from .errors import DomainError
from .serializers import Input, Output

# As many as the pages take at once.
MOST_ROWS = 100


class OutcomeOutput(Output):
    """What became of one row; `code`, `detail` and `errors` are those the refusal of a single one would carry."""

    id = serializers.CharField(help_text="As it was sent.")
    done = serializers.BooleanField()
    detail = serializers.CharField(help_text="What is to be said of it; of one that was refused, why.")
    code = serializers.CharField(help_text='Empty for what was done; else stable, for programs, such as "forbidden".')
    errors = serializers.DictField(  # type: ignore[assignment]  # a field of that name
        child=serializers.ListField(child=serializers.CharField())
    )


class OutcomesOutput(Output):
    """What became of every row, in the order they were sent, each once."""

    done = serializers.IntegerField(help_text="How many were done.")
    refused = serializers.IntegerField(help_text="How many were refused.")
    results = OutcomeOutput(many=True)


class RowsInput(Input):
    """The ids of the rows that are meant."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=30),
        min_length=1,
        max_length=MOST_ROWS,
        help_text=f"As the addresses of single ones carry them; at most {MOST_ROWS}.",
    )


def one_by_one(ids: Iterable[str], carry_out: Callable[[str], str]) -> Response:
    """Carry something out for each id and answer with what became of it.

    `carry_out` finds the row, calls the service and returns what to say of it, "" for no more than that it is done.
    A DomainError refuses that row alone; anything else ends the whole call.
    """
    results = [_one(given, carry_out) for given in dict.fromkeys(ids)]
    done = sum(row["done"] for row in results)
    answer = {"done": done, "refused": len(results) - done, "results": results}
    return Response(OutcomesOutput(answer).data)


def _one(given: str, carry_out: Callable[[str], str]) -> dict[str, Any]:
    try:
        return {"id": given, "done": True, "detail": carry_out(given), "code": "", "errors": {}}
    except DomainError as refusal:
        errors = {name: list(texts) for name, texts in refusal.errors.items()}
        return {"id": given, "done": False, "detail": refusal.detail, "code": refusal.code, "errors": errors}
