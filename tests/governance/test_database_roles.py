"""The portal as the role it has in production: all of its work is possible, and nothing that is history can be changed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection, connections, transaction
from django.test import Client
from django.urls import reverse

from governance.choices import AuditCheckScope, AuditCheckState
from governance.models import ApprovalRequest, AuditEvent, PolicyVersion, StageEvent
from governance.selectors.audit_coverage import gaps
from governance.selectors.database_role import deployment_check, excessive_rights
from governance.services import audit_checks, signing
from governance.services.anchors import anchor
from governance.services.database_roles import grant, rights, statements
from governance.services.verification import verify
from portal.core.errors import InvalidInput
from portal.core.vocabulary import Stage
from registry.models import ModelVersion
from tests.committed import _server
from tests.factories import at_stage, cast, group, project, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import all_accounts, approve_once
from tests.refusals import sql

from .conftest import Place

PASSWORD = secrets.token_urlsafe(16)


@pytest.fixture
def role(made_database: None) -> Iterator[str]:
    """A role without any rights; it goes after the database that gives it some."""
    name = f"portal_app_{secrets.token_hex(4)}"
    with _server() as server:
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    with _server() as server:
        server.execute(f"DROP ROLE {name}")


@pytest.fixture
def own(role: str, committed_db: str, anchor_folder: Path) -> str:
    """The address of a database of this test's own, whose owner is still who it was made by."""
    return committed_db


@pytest.fixture
def as_the_portal(own: str, role: str) -> Iterator[str]:
    """Connect as the role that `database_roles` has set up, like web, worker and beat."""
    call_command("database_roles", role, stdout=StringIO())
    settings = connection.settings_dict
    before = settings["USER"], settings["PASSWORD"]
    connections.close_all()
    settings["USER"], settings["PASSWORD"] = role, PASSWORD
    yield role
    connections.close_all()
    settings["USER"], settings["PASSWORD"] = before


@pytest.fixture
def committed_place(as_the_portal: str) -> Place:
    """A project, people and accounts made by the portal's own role."""
    here, there = project(), project()
    all_accounts()
    return Place(here, there, cast(here, there))


def test_the_whole_story_is_possible(committed_place: Place, as_the_portal: str) -> None:
    """Use case, model version, requests, decisions, deployment, retirement, keys, anchors, checks and pages."""
    here, people = committed_place.project, committed_place.people
    case = use_case(people, here)
    approve_once(people, case)
    made = at_stage(people, version(group(here, people, case)), Stage.PRODUCTION)
    assert StageEvent.objects.filter(version=made, verb="approve").exists()
    assert anchor(actor=SYSTEM) is not None
    signing.rotate(actor=SYSTEM)
    anchor(actor=SYSTEM)
    check = audit_checks.request(actor=people.auditor.actor, scope=AuditCheckScope.ALL)
    done = audit_checks.run(actor=SYSTEM, check_id=check.pk)
    assert done is not None
    assert (done.state, done.problem) == (AuditCheckState.SOUND, "")
    assert set(AuditEvent.objects.filter(actor=f"user:{people.officer.username}").values_list("database_user")) <= {
        (as_the_portal,)
    }
    browser = Client()
    browser.force_login(people.officer)
    for name in (
        "home",
        "governance:stage_table",
        "governance:queue",
        "governance:audit_trail",
        "registry:use_case_list",
    ):
        assert browser.get(reverse(name)).status_code == 200, name
    browser.logout()


