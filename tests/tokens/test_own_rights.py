"""A token makes another one with at most its own rights; one's own tokens are listed, made and revoked by the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from governance.models import TokenTerms
from governance.services import api_tokens
from portal.core.vocabulary import Role
from registry.models import ApiToken, Project
from registry.services import people, tokens
from tests.api.client import Api, assert_problem
from tests.api.world import World
from tests.factories.people import SYSTEM

from .test_scope import client_of, token_of

# What a token is held to, and what another one is asked to be held to, by the keys of projects; None is nothing.
SCOPES: tuple[tuple[str, ...] | None, ...] = (None, ("here",), ("there",), ("here", "there"))


def parent(world: World, scope: tuple[str, ...] | None, *, only_read: bool = False) -> Api:
    projects = {"here": world.project, "there": world.elsewhere}
    held: list[Project] | None = None if scope is None else [projects[key] for key in scope]
    return token_of(world.people.scientist, to=held, only_read=only_read)


@pytest.fixture
def both(world: World) -> None:
    """The data scientist works on both projects."""
    people.grant(actor=SYSTEM, role=Role.DATA_SCIENTIST, to=world.people.scientist, project=world.elsewhere)


@pytest.mark.parametrize(("own", "wanted", "only_read"), product(SCOPES, SCOPES, (False, True)))
def test_a_token_makes_none_with_more_than_it_has(
    world: World, both: None, own: tuple[str, ...] | None, wanted: tuple[str, ...] | None, only_read: bool
) -> None:
    api = parent(world, own, only_read=only_read)
    before = ApiToken.objects.count()
    body: dict[str, Any] = {"name": "child", "projects": wanted, "is_read_only": False}
    answer = api.call("POST", "tokens/", body)
    if only_read:
        assert assert_problem(answer, 403)["code"] == "read-only-token"
    elif own is not None and (wanted is None or not set(wanted) <= set(own)):
        assert "projects" in " ".join(assert_problem(answer, 400)["errors"])
    else:
        made = answer.json()
        assert answer.status_code == 201
        assert made["projects"] == (None if wanted is None else sorted(wanted))
        child = client_of(made["token"])
        assert set(child.get("me/")["project_roles"]) == set(wanted or own or ("here", "there"))
        return
    assert ApiToken.objects.count() == before


def test_it_ends_no_later(world: World) -> None:
    _, text = api_tokens.issue(actor=world.people.scientist.actor, name="week", days=7, is_read_only=False)
    api = client_of(text)
    assert_problem(api.call("POST", "tokens/", {"name": "longer", "days": 8}), 400)
    assert_problem(api.call("POST", "tokens/", {"name": "as long in days", "days": 7}), 400)
    shorter = api.post("tokens/", {"name": "shorter", "days": 6})
    whole = api.post("tokens/", {"name": "as long"})
    ends = ApiToken.objects.get(name="week").expiry
    assert datetime.fromisoformat(shorter["expiry"]) < ends
    assert abs(datetime.fromisoformat(whole["expiry"]) - ends) < timedelta(seconds=5)
    assert datetime.fromisoformat(whole["expiry"]) <= ends + timedelta(seconds=1)
    # An ML admin's token makes none for a service account that outlives it either.
    _, text = api_tokens.issue(actor=world.people.admin.actor, name="day", days=1, is_read_only=False)
    path = f"service-accounts/{world.service.pk}/tokens/"
    assert_problem(client_of(text).call("POST", path, {"name": "x", "days": 300}), 400)
    browser = Api()
    browser.client.force_login(world.people.admin, backend="django.contrib.auth.backends.ModelBackend")
    made = browser.post(path, {"name": "x", "days": 300, "rate": 5_000})
    assert datetime.fromisoformat(made["expiry"]) > timezone.now() + timedelta(days=299)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "a\0"},
        {"name": "x" * 101},
        {"name": 5, "days": "x"},
        {"name": "x", "days": 0},
        {"name": "x", "days": 367},
        {"name": "x", "days": 10**30},
        {"name": "x", "projects": []},
        {"name": "x", "projects": ["nowhere"]},
        {"name": "x", "projects": ["a\0"]},
        {"name": "x", "projects": [5, None, {}]},
        {"name": "x", "projects": "here"},
        {"name": "x", "is_read_only": "perhaps"},
        {"name": "x", "rate": 5},
        {"name": "x", "expiry": "2099-01-01"},
        [],
        "x",
    ],
)
def test_what_makes_no_token(world: World, body: Any) -> None:
    before = ApiToken.objects.count()
    for path in ("tokens/", f"service-accounts/{world.service.pk}/tokens/"):
        if isinstance(body, dict) and "rate" in body and path != "tokens/":
            continue
        assert assert_problem(world.api("ml_admin").call("POST", path, body), 400)["errors"] is not None
    assert ApiToken.objects.count() == before


def test_a_list_says_when_each_was_used_and_never_what_it_is(world: World) -> None:
    row, text = api_tokens.issue(actor=world.people.owner.actor, name="mine", days=3, is_read_only=True)
    api = world.api("model_owner")
    unused = api.results("tokens/", search="mine")[0]
    assert (unused["last_used_at"], unused["made_by"]) == (None, world.people.owner.username)
    client_of(text).get("me/")
    used = api.get(f"tokens/{row.token_key}/")
    assert datetime.fromisoformat(used["last_used_at"]) <= timezone.now()
    assert text not in str(used)
    assert row.digest not in str(used)
    assert [one["name"] for one in api.results("tokens/", is_read_only="true")] == ["mine"]
    api.send("DELETE", f"tokens/{row.token_key}/", None, 204)
    client_of(text).get("me/", 401)
    api.send("DELETE", f"tokens/{row.token_key}/", None, 404)


def test_a_token_of_a_project_sees_and_revokes_those_of_its_project_alone(world: World, both: None) -> None:
    scientist = world.people.scientist
    own = [token_of(scientist, to=[world.project]), token_of(scientist, to=[world.project, world.elsewhere])]
    wide = ApiToken.objects.filter(user=scientist, terms=None)[0]
    assert len(own[0].results("tokens/")) == 1
    assert len(own[1].results("tokens/")) == 2
    own[0].send("DELETE", f"tokens/{wide.token_key}/", None, 404)
    own[0].post("auth/logout-all/", {}, 204)
    own[0].get("me/", 401)
    own[1].get("me/")
    world.api("data_scientist").post("auth/logout-all/", {}, 204)
    assert not ApiToken.objects.filter(user=scientist).exists()


def test_who_did_not_hear_the_secret_asks_again_with_his_key_and_none_is_made_twice(world: World) -> None:
    api = world.api("ml_admin")
    for path in ("tokens/", f"service-accounts/{world.service.pk}/tokens/"):
        first = api.send("POST", path, {"name": "once"}, 201, **{"Idempotency-Key": f"key of {path}"})
        again = api.send("POST", path, {"name": "once"}, 201, **{"Idempotency-Key": f"key of {path}"})
        assert first == again
        client_of(first["token"]).get("me/")
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(a::text, '') FROM governance_idempotentanswer a")
            (kept,) = cursor.fetchone() or ("",)
        assert first["token"] not in kept, "kept sealed"
    assert ApiToken.objects.filter(name="once").count() == 2


def test_signing_in_says_who_made_the_token(world: World) -> None:
    row, _ = api_tokens.with_terms(actor=world.people.owner.actor, name="laptop")
    assert TokenTerms.objects.get(token=row).made_by == world.people.owner.username
    assert row.expiry is not None
    tokens.revoke(actor=world.people.owner.actor, token_key=row.token_key)
