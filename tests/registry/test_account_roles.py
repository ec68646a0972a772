"""Roles found in an account: kept when AWS refuses, marked when gone, linked by who manages accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.models import AuditEvent
from governance.services.readings import ACTOR, Tally
from portal.core.errors import Forbidden, InvalidInput, NotFound
from registry.aws import iam_roles
from registry.aws.errors import AwsDenied
from registry.aws.iam_roles import BoundaryRecord, PolicyRecord, RoleRecord, Roles
from registry.choices import Persona
from registry.models import AccountRole, AwsAccount
from registry.selectors import personas
from registry.services import account_roles
from tests.governance.conftest import Place

SPOKE = "222222222222"
EVERYTHING = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def record(name: str) -> RoleRecord:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": SPOKE}}]}
    return RoleRecord(f"arn:aws:iam::{SPOKE}:role/{name}", name, "/", "Works.\x00", None, trust)


class Iam:
    """An IAM that has these roles, and refuses the policies of some."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names, self.refused = ["Able", "Baker"], {"Baker"}
        self.document: Any = EVERYTHING
        monkeypatch.setattr(iam_roles, "roles_of_people", lambda session: self.roles())
        self.boundary: BoundaryRecord | None = None
        monkeypatch.setattr(iam_roles, "policies_of", self.policies)
        monkeypatch.setattr(iam_roles, "boundary_of", lambda session, role, managed: self.boundary)

    def roles(self) -> Roles:
        return Roles(tuple(map(record, self.names)), len(self.names))

    def policies(self, session: Any, role: str, managed: Any) -> list[PolicyRecord]:
        if role in self.refused:
            raise AwsDenied(
                service="iam", operation="GetRolePolicy", account_id=SPOKE, code="AccessDenied", message="not yours"
            )
        return [PolicyRecord("work", "", self.document)]


@pytest.fixture
def account(place: Place) -> AwsAccount:
    return AwsAccount.objects.get(account_id=SPOKE)


def read(account: AwsAccount, region: str = "") -> Tally:
    tally, session = Tally(), type("S", (), {"account": type("A", (), {"region": region or account.region})})
    account_roles.read(ACTOR, account, session, tally)  # type: ignore[arg-type]  # a session is asked for its region alone
    return tally


def test_roles_are_kept_with_what_could_not_be_read_of_them(
    account: AwsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = Iam(monkeypatch)
    tally = read(account)
    assert tally.created == 2
    assert len(tally.problems) == 1
    assert "not yours" in tally.problems[0]
    able, baker = AccountRole.objects.order_by("name")
    assert personas.found_role(able).comparison.goes_around  # type: ignore[union-attr]  # it was compared
    assert (baker.policies, personas.found_role(baker).comparison) == (None, None)
    aws.refused, aws.names = {"Able"}, ["Able"]
    told = AuditEvent.objects.filter(table="registry_accountrole").count()
    tally = read(account)
    able.refresh_from_db()
    baker.refresh_from_db()
    assert (tally.updated, tally.missing) == (1, 1)
    assert able.policies == [{"name": "work", "arn": "", "document": EVERYTHING}]
    assert "not yours" in able.problem
    assert baker.missing_since is not None
    aws.refused = {"Able"}
    assert read(account).unchanged == 1
    # What changed is in the trail: a problem, an absence; that it was read again is not.
    assert AuditEvent.objects.filter(table="registry_accountrole").count() == told + 2


def test_a_permissions_boundary_is_kept_and_counts(account: AwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    aws, arn = Iam(monkeypatch), f"arn:aws:iam::{SPOKE}:policy/bound"

    def judged() -> tuple[bool, bool]:
        read(account)
        found = personas.found_role(AccountRole.objects.get(name="Able"))
        assert found.comparison is not None
        return found.is_bounded, found.comparison.goes_around

    assert judged() == (False, True)
    assert AccountRole.objects.get(name="Able").boundary == {}, "it was asked for, and has none"
    assert AccountRole.objects.get(name="Baker").boundary is None, "it was not read"
    aws.boundary = BoundaryRecord(arn, {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
    assert judged() == (True, False)
    aws.boundary = BoundaryRecord(arn, None, "It may not be read.\x00")
    assert judged() == (False, True)
    aws.boundary = BoundaryRecord(arn, {"Statement": "all"})
    assert judged() == (False, True), "what nobody understands takes nothing away"


def test_iam_is_asked_in_the_first_region_alone(account: AwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    Iam(monkeypatch)
    assert read(account, "ap-south-1").created == 0


def test_a_document_nobody_understands_is_said_to_be_one(account: AwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Iam(monkeypatch)
    aws.document = {"Statement": {"Effect": "Perhaps", "Sid": "\x00"}}
    read(account)
    found = personas.found_role(AccountRole.objects.get(name="Able"))
    assert found.comparison is None
    assert found.unreadable == ('work: A statement has neither the effect "Allow" nor "Deny".',)


def test_an_ml_admin_says_for_whom_a_role_stands(
    account: AwsAccount, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    Iam(monkeypatch)
    read(account)
    row, people = AccountRole.objects.get(name="Able"), place.people
    wanted: dict[str, Any] = {"account_id": SPOKE, "role_id": row.pk, "persona": Persona.GOVERNANCE_OFFICER.value}
    account_roles.link(actor=people.admin.actor, **wanted)
    compared = personas.found_role(AccountRole.objects.get(pk=row.pk)).comparison
    assert compared is not None
    assert (compared.persona, compared.is_linked) == (Persona.GOVERNANCE_OFFICER, True)
    for actor, change, refusal in (
        (people.engineer.actor, {}, Forbidden),
        (people.scientist.actor, {}, NotFound),
        (people.admin.actor, {"persona": "nobody\x00"}, InvalidInput),
        (people.admin.actor, {"role_id": 10**30}, NotFound),
        (people.admin.actor, {"account_id": "111111111111"}, NotFound),
    ):
        with pytest.raises(refusal):
            account_roles.link(actor=actor, **{**wanted, **change})
    unlinked = account_roles.link(actor=people.admin.actor, **{**wanted, "persona": ""})
    assert (unlinked.persona, unlinked.linked_by, unlinked.linked_at) == ("", None, None)


def test_the_policies_are_written_from_the_command_line(account: AwsAccount, tmp_path: Any, capsys: Any) -> None:
    call_command("persona_policies", SPOKE, to=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{one}-{SPOKE}-1.json" for one in Persona}
    for wrong in ({"account_id": "999999999999"}, {"account_id": SPOKE, "execution_roles": "*"}):
        with pytest.raises(CommandError):
            call_command("persona_policies", wrong["account_id"], execution_roles=wrong.get("execution_roles", ""))
