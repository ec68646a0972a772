"""Service accounts: made by ML admins, spoken for by tokens, answered for by people."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from django.utils import timezone

from governance.models import AuditEvent, TokenTerms
from governance.services import api_tokens
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.permissions import SERVICE_ROLES
from portal.core.vocabulary import Role
from registry.models import ApiToken, AwsIdentity, ServiceAccount, ServiceKeeper, User
from registry.services import people, service_accounts, tokens
from tests.api.client import Api, assert_problem
from tests.api.world import World
from tests.factories import person
from tests.factories.people import PASSWORD, SYSTEM
from tests.refusals import refused, sql
from tests.scene import fingerprint

from .test_scope import client_of, token_of


def speaking(world: World, **wanted: Any) -> Api:
    """Return a client that speaks as the world's service account."""
    values = {"name": "t", "days": 5, "is_read_only": False, **wanted}
    return client_of(api_tokens.issue_for(actor=world.people.admin.actor, account=world.service, **values)[1])


def test_its_acts_are_its_own(world: World) -> None:
    client = speaking(world)
    assert client.get("me/") | {"roles": [], "project_roles": {"here": ["ml_engineer"]}} == client.get("me/")
    assert client.get("me/")["username"] == "ci.models"
    asked = client.post(f"model-versions/{world.fresh.pk}/submit/", {"note": "Built from main."})
    assert asked["requester"] == "ci.models"
    last = AuditEvent.objects.filter(table="governance_approvalrequest").latest("sequence")
    assert last.actor == "user:ci.models"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "Big"}, "name"),
        ({"name": "a"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "ci.models"}, "name"),
        ({"purpose": "  "}, "purpose"),
        ({"purpose": "a\0b"}, "purpose"),
        ({"purpose": "x" * 2001}, "purpose"),
        *(({"roles": [(role, None)]}, "roles") for role in sorted(set(Role) - SERVICE_ROLES)),
    ],
)
def test_what_makes_no_account(world: World, given: dict[str, Any], field: str) -> None:
    values = {"name": "ci.new", "purpose": "Builds.", "responsible": world.people.engineer, "roles": (), **given}
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        service_accounts.create(actor=world.people.admin.actor, **values)
    assert set(refusal.value.errors) == {field}
    assert fingerprint() == before


