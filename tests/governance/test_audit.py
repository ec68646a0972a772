"""The audit trail: every governed table, whoever writes, and what becomes visible when somebody tampers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from governance.models import AuditEvent, OutboxMessage, StageEvent
from governance.selectors.audit import verify
from governance.services import approvals, retirement
from portal.core.operations import correlated, operation
from portal.core.vocabulary import RiskClass, Role
from registry.models import ApiToken, AwsAccount, LineOfBusiness, ModelVersion, UseCase, User
from registry.services import accounts, organisation, people, use_cases
from tests.factories import group, person, use_case, version
from tests.factories.people import PASSWORD, SYSTEM
from tests.factories.walk import approve_once
from tests.refusals import as_replica, sql
from tests.scene import settle, undone

from .conftest import Place

pytestmark = pytest.mark.django_db


def trail(table: str, pk: object) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(chain=f"{table}:{pk}").order_by("sequence"))


def last(table: str, pk: object) -> AuditEvent:
    return trail(table, pk)[-1]


def test_a_service_names_actor_reason_and_correlation(place: Place) -> None:
    people_ = place.people
    case = use_case(people_, place.project)
    with correlated("request-4711"):
        use_cases.classify(
            actor=people_.officer.actor, use_case_id=case.pk, risk_class="high", reason="Annex III point 5."
        )
    row = next(e for e in reversed(trail("registry_usecase", case.pk)) if "risk_class" in e.changes)
    assert (row.actor, row.reason, row.correlation, row.action) == (
        f"user:{people_.officer.username}",
        "Annex III point 5.",
        "request-4711",
        "update",
    )
    assert row.changes["risk_class"] == ["limited", "high"]
    assert not row.is_unattributed


def test_everything_one_decision_causes_shares_its_correlation_and_actor(place: Place) -> None:
    people_ = place.people
    made = version(group(place.project, people_))
    request = approvals.submit(actor=people_.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    with correlated("decision-0815"):
        approvals.decide(actor=people_.owner.actor, request_id=request.pk, verdict="approve", comment="Fine.")
    rows = AuditEvent.objects.filter(correlation="decision-0815")
    assert {row.actor for row in rows} == {f"user:{people_.owner.username}"}
    assert {row.table for row in rows} == {
        "registry_modelversion",
        "registry_deployment",
        "governance_deploymentorder",
        "governance_stagerecord",
        "governance_approvalrequest",
        "governance_decision",
        "governance_outboxmessage",
        "governance_stageevent",
    }
    assert len({row.transaction for row in rows}) == 1
    assert set(StageEvent.objects.filter(version=made, verb="approve").values_list("correlation", flat=True)) == {
        "decision-0815"
    }
    # Outside a request the ledger and the trail still agree on one id.
    approve_once(people_, made)
    event = StageEvent.objects.filter(version=made, verb="approve").latest("pk")
    assert event.correlation
    assert AuditEvent.objects.filter(correlation=event.correlation, table="governance_decision").count() == 1


def test_a_nested_operation_keeps_its_own_actor_and_gives_the_outer_one_back(place: Place) -> None:
    with operation(place.people.officer.actor, "outer"):
        first = LineOfBusiness.objects.create(name="One")
        with operation(SYSTEM, "inner"):
            second = LineOfBusiness.objects.create(name="Two")
        third = LineOfBusiness.objects.create(name="Three")
    officer = f"user:{place.people.officer.username}"
    seen = [(e.actor, e.reason) for e in (last("registry_lineofbusiness", row.pk) for row in (first, second, third))]
    assert seen == [(officer, "outer"), ("system:test", "inner"), (officer, "outer")]


def test_a_change_outside_a_service_is_visible_as_nobodys(place: Place) -> None:
    account = AwsAccount.objects.all()[0]
    AwsAccount.objects.filter(pk=account.pk).update(alias="renamed-by-hand")
    row = last("registry_awsaccount", account.pk)
    assert (row.actor, row.is_unattributed, row.changes["alias"][1]) == (None, True, "renamed-by-hand")
    assert row.database_user
    accounts.edit(actor=place.people.admin.actor, account=account, alias="named-again")
    assert last("registry_awsaccount", account.pk).actor == f"user:{place.people.admin.username}"


def test_every_kind_of_write_leaves_a_row(place: Place) -> None:
    line = organisation.create_line_of_business(actor=SYSTEM, name="Cards")
    with as_replica():
        sql("UPDATE registry_lineofbusiness SET name = 'Credit cards' WHERE id = %s", line.pk)
    sql("DELETE FROM registry_lineofbusiness WHERE id = %s", line.pk)
    rows = trail("registry_lineofbusiness", line.pk)
    assert [row.action for row in rows] == ["insert", "update", "delete"]
    assert rows[2].changes["name"] == "Credit cards"
    assert [row.is_unattributed for row in rows] == [False, True, True]


def test_what_changes_nothing_leaves_no_row(place: Place) -> None:
    account = AwsAccount.objects.all()[0]
    before = len(trail("registry_awsaccount", account.pk))
    account.save()
    AwsAccount.objects.filter(pk=account.pk).update(checked_at=timezone.now())
    assert len(trail("registry_awsaccount", account.pk)) == before


def test_secrets_are_not_copied(place: Place) -> None:
    user = person(Role.AUDITOR, project=place.project)
    user.set_password("another horse battery")
    user.save(update_fields=["password"])
    _, token = ApiToken.objects.create(user=user, name="ci")
    account = AwsAccount.objects.all()[0]
    accounts.edit(actor=SYSTEM, account=account, external_id="sesame-open")
    rows = [
        *trail("registry_user", user.pk),
        *trail("registry_awsaccount", account.pk),
        *AuditEvent.objects.filter(table="registry_apitoken"),
    ]
    text = repr([row.changes for row in rows])
    stored = User.objects.get(pk=user.pk).password
    digest = ApiToken.objects.get(user=user).digest
    for secret in (stored, digest, token, PASSWORD, "sesame-open"):
        assert secret not in text
    assert last("registry_user", user.pk).changes["password"] == ["(not copied)", "(not copied)"]
    assert AuditEvent.objects.filter(table="registry_apitoken", action="insert").exists()


def test_roles_given_and_taken_are_in_the_trail(place: Place) -> None:
    user = person()
    for project in (None, place.project):
        people.grant(actor=place.people.admin.actor, role=Role.AUDITOR, to=user, project=project)
        people.revoke(actor=place.people.admin.actor, role=Role.AUDITOR, to=user, project=project)
    rows = AuditEvent.objects.filter(actor=f"user:{place.people.admin.username}").order_by("sequence")
    assert [(row.table, row.action) for row in rows] == [
        ("registry_user_user_permissions", "insert"),
        ("registry_user_user_permissions", "delete"),
        ("registry_projectuserobjectpermission", "insert"),
        ("registry_projectuserobjectpermission", "delete"),
    ]


def test_names_outlive_their_object(place: Place) -> None:
    made = version(group(place.project, place.people))
    retirement.retire(
        actor=place.people.officer.actor, subject_type=ModelVersion, subject_id=made.pk, reason="Never used."
    )
    event = StageEvent.objects.filter(version=made).latest("pk")
    assert event.actor == place.people.officer.username


# --- the chain


@contextmanager
def tampering() -> Iterator[None]:
    """What only the owner of the table can do: switch its triggers off."""
    settle()
    sql("ALTER TABLE governance_auditevent DISABLE TRIGGER ALL")
    try:
        yield
    finally:
        sql("ALTER TABLE governance_auditevent ENABLE TRIGGER ALL")
        sql("ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER append_only")
        sql("ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER append_only_truncate")


@pytest.fixture
def walked(place: Place) -> UseCase:
    """A use case whose chain has several rows."""
    case = use_case(place.people, place.project)
    approve_once(place.people, case)
    assert len(trail("registry_usecase", case.pk)) >= 4
    return case


def test_an_untouched_trail_verifies(walked: UseCase) -> None:
    found = verify()
    assert (found.is_intact, found.first_bad_sequence, found.problem) == (True, None, "")
    assert found.rows == AuditEvent.objects.count()
    assert found.chains == AuditEvent.objects.values("chain").distinct().count()
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert f"{found.rows} rows" in out.getvalue()


FIELDS = {
    "actor": "'user:somebody.else'",
    "reason": "'a better one'",
    "correlation": "'other'",
    "changes": """'{"risk_class": ["limited", "minimal"]}'""",
    "at": "at - interval '1 day'",
    "action": "'insert'",
    "database_user": "'nobody'",
    "object_id": "'0'",
    "hash": "sha256('forged')",
    "previous_hash": "sha256('forged')",
    "transaction": "transaction + 1",
    '"table"': "'registry_user'",
}


@pytest.mark.parametrize("field", FIELDS)
def test_an_altered_middle_row_is_named(walked: UseCase, field: str) -> None:
    middle = trail("registry_usecase", walked.pk)[1]
    with tampering():
        sql(f"UPDATE governance_auditevent SET {field} = {FIELDS[field]} WHERE sequence = %s", middle.sequence)
    found = verify()
    assert found.first_bad_sequence == middle.sequence, found
    assert found.problem
    with pytest.raises(CommandError, match=str(middle.sequence)):
        call_command("verify_audit", stdout=StringIO())


def test_a_deleted_middle_row_is_named_by_its_successor(walked: UseCase) -> None:
    rows = trail("registry_usecase", walked.pk)
    with tampering():
        sql("DELETE FROM governance_auditevent WHERE sequence = %s", rows[1].sequence)
    assert verify().first_bad_sequence == rows[2].sequence


def test_a_deleted_first_row_is_named_by_its_successor(walked: UseCase) -> None:
    rows = trail("registry_usecase", walked.pk)
    with tampering():
        sql("DELETE FROM governance_auditevent WHERE sequence = %s", rows[0].sequence)
    assert verify().first_bad_sequence == rows[1].sequence


def test_a_row_put_in_by_hand_is_named(walked: UseCase) -> None:
    """Append-only does not forbid to append: whoever inserts a row himself has to know the chain to go unnoticed."""
    row = trail("registry_usecase", walked.pk)[-1]
    columns = (
        'at, transaction, database_user, actor, reason, correlation, "table", object_id, action, changes, chain,'
        " previous_hash, hash"
    )
    sql(
        f"INSERT INTO governance_auditevent ({columns}) SELECT {columns} FROM governance_auditevent WHERE sequence = %s",
        row.sequence,
    )
    assert verify().first_bad_sequence == AuditEvent.objects.latest("sequence").sequence


def test_rows_that_changed_places_are_named(walked: UseCase) -> None:
    first, second = trail("registry_usecase", walked.pk)[1:3]
    with tampering():
        sql("UPDATE governance_auditevent SET sequence = -1 WHERE sequence = %s", first.sequence)
        sql("UPDATE governance_auditevent SET sequence = %s WHERE sequence = %s", first.sequence, second.sequence)
        sql("UPDATE governance_auditevent SET sequence = %s WHERE sequence = -1", second.sequence)
    assert verify().first_bad_sequence == first.sequence


def test_the_first_of_several_bad_rows_is_named(walked: UseCase) -> None:
    rows = trail("registry_usecase", walked.pk)
    with tampering():
        for row in (rows[2], rows[0]):
            sql("UPDATE governance_auditevent SET reason = 'x' WHERE sequence = %s", row.sequence)
    assert verify().first_bad_sequence == rows[0].sequence


@pytest.mark.parametrize("setting", ["TimeZone = 'Asia/Tokyo'", "DateStyle = 'German'", "bytea_output = 'escape'"])
def test_the_hash_does_not_depend_on_the_session(walked: UseCase, setting: str) -> None:
    with undone():
        sql(f"SET LOCAL {setting}")
        assert verify().is_intact
        UseCase.objects.filter(pk=walked.pk).update(business_owner="Somebody")
        assert verify().is_intact
    assert verify().is_intact


def test_chains_of_different_objects_do_not_hang_together(walked: UseCase) -> None:
    other = OutboxMessage.objects.create(
        kind="write_back", ordering_key="k", payload={}, summary="s", next_attempt_at=timezone.now()
    )
    row: Any = trail("governance_outboxmessage", other.pk)[0]
    assert row.previous_hash is None
    assert verify().is_intact


def test_only_those_who_may_read_the_trail_do(place: Place, walked: UseCase) -> None:
    for everywhere in (person(Role.AUDITOR), person(Role.GOVERNANCE_OFFICER), place.people.admin):
        assert AuditEvent.objects.visible_to(everywhere.actor).count() == AuditEvent.objects.count()
    for other in (place.people.scientist, place.people.owner, place.people.engineer):
        assert not AuditEvent.objects.visible_to(other.actor).exists()


def test_the_auditor_of_a_project_reads_what_concerns_it_and_no_more(place: Place, walked: UseCase) -> None:
    theirs = use_case(replace(place.people, scientist=place.people.stranger), place.elsewhere, RiskClass.UNCLASSIFIED)
    made = version(group(place.project, place.people))
    mine = AuditEvent.objects.visible_to(place.people.auditor.actor)
    tables = set(mine.values_list("table", flat=True))
    assert tables >= {"registry_usecase", "governance_approvalrequest", "governance_stagerecord"}
    assert not tables & {"registry_user", "registry_awsaccount", "registry_user_user_permissions"}
    assert mine.filter(chain=f"registry_modelversion:{made.pk}").exists()
    assert not mine.filter(chain=f"registry_usecase:{theirs.pk}").exists()


def test_messages_to_aws_are_shown_to_those_who_see_the_version(place: Place) -> None:
    made = version(group(place.project, place.people))
    approve_once(place.people, made)
    elsewhere = person(Role.ML_ENGINEER, Role.GOVERNANCE_OFFICER, project=place.elsewhere)
    assert not OutboxMessage.objects.visible_to(elsewhere.actor).exists()
    for own in (place.people.engineer, place.people.scientist, place.people.admin):
        assert OutboxMessage.objects.visible_to(own.actor).filter(version=made).count() == 2
