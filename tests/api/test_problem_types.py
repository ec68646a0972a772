"""Every type of problem is in the document, means one thing, and reaches the caller from wherever something fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.db import OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from rest_framework.response import Response

from governance.services import use_cases
from portal.api import faults, problem_types
from portal.core.csv_export import BROKEN_OFF, streamed
from portal.core.errors import DomainError
from portal.core.table_export import csv_file

from .client import BASE, Api, assert_problem
from .world import World


def test_the_document_is_up_to_date() -> None:
    assert problem_types.DOCUMENT.read_text() == problem_types.document(), "Run python -m portal.api.problem_types."


def test_a_type_means_one_thing() -> None:
    known = {one.code: one for one in problem_types.named()}
    assert len(known) > 40
    kinds = [kind for kind in problem_types._below(DomainError) if not kind.__module__.startswith("tests.")]
    for kind in kinds:
        assert kind.status == known[kind.code].status, f"{kind.__name__} shares its code with another status"
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{2,60}", code) for code in known)
    assert set(problem_types.ADVICE_FOR) <= set(known)


@pytest.mark.django_db
def test_the_guards_are_those_of_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname LIKE 'governance\\_%' OR proname LIKE 'registry\\_%'")
        bodies = [body for (body,) in cursor.fetchall()]
    raised = {name for body in bodies for name in re.findall(r"CONSTRAINT = '(\w+)'", body)}
    assert raised
    assert {name.replace("_", "-") for name in raised} <= {code for code, _ in problem_types.guards()}


def answered(answer: HttpResponse, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = json.loads(answer.content)
    assert problem["type"] == f"{problem_types.TYPE}{problem['code']}"
    return problem


def failing(call: HttpRequest) -> HttpResponse:
    """Answer as Django has it done while an error is being handled."""

    def lose() -> None:
        raise OperationalError("gone")

    try:
        lose()
    except OperationalError:
        return faults.server_error(call)
    raise AssertionError("nothing failed")


def test_what_fails_outside_of_a_view_is_a_problem_of_the_api_and_a_page_elsewhere() -> None:
    call, page = RequestFactory().get("/api/v1/use-cases/"), RequestFactory().get("/use-cases/")
    assert answered(faults.bad_request(call, DisallowedHost("x")), 400)["code"] == "malformed"
    assert answered(faults.forbidden(call, PermissionDenied()), 403)["code"] == "forbidden"
    assert answered(faults.not_found(call, Http404()), 404)["code"] == "not-found"
    assert answered(faults.server_error(call), 500)["code"] == "internal-error"
    answer = failing(call)
    assert answered(answer, 503)["code"] == "unavailable"
    assert answer["Retry-After"] == "5"
    for given in (faults.bad_request(page, DisallowedHost("x")), faults.server_error(page)):
        assert given["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_a_host_that_is_not_known(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for headers in ({}, {"HTTP_AUTHORIZATION": "Token nonsense"}):
        answered(Client().get("/api/v1/me/", HTTP_HOST="evil.example", **headers), 400)  # type: ignore[arg-type]


def test_an_answer_that_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def retrieve(*_: Any, **__: Any) -> Response:
        return Response({"name": object()})

    monkeypatch.setattr("governance.api.use_cases.UseCases.retrieve", retrieve)
    api = world.api("auditor")
    api.client.raise_request_exception = False
    problem = assert_problem(api.call("GET", f"use-cases/{world.draft.public_id}/"), 500)
    api.client.raise_request_exception = True
    assert problem["code"] == "internal-error"
    assert "object" not in problem["detail"]


def test_a_file_that_cannot_be_begun_is_refused() -> None:
    def rows() -> Any:
        raise OperationalError("gone")
        yield {}

    with pytest.raises(OperationalError):
        streamed("x.csv", ["a"], rows())


def test_a_file_that_breaks_off_says_so() -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield {"a": "1"}
        yield {"a": "2"}
        raise OperationalError("the server closed the connection")

    def cells() -> Iterator[list[str]]:
        yield from (list(row.values()) for row in rows())

    for answer in (streamed("x.csv", ["a"], rows()), csv_file("x", ["a"], cells())):
        assert answer.getvalue().decode() == f"a\r\n1\r\n2\r\n{BROKEN_OFF}\r\n"


def test_refusals_carry_the_headers_that_belong_to_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    api = world.api("auditor")
    assert "GET" in api.call("DELETE", "use-cases/")["Allow"]
    assert_problem(api.client.post(f"{BASE}use-cases/", b"x", content_type="text/plain"), 415)
    assert_problem(api.call("GET", "use-cases/", Accept="image/png"), 406)
    assert_problem(Api().call("GET", "use-cases/"), 401)

    def fail(**_: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(use_cases, "register", fail)
    body = {"name": "New", "intended_purpose": "x", "project": "here"}
    answer = world.api("data_scientist").call("POST", "use-cases/", body)
    assert_problem(answer, 503)
    assert int(answer["Retry-After"]) > 0
