"""Every operation of the schema, with input made up from it, as each role: no 5xx, nothing the schema does not say.

What is sent is half the time as the schema allows and half the time not; addresses name real rows more often than
not. Everything a call writes is undone. `make fuzz` tries many more inputs than the suite does.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from portal.wsgi import application
from tests.matrices.api import COLUMNS, ROWS
from tests.scene import undone

from .client import BASE
from .world import World

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Inputs of each kind, allowed and not, for each operation; each is sent as every role.
INPUTS = int(os.environ.get("PORTAL_FUZZ_INPUTS", "1"))
SEED = int(os.environ.get("PORTAL_FUZZ_SEED", "20"))
REAL_ROWS = 0.8
# The root, the document itself and its page describe the rest.
OPERATIONS = sorted({(row.route, row.method) for row in ROWS} - {("", "GET"), ("schema/", "GET"), ("docs/", "GET")})


@pytest.fixture(scope="module")
def description(django_db_setup: None, django_db_blocker: Any, shared_world: World) -> Iterator[Any]:
    """The schema as the API serves it, with the application behind it."""
    # A server closes a connection that is left in a transaction, and here everything is in one.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with django_db_blocker.unblock():
        yield schemathesis.openapi.from_wsgi(
            f"{BASE}schema/?format=json", application, headers=_credentials(shared_world, "auditor")
        )
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize(("route", "method"), OPERATIONS, ids=lambda value: value or "/")
def test_no_input_breaks_it(route: str, method: str, description: Any, world: World, aws_answers: None) -> None:
    operation = description[BASE + route][method]
    sender = Sender(operation, world, [row.on for row in ROWS if row.on and (row.route, row.method) == (route, method)])
    for mode in GenerationMode:
        _try(operation, mode, sender)
    assert not sender.broken, "\n".join(sender.broken)


def _try(operation: APIOperation, mode: GenerationMode, sender: Sender) -> None:
    @seed(SEED)
    @settings(
        max_examples=INPUTS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Case) -> None:
        sender.send(case)

    try:
        each()
    except Unsatisfiable:
        # Where any text is allowed, nothing can be sent that is not.
        assert mode is GenerationMode.NEGATIVE, operation.label


class Sender:
    """Sends one input as every role, and writes down what of the answers is against the schema."""

    def __init__(self, operation: APIOperation, world: World, acts_on: list[str]) -> None:
        self.broken: list[str] = []
        self._rows = [
            {name: value for name, value in _known(world, on).items() if f"{{{name}}}" in operation.path}
            for on in acts_on
        ]
        self._credentials = {role: _credentials(world, role) for role in COLUMNS}
        self._chance = random.Random(f"{SEED} {operation.label}")

    def send(self, case: Case) -> None:
        if self._rows and self._chance.random() < REAL_ROWS:
            case.path_parameters = {**case.path_parameters, **self._chance.choice(self._rows)}
        for role, headers in self._credentials.items():
            with undone():
                answer = case.call(headers=headers)
            try:
                case.validate_response(answer, checks=CHECKS)
            except (FailureGroup, Failure) as error:
                for one in error.exceptions if isinstance(error, FailureGroup) else [error]:
                    told = f"{one.__class__.__name__} as {role}: {answer.status_code} to {case.as_curl_command()}"
                    self.broken.append(f"{told}\n    {str(one)[:600]}")


def _known(world: World, on: str) -> dict[str, str]:
    return {"id": world.ids[on], "channel": str(world.channel.pk)}


def _credentials(world: World, role: str) -> dict[str, str]:
    given = world.api(role).client._credentials
    return {"Authorization": given["HTTP_AUTHORIZATION"]} if given else {}
