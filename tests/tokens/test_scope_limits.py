"""What a person has beyond his projects, a token that is held to some of them does not reach."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.models import Delegation, NotificationSettings
from portal.core.vocabulary import Role
from registry.models import UseCaseDraft, User
from registry.services import people
from tests.api.client import Api, assert_problem
from tests.api.world import World
from tests.factories import person
from tests.factories.people import SYSTEM

from .test_scope import token_of

KEY = {"Idempotency-Key": "deploy-1"}


@pytest.fixture
def narrow(world: World) -> Api:
    """A token held to one of the two projects its holder works on."""
    holder = world.people.owner
    for role in (Role.DATA_SCIENTIST, Role.MODEL_OWNER):
        for project in (world.project, world.elsewhere):
            people.grant(actor=SYSTEM, role=role, to=holder, project=project)
    return token_of(User.objects.get(pk=holder.pk), to=[world.project])


@pytest.fixture
def wide(world: World, narrow: Api) -> Api:
    """A token of the same person that is held to nothing."""
    return token_of(User.objects.get(pk=world.people.owner.pk))


def lent(**given: Any) -> dict[str, Any]:
    today = timezone.now().date()
    days = {"starts_on": str(today), "ends_on": str(today + timedelta(days=5))}
    return {"delegate": "deputy", "role": "model_owner", "reason": "On leave.", **days, **given}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tokens/", {"name": "all of it", "is_read_only": False}),
        ("use-cases/", {"name": "New", "intended_purpose": "Rank.", "project": "there"}),
    ],
)
def test_a_key_does_not_tell_it_what_a_wider_token_was_answered(
    world: World, narrow: Api, wide: Api, path: str, body: dict[str, Any]
) -> None:
    first = wide.call("POST", path, body, **KEY)
    assert first.status_code == 201
    refusal = assert_problem(narrow.call("POST", path, body, **KEY), 422)
    assert refusal["code"] == "idempotency-key-reused"
    # Nor where that one was sent to.
    elsewhere = assert_problem(narrow.call("POST", "use-cases/UC-0001/submit/", {}, **KEY), 422)
    assert path not in elsewhere["detail"]
    # Another one that is held to nothing is told again, but no token: it may hold longer than the one that asks.
    again = token_of(User.objects.get(pk=world.people.owner.pk)).call("POST", path, body, **KEY)
    if "token" in first.json():
        assert_problem(again, 422)
        again = wide.call("POST", path, body, **KEY)
    assert again.content == first.content


def test_it_delegates_on_its_projects_and_sees_and_revokes_no_delegation_beyond_them(
    world: World, narrow: Api, wide: Api
) -> None:
    person(Role.MODEL_OWNER, name="deputy")
    for beyond in ({}, {"project": "there"}):
        refusal = assert_problem(narrow.call("POST", "delegations/", lent(**beyond)), 400)
        assert list(refusal["errors"]) == ["project"]
    made = [wide.post("delegations/", lent(**beyond))["id"] for beyond in ({}, {"project": "there"})]
    for number in made:
        assert_problem(narrow.call("POST", f"delegations/{number}/revoke/", {}), 404)
    here = narrow.post("delegations/", lent(project="here"))["id"]
    assert {one["id"] for one in narrow.results("delegations/")} == {here, world.delegation.pk}
    assert narrow.send("POST", f"delegations/{here}/revoke/")["revoked_by"] == world.people.owner.username
    assert Delegation.objects.filter(pk__in=made, revoked_at=None).count() == 2


def test_it_neither_reads_nor_writes_drafts(narrow: Api, wide: Api) -> None:
    draft = wide.post("use-case-drafts/", {"values": {"name": ["Unsaid"], "project": ["there"]}})
    address = f"use-case-drafts/{draft['id']}/"
    assert narrow.results("use-case-drafts/") == []
    assert_problem(narrow.call("GET", address), 404)
    assert_problem(narrow.call("DELETE", address, **{"If-Match": "*"}), 404)
    assert_problem(narrow.call("POST", "use-case-drafts/", {"values": {"name": ["x"]}}), 403)
    assert UseCaseDraft.objects.filter(pk=draft["id"]).exists()


def test_it_has_nobody_written_to_elsewhere(world: World, narrow: Api, wide: Api) -> None:
    chat = {"kind": "slack", "url": "https://chat.example.org/hook"}
    for method, path, body in (
        ("PUT", "notifications/settings/chat/", chat),
        ("PATCH", "notifications/settings/", {"is_digest_on": False}),
    ):
        assert_problem(narrow.call(method, path, body, **{"If-Match": "*"}), 403)
    assert not NotificationSettings.objects.filter(person=world.people.owner).exists()
    wide.send("PUT", "notifications/settings/chat/", chat, **{"If-Match": "*"})
    assert_problem(narrow.call("POST", "notifications/settings/chat/test/", {}), 403)
    assert_problem(narrow.call("DELETE", "notifications/settings/chat/", **{"If-Match": "*"}), 403)
