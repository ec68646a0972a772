"""Two requests with one key in the same instant, and a process that dies on the way; on a real database."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, connections

from governance.models import IdempotentAnswer
from governance.services import idempotency, use_cases
from registry.models import UseCase
from tests.factories import cast, project

from .client import Api

KEY = {"Idempotency-Key": "nightly-2026-11-21"}


@pytest.fixture
def api(committed_db: str) -> Api:
    here = project()
    return Api(cast(here, project()).scientist)


def body() -> dict[str, str]:
    from registry.models import Project  # noqa: PLC0415 - beside its use

    return {"name": "New", "intended_purpose": "Rank.", "project": Project.objects.order_by("pk")[0].key}


def slowly(monkeypatch: pytest.MonkeyPatch, seconds: float) -> threading.Event:
    """Let a registration take some time; the event says that one has begun."""
    register, begun = use_cases.register, threading.Event()

    def slow(**values: Any) -> UseCase:
        made = register(**values)
        begun.set()
        time.sleep(seconds)
        return made

    monkeypatch.setattr(use_cases, "register", slow)
    return begun


def both(api: Api, begun: threading.Event) -> list[Any]:
    """Send the same request twice, the second while the first is carried out."""
    sent, answers = body(), []

    def send() -> None:
        try:
            answers.append(api.call("POST", "use-cases/", sent, **KEY))
        finally:
            connections.close_all()

    first = threading.Thread(target=send)
    first.start()
    assert begun.wait(10)
    second = threading.Thread(target=send)
    second.start()
    for thread in (first, second):
        thread.join(20)
    return answers


def test_the_second_waits_and_is_told_what_the_first_did(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = both(api, slowly(monkeypatch, 0.3))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second["Idempotency-Replayed"] == "true"
    assert first.content == second.content
    assert UseCase.objects.count() == 1


def test_the_second_does_not_wait_for_ever(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_WAIT", 0.05)
    second, first = both(api, slowly(monkeypatch, 0.6))
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["code"] == "idempotency-in-progress"
    assert int(second["Retry-After"]) > 0
    assert UseCase.objects.count() == 1


def test_a_connection_that_dies_before_the_commit_leaves_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    register, sent = use_cases.register, body()

    def die(**values: Any) -> UseCase:
        made = register(**values)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return made

    with monkeypatch.context() as patched:
        patched.setattr(use_cases, "register", die)
        answer = api.call("POST", "use-cases/", sent, **KEY)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    connection.close()
    assert (UseCase.objects.count(), IdempotentAnswer.objects.count()) == (0, 0)
    assert not api.call("POST", "use-cases/", sent, **KEY).has_header("Idempotency-Replayed")
    assert UseCase.objects.count() == 1


def test_a_process_that_dies_after_the_commit_is_asked_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = body()

    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("governance.api.use_cases.UseCases.finalize_response", die)
        with pytest.raises(Killed):
            api.call("POST", "use-cases/", sent, **KEY)
    assert UseCase.objects.count() == 1
    again = api.call("POST", "use-cases/", sent, **KEY)
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert again.json()["id"] == UseCase.objects.get().public_id
    assert UseCase.objects.count() == 1
