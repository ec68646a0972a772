"""Counts of several lists in one question to the database: a page that shows five numbers asks once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet


def count_together(at_most: int | None = None, **lists: QuerySet[Any]) -> dict[str, int]:
    """Return how many rows each of the lists has, under its name, as `count()` would say of each.

    All lists are read from one database and at one moment. Counting ends at `at_most`, where that is enough to know.
    """
    counts = dict.fromkeys(lists, 0)
    asked: list[str] = []
    questions: list[str] = []
    parameters: list[Any] = []
    using = next(iter(lists.values())).db if lists else "default"
    for name, rows in lists.items():
        try:
            # What is cut out of a list keeps its order: it decides what is in it.
            unordered = rows if rows.query.is_sliced else rows.order_by()
            sql, given = unordered.values("pk")[:at_most].query.get_compiler(using).as_sql()
        except EmptyResultSet:
            # Django knows without asking that there is nothing.
            continue
        asked.append(name)
        # Django's own words with their parameters beside them: nothing of a person's is put into the text.
        questions.append(f"(SELECT count(*) FROM ({sql}) AS counted)")  # noqa: S608 - as said above
        parameters += given
    if asked:
        with connections[using].cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(questions)}", parameters)
            counts |= dict(zip(asked, cursor.fetchone() or (), strict=True))
    return counts
