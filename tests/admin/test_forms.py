"""What an ML admin writes goes through the services in his name; what they refuse is said in the form."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from governance.models import AuditEvent
from portal.core.errors import Forbidden, InvalidInput, WrongState
from portal.core.vocabulary import Role
from registry.models import AwsAccount, AwsIdentity, LineOfBusiness, ModelVersion, Project, User
from registry.services import accounts, organisation, people
from tests.admin.conftest import row_of
from tests.api.world import World
from tests.factories import version
from tests.factories.people import PASSWORD, SYSTEM
from tests.scene import fingerprint
from tests.web.conftest import browser

ACCOUNT = {
    "account_id": "555555555555",
    "alias": "research",
    "purposes": ["development", "qa"],
    "regions": "us-east-1, eu-west-1",
    "role_arn": "arn:aws:iam::555555555555:role/Portal",
    "event_bus": "default",
    "is_enabled": "on",
    "new_external_id": "between-us",
}
PERSON = {"username": "new.person", "display_name": "New Person", "email": "new@example.org"}


def refused(answer: Any, *texts: str) -> None:
    """Check that a form came back with these texts in it."""
    assert answer.status_code == 200
    content = answer.content.decode()
    assert "errorlist" in content
    for text in texts:
        assert text in content, text


def said_in_the_trail(world: World, table: str, key: object, reason: str) -> AuditEvent:
    """Check that the newest entry about a row names the admin and the reason; returns it."""
    entry = AuditEvent.objects.filter(chain=f"{table}:{key}").order_by("-sequence").first()
    assert entry is not None, f"{table}:{key} is not in the trail"
    assert (entry.actor, entry.reason) == (world.people.admin.actor.label, reason)
    return entry


def test_an_account_is_registered_changed_and_switched_off(world: World, admin: Client) -> None:
    assert admin.post("/admin/registry/awsaccount/add/", ACCOUNT).status_code == 302
    account = AwsAccount.objects.get(account_id="555555555555")
    assert (account.alias, account.purposes, account.regions) == (
        "research", ["development", "qa"], ["us-east-1", "eu-west-1"],
    )  # fmt: skip
    assert (account.external_id, account.is_enabled, account.event_bus) == ("between-us", True, "default")
    said_in_the_trail(world, "registry_awsaccount", account.pk, "register AWS account")

    path = f"/admin/registry/awsaccount/{account.pk}/change/"
    changed = {**ACCOUNT, "account_id": "999999999999", "alias": "lab", "new_external_id": ""}
    del changed["is_enabled"]
    assert admin.post(path, changed).status_code == 302
    account.refresh_from_db()
    assert (account.account_id, account.alias, account.is_enabled) == ("555555555555", "lab", False)
    assert account.external_id == "between-us"
    entry = said_in_the_trail(world, "registry_awsaccount", account.pk, "edit AWS account")
    assert set(entry.changes) == {"alias", "is_enabled"}

    assert admin.post(path, {**changed, "new_external_id": "other"}).status_code == 302
    assert AwsAccount.objects.get(pk=account.pk).external_id == "other"
    refused(admin.post(path, {**changed, "new_external_id": "x", "forget_external_id": "on"}), "not both")
    assert admin.post(path, {**changed, "forget_external_id": "on"}).status_code == 302
    assert AwsAccount.objects.get(pk=account.pk).external_id == ""


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("account_id", "12", "twelve digits"),
        ("account_id", "111111111111", "already exists"),
        ("alias", "", "required"),
        ("purposes", [], "required"),
        ("purposes", ["moon"], "not one of the available choices"),
        ("regions", "", "required"),
        ("event_queue_url", "not an address", "valid URL"),
        ("artifact_buckets", "b" * 64, "63"),
    ],
)
def test_a_wrong_account_is_said_at_its_field(
    field: str, value: object, text: str, world: World, admin: Client
) -> None:
    before, count = fingerprint(), AwsAccount.objects.count()
    refused(admin.post("/admin/registry/awsaccount/add/", {**ACCOUNT, field: value}), text)
    assert (fingerprint(), AwsAccount.objects.count()) == (before, count)


def test_what_a_service_refuses_is_said_in_the_form(
    world: World, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(error: Exception) -> Any:
        def call(**_: Any) -> Any:
            # Something written before the refusal is undone with it.
            LineOfBusiness.objects.create(name="half done")
            raise error

        return call

    for error, text in (
        (InvalidInput("No.", errors={"alias": ["Not this alias."]}), "Not this alias."),
        (InvalidInput("No.", errors={"external_id": ["Not this id."]}), "Not this id."),
        (InvalidInput("No.", errors={"elsewhere": ["Not there."]}), "elsewhere: Not there."),
        (Forbidden("You may not do this."), "You may not do this."),
        (WrongState("Not now."), "Not now."),
    ):
        monkeypatch.setattr(accounts, "register", refuses(error))
        monkeypatch.setattr(accounts, "edit", refuses(error))
        refused(admin.post("/admin/registry/awsaccount/add/", ACCOUNT), text)
        refused(admin.post(f"/admin/registry/awsaccount/{world.accounts['hub'].pk}/change/", ACCOUNT), text)
        assert not LineOfBusiness.objects.filter(name="half done").exists()
        monkeypatch.setattr(people, "unlink_identity", refuses(error))
        answer = admin.post(
            f"/admin/registry/awsidentity/{row_of('registry.awsidentity').pk}/delete/", {"post": "yes"}, follow=True
        )
        assert str(error) in answer.content.decode()


def test_the_organisation_is_kept(world: World, admin: Client) -> None:
    assert admin.post("/admin/registry/lineofbusiness/add/", {"name": "Treasury"}).status_code == 302
    line = LineOfBusiness.objects.get(name="Treasury")
    said_in_the_trail(world, "registry_lineofbusiness", line.pk, "create line of business")
    given = {"key": "liquidity", "name": "Liquidity", "line_of_business": line.pk}
    assert admin.post("/admin/registry/project/add/", given).status_code == 302
    project = Project.objects.get(key="liquidity")
    said_in_the_trail(world, "registry_project", project.pk, "create project")

    line_path = f"/admin/registry/lineofbusiness/{line.pk}/change/"
    assert admin.post(line_path, {"name": "Group Treasury"}).status_code == 302
    said_in_the_trail(world, "registry_lineofbusiness", line.pk, "edit line of business")
    refused(admin.post(line_path, {"name": world.project.line_of_business.name}), "already exists")
    path = f"/admin/registry/project/{project.pk}/change/"
    moved = {"key": "other", "name": "Cash", "line_of_business": world.project.line_of_business_id}
    assert admin.post(path, moved).status_code == 302
    project.refresh_from_db()
    assert (project.key, project.name, project.line_of_business_id) == (
        "liquidity", "Cash", world.project.line_of_business_id,
    )  # fmt: skip
    said_in_the_trail(world, "registry_project", project.pk, "edit project")
    refused(admin.post("/admin/registry/project/add/", given), "already exists")
    refused(admin.post("/admin/registry/project/add/", {**given, "key": "No Spaces"}), "lower-case letters")


def test_a_person_is_created_and_signs_in(world: World, admin: Client) -> None:
    given = {**PERSON, "password": PASSWORD, "password_again": PASSWORD}
    assert admin.post("/admin/registry/user/add/", {**given, "is_superuser": "on", "is_staff": "on"}).status_code == 302
    person = User.objects.get(username="new.person")
    assert (person.display_name, person.email, person.is_active) == ("New Person", "new@example.org", True)
    assert not person.is_superuser
    assert not person.is_staff
    assert person.check_password(PASSWORD)
    entry = said_in_the_trail(world, "registry_user", person.pk, "create person")
    assert entry.changes["password"] == "(not copied)"
    assert admin.post("/admin/registry/user/add/", {**PERSON, "username": "outside"}).status_code == 302
    assert not User.objects.get(username="outside").has_usable_password()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"username": ""}, "required"),
        ({"username": "has space"}, "valid username"),
        ({"email": "nowhere"}, "valid email"),
        ({"password": "short", "password_again": "short"}, "too short"),
        ({"password": PASSWORD, "password_again": "other"}, "differ"),
        ({"password": PASSWORD}, "differ"),
        ({"password_again": PASSWORD}, "differ"),
        ({"password": "new.person", "password_again": "new.person"}, "too similar"),
    ],
)
def test_a_wrong_person_is_said_at_the_field(given: dict[str, str], text: str, world: World, admin: Client) -> None:
    before, count = fingerprint(), User.objects.count()
    refused(admin.post("/admin/registry/user/add/", {**PERSON, **given}), text)
    assert (fingerprint(), User.objects.count()) == (before, count)


def test_a_taken_name_is_said(world: World, admin: Client) -> None:
    refused(admin.post("/admin/registry/user/add/", {**PERSON, "username": world.people.owner.username}), "already")


def test_a_person_is_changed_and_switched_off(world: World, admin: Client) -> None:
    person = world.people.auditor
    path = f"/admin/registry/user/{person.pk}/change/"
    given = {"username": "taken.over", "display_name": "Ann Auditor", "email": "", "is_superuser": "on"}
    assert admin.post(path, given).status_code == 302
    changed = User.objects.get(pk=person.pk)
    assert (changed.username, changed.display_name, changed.is_active) == (person.username, "Ann Auditor", False)
    assert not changed.is_superuser
    said_in_the_trail(world, "registry_user", person.pk, "edit person")
    assert browser(person).get("/").status_code == 302
    refused(admin.post(path, {**given, "email": "nowhere"}), "valid email")


def test_nobody_switches_himself_off(world: World, admin: Client) -> None:
    path = f"/admin/registry/user/{world.people.admin.pk}/change/"
    refused(admin.post(path, {"display_name": "", "email": ""}), "Another ML admin has to do this.")
    assert User.objects.get(pk=world.people.admin.pk).is_active


def test_a_password_is_set_and_ends_sessions(world: World, admin: Client) -> None:
    person = world.people.scientist
    session = browser(person)
    path = f"/admin/registry/user/{person.pk}/password/"
    refused(admin.post(path, {"password": "short", "password_again": "short"}), "too short")
    refused(admin.post(path, {"password": "another battery", "password_again": "a third battery"}), "differ")
    refused(admin.post(path, {}), "required")
    assert session.get("/").status_code == 200
    new = {"password": "another battery", "password_again": "another battery"}
    assert admin.post(path, new).status_code == 302
    assert User.objects.get(pk=person.pk).check_password("another battery")
    assert session.get("/").status_code == 302
    said_in_the_trail(world, "registry_user", person.pk, "set password")
    assert admin.post(f"/admin/registry/user/{world.people.admin.pk}/password/", new).status_code == 302
    assert admin.get("/admin/").status_code == 200, "his own session goes on"


def test_roles_are_granted_and_revoked(world: World, admin: Client) -> None:
    person = people.create_person(actor=SYSTEM, username="joiner", display_name="", password=PASSWORD)
    path = f"/admin/registry/user/{person.pk}/roles/"
    assert "holds no role yet" in admin.get(path).content.decode()

    def grants() -> Any:
        return User.objects.get(pk=person.pk).actor.grants

    auditor = {"role": "auditor", "project": ""}
    engineer = {"role": "ml_engineer", "project": world.project.pk}
    assert admin.post(path, {"verb": "grant", **auditor}).status_code == 302
    assert admin.post(path, {"verb": "grant", **engineer}).status_code == 302
    assert grants().everywhere == {Role.AUDITOR}
    assert grants().by_project == {world.project.pk: {Role.ML_ENGINEER}}
    page = admin.get(path).content.decode()
    assert "Revoke Auditor everywhere" in page
    assert f"Revoke ML engineer on {world.project}" in page
    trail = AuditEvent.objects.filter(table="registry_user_user_permissions").latest("sequence")
    assert (trail.actor, trail.reason) == (world.people.admin.actor.label, "grant Auditor")
    trail = AuditEvent.objects.filter(table="registry_projectuserobjectpermission").latest("sequence")
    assert (trail.actor, trail.reason) == (world.people.admin.actor.label, "grant ML engineer")

    refused(admin.post(path, {"verb": "grant", **auditor}), "already holds")
    assert admin.post(path, {"verb": "revoke", **auditor}).status_code == 302
    assert admin.post(path, {"verb": "revoke", **engineer}).status_code == 302
    assert not grants().anywhere
    trail = AuditEvent.objects.filter(table="registry_projectuserobjectpermission").latest("sequence")
    assert (trail.actor, trail.reason, trail.action) == (world.people.admin.actor.label, "revoke ML engineer", "delete")
    before = fingerprint()
    refused(admin.post(path, {"verb": "revoke", **auditor}), "somebody was faster")
    refused(admin.post(path, {"verb": "grant", "role": "king", "project": ""}), "not one of the available choices")
    refused(admin.post(path, {"verb": "grant", "role": "auditor", "project": "999999"}), "not one of the available")
    refused(admin.post(path, {"verb": "rule", **auditor}), "not one of the available choices")
    assert fingerprint() == before


def test_a_role_through_a_group_of_people_is_shown_and_stays(world: World, admin: Client) -> None:
    stranger = world.people.stranger
    path = f"/admin/registry/user/{stranger.pk}/roles/"
    assert "through readers" in admin.get(path).content.decode()
    refused(
        admin.post(path, {"verb": "revoke", "role": "auditor", "project": world.elsewhere.pk}), "somebody was faster"
    )
    assert Group.objects.get(name="readers") in stranger.groups.all()


def test_a_role_refused_by_the_service_is_said(world: World, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(**_: Any) -> None:
        raise Forbidden("Not this one.")

    monkeypatch.setattr(people, "grant", refuses)
    path = f"/admin/registry/user/{world.people.owner.pk}/roles/"
    refused(admin.post(path, {"verb": "grant", "role": "auditor", "project": ""}), "Not this one.")


def test_who_gives_up_his_own_role_leaves(world: World, admin: Client) -> None:
    path = f"/admin/registry/user/{world.people.admin.pk}/roles/"
    answer = admin.post(path, {"verb": "revoke", "role": "ml_admin", "project": ""})
    assert answer["Location"] == "/"
    assert admin.get("/admin/").status_code == 404


def test_an_identity_is_linked_and_unlinked(world: World, admin: Client) -> None:
    arn = "arn:aws:sts::222222222222:assumed-role/Scientist/ann"
    brought = version(world.group, 9, registrant=arn)
    given = {"user": world.people.scientist.pk, "arn": arn}
    assert admin.post("/admin/registry/awsidentity/add/", given).status_code == 302
    identity = AwsIdentity.objects.get(arn=arn)
    assert ModelVersion.objects.get(pk=brought.pk).registered_by == world.people.scientist
    said_in_the_trail(world, "registry_awsidentity", identity.pk, "link AWS identity")
    refused(admin.post("/admin/registry/awsidentity/add/", {**given, "user": world.people.owner.pk}), "already exists")
    refused(admin.post("/admin/registry/awsidentity/add/", {**given, "arn": "ann"}), "given by its ARN")
    refused(admin.post("/admin/registry/awsidentity/add/", {"arn": arn + "2"}), "required")
    path = f"/admin/registry/awsidentity/{identity.pk}"
    assert admin.post(f"{path}/change/", {**given, "user": world.people.owner.pk}).status_code == 403

    assert "Are you sure" in admin.get(f"{path}/delete/").content.decode()
    assert admin.post(f"{path}/delete/", {"post": "yes"}).status_code == 302
    assert not AwsIdentity.objects.filter(arn=arn).exists()
    assert said_in_the_trail(world, "registry_awsidentity", identity.pk, "unlink AWS identity").action == "delete"
    assert ModelVersion.objects.get(pk=brought.pk).registered_by == world.people.scientist, "his work stays his"


def test_the_new_services_ask_for_the_role(world: World) -> None:
    engineer = world.people.engineer
    calls: list[tuple[Any, dict[str, Any]]] = [
        (people.edit_person, {"user": engineer, "display_name": "x"}),
        (people.set_password, {"user": engineer, "password": PASSWORD}),
        (people.unlink_identity, {"identity": row_of("registry.awsidentity")}),
        (organisation.edit_line_of_business, {"line_of_business": world.project.line_of_business, "name": "x"}),
        (
            organisation.edit_project,
            {"project": world.project, "name": "x", "line_of_business": world.project.line_of_business},
        ),
    ]
    before = fingerprint()
    for call, arguments in calls:
        with pytest.raises(Forbidden):
            call(actor=engineer.actor, **arguments)
    assert fingerprint() == before