TAMPERINGS = {
    "an entry changed": "UPDATE governance_auditevent SET actor = 'user:other'",
    "an entry removed": "DELETE FROM governance_auditevent",
    "the trail emptied": "TRUNCATE governance_auditevent",
    "an entry written": (
        'INSERT INTO governance_auditevent (at, transaction, database_user, "table", object_id, action, changes, chain, hash)'
        " VALUES (now(), 1, 'x', 'registry_user', '1', 'insert', '{}', 'registry_user:1', sha256('x'))"
    ),
    "the trail's numbers moved": "SELECT setval('governance_auditevent_sequence_seq', 1)",
    "the trail dropped": "DROP TABLE governance_auditevent",
    "the trail's guards off": "ALTER TABLE governance_auditevent DISABLE TRIGGER ALL",
    "the trail's guard dropped": "DROP TRIGGER append_only ON governance_auditevent",
    "a table's audit off": "ALTER TABLE registry_usecase DISABLE TRIGGER audit",
    "a guard dropped": "DROP TRIGGER lifecycle_guard ON registry_usecase",
    "the trigger function dropped": "DROP FUNCTION governance_audit_row() CASCADE",
    "the trigger function replaced": (
        "CREATE OR REPLACE FUNCTION governance_audit_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
    ),
    "the trigger function led astray": "ALTER FUNCTION governance_audit_row() SET search_path = pg_temp",
    "a function of one's own": "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a table of one's own": "CREATE TABLE mine (id int)",
    "a schema of one's own": "CREATE SCHEMA mine",
    "a temporary stand-in": "CREATE TEMPORARY TABLE governance_lifecycleedge (machine text)",
    "as a replica": "SET session_replication_role = replica",
    "as the owner": "SET ROLE {owner}",
    "as a superuser": "ALTER ROLE {role} SUPERUSER",
    "rights of one's own": "GRANT ALL ON governance_auditevent TO {role}; DELETE FROM governance_auditevent",
    "the table taken over": "ALTER TABLE governance_auditevent OWNER TO {role}",
    "a lifecycle edge written": "INSERT INTO governance_lifecycleedge (machine, verb, source, target) VALUES ('a', 'b', 'c', 'd')",
    "a lifecycle edge changed": "UPDATE governance_lifecycleedge SET target = 'production/approved'",
    "a lifecycle edge removed": "DELETE FROM governance_lifecycleedge",
    "a decision changed": "UPDATE governance_decision SET verdict = 'approve'",
    "a decision removed": "DELETE FROM governance_decision",
    "a move changed": "UPDATE governance_stageevent SET actor = 'other'",
    "a move removed": "DELETE FROM governance_stageevent",
    "a metric report changed": "UPDATE governance_metricreport SET metrics = '{}'",
    "a published policy changed": "UPDATE governance_policyversion SET state = 'draft' WHERE state = 'published'",
    "a rule of a published policy removed": "DELETE FROM governance_policyrule",
    "a rule of a published policy changed": "UPDATE governance_policyrule SET approvals = '[]'",
    "an approval request removed": "DELETE FROM governance_approvalrequest",
    "an approval request reopened": "UPDATE governance_approvalrequest SET state = 'open'",
    "a stage record removed": "DELETE FROM governance_stagerecord",
    "a version put into production": "UPDATE registry_modelversion SET stage = 'production', status = 'approved'",
    "a version removed": "DELETE FROM registry_modelversion",
    "the index of the anchors changed": "UPDATE governance_auditanchor SET rows = 1",
    "the index of the anchors removed": "DELETE FROM governance_auditanchor",
    "a check removed": "DELETE FROM governance_auditcheck",
    "the kept past changed": "UPDATE governance_history_modelversion SET valid_to = now()",
    "the kept past written": "INSERT INTO governance_history_modelversion SELECT * FROM governance_history_modelversion",
    "a signing key removed": "DELETE FROM governance_signingkey",
    "the vocabulary of permissions changed": "UPDATE auth_permission SET codename = 'role_governance_officer'",
    "a migration taken back": "DELETE FROM django_migrations",
}


def test_no_tampering_succeeds(committed_place: Place, as_the_portal: str) -> None:
    """One story for all of them, since none may leave a trace."""
    here, people = committed_place.project, committed_place.people
    case = use_case(people, here)
    approve_once(people, case)
    made = at_stage(people, version(group(here, people, case)), Stage.QA)
    assert anchor(actor=SYSTEM) is not None
    assert ModelVersion.objects.filter(pk=made.pk).exists()
    assert ApprovalRequest.objects.filter(state="approved").exists()
    assert PolicyVersion.objects.filter(state="published").exists()
    with _server() as server:
        [owner] = server.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [connection.settings_dict["NAME"]]
        ).fetchone() or [None]
    before = _counts()
    succeeded: dict[str, int] = {}
    reasons: list[BaseException | None] = []
    for name, statement in TAMPERINGS.items():
        try:
            with transaction.atomic():
                succeeded[name] = sql(statement.replace("{owner}", owner).replace("{role}", as_the_portal))
        except Error as refusal:
            reasons.append(refusal.__cause__)
    nonsense = (psycopg.errors.SyntaxError, psycopg.errors.UndefinedObject, psycopg.errors.UndefinedTable)
    assert [reason for reason in reasons if isinstance(reason, (*nonsense, psycopg.errors.UndefinedColumn))] == []
    assert succeeded == {}
    assert _counts() == before
    assert verify().problem == ""


