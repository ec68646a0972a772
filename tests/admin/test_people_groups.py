"""Groups of people in the console, and tokens an ML admin takes back from somebody."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from governance.models import AuditEvent
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.vocabulary import Role
from registry.models import ApiToken, User
from registry.services import people, people_groups, tokens
from tests.api.world import World
from tests.factories import project
from tests.factories.people import SYSTEM, person
from tests.scene import fingerprint


def test_a_group_is_made_filled_given_a_role_emptied_and_taken_away(world: World, admin: Client) -> None:
    member, other = world.people.stranger, world.people.owner
    page = admin.post("/admin/auth/group/add/", {"name": "Model risk"}, follow=True)
    made = Group.objects.get(name="Model risk")
    assert "Model risk" in page.content.decode()
    here, roles = f"/admin/auth/group/{made.pk}/people/", f"/admin/auth/group/{made.pk}/roles/"
    assert admin.post(here, {"verb": "add", "person": member.pk}).status_code == 302
    people_groups.add(actor=SYSTEM, group=made, person=other)
    assert admin.post(roles, {"verb": "grant", "role": "auditor", "project": ""}).status_code == 302
    assert Role.AUDITOR in User.objects.get(pk=member.pk).actor.grants.everywhere
    assert (
        "Auditor (everywhere, through Model risk)"
        in admin.get(f"/admin/registry/user/{member.pk}/change/").content.decode()
    )
    listed = admin.get("/admin/auth/group/", {"role": "auditor", "q": member.username}).context["cl"].result_list
    assert [(row.name, row.people) for row in listed] == [("Model risk", 2), ("readers", 1)]
    entries = AuditEvent.objects.filter(table="registry_user_groups").order_by("-sequence")[:2]
    assert {entry.actor for entry in entries} == {world.people.admin.actor.label, SYSTEM.label}

    refused = admin.post(f"/admin/auth/group/{made.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "still gives its people roles" in refused
    assert Group.objects.filter(pk=made.pk).exists()
    admin.post(here, {"verb": "remove", "person": member.pk})
    assert User.objects.get(pk=member.pk).actor.grants.everywhere == frozenset()
    admin.post(roles, {"verb": "revoke", "role": "auditor", "project": ""})
    assert admin.post(f"/admin/auth/group/{made.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"verb": "add", "person": "0"}, "not one of the available choices"),
        ({"verb": "add", "person": "99999999999999999999"}, "not one of the available choices"),
        ({"verb": "x", "person": ""}, "This field is required"),
    ],
)
def test_what_no_page_offers_is_refused(given: dict[str, str], said: str, world: World, admin: Client) -> None:
    group, before = Group.objects.get(name="readers"), fingerprint()
    answer = admin.post(f"/admin/auth/group/{group.pk}/people/", given)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert fingerprint() == before


def test_an_admin_takes_nobody_in_twice_and_never_himself(world: World, admin: Client) -> None:
    group, cast, before = Group.objects.get(name="readers"), world.people, fingerprint()
    page = f"/admin/auth/group/{group.pk}/people/"
    assert "is in this group already" in admin.post(page, {"verb": "add", "person": cast.stranger.pk}).content.decode()
    said = admin.post(page, {"verb": "add", "person": cast.admin.pk}).content.decode()
    assert "Nobody takes himself into a group" in said
    assert "somebody was faster" in admin.post(page, {"verb": "remove", "person": cast.owner.pk}).content.decode()
    assert fingerprint() == before


def test_groups_are_for_ml_admins_of_everything(world: World) -> None:
    group = Group.objects.get(name="readers")
    for somebody in (world.people.engineer, world.people.officer, person(Role.ML_ADMIN, project=project())):
        who, member = somebody.actor, world.people.owner
        with pytest.raises(Forbidden):
            people_groups.create(actor=who, name="mine")
        with pytest.raises(Forbidden):
            people_groups.add(actor=who, group=group, person=member)
        with pytest.raises(Forbidden):
            people_groups.delete(actor=who, group=group)
        with pytest.raises(Forbidden):
            tokens.take_back(actor=who, token_key=world.token_key)
    assert Group.objects.filter(pk=group.pk).exists()
    assert ApiToken.objects.filter(token_key=world.token_key).exists()


def test_names_are_one_of_a_kind_and_gone_is_gone(world: World) -> None:
    actor = world.people.admin.actor
    made = people_groups.create(actor=actor, name=" Model risk ")
    assert made.name == "Model risk"
    for name in ("readers", "", "x" * 200, "a\0b"):
        with pytest.raises(InvalidInput):
            people_groups.rename(actor=actor, group=made, name=name)
    with pytest.raises(WrongState, match="faster"):
        people_groups.remove(actor=actor, group=made, person=world.people.owner)
    people.grant(actor=SYSTEM, role=Role.AUDITOR, to=made, project=world.project)
    with pytest.raises(WrongState, match="roles"):
        people_groups.delete(actor=actor, group=made)
    people.revoke(actor=SYSTEM, role=Role.AUDITOR, to=made, project=world.project)
    people_groups.delete(actor=actor, group=made)
    with pytest.raises(NotFound):
        people_groups.rename(actor=actor, group=made, name="again")


def test_an_admin_takes_back_somebodys_token(world: World, admin: Client) -> None:
    key = world.token_key
    page = f"/admin/registry/apitoken/{key}/delete/"
    asked = admin.get(page).content.decode()
    assert world.people.scientist.username in asked
    token = ApiToken.objects.get(token_key=key)
    assert token.digest not in asked
    assert admin.post(page, {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.filter(token_key=key).exists()
    entry = AuditEvent.objects.filter(chain=f"registry_apitoken:{key}").latest("sequence")
    assert (entry.action, entry.actor) == ("delete", world.people.admin.actor.label)
    with pytest.raises(NotFound):
        tokens.take_back(actor=world.people.admin.actor, token_key=key)


def test_the_terms_of_a_token_do_not_show_its_digest(world: World, admin: Client) -> None:
    terms = ApiToken.objects.exclude(terms=None)[0].terms
    content = admin.get(f"/admin/governance/tokenterms/{terms.pk}/change/").content.decode()
    assert terms.token_id not in content
    assert admin.get(f"/admin/governance/tokenterms/?token__startswith={terms.token_id[:3]}").status_code == 400
