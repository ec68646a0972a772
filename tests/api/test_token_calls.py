"""Calls with a token take a short way past what only browsers need; what every answer has, they have too."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from portal.api.middleware import carries_token
from registry.services import tokens

from .world import World

pytestmark = pytest.mark.django_db
LIST = "/api/v1/model-versions/"


@pytest.mark.parametrize(
    ("path", "header", "short"),
    [
        (LIST, "Token abc", True),
        (LIST, "token abc", True),
        (LIST, "Bearer abc", False),
        (LIST, "Tokens abc", False),
        (LIST, "", False),
        ("/api/v1/auth/token/", "Token abc", False),
        ("/api/v1/docs/", "Token abc", False),
        ("/api/v1/schema/", "Token abc", False),
        ("/models/", "Token abc", False),
    ],
)
def test_who_takes_the_short_way(path: str, header: str, short: bool) -> None:
    request = RequestFactory().get(path, headers={"Authorization": header})
    assert carries_token(request) is short


def test_an_answer_with_a_token_has_the_headers_of_every_answer(world: World) -> None:
    _, token = tokens.issue(actor=world.people.officer.actor)
    headers = {"Authorization": f"Token {token}", "X-Request-ID": "pipeline-0001"}
    for path, status in ((LIST, 200), ("/api/v1/no-such-thing/", 404), (f"{LIST}?nothing=1", 400)):
        answer = Client().get(path, headers=headers)
        assert answer.status_code == status
        assert answer["X-Request-ID"] == "pipeline-0001"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert int(answer["Content-Length"]) == len(answer.content)
        assert not answer.cookies


def test_a_host_that_is_not_the_portals_is_refused_on_the_short_way(world: World, settings: object) -> None:
    settings.ALLOWED_HOSTS = ["portal.example"]  # type: ignore[attr-defined]
    _, token = tokens.issue(actor=world.people.officer.actor)
    answer = Client().get(LIST, headers={"Authorization": f"Token {token}", "Host": "evil.example"})
    assert answer.status_code == 400


def test_a_bad_token_beside_a_good_session_is_refused(world: World) -> None:
    browser = Client()
    browser.force_login(world.people.officer, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(LIST).status_code == 200
    assert browser.get(LIST, headers={"Authorization": "Token wrong"}).status_code == 401


def test_a_session_changes_nothing_through_the_api_without_the_forms_secret(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.people.scientist, backend="django.contrib.auth.backends.ModelBackend")
    path = f"{LIST}{world.fresh.pk}/submit/"
    assert browser.post(path, {}, content_type="application/json").status_code == 403
    _, token = tokens.issue(actor=world.people.scientist.actor)
    headers = {"Authorization": f"Token {token}"}
    assert browser.post(path, {}, content_type="application/json", headers=headers).status_code == 201
