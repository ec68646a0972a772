"""Who gives roles, and to whom: what an ML admin of one project reaches, and that nobody promotes himself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group

from portal.core.errors import Forbidden, InvalidInput
from portal.core.vocabulary import Role
from registry.models import AwsAccount, AwsIdentity, User
from registry.services import accounts, organisation, people
from tests.factories import group, person, project, version
from tests.factories.people import PASSWORD, SYSTEM
from tests.scene import fingerprint

pytestmark = pytest.mark.django_db


def test_an_admin_of_one_project_gives_roles_there_and_nowhere_else() -> None:
    here, there = project(), project()
    local, somebody = person(Role.ML_ADMIN, project=here), person()
    people.grant(actor=local.actor, role=Role.MODEL_OWNER, to=somebody, project=here)
    assert User.objects.get(pk=somebody.pk).actor.grants.by_project == {here.pk: {Role.MODEL_OWNER}}
    before = fingerprint()
    for scope in (there, None):
        for call in (people.grant, people.revoke):
            with pytest.raises(Forbidden):
                call(actor=local.actor, role=Role.GOVERNANCE_OFFICER, to=somebody, project=scope)
    assert fingerprint() == before


def test_an_admin_of_one_project_reaches_nothing_that_is_everybodys() -> None:
    here = project()
    local, officer = person(Role.ML_ADMIN, project=here), person(Role.GOVERNANCE_OFFICER)
    account = accounts.register(actor=SYSTEM, account_id="999999999999", alias="spare", purposes=["qa"])
    calls: list[Callable[[], object]] = [
        lambda: people.set_password(actor=local.actor, user=officer, password="another horse battery"),
        lambda: people.edit_person(actor=local.actor, user=officer, is_active=False),
        lambda: people.create_person(actor=local.actor, username="new", display_name="", password=PASSWORD),
        lambda: people.link_identity(actor=local.actor, user=local, arn="arn:aws:iam::222222222222:role/other"),
        lambda: accounts.edit(actor=local.actor, account=account, role_arn="arn:aws:iam::999999999999:role/Mine"),
        lambda: accounts.register(actor=local.actor, account_id="888888888888", alias="mine"),
        lambda: organisation.create_line_of_business(actor=local.actor, name="Mine"),
    ]
    before = fingerprint()
    for call in calls:
        with pytest.raises(Forbidden):
            call()
    assert fingerprint() == before
    assert AwsAccount.objects.get(pk=account.pk).role_arn == ""


@pytest.mark.parametrize("role", Role)
def test_nobody_gives_himself_a_role(role: Role) -> None:
    admin = person(Role.ML_ADMIN)
    crew = Group.objects.create(name="crew")
    admin.groups.add(crew)
    for to in (admin, crew):
        for scope in (None, project()):
            with pytest.raises(Forbidden, match="himself"):
                people.grant(actor=admin.actor, role=role, to=to, project=scope)
    assert User.objects.get(pk=admin.pk).actor.grants.anywhere == {Role.ML_ADMIN}


def test_a_role_given_to_a_group_reaches_its_people() -> None:
    admin, member, here = person(Role.ML_ADMIN), person(), project()
    crew = Group.objects.create(name="crew")
    member.groups.add(crew)
    people.grant(actor=admin.actor, role=Role.AUDITOR, to=crew, project=here)
    people.grant(actor=admin.actor, role=Role.GOVERNANCE_OFFICER, to=crew)
    grants = User.objects.get(pk=member.pk).actor.grants
    assert (grants.everywhere, grants.by_project) == ({Role.GOVERNANCE_OFFICER}, {here.pk: {Role.AUDITOR}})
    people.revoke(actor=admin.actor, role=Role.AUDITOR, to=crew, project=here)
    assert User.objects.get(pk=member.pk).actor.grants.by_project == {}


def test_who_is_switched_off_holds_nothing() -> None:
    officer = person(Role.GOVERNANCE_OFFICER)
    people.edit_person(actor=SYSTEM, user=officer, is_active=False)
    assert not User.objects.get(pk=officer.pk).actor.grants.anywhere


def test_an_identity_belongs_to_one_person_and_unlinking_does_not_free_him_of_his_work() -> None:
    here = project()
    owner, other = person(Role.MODEL_OWNER, project=here), person()
    arn = "arn:aws:sts::222222222222:assumed-role/DataScientist/owner"
    made = version(group(here), registrant=arn)
    assert made.registered_by is None
    identity = people.link_identity(actor=SYSTEM, user=owner, arn=arn)
    with pytest.raises(InvalidInput, match="taken"):
        people.link_identity(actor=SYSTEM, user=other, arn=arn)
    people.unlink_identity(actor=SYSTEM, identity=identity)
    made.refresh_from_db()
    assert made.registered_by == owner
    assert not AwsIdentity.objects.exists()
