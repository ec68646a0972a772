"""A service account decides by no path - page, API, console, ORM, SQL - nor do its keepers on what it did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm

from governance.choices import Verdict
from governance.models import ApprovalRequest, Decision, Delegation, Override
from governance.services import api_tokens, approvals, delegations, entitlement, findings, overrides, recipients
from portal.core.errors import Forbidden, InvalidInput
from portal.core.operations import operation
from portal.core.permissions import SERVICE_ROLES
from portal.core.vocabulary import Role, Stage
from registry.access import role_codename
from registry.models import ModelGroup, ModelVersion, ProjectUserObjectPermission, UseCase, User
from registry.services import groups, people, people_groups, service_accounts
from tests.api.client import Api
from tests.api.world import World
from tests.factories import group, person, version
from tests.factories.people import SYSTEM
from tests.matrices.api import ROWS, Row
from tests.refusals import as_replica, refused, sql
from tests.scene import fingerprint, undone

from .test_scope import client_of, said

DECIDING = tuple(role for role in Role if role not in SERVICE_ROLES)
# What only those who decide may: of these the matrix of the API answers somebody, and a service account never.
AUTHORITY = tuple(
    row
    for row in ROWS
    if row.on
    in {"use_case_request", "version_request", "draft", "finding", "accepted_finding", "trial", "policy_draft"}
    and row.route.endswith(
        (
            "decisions/",
            "confirm/",
            "decline/",
            "retire/",
            "rollback/",
            "overrides/",
            "accept/",
            "publish/",
            "break-glass/",
        )
    )
)


@pytest.fixture
def service(world: World) -> User:
    """The world's service account with every role it can hold, everywhere."""
    for role in SERVICE_ROLES:
        people.grant(actor=SYSTEM, role=role, to=world.service.user)
    return User.objects.get(pk=world.service.user_id)


@pytest.fixture
def client(world: World, service: User) -> Api:
    return client_of(
        api_tokens.issue_for(
            actor=world.people.admin.actor, account=world.service, name="t", days=5, is_read_only=False
        )[1]
    )


def test_the_table_of_authority_is_not_empty() -> None:
    assert len(AUTHORITY) >= 8
    assert {"POST"} <= {row.method for row in AUTHORITY}


@pytest.mark.parametrize("row", AUTHORITY, ids=said)
def test_by_the_api(row: Row, world: World, client: Api, aws_answers: None) -> None:
    before = fingerprint()
    answer = client.call(row.method, row.route.format(id=world.ids[row.on], **world.others), row.body, **row.headers)
    assert answer.status_code == 403, answer.content
    assert fingerprint() == before


def test_by_the_pages_and_the_console(world: World, service: User) -> None:
    browser = Client()
    browser.force_login(service, backend="django.contrib.auth.backends.ModelBackend")
    before = fingerprint()
    for path in (f"/approvals/{world.version_request.public_id}/", "/admin/", "/delegations/new/"):
        for answer in (browser.get(path), browser.post(path, {"verdict": "approve"})):
            assert answer.status_code == 302
            assert answer["Location"].startswith("/sign-in/")
    assert fingerprint() == before
    admin = Client()
    admin.force_login(world.people.admin, backend="django.contrib.auth.backends.ModelBackend")
    # The console lists people: no service account is among them, to be given a role or a password.
    assert service.username not in admin.get("/admin/registry/user/").content.decode()
    for view in ("roles", "password", "change"):
        assert admin.get(f"/admin/registry/user/{service.pk}/{view}/").status_code in (302, 404)


@pytest.mark.parametrize("verdict", Verdict)
def test_by_the_services(world: World, service: User, verdict: Verdict) -> None:
    before = fingerprint()
    for request in (world.version_request, world.use_case_request):
        with pytest.raises(Forbidden):
            approvals.decide(actor=service.actor, request_id=request.pk, verdict=verdict, comment="Because.")
        with pytest.raises(Forbidden):
            entitlement.entitlement(service.actor, request, request.subject)
    with pytest.raises(Forbidden):
        overrides.break_glass(
            actor=service.actor,
            subject_type=UseCase,
            subject_id=world.draft.pk,
            stage=Stage.PRODUCTION,
            check_key="evidence:bias_report",
            reason="Late.",
            expires_at=timezone.now() + timedelta(days=1),
        )
    day = timezone.localdate()
    terms = {"role": Role.MODEL_OWNER, "project": world.project, "starts_on": day, "ends_on": day, "reason": "Away."}
    for actor, delegator, to in (
        (service.actor, service, world.people.owner),
        (world.people.owner.actor, world.people.owner, service),
        (world.people.admin.actor, service, world.people.owner),
    ):
        with pytest.raises((Forbidden, InvalidInput)):
            delegations.delegate(actor=actor, delegator=delegator, to=to, **terms)
    assert fingerprint() == before


