"""Every page of the matrix as somebody who may see it, for axe; the work is split over files, so over processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Error, expect

from tests.api.world import actors
from tests.matrices.web import COLUMNS, ROWS, Row, argument

from .live import Live
from .pages import Person, violations

# Who sees most of a page comes first.
ROLES = ("ml_admin", "governance_officer", "ml_engineer", "data_scientist", "model_owner", "auditor", "anonymous")
PARTS = 2


def pages(part: int) -> dict[str, list[Row]]:
    """Return every PARTS-th page that answers 200 to somebody, by the role that opens it."""
    found: dict[str, list[Row]] = {}
    rows = [row for row in ROWS if row.method == "GET" and 200 in row.statuses]
    for row in rows[part::PARTS]:
        role = next(role for role in ROLES if row.statuses[COLUMNS.index(role)] == 200)
        found.setdefault(role, []).append(row)
    return found


def complaints(live: Live, person: Callable[..., Person], role: str, rows: list[Row]) -> Iterator[str]:
    """Open each page once and have axe look at it in light and dark; yield page, theme, rule and node.

    The frame is the same around all pages of a person: it is looked at with the first.
    """
    user = actors(live.world.people)[role]
    assert user is not None
    window, frame = person(user), True
    for row in rows:
        path = reverse(row.name, args=argument(live.world, row.on))
        if not _opens(window, path):
            continue
        expect(window.page.locator("[aria-busy=true]")).to_have_count(0)
        yield from (f"{row.label} ({path}) in {found}" for found in violations(window.page, frame=frame))
        frame = False


def _opens(window: Person, path: str) -> bool:
    """Open an address; False when it answers with a file, or with a part that a page fetches."""
    try:
        answer = window.page.goto(path)
    except Error as error:
        if "Download is starting" not in str(error):
            raise
        return False
    assert answer is not None
    assert answer.status == 200, f"{path}: {answer.status}"
    return bool(window.page.evaluate("document.doctype !== null"))


def look_at(part: int, live: Live, person: Callable[..., Person]) -> None:
    """Fail with everything axe finds on this part's pages."""
    found = [
        line
        for role, rows in pages(part).items()
        if role != "anonymous"
        for line in complaints(live, person, role, rows)
    ]
    if found:
        pytest.fail(f"{len(found)} violations\n" + "\n".join(found), pytrace=False)
