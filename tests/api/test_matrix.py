"""Every route and method of the API against every role; a route without a row fails."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
from django.urls import URLPattern

from portal.api.urls import urlpatterns
from tests.matrices.api import COLUMNS, ROWS, Row
from tests.scene import fingerprint, undone

from .client import assert_problem
from .world import ROLES, World

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def written(pattern: URLPattern) -> str:
    """Return a route as the matrix writes it: `use-cases/{id}/`."""
    return re.sub(r"\(\?P<(\w+)>.*?\)(?=/)", r"{\1}", str(pattern.pattern)).strip("^$").replace("\\Z", "")


def routes() -> dict[str, set[str]]:
    """Return every route of the API with the methods it answers, read from the resolver."""
    found: dict[str, set[str]] = defaultdict(set)
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.name == "api-not-found":
            continue
        route = written(pattern)
        view = getattr(pattern.callback, "cls", None) or pattern.callback.view_class  # type: ignore[attr-defined]
        actions = getattr(pattern.callback, "actions", None)
        names = actions or [name for name in view.http_method_names if hasattr(view, name)]
        found[route] |= {name.upper() for name in names} - {"HEAD", "OPTIONS"}
    return found


def test_every_route_has_its_row() -> None:
    served = {(method, route) for route, methods in routes().items() for method in methods}
    assert served == {(row.method, row.route) for row in ROWS}


def test_the_columns_are_the_roles() -> None:
    assert COLUMNS == ROLES
    assert all(len(row.statuses) == len(COLUMNS) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.route} {row.on}".strip())
def test_each_role_is_answered_as_the_table_says(row: Row, world: World, aws_answers: None) -> None:
    path = row.route.format(id=world.ids.get(row.on, ""), **world.others)
    answered, before = {}, fingerprint()
    for role, expected in zip(COLUMNS, row.statuses, strict=True):
        with undone():
            answer = world.api(role).call(row.method, path, row.body, **row.headers)
            answered[role] = answer.status_code
            if answer.status_code >= 400:
                assert_problem(answer, answer.status_code)
                assert fingerprint() == before, f"a refusal of {role} changed something"
            if expected == 401:
                assert answer["WWW-Authenticate"] == "Token"
    assert answered == dict(zip(COLUMNS, row.statuses, strict=True))


@pytest.mark.parametrize("route", sorted(routes()))
def test_other_methods_are_refused(route: str, world: World) -> None:
    known = routes()[route]
    ids = {row.route: world.ids.get(row.on, "") for row in ROWS}
    for method in {*METHODS, "OPTIONS"} - known:
        answer = world.api("ml_admin").call(
            method, route.format(id=ids[route], **world.others), {} if method != "GET" else None
        )
        assert_problem(answer, 405)
