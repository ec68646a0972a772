"""Refusals are problem documents, whatever refuses: parser, router, service, database, or a fault of the portal."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client
from redis.exceptions import RedisError

from governance.services import use_cases
from portal.api.problem import exception_handler, flattened
from portal.core.errors import Unavailable
from registry.models import UseCase
from tests.refusals import refused

from .client import BASE, Api, assert_problem
from .world import World

REGISTRATION = {"name": "New", "intended_purpose": "Rank.", "project": "here"}


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b'{"name": NaN}', 400, "malformed"),
        (b'{"name": 1' + b"0" * 5000 + b"}", 400, "malformed"),
        (b'{"name": "\\ud800"}', 400, "malformed"),
        (b'{"\\u0000": "x"}', 400, "malformed"),
        (b'{"name": "a\\u0000b"}', 400, "malformed"),
        (b"[" * 100_000, 400, "malformed"),
        (b"[" * 40 + b"]" * 40, 400, "malformed"),
        (b"[]", 400, "invalid-input"),
        (b'"text"', 400, "invalid-input"),
        (b"null", 400, "invalid-input"),
        (b"17", 400, "invalid-input"),
        (b'{"name": "' + b"x" * 2_700_000 + b'"}', 413, "body-too-large"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_that_cannot_be_read(world: World, raw: bytes, status: int, code: str) -> None:
    answer = world.api("data_scientist").client.post(f"{BASE}use-cases/", raw, content_type="application/json")
    assert assert_problem(answer, status)["code"] == code


def test_a_form_is_not_json(world: World) -> None:
    answer = world.api("data_scientist").client.post(
        f"{BASE}use-cases/", {"name": "x"}, format=None, content_type="x/y"
    )
    assert assert_problem(answer, 415)["code"] == "unsupported-media-type"


def test_fields_are_named(world: World) -> None:
    refusal = world.api("data_scientist").post(
        "use-cases/", {"name": " ", "project": "nowhere", "stage": "production", "colour": "red"}, 400
    )
    assert refusal["code"] == "invalid-input"
    assert set(refusal["errors"]) == {"stage", "colour"}
    refusal = world.api("data_scientist").post("use-cases/", {"name": " ", "project": "nowhere"}, 400)
    assert set(refusal["errors"]) == {"name", "project", "intended_purpose"}


def test_the_stage_is_never_edited(world: World) -> None:
    path = f"use-cases/{world.draft.public_id}/"
    refusal = world.api("data_scientist").send("PATCH", path, {"stage": "production"}, 400, **{"If-Match": "*"})
    assert "verbs" in refusal["errors"]["stage"][0]


def test_an_address_there_is_not(world: World) -> None:
    refusal = world.api("auditor").get("nowhere/", 404)
    assert refusal["code"] == "not-found"
    assert "/api/v1/use-cases/" in world.api("auditor").get("use-cases", 404)["detail"]
    assert Api().get("nowhere/", 404)["code"] == "not-found"


@pytest.mark.parametrize("text", ["uc-0001", "UC-1", "UC-00001", "UC-9999", "UC-999999999999999999", "x", "1"])
def test_ids_that_lead_nowhere(world: World, text: str) -> None:
    world.api("auditor").get(f"use-cases/{text}/", 404)
    world.api("auditor").get(f"approvals/{text.replace('UC', 'AR')}/", 404)


@pytest.mark.parametrize("text", ["0", "99999999", "999999999999999999", "-1", "x", "9" * 30])
def test_numbers_that_lead_nowhere(world: World, text: str) -> None:
    for resource in ("model-versions", "model-groups", "deployments"):
        world.api("auditor").get(f"{resource}/{text}/", 404)
    world.api("ml_engineer").post(f"stage-records/{text}/validation-metrics/", {"metrics": {"a": 1}}, 404)
    world.api("ml_engineer").post(f"outbox/{text}/retry/", {}, 404)


@pytest.mark.parametrize("body", [{"ids": [[]] * 20_001}, {f"field{number}": 1 for number in range(10_001)}])
def test_more_than_a_body_holds_is_refused_before_it_is_looked_at_piece_by_piece(world: World, body: Any) -> None:
    refusal = world.api("governance_officer").send("POST", "approvals/bulk-approve/", body, 400)
    assert (refusal["code"], refusal["errors"]) == ("malformed", {})


def test_representations(world: World) -> None:
    refusal = world.api("auditor").get("approvals/", 400, format="xml")
    assert refusal["errors"] == {"format": ["Use one of json, csv."]}
    world.api("auditor").get("use-cases/", 200, format="json")
    answer = world.api("auditor").call("GET", "use-cases/", Accept="text/html")
    assert assert_problem(answer, 406)["code"] == "not-acceptable"


def test_a_refusal_of_csv_is_a_problem_too(world: World) -> None:
    world.api("auditor").get("stage-records/", 400, format="csv", model_stage="nowhere")


def _raise(error: Exception) -> Any:
    def register(**_: Any) -> UseCase:
        raise error

    return register


def test_a_guard_of_the_database_is_409_with_its_own_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def bypass(**_: Any) -> UseCase:
        with transaction.atomic():
            UseCase.objects.filter(pk=world.draft.pk).update(stage="production")
        raise AssertionError("the guard let it pass")

    with refused("lifecycle_guard"):
        bypass()
    monkeypatch.setattr(use_cases, "register", bypass)
    refusal = _once(world, 409)
    assert refusal["code"] == "lifecycle-guard"
    assert "only through the lifecycle service" in refusal["detail"]


def _once(world: World, status: int) -> dict[str, Any]:
    """Register through the API and return the problem, also that of a fault."""
    client = world.api("data_scientist")
    client.client.raise_request_exception = False
    try:
        problem: dict[str, Any] = client.post("use-cases/", REGISTRATION, status)
    finally:
        client.client.raise_request_exception = True
    return problem


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (IntegrityError("duplicate key"), 409, "conflict"),
        (OperationalError("gone"), 503, "unavailable"),
        (RedisError("gone"), 503, "unavailable"),
        (Unavailable("AWS does not answer."), 503, "unavailable"),
        (RuntimeError("secret detail"), 500, "internal-error"),
    ],
    ids=str,
)
def test_what_goes_wrong_below(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    monkeypatch.setattr(use_cases, "register", _raise(error))
    problem = _once(world, status)
    assert problem["code"] == code
    assert "secret" not in str(problem)
    assert "duplicate" not in str(problem)


def test_a_row_changed_at_the_same_moment_is_412() -> None:
    class Cause(Exception):
        sqlstate = "40001"
        diag = None

    error = OperationalError("stale revision")
    error.__cause__ = Cause()
    assert exception_handler(error, {}).status_code == 412


def test_nested_errors_are_flattened() -> None:
    assert flattened({"a": ["x"], "b": {"c": ["y"]}, "d": [{}, {"e": ["z"]}]}) == {
        "a": ["x"],
        "b.c": ["y"],
        "d.1.e": ["z"],
    }
    assert flattened(["x"]) == {"non_field_errors": ["x"]}


def test_answers_are_not_cached(world: World) -> None:
    assert world.api("auditor").call("GET", "use-cases/")["Cache-Control"] == "private, no-store"
    assert world.api("auditor").call("GET", "use-cases/UC-9999/")["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["nope/", "use-cases/UC-0001/submit", "auth/token"])
def test_a_post_to_an_address_that_is_none_is_refused_as_the_api_refuses(path: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(f"/api/v1/{path}", "{}", content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
