"""The rights of the role the portal runs as: to do its work, and to change nothing that is history.

Whoever owns a table can drop its triggers, so migrations run as the owner and the portal as another role. Its rights
follow from the guards of each table: what the database would refuse anyway is not granted either.
"""

from __future__ import annotations

from django.db import connection, transaction
from psycopg import sql

from portal.core.errors import InvalidInput

from ..selectors.audit_coverage import DERIVED
from ..selectors.database_role import excessive_rights

# Written by migrations, or by the trigger that runs with its owner's rights.
READ_ONLY = frozenset(
    {
        *("governance_auditevent", "governance_lifecycleedge"),
        *("django_migrations", "django_content_type", "auth_permission"),
    }
)

# Which tables refuse to have rows changed or removed, or just removed, as their triggers say (bits as in pg_trigger).
_TABLES = """
SELECT c.relname, coalesce(bool_or(f.proname = 'governance_refuse_change' AND t.tgtype & 17 = 17), false),
       coalesce(bool_or(f.proname IN ('governance_refuse_change', 'governance_refuse_removal')
                        AND t.tgtype & 9 = 9), false)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
  LEFT JOIN pg_proc f ON f.oid = t.tgfoid
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') GROUP BY c.relname ORDER BY c.relname
"""


def rights() -> dict[str, tuple[str, ...]]:
    """Return what the portal's role may do with each table, as its guards say now."""
    found: dict[str, tuple[str, ...]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for table, is_append_only, is_kept in cursor.fetchall():
            if table in READ_ONLY or table.startswith(DERIVED):
                found[table] = ("SELECT",)
            elif is_append_only:
                found[table] = ("SELECT", "INSERT")
            else:
                found[table] = ("SELECT", "INSERT", "UPDATE") if is_kept else ("SELECT", "INSERT", "UPDATE", "DELETE")
    return found


def statements(role: str) -> list[str]:
    """Return the SQL that gives a role the portal's rights and takes every other one away."""
    named, database = sql.Identifier(role), sql.Identifier(connection.settings_dict["NAME"])
    parts: list[sql.Composable] = [
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(named),
        sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}").format(named),
        sql.SQL("REVOKE ALL ON SCHEMA public FROM {}").format(named),
        # What everybody may, this role may as well.
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
        sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(database, named),
        sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, named),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(named),
    ]
    for table, allowed in rights().items():
        verbs = sql.SQL(", ").join(sql.SQL(verb) for verb in allowed)
        parts.append(sql.SQL("GRANT {} ON {} TO {}").format(verbs, sql.Identifier("public", table), named))
    return [part.as_string(None) for part in parts]


def grant(role: str) -> int:
    """Give an existing role the portal's rights, all at once; returns to how many tables. Run it after each migration.

    It is done as the owner of the tables. Raises InvalidInput when the role does not exist, or could still do more
    than the portal needs: it owns tables, is a superuser, or may make roles.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            name = sql.Identifier(role).as_string(None)
            raise InvalidInput(f"There is no role {role}. Make it first: CREATE ROLE {name} LOGIN PASSWORD '...';")
        granted = statements(role)
        for statement in granted:
            cursor.execute(statement)
        if excess := excessive_rights(role):
            raise InvalidInput(f"Nothing was changed. {' '.join(excess)} Give the portal another role.")
    return sum(statement.startswith("GRANT") for statement in granted) - 2
