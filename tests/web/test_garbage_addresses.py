"""What is read of AWS has addresses with versions, spans and choices in them: whatever they say, no page breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from tests.api.world import World
from tests.matrices.web import ROWS, Row, argument

THINGS = ("card", "endpoint", "monitor", "persona", "lineage", "training", "pipeline", "report", "dashboard")
PAGES = [row for row in ROWS if row.method == "GET" and any(thing in row.name for thing in THINGS)]
NAMES = (
    "version", "from", "to", "group", "sort", "page", "per_page", "search", "q", "export", "columns", "account", "region",
    "stage", "state", "status", "kind", "days", "span", "hours", "metric", "variant", "endpoint", "risk", "use_case",
    "model_group", "execution_roles", "roles", "as", "part", "depth", "only", "serves", "lacks", "check", "run", "owner",
)  # fmt: skip
GARBAGE = ("\x00", "9" * 30, "²'; <b>%s\u202e")


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.label)
def test_garbage_in_an_address_breaks_no_page(row: Row, world: World, as_role: Callable[[str], Client]) -> None:
    client = as_role("auditor")
    path = reverse(row.name, args=argument(world, row.on))
    for value in GARBAGE:
        answer = client.get(path, dict.fromkeys(NAMES, value))
        assert answer.status_code in (200, 302, 400, 403, 404, 409), (value, answer.status_code)
    # One at a time, for the first that is refused hides the others.
    for name in ("version", "from", "to", "page", "execution_roles"):
        assert client.get(path, {name: GARBAGE[0]}).status_code < 500, name
