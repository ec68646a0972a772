"""Bad input is refused with a clear message and changes nothing, whatever it is; never a fault of the portal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.matrices.api import ROWS, Row
from tests.scene import fingerprint, undone

from .client import BASE, assert_problem
from .world import ROLES, World

WRITES = [row for row in ROWS if row.method in {"POST", "PUT", "PATCH"}]
LONG = "x" * 30_000
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, 1e308, "", " ", "\t", LONG, "ä", "\u202e", "\U0001f4a5", "'; DROP TABLE x; --", "<script>",
    "2026-02-30", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", [], [None], [[]], {}, {"": None}, {"a": {"b": {"c": {}}}},
)  # fmt: skip
BODIES: tuple[Any, ...] = (None, [], [1], "text", 7, True, {"": ""}, {"unknown": 1}, {"stage": "production"}, {"id": 1})


def role_of(row: Row) -> str:
    """Return a role that may do it, so that nothing but the input refuses."""
    return next(
        role
        for role, status in zip(ROLES, row.statuses, strict=True)
        # Where nobody may in the scene - the wrong moment, an incomplete body - who gets that far is the one.
        if status < 300 or status in (400, 409) or (status == 401 and role != "anonymous")
    )


def _tried(world: World, row: Row, body: Any, before: tuple[object, ...]) -> None:
    with undone():
        path = BASE + row.route.format(id=world.ids.get(row.on, ""), **world.others)
        client = world.api(role_of(row)).client
        answer = getattr(client, row.method.lower())(path, body, format="json", headers=row.headers or None)
        assert answer.status_code < 500, (row.route, body, answer.getvalue()[:500])
        if answer.status_code >= 400:
            problem = assert_problem(answer, answer.status_code)
            assert answer.status_code != 400 or problem["errors"] or problem["code"] == "malformed", problem
            assert fingerprint() == before, (row.route, body)


@pytest.mark.parametrize("row", WRITES, ids=lambda row: f"{row.method} {row.route} {row.on}".strip())
def test_garbage_is_refused(row: Row, world: World, aws_answers: None) -> None:
    before = fingerprint()
    for body in BODIES:
        _tried(world, row, body, before)
    for name in row.body or {}:
        for value in VALUES:
            _tried(world, row, {**(row.body or {}), name: value}, before)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.sampled_from(WRITES), st.data())
def test_anything_at_all(world: World, aws_answers: None, row: Row, data: st.DataObject) -> None:
    names = sorted(row.body or {"note": ""})
    body = data.draw(st.dictionaries(st.sampled_from([*names, "other"]), ANYTHING, max_size=4) | ANYTHING)
    _tried(world, row, body, fingerprint())


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([row.route for row in ROWS if row.method == "GET" and "{" not in row.route and row.route.endswith("s/")
                     and row.statuses[ROLES.index("auditor")] == 200]),
    st.sampled_from(
        ["cursor", "page_size", "ordering", "search", "stage", "use_case", "use_case_id", "account", "state", "kind",
         "model_package_arn", "object_id", "queue", "format"]
    ),
    st.text(max_size=40),
)  # fmt: skip
@example("use-cases/", "search", "\x00")
@example("use-cases/", "search", '"')
@example("stage-records/", "use_case_id", "UC-999999999999999999")
@example("approvals/", "use_case", "UC-0000")
def test_any_query(world: World, route: str, name: str, value: str) -> None:
    answer = world.api("auditor").client.get(BASE + route, {name: value})
    assert answer.status_code in {200, 400}, (route, name, value)
    if answer.status_code == 400:
        assert_problem(answer, 400)