@pytest.mark.parametrize("role", DECIDING)
def test_no_deciding_role_is_given_to_it_by_any_way(world: World, service: User, role: Role) -> None:
    permission = Permission.objects.get(codename=role_codename(role))
    for project in (None, world.project):
        with pytest.raises(InvalidInput):
            people.grant(actor=world.people.admin.actor, role=role, to=service, project=project)
    ways: list[Callable[[], object]] = [
        lambda: service.user_permissions.add(permission),
        lambda: assign_perm(role_codename(role), service, world.project),
        lambda: ProjectUserObjectPermission.objects.bulk_create(
            [ProjectUserObjectPermission(user=service, permission=permission, content_object=world.project)]
        ),
        lambda: sql(
            "INSERT INTO registry_user_user_permissions (user_id, permission_id) VALUES (%s, %s)",
            service.pk,
            permission.pk,
        ),
        lambda: sql(
            "UPDATE registry_user_user_permissions SET permission_id = %s WHERE user_id = %s", permission.pk, service.pk
        ),
        lambda: sql(
            "UPDATE registry_user_user_permissions SET user_id = %s WHERE user_id = %s AND permission_id = %s",
            service.pk,
            person(role).pk,
            permission.pk,
        ),
    ]
    for way in ways:
        with refused("service_role"):
            way()
        with refused("service_role"), as_replica():
            way()
    assert not User.objects.get(pk=service.pk).actor.grants.anywhere - SERVICE_ROLES


def test_no_group_of_people_takes_it_in(world: World, service: User) -> None:
    officers = Group.objects.create(name="Officers")
    with pytest.raises(InvalidInput):
        people_groups.add(actor=world.people.admin.actor, group=officers, person=service)
    for way in (
        lambda: service.groups.add(officers),
        lambda: sql("INSERT INTO registry_user_groups (user_id, group_id) VALUES (%s, %s)", service.pk, officers.pk),
    ):
        with refused("service_alone"):
            way()
        with refused("service_alone"), as_replica():
            way()


@pytest.mark.parametrize(("column", "is_replica"), product(("decider", "on_behalf_of"), (False, True)))
def test_no_decision_of_its_is_ever_written(world: World, service: User, column: str, is_replica: bool) -> None:
    request = world.version_request
    row = {
        "request": request,
        "decider": world.people.officer,
        "decider_name": "x",
        "role": Role.GOVERNANCE_OFFICER,
        "verdict": Verdict.APPROVE,
        "digest": request.digest,
        "requester_id_copy": request.requester_id,
        "registrant_id_copy": request.registrant_id,
        "modifier_id_copy": request.modifier_id,
        column: service,
    }
    for write in (
        lambda: Decision.objects.create(**row),
        lambda: Decision.objects.bulk_create([Decision(**row)]),
    ):
        # Of a decider the role is asked first: it holds none.
        with refused("decision_role_held" if column == "decider" else "people_only"):
            if is_replica:
                with as_replica():
                    write()
            else:
                write()


def test_it_owns_nothing(world: World, service: User) -> None:
    day = timezone.localdate()
    writes: dict[str, Callable[[], object]] = {
        "use case": lambda: UseCase.objects.filter(pk=world.draft.pk).update(model_owner=service),
        "classified": lambda: UseCase.objects.filter(pk=world.draft.pk).update(risk_classified_by=service),
        "group": lambda: ModelGroup.objects.filter(pk=world.group.pk).update(owner=service),
        "finding": lambda: sql("UPDATE governance_finding SET owner_id = %s", service.pk),
        "override": lambda: sql(
            "INSERT INTO governance_override (kind, use_case_id, stage, check_key, check_label, reason, granted_by_id,"
            " granted_by_name, granted_at, expires_at, revoked_by)"
            " VALUES ('use_case', %s, 'production', 'x', 'x', 'x', %s, 'x', now(), now() + interval '1 day', '')",
            world.draft.pk,
            service.pk,
        ),
        "delegate": lambda: Delegation.objects.create(
            delegator=world.people.owner,
            delegate=service,
            role=Role.MODEL_OWNER,
            starts_on=day,
            ends_on=day,
            reason="x",
        ),
        "delegator": lambda: Delegation.objects.create(
            delegator=service,
            delegate=world.people.owner,
            role=Role.MODEL_OWNER,
            starts_on=day,
            ends_on=day,
            reason="x",
        ),
        "answers": lambda: sql("UPDATE registry_serviceaccount SET responsible_id = %s", service.pk),
    }
    for write in writes.values():
        with refused("people_only"):
            write()
        with refused("people_only"), as_replica():
            write()
    with pytest.raises(InvalidInput):
        findings.assign(actor=world.people.officer.actor, finding_id=world.finding.pk, owner=service)
    with pytest.raises(InvalidInput):
        groups.require_fitting(project=world.project, owner=service, use_cases=[])


