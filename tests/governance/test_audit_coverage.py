"""Every table of what is governed is in the audit trail and guarded; a new one that is not fails here."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from governance.migrations._audited import audited
from governance.selectors.audit_coverage import DERIVED, EXEMPT, gaps
from governance.services.verification import verify
from tests.refusals import refused, sql
from tests.scene import undone

pytestmark = pytest.mark.django_db

GOVERNED = ("registry", "governance", "auth")


def test_nothing_governed_is_outside_the_trail() -> None:
    assert gaps() == [], (
        "Put the table under the trail in its migration, with `audited` of governance/migrations/_audited.py, or write"
        " down in EXEMPT why it needs none; give a trigger function `SET search_path = public, pg_temp`."
    )


def test_every_model_has_a_table_the_check_looks_at() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')")
        tables = {name for (name,) in cursor.fetchall()}
    ours = {
        model._meta.db_table
        for label in GOVERNED
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.swapped
    }
    assert ours <= {table for table in tables if table.split("_")[0] in GOVERNED}
    assert set(EXEMPT) <= tables, "a table that is gone needs no exemption"


@pytest.mark.parametrize("table", ["governance_novelty", "registry_novelty", "auth_novelty"])
def test_a_new_table_is_seen_until_it_is_covered(table: str) -> None:
    with undone():
        sql(f"CREATE TABLE {table} (id bigint PRIMARY KEY, name text)")
        assert gaps() == [
            f"The table {table} is not in the audit trail.",
            f"The table {table} can be emptied by TRUNCATE.",
        ]
        assert f"The table {table} is not in the audit trail." in verify().problem
        sql(audited(table))
        assert gaps() == []
        sql(f"INSERT INTO {table} VALUES (1, 'a'); UPDATE {table} SET name = 'b'; DELETE FROM {table}")
        with connection.cursor() as cursor:
            cursor.execute(
                'SELECT array_agg(action ORDER BY sequence) FROM governance_auditevent WHERE "table" = %s', [table]
            )
            assert cursor.fetchone() == (["insert", "update", "delete"],)
        with refused("history_kept"):
            sql(f"TRUNCATE {table}")


_FOR_EACH_STATEMENT = (
    "DROP TRIGGER audit ON governance_finding; CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE"
    " ON governance_finding EXECUTE FUNCTION governance_audit_row('id', '', '');"
    " ALTER TABLE governance_finding ENABLE ALWAYS TRIGGER audit"
)
_FOR_INSERTIONS = (
    "CREATE OR REPLACE TRIGGER audit AFTER INSERT ON governance_finding"
    " FOR EACH ROW EXECUTE FUNCTION governance_audit_row('id', '', '')"
)
WEAKENED = {
    "a trigger that a replica skips": (
        "ALTER TABLE registry_usecase ENABLE TRIGGER audit",
        "The table registry_usecase is not in the audit trail.",
    ),
    "a trigger switched off": (
        "ALTER TABLE governance_decision DISABLE TRIGGER audit",
        "The table governance_decision is not in the audit trail.",
    ),
    "a trigger for insertions": (_FOR_INSERTIONS, "The table governance_finding is not in the audit trail."),
    "a trigger for the statement": (_FOR_EACH_STATEMENT, "The table governance_finding is not in the audit trail."),
    "a truncate that is let through": (
        "DROP TRIGGER not_truncated ON governance_outboxmessage",
        "The table governance_outboxmessage can be emptied by TRUNCATE.",
    ),
    "a trail that can be rewritten": (
        "DROP TRIGGER append_only ON governance_auditevent",
        "The rows of governance_auditevent can be changed.",
    ),
    "a trail that can be emptied": (
        "DROP TRIGGER append_only_truncate ON governance_auditevent",
        "The table governance_auditevent can be emptied by TRUNCATE.",
    ),
    "a lifecycle guard switched off": (
        "ALTER TABLE registry_modelversion DISABLE TRIGGER lifecycle_guard",
        "The trigger lifecycle_guard of registry_modelversion is not in force for every session.",
    ),
    "a guard that looks where the session tells it": (
        "ALTER FUNCTION governance_lifecycle_guard() RESET search_path",
        "The trigger function governance_lifecycle_guard has no fixed search path.",
    ),
    "a past that can be rewritten": (
        f"DROP TRIGGER kept ON {DERIVED}modelversion",
        f"The rows of {DERIVED}modelversion can be changed.",
    ),
}


@pytest.mark.parametrize("name", WEAKENED)
def test_a_weakened_guard_is_named(name: str) -> None:
    statement, sentence = WEAKENED[name]
    with undone():
        sql(statement)
        assert sentence in gaps()
        assert sentence in verify().problem


def test_a_temporary_table_does_not_stand_in_for_the_lifecycle() -> None:
    with undone():
        sql("CREATE TEMPORARY TABLE governance_lifecycleedge (machine text, verb text, source text, target text)")
        sql("INSERT INTO pg_temp.governance_lifecycleedge VALUES ('approval_request', 'forge', '', 'approved')")
        sql("SELECT set_config('app.verb', 'forge', true)")
        with refused("lifecycle_guard"):
            sql(
                "INSERT INTO governance_approvalrequest SELECT (jsonb_populate_record(NULL::governance_approvalrequest,"
                """ '{"id": 1, "state": "approved"}')).*"""
            )