def _counts() -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for table in rights():
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            [found[table]] = cursor.fetchone() or [0]
    return found


def test_a_direct_write_is_in_the_trail_as_nobodys(committed_place: Place, as_the_portal: str) -> None:
    """What the portal's role may write, it may write around the services: the trail says so."""
    sql("UPDATE registry_lineofbusiness SET name = name || '!'")
    last = AuditEvent.objects.latest("sequence")
    assert (last.table, last.is_unattributed, last.database_user) == ("registry_lineofbusiness", True, as_the_portal)


def test_the_rights_are_what_the_guards_allow(own: str) -> None:
    found = rights()
    assert found["governance_auditevent"] == found["governance_lifecycleedge"] == ("SELECT",)
    for table in ("governance_decision", "governance_stageevent", "governance_metricreport", "governance_auditanchor"):
        assert found[table] == ("SELECT", "INSERT"), table
    for table in ("registry_usecase", "registry_modelversion", "governance_stagerecord", "governance_approvalrequest"):
        assert found[table] == ("SELECT", "INSERT", "UPDATE"), table
    assert not [table for table, verbs in found.items() if "TRUNCATE" in verbs]
    assert found["django_session"] == ("SELECT", "INSERT", "UPDATE", "DELETE")
    assert gaps() == []


def test_the_role_is_checked(own: str, role: str) -> None:
    with pytest.raises(CommandError, match="temporary"):
        call_command("database_roles", role, "--check")
    call_command("database_roles", role, stdout=StringIO())
    out = StringIO()
    call_command("database_roles", role, "--check", stdout=out)
    assert role in out.getvalue()
    with pytest.raises(CommandError, match=r"superuser|owns the tables"):
        call_command("database_roles", "--check")
    sql(f"GRANT INSERT ON governance_auditevent TO {role}")
    assert [sentence for sentence in excessive_rights(role) if "write the audit trail" in sentence]
    grant(role)
    assert excessive_rights(role) == [], "what was given by hand is taken away"


def test_the_deployment_check_looks_at_the_role(own: str, as_the_portal: str) -> None:
    assert deployment_check(databases=["default"]) == []
    assert deployment_check(databases=None) == [], "it connects to nothing unless it is asked to"


def test_the_deployment_check_names_an_owner(own: str) -> None:
    found = deployment_check(databases=["default"])
    assert {each.id for each in found} == {"governance.W001"}
    out = StringIO()
    call_command("check", "--deploy", "--database", "default", stderr=out, stdout=out)
    assert "governance.W001" in out.getvalue()


def test_the_statements_can_be_printed_and_run_by_somebody_else(own: str, role: str) -> None:
    out = StringIO()
    call_command("database_roles", role, "--sql", stdout=out)
    assert out.getvalue().splitlines() == [f"{statement};" for statement in statements(role)]
    with psycopg.connect(own, autocommit=True) as owner:
        owner.execute(out.getvalue())
    assert excessive_rights(role) == []


@pytest.mark.parametrize("name", ["nobody_of_that_name", 'x"; DROP TABLE governance_auditevent; --'])
def test_a_role_that_does_not_exist(own: str, name: str) -> None:
    with pytest.raises(CommandError, match="CREATE ROLE"):
        call_command("database_roles", name)
    with pytest.raises(CommandError, match="no database role"):
        call_command("database_roles", name, "--check")
    assert AuditEvent.objects.exists()


def test_a_role_that_could_do_more_is_refused(own: str, role: str) -> None:
    with pytest.raises(InvalidInput, match=r"superuser|owns the tables"):
        grant(connection.settings_dict["USER"])
    with pytest.raises(CommandError, match="Name the role"):
        call_command("database_roles")