@pytest.fixture
def asked_by(world: World, service: User) -> ApprovalRequest:
    """A version that the account brought in, and its request that waits for the model owner."""
    made = version(group(world.project, world.people))
    with operation(SYSTEM):
        ModelVersion.objects.filter(pk=made.pk).update(registered_by=service)
    return approvals.submit(actor=service.actor, subject_type=ModelVersion, subject_id=made.pk)


def keeper(world: World, way: str) -> User:
    """Return a model owner who came to keep the account this way, and does not any more."""
    owner = person(Role.MODEL_OWNER, project=world.project)
    if way == "answered":
        for who, revision in ((owner, 1), (world.people.engineer, 2)):
            service_accounts.edit(
                actor=world.people.admin.actor, account_id=world.service.pk, revision=revision, responsible=who
            )
    else:
        people.grant(actor=SYSTEM, role=Role.ML_ADMIN, to=owner)
        admin = User.objects.get(pk=owner.pk).actor
        api_tokens.issue_for(actor=admin, account=world.service, name="seen", days=1, is_read_only=True)
        people.revoke(actor=SYSTEM, role=Role.ML_ADMIN, to=owner)
    return User.objects.get(pk=owner.pk)


@pytest.mark.parametrize("way", ["answered", "saw a token"])
def test_its_keepers_do_not_decide_on_what_it_did(world: World, asked_by: ApprovalRequest, way: str) -> None:
    owner = keeper(world, way)
    request = ApprovalRequest.objects.get(pk=asked_by.pk)
    assert owner.pk not in recipients.deciders(request)
    could = entitlement.who_could_sign(request.subject, [Role.MODEL_OWNER], request=request)[Role.MODEL_OWNER]
    assert owner.pk not in {signer.person.pk for signer in could}
    assert world.people.owner.pk in {signer.person.pk for signer in could}
    assert "service account" in approvals.refusal_for(owner.actor, request)
    with pytest.raises(approvals.SelfApproval):
        approvals.decide(actor=owner.actor, request_id=request.pk, verdict=Verdict.APPROVE, comment="")
    # ... nor has somebody else do it for him, whom he has lent his role.
    day = timezone.localdate()
    delegations.delegate(
        actor=owner.actor,
        delegator=owner,
        to=world.people.owner,
        role=Role.MODEL_OWNER,
        project=world.project,
        starts_on=day,
        ends_on=day,
        reason="Away.",
    )
    with undone():
        said_ = approvals.decide(
            actor=world.people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE, comment=""
        )
        assert said_.on_behalf_of is None, "his own word"
    for decider in (owner, world.people.owner):
        with refused("decision_not_by_keeper"):
            Decision.objects.create(
                request=request,
                decider=decider,
                on_behalf_of=None if decider == owner else owner,
                delegation=None if decider == owner else Delegation.objects.get(delegator=owner),
                decider_name="x",
                role=Role.MODEL_OWNER,
                verdict=Verdict.APPROVE,
                digest=request.digest,
                requester_id_copy=request.requester_id,
                registrant_id_copy=request.registrant_id,
            )


def test_what_it_would_be_told_its_keeper_is_told(world: World, asked_by: ApprovalRequest) -> None:
    told = recipients._active([asked_by.requester_id, world.people.owner.pk])
    assert set(told) == {world.people.engineer.pk, world.people.owner.pk}


def test_an_officer_who_keeps_it_overrides_no_rule_of_what_it_did(world: World, asked_by: ApprovalRequest) -> None:
    officer = world.people.second_officer
    service_accounts.edit(actor=world.people.admin.actor, account_id=world.service.pk, revision=1, responsible=officer)
    with pytest.raises(approvals.SelfApproval):
        overrides.break_glass(
            actor=User.objects.get(pk=officer.pk).actor,
            subject_type=ModelVersion,
            subject_id=asked_by.version_id or 0,
            stage=Stage.PRODUCTION,
            check_key="evidence:bias_report",
            reason="Late.",
            expires_at=timezone.now() + timedelta(days=1),
        )
    assert not Override.objects.filter(version=asked_by.version).exists()
