"""One person's token on the REST API, inside the test process."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from registry.models import User
from registry.services import tokens

BASE = "/api/v1/"


class Api:
    """Calls the API as one person (or as nobody), with a real token through the whole stack."""

    def __init__(self, person: User | None = None) -> None:
        self.client = APIClient()
        if person is not None:
            _, text = tokens.issue(actor=person.actor)
            self.client.credentials(HTTP_AUTHORIZATION=f"Token {text}")

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Make one call, whatever it answers."""
        given = {"data": body, "format": "json"} if method not in {"GET", "HEAD"} and body is not None else {}
        return getattr(self.client, method.lower())(BASE + path, headers=headers or None, **given)

    def get(self, path: str, expect: int = 200, **params: Any) -> Any:
        answer = self.client.get(BASE + path, params)
        return _json(answer, expect)

    def results(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return list(self.get(path, **params)["results"])

    def send(self, method: str, path: str, body: Any = None, expect: int = 200, **headers: str) -> Any:
        return _json(self.call(method, path, {} if body is None else body, **headers), expect)

    def post(self, path: str, body: Any = None, expect: int = 201) -> Any:
        return self.send("POST", path, body, expect)


def _json(answer: Any, expect: int) -> Any:
    assert answer.status_code == expect, f"{answer.status_code}: {answer.getvalue()[:2000]!r}"
    if expect >= 400:
        assert_problem(answer, expect)
    return answer.json() if answer.getvalue() else None


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    """Check that an answer is a whole problem document; returns it."""
    assert answer["Content-Type"] == "application/problem+json", answer["Content-Type"]
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}, problem
    assert problem["status"] == answer.status_code == status
    assert problem["type"] == f"urn:model-governance:problem:{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    return problem
