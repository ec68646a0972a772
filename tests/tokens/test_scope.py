"""Tokens on the real API: held to projects, only to read, and with one question to the database per call."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from knox.crypto import hash_token

from governance.models import TokenTerms
from governance.selectors.tokens import presented
from governance.services import api_tokens
from portal.core.vocabulary import Role
from registry.models import ApiToken, Project, User
from registry.services import people, tokens
from tests.api.client import Api, assert_problem
from tests.api.world import World, actors
from tests.factories.people import SYSTEM
from tests.matrices.api import COLUMNS, ROWS, Row
from tests.refusals import refused, sql
from tests.scene import fingerprint, undone

# What of the world is the project's own: hidden from whoever has no role there.
OF_THE_PROJECT = frozenset(
    [
        "draft",
        "asked",
        "group",
        "fresh",
        "trial",
        "use_case_request",
        "version_request",
        "trial_record",
        "deployment",
        "finding",
        "accepted_finding",
        "evidence",
        "registration",
    ]
)
PROJECT_ROWS = tuple(row for row in ROWS if row.on in OF_THE_PROJECT)
WRITES = tuple(row for row in ROWS if row.method != "GET" and not row.route.startswith("auth/"))


def token_of(person: User, *, to: list[Project] | None = None, only_read: bool = False) -> Api:
    """Return a client whose token is held to projects, also to some on which the person holds no role any more."""
    row, text = tokens.issue(actor=person.actor, name="scoped")
    TokenTerms.objects.create(
        token=row, is_read_only=only_read, project_ids=None if to is None else [one.pk for one in to]
    )
    return client_of(text)


def client_of(text: str) -> Api:
    api = Api()
    api.client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return api


def said(row: Row) -> str:
    return f"{row.method} {row.route} {row.on}".strip()


@pytest.fixture(scope="module")
def scoped(shared_world: World, django_db_blocker: object) -> dict[str, tuple[Api, Api]]:
    """Return per role a client held to the project, and one held to another on which the person holds nothing."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django's own
        return {
            role: (token_of(person, to=[shared_world.project]), token_of(person, to=[shared_world.elsewhere]))
            for role, person in actors(shared_world.people).items()
            if person is not None and role in ("data_scientist", "governance_officer", "ml_engineer")
        }


@pytest.mark.parametrize("row", PROJECT_ROWS, ids=said)
def test_in_its_scope_a_token_is_answered_as_its_holder_and_outside_as_a_stranger(
    row: Row, world: World, scoped: dict[str, tuple[Api, Api]], aws_answers: None
) -> None:
    path = row.route.format(id=world.ids[row.on], **world.others)
    # One who may, where there is one among the three; the whole matrix by role is the other file's.
    allowed = dict(zip(COLUMNS, row.statuses, strict=True))
    role = min(scoped, key=lambda one: allowed[one])
    inside, outside = scoped[role]
    with undone():
        assert inside.call(row.method, path, row.body, **row.headers).status_code == allowed[role]
    with undone():
        before = fingerprint()
        assert_problem(outside.call(row.method, path, row.body, **row.headers), 404)
        assert fingerprint() == before


@pytest.mark.parametrize("row", WRITES, ids=said)
def test_a_token_that_may_only_read_changes_nothing_by_any_verb(row: Row, world: World) -> None:
    path = row.route.format(id=world.ids.get(row.on, ""), **world.others)
    # The longest arm there is: what even an ML admin's is refused, nobody's is let do.
    reader = token_of(world.people.admin, only_read=True)
    answer = reader.call(row.method, path, row.body, **row.headers)
    assert assert_problem(answer, 403)["code"] == "read-only-token"


def test_a_token_that_may_only_read_still_ends_itself(world: World) -> None:
    reader = token_of(world.people.admin, only_read=True)
    assert reader.call("POST", "auth/logout-all/").status_code == 403
    assert reader.call("POST", "auth/logout/").status_code == 204
    reader.get("me/", 401)


def test_a_role_held_everywhere_becomes_one_on_the_projects(world: World) -> None:
    admin = token_of(world.people.admin, to=[world.project])
    me = admin.get("me/")
    assert (me["roles"], me["project_roles"]) == ([], {"here": ["ml_admin"]})
    made = {"name": "ci.x", "purpose": "x", "responsible": "stand.in"}
    assert_problem(admin.call("POST", "service-accounts/", made), 403)
    assert_problem(admin.call("PATCH", f"service-accounts/{world.service.pk}/", {}, **{"If-Match": "*"}), 404)
    assert [one["key"] for one in admin.results("projects/")] == ["here"]


def test_a_token_stays_right_when_its_holder_loses_or_gains_a_role(world: World) -> None:
    scientist = token_of(world.people.scientist, to=[world.project])
    path = f"use-cases/{world.draft.public_id}/"
    scientist.get(path)
    people.revoke(actor=SYSTEM, role=Role.DATA_SCIENTIST, to=world.people.scientist, project=world.project)
    scientist.get(path, 404)
    people.grant(actor=SYSTEM, role=Role.AUDITOR, to=world.people.scientist, project=world.project)
    people.grant(actor=SYSTEM, role=Role.GOVERNANCE_OFFICER, to=world.people.scientist, project=world.elsewhere)
    scientist.get(path)
    assert scientist.get("me/")["project_roles"] == {"here": ["auditor"]}


def test_one_call_is_one_question(world: World) -> None:
    person = world.people.scientist
    row, text = api_tokens.issue(actor=person.actor, name="one", days=3, is_read_only=True, projects=[world.project])
    with CaptureQueriesContext(connection) as asked:
        found = presented(hash_token(text))
        assert found is not None
        assert found.pk == row.pk == hash_token(text), "knox stores the hash of the whole token"
        assert (found.user.pk, found.user.username, found.user.is_active) == (person.pk, person.username, True)
        assert found.user.actor.grants.by_project == {world.project.pk: frozenset({Role.DATA_SCIENTIST})}
        assert found.user.actor.bounds.until == found.expiry == row.expiry
        assert (found.terms.is_read_only, found.terms.project_ids) == (True, [world.project.pk])
    assert len(asked) == 1
    for field in ApiToken._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(row, field.attname)
    whole = User.objects.get(pk=person.pk)
    for name in ("id", "username", "first_name", "last_name", "email", "is_active", "display_name", "is_service"):
        assert getattr(found.user, name) == getattr(whole, name)
    assert presented(hash_token("x" * 64)) is None
    assert presented(text) is None


def test_terms_are_written_once(world: World) -> None:
    terms = TokenTerms.objects.get(token__user=world.service.user)
    for change in ("is_read_only = true", "project_ids = '{1}'", "rate = 5", "made_by = 'x'"):
        with refused("terms_fixed"):
            sql(f"UPDATE governance_tokenterms SET {change} WHERE id = %s", terms.pk)
    row, _ = tokens.issue(actor=world.people.owner.actor)
    with refused("token_terms_some_project"):
        TokenTerms.objects.create(token=row, project_ids=[])
    with refused("token_terms_sane_rate"):
        TokenTerms.objects.create(token=row, rate=0)


def test_a_call_asks_once_who_calls(world: World) -> None:
    _, text = api_tokens.issue(actor=world.people.scientist.actor, name="one", days=3, is_read_only=True)
    client = client_of(text)
    client.get("projects/")
    with CaptureQueriesContext(connection) as asked:
        client.get("projects/")
    told = [query["sql"] for query in asked.captured_queries]
    assert "governance_token_presented" in told[0]
    assert len(told) == 2, "the other one is the list: that the token was used is written every five minutes at most"