def test_somebody_who_can_sign_in_answers_for_it(world: World) -> None:
    gone = person(name="gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    gone.refresh_from_db()
    for who in (gone, world.service.user):
        with pytest.raises(InvalidInput) as refusal:
            service_accounts.create(actor=world.people.admin.actor, name="ci.new", purpose="x", responsible=who)
        assert set(refusal.value.errors) == {"responsible"}


def test_it_signs_in_nowhere(world: World, client: Client) -> None:
    user = world.service.user
    assert authenticate(request=None, username=user.username, password="") is None  # type: ignore[arg-type]
    for password in ("", "!", user.password, PASSWORD):
        answer = Api().call("POST", "auth/token/", {"username": user.username, "password": password or "x"})
        assert answer.status_code == 401
    with pytest.raises(WrongState):
        people.set_password(actor=world.people.admin.actor, user=user, password=PASSWORD)
    with refused("user_service_has_no_password"):
        sql("UPDATE registry_user SET password = 'md5$a$b' WHERE id = %s", user.pk)
    for flag in ("is_staff", "is_superuser"):
        with refused("user_service_has_no_password"):
            sql(f"UPDATE registry_user SET {flag} = true WHERE id = %s", user.pk)
    # A session that somebody forged for it, or that Django itself was made to open, is nobody's.
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/")
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/sign-in/")
    assert client.get("/api/v1/me/").status_code == 401


def test_a_person_does_not_become_one_nor_the_other_way_round(world: World) -> None:
    with refused("service_stays"):
        sql("UPDATE registry_user SET is_service = false WHERE id = %s", world.service.user_id)
    leaver = person(name="leaver")
    User.objects.filter(pk=leaver.pk).update(password="!x")
    with refused("service_stays"):
        sql("UPDATE registry_user SET is_service = true WHERE id = %s", leaver.pk)
    with refused("service_account_of_a_service"):
        ServiceAccount.objects.create(user=leaver, purpose="x", responsible=leaver, made_by="x")


def test_it_makes_no_token_itself_and_may_end_its_own(world: World) -> None:
    client = speaking(world)
    assert assert_problem(client.call("POST", "tokens/", {"name": "more"}), 403)
    with pytest.raises(Forbidden):
        tokens.issue(actor=world.service.user.actor)
    assert {one["name"] for one in client.results("tokens/")} == {"t", "pipeline"}
    client.post("auth/logout/", {}, 204)
    client.get("me/", 401)


def test_switched_off_and_retired_it_loses_its_tokens_at_once(world: World) -> None:
    admin = world.people.admin.actor
    account, client = world.service, speaking(world)
    off = service_accounts.edit(actor=admin, account_id=account.pk, revision=1, is_active=False)
    client.get("me/", 401)
    assert not ApiToken.objects.filter(user=account.user).exists()
    with pytest.raises(WrongState):
        api_tokens.issue_for(actor=admin, account=off, name="t", days=1, is_read_only=True)
    service_accounts.edit(actor=admin, account_id=account.pk, revision=2, is_active=True)
    client.get("me/", 401)
    again = speaking(world)
    service_accounts.retire(actor=admin, account_id=account.pk, reason="The pipeline is gone.")
    again.get("me/", 401)
    assert not User.objects.get(pk=account.user_id).actor.grants.anywhere
    for attempt in (
        lambda: service_accounts.edit(actor=admin, account_id=account.pk, revision=4, purpose="More."),
        lambda: service_accounts.retire(actor=admin, account_id=account.pk, reason="Again."),
        lambda: speaking(world),
    ):
        with pytest.raises(WrongState):
            attempt()
    with refused("service_retired"):
        sql("UPDATE registry_user SET is_active = true WHERE id = %s", account.user_id)
    with refused("service_retired"):
        sql("UPDATE registry_serviceaccount SET purpose = 'More.' WHERE id = %s", account.pk)
    with refused("history_kept"):
        sql("DELETE FROM registry_serviceaccount WHERE id = %s", account.pk)


def test_a_stale_change_is_refused_and_a_reason_is_asked_for(world: World) -> None:
    api = world.api("ml_admin")
    path = f"service-accounts/{world.service.pk}/"
    tag = api.call("GET", path)["ETag"]
    new = {"roles": [{"role": "auditor", "project": "here"}, {"role": "data_scientist"}], "purpose": "Reads."}
    changed = api.send("PATCH", path, new, 200, **{"If-Match": tag})
    assert changed["roles"] == [
        {"role": "data_scientist", "project": None},
        {"role": "auditor", "project": "here"},
    ]
    assert_problem(api.call("PATCH", path, {"purpose": "x"}, **{"If-Match": tag}), 412)
    assert_problem(api.call("PATCH", path, {"purpose": "x"}), 428)
    with pytest.raises(StaleEdit):
        service_accounts.edit(actor=world.people.admin.actor, account_id=world.service.pk, revision=1)
    assert_problem(api.call("POST", f"{path}retire/", {"reason": " "}), 400)
    for role in ({"role": "model_owner"}, {"role": "ml_admin"}, {"role": "nobody"}, {"role": 5}, {}, 5, None):
        answer = api.call("PATCH", path, {"roles": [role]}, **{"If-Match": "*"})
        assert assert_problem(answer, 400)["errors"]


def test_only_who_manages_access_everywhere_makes_and_changes_them(world: World) -> None:
    of_project = person(Role.ML_ADMIN, project=world.project).actor
    values = {"name": "ci.new", "purpose": "x", "responsible": world.people.engineer}
    scoped = token_of(world.people.admin, to=[world.project])
    assert_problem(scoped.call("POST", "service-accounts/", {**values, "responsible": "stand.in"}), 403)
    for actor in (of_project, world.people.officer.actor, world.people.auditor.actor):
        with pytest.raises(Forbidden):
            service_accounts.create(actor=actor, **values)
        with pytest.raises(NotFound):
            service_accounts.retire(actor=actor, account_id=world.service.pk, reason="x")
        with pytest.raises(NotFound):
            tokens.revoke_for(actor=actor, account=world.service, token_key=world.others["token"])
    # Who answers for it looks at it, and no more.
    with pytest.raises(Forbidden):
        service_accounts.retire(actor=world.people.engineer.actor, account_id=world.service.pk, reason="x")
    with pytest.raises(Forbidden):
        api_tokens.issue_for(
            actor=world.people.engineer.actor, account=world.service, name="t", days=1, is_read_only=True
        )
    with pytest.raises(Forbidden):
        api_tokens.issue_for(actor=Actor.system("x"), account=world.service, name="t", days=1, is_read_only=True)


def test_its_keepers_are_whoever_answered_or_saw_a_token_for_good(world: World) -> None:
    account, user = world.service, world.service.user
    assert set(user.keepers.values_list("person", flat=True)) == {world.people.engineer.pk, world.people.admin.pk}
    next_one = person(name="next.one")
    service_accounts.edit(actor=world.people.admin.actor, account_id=account.pk, revision=1, responsible=next_one)
    raw = person(name="by.hand")
    sql("UPDATE registry_serviceaccount SET responsible_id = %s WHERE id = %s", raw.pk, account.pk)
    assert {"next.one", "by.hand"} <= set(user.keepers.values_list("person__username", flat=True))
    assert User.objects.get(pk=next_one.pk).actor.grants.accounts == frozenset({user.pk})
    with refused("append_only"):
        ServiceKeeper.objects.filter(person=next_one).delete()
    with refused("append_only"):
        sql("UPDATE registry_servicekeeper SET person_id = %s WHERE person_id = %s", raw.pk, next_one.pk)


def test_an_aws_role_of_a_pipeline_may_be_linked_to_it(world: World) -> None:
    arn = "arn:aws:iam::222222222222:role/Pipeline"
    people.link_identity(actor=SYSTEM, user=world.service.user, arn=arn)
    assert AwsIdentity.objects.get(arn=arn).user == world.service.user


def test_its_token_has_the_terms_it_was_given(world: World) -> None:
    client = speaking(world, projects=[world.project], rate=9_000, is_read_only=True)
    client.get("me/")
    shown = world.api("ml_admin").results(f"service-accounts/{world.service.pk}/tokens/", search="t")[0]
    assert (shown["projects"], shown["rate"], shown["is_read_only"]) == (["here"], 9000, True)
    assert shown["made_by"] == world.people.admin.username
    assert "token" not in shown
    assert client.call("POST", f"model-versions/{world.fresh.pk}/submit/", {}).status_code == 403
    assert timezone.now() >= TokenTerms.objects.get(token__token_key=shown["id"]).last_used_at
    with pytest.raises(InvalidInput) as refusal:
        speaking(world, projects=[world.elsewhere])
    assert set(refusal.value.errors) == {"projects"}
