"""No form, body or task takes a governed field it did not ask for: sent along, it changes nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.core.management import get_commands, load_command_class
from django.db import connection
from django.test import Client
from django.urls import resolve, reverse

import governance.tasks  # noqa: F401 - Celery knows tasks by their import
from tests.api.client import assert_problem
from tests.api.world import World
from tests.matrices import api as api_matrix
from tests.matrices import web as web_matrix
from tests.matrices.smuggled import GOVERNED, SMUGGLED
from tests.scene import fingerprint, undone

Said = list[list[tuple[Any, ...]]]
FORMS = [row for row in web_matrix.ROWS if row.method == "POST" and not row.name.startswith("sign_")]
BODIES = [
    row for row in api_matrix.ROWS if row.method in ("POST", "PATCH", "PUT") and not row.route.startswith("auth/")
]
TASKS = sorted(name for name in current_app.tasks if name.startswith(("governance.", "registry.")))
COMMANDS = sorted(name for name, app in get_commands().items() if app in ("registry", "governance", "portal.core"))


def governed() -> Said:
    """Return every governed row as it stands."""
    said: Said = []
    with connection.cursor() as cursor:
        for query in GOVERNED:
            cursor.execute(query)
            said.append(cursor.fetchall())
    return said


def _allowed(statuses: tuple[int, ...], columns: tuple[str, ...], good: tuple[int, ...]) -> str:
    return next((role for role, status in zip(columns, statuses, strict=True) if status in good), "")


@pytest.mark.parametrize("row", FORMS, ids=lambda row: row.label)
def test_a_form_takes_only_the_fields_it_has(
    row: web_matrix.Row, world: World, as_role: Callable[[str], Client], aws_answers: None
) -> None:
    role = _allowed(row.statuses, web_matrix.COLUMNS, (302, 200, 422))
    path = reverse(row.name, args=web_matrix.argument(world, row.on))
    asked = row.body(world) if row.body else {}
    form = getattr(resolve(path).func.view_class, "form_class", None)  # type: ignore[attr-defined]
    own = set(asked) | set(getattr(form, "base_fields", {}))
    results = []
    for extra in ({}, {name: value for name, value in SMUGGLED.items() if name not in own}):
        with undone():
            answer = as_role(role).post(path, {**extra, **asked})
            results.append((answer.status_code, governed()))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        pytest.param(row, name, id=f"{row.method} {row.route} {row.on} {name}")
        for row in BODIES
        for name in ("status", "registered_by", "approved_digest", "requirements")
        if name not in (row.body or {})
    ],
)
def test_a_body_with_a_field_that_is_not_its_own_is_refused(
    row: api_matrix.Row, name: str, world: World, aws_answers: None
) -> None:
    role = _allowed(row.statuses, api_matrix.COLUMNS, (200, 201, 202, 204, 409, 400))
    path = row.route.format(id=world.ids.get(row.on, ""), **world.others)
    with undone():
        before = fingerprint()
        body = {**(row.body or {}), name: SMUGGLED.get(name, "approved")}
        answer = world.api(role).call(row.method, path, body, **row.headers)
        assert_problem(answer, 400)
        assert name in answer.json()["errors"]
        assert fingerprint() == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", TASKS)
def test_a_task_takes_ids_and_ignores_what_else_it_is_given(name: str) -> None:
    task = current_app.tasks[name]
    parameters = inspect.signature(task.run).parameters.values()
    named = {one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    assert not named & set(SMUGGLED), "a task is told ids, never what to write"
    assert not [one for one in parameters if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_takes_a_governed_field(name: str) -> None:
    command = load_command_class(get_commands()[name], name)
    assert not isinstance(command, str)
    parser = command.create_parser("manage.py", name)
    taken = {action.dest for action in parser._actions}
    assert not taken & (set(SMUGGLED) - {"number"}), "what is governed is moved by services, on somebody's word"


def test_the_matrices_are_not_empty() -> None:
    assert (len(FORMS) > 40, len(BODIES) > 40, len(TASKS) > 5, len(COMMANDS) > 4) == (True,) * 4
