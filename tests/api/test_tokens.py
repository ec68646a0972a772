"""Signing in: a password becomes a token, a token is taken back, guessing is stopped."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from portal.core.actors import Actor
from portal.core.errors import Forbidden, NotFound
from registry.models import ApiToken, User
from registry.services import tokens
from tests.factories.people import PASSWORD

from .client import BASE, Api, assert_problem
from .world import World


def _sign_in(person: User, password: str = PASSWORD, **more: str) -> object:
    return Api().call("POST", "auth/token/", {"username": person.username, "password": password, **more})


def test_a_password_becomes_a_token(world: World) -> None:
    person = world.people.scientist
    answer = Api().post("auth/token/", {"username": person.username, "password": PASSWORD, "name": "laptop"}, 200)
    assert set(answer) == {"token", "expiry"}
    client = Api()
    client.client.credentials(HTTP_AUTHORIZATION=f"Token {answer['token']}")
    assert client.get("me/")["username"] == person.username
    kept = ApiToken.objects.get(user=person, name="laptop")
    assert answer["token"] not in {kept.digest, kept.token_key}
    client.post("auth/logout/", {}, 204)
    client.get("me/", 401)


@pytest.mark.parametrize(
    "header", ["Token", "Token a b", "Token \xe4\xf6", "Token " + "x" * 64, "Bearer x", "x" * 9000]
)
def test_what_is_no_token(world: World, header: str) -> None:
    client = Api()
    client.client.credentials(HTTP_AUTHORIZATION=header)
    answer = client.call("GET", "me/")
    assert assert_problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Token"


def test_an_expired_token_is_refused_and_cleared_at_the_next_sign_in(world: World) -> None:
    person = world.people.owner
    row, text = tokens.issue(actor=person.actor)
    ApiToken.objects.filter(pk=row.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    client = Api()
    client.client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    client.get("me/", 401)
    assert ApiToken.objects.filter(pk=row.pk).exists()
    tokens.issue(actor=person.actor)
    assert not ApiToken.objects.filter(pk=row.pk).exists()


def test_a_person_who_left_is_not_signed_in(world: World) -> None:
    person = world.people.owner
    User.objects.filter(pk=person.pk).update(is_active=False)
    world.api("model_owner").get("me/", 401)
    assert_problem(_sign_in(person), 401)


@pytest.mark.parametrize(
    "body", [{}, {"username": "x"}, {"username": "x", "password": ""}, {"username": [], "password": 1}]
)
def test_an_incomplete_sign_in(db: None, body: dict[str, object]) -> None:
    assert Api().post("auth/token/", body, 400)["errors"]


def test_the_endpoint_can_be_switched_off(world: World, settings: object) -> None:
    settings.PORTAL_TOKEN_ENDPOINT = False
    assert_problem(_sign_in(world.people.owner), 404)


def test_sign_ins_are_throttled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"sign_in": "2/min"})
    assert [_sign_in(world.people.owner).status_code for _ in range(2)] == [200, 200]
    answer = _sign_in(world.people.owner)
    assert assert_problem(answer, 429)["code"] == "too-many-attempts"
    assert 0 < int(answer["Retry-After"]) <= 60
    # What a caller says of himself does not make him somebody else.
    spoofed = Api().call(
        "POST",
        "auth/token/",
        {"username": world.people.owner.username, "password": PASSWORD},
        **{"X-Forwarded-For": "192.0.2.1"},
    )
    assert_problem(spoofed, 429)
    cache.clear()


def test_guessing_locks_the_name_out(world: World, settings: object) -> None:
    cache.clear()
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 3
    person = world.people.owner
    statuses = [_sign_in(person, "wrong").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    answer = _sign_in(person)
    assert assert_problem(answer, 429)["code"] == "too-many-attempts"
    assert int(answer["Retry-After"]) == 900
    assert _sign_in(world.people.scientist).status_code == 200
    cache.clear()


def test_the_oldest_nameless_token_makes_room(world: World) -> None:
    person = world.people.engineer
    ApiToken.objects.filter(user=person).delete()
    limit = settings.REST_KNOX["TOKEN_LIMIT_PER_USER"]
    named, _ = tokens.issue(actor=person.actor, name="pipeline")
    first, _ = tokens.issue(actor=person.actor)
    for _ in range(limit - 2):
        tokens.issue(actor=person.actor)
    tokens.issue(actor=person.actor)
    kept = set(ApiToken.objects.filter(user=person).values_list("pk", flat=True))
    assert len(kept) == limit
    assert named.pk in kept
    assert first.pk not in kept


def test_named_tokens_are_never_revoked_by_a_sign_in(world: World) -> None:
    person = world.people.engineer
    ApiToken.objects.filter(user=person).delete()
    for number in range(settings.REST_KNOX["TOKEN_LIMIT_PER_USER"]):
        tokens.issue(actor=person.actor, name=f"pipeline {number}")
    assert assert_problem(_sign_in(person), 409)["code"] == "too-many-tokens"


def test_tokens_are_a_persons_own(world: World) -> None:
    row, _ = tokens.issue(actor=world.people.owner.actor)
    with pytest.raises(NotFound):
        tokens.revoke(actor=world.people.scientist.actor, token_key=row.token_key)
    with pytest.raises(Forbidden):
        tokens.issue(actor=Actor.system("test"))


def test_a_session_works_for_reading_and_needs_its_csrf_token_for_writing(world: World) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(world.people.scientist, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(f"{BASE}me/").status_code == 200
    answer = browser.post(f"{BASE}use-cases/", {}, format="json")
    assert assert_problem(answer, 403)["code"] == "forbidden"
    signed_in = APIClient()
    signed_in.force_login(world.people.scientist, backend="django.contrib.auth.backends.ModelBackend")
    assert assert_problem(signed_in.post(f"{BASE}auth/logout/", {}, format="json"), 409)


def test_me_names_the_roles(world: World) -> None:
    assert world.api("ml_admin").get("me/")["roles"] == ["ml_admin"]
    stranger = world.api("stranger").get("me/")
    assert stranger["roles"] == []
    assert stranger["project_roles"] == {
        "there": ["data_scientist", "governance_officer", "ml_engineer", "model_owner"]
    }
