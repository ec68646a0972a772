"""What the portal's own database role could do to the audit trail: in production, nothing but read it."""

from __future__ import annotations

from collections.abc import Sequence

from django.core import checks
from django.db import connection

_RIGHTS = """
SELECT r.rolname, r.rolsuper,
       pg_has_role(r.oid, c.relowner, 'MEMBER'),
       has_table_privilege(r.oid, c.oid, 'INSERT') OR has_table_privilege(r.oid, c.oid, 'UPDATE')
         OR has_table_privilege(r.oid, c.oid, 'DELETE') OR has_table_privilege(r.oid, c.oid, 'TRUNCATE'),
       has_parameter_privilege(r.oid, 'session_replication_role', 'SET'),
       has_database_privilege(r.oid, current_database(), 'TEMPORARY'),
       has_schema_privilege(r.oid, 'public', 'CREATE'),
       r.rolcreaterole
  FROM pg_roles r, pg_class c
 WHERE r.rolname = coalesce(%s, session_user) AND c.oid = 'public.governance_auditevent'::regclass
"""


def role_name() -> str:
    """Return the role this process is connected as."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def excessive_rights(role: str | None = None) -> list[str]:
    """Return what a role, by default the one we signed in as, may do that the portal does not need.

    What SET ROLE put on comes off again, and the guards' clock asks for the one signed in as well.

    Nothing for a role that `database_roles` has set up. Raises LookupError for a role that does not exist.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS, [role])
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"There is no database role {role}.")
    name, is_superuser, is_owner, writes, replicates, makes_temporary, creates, makes_roles = row
    found = {
        f"The database role {name} is a superuser: nothing in the database is out of its reach.": is_superuser,
        f"The database role {name} owns the tables: it can switch their guards off.": is_owner and not is_superuser,
        f"The database role {name} may write the audit trail itself.": writes and not is_owner,
        f"The database role {name} may call itself a replica, which ordinary triggers skip.": (
            replicates and not is_superuser
        ),
        f"The database role {name} may make temporary tables.": makes_temporary and not is_owner,
        f"The database role {name} may make objects in the schema public.": creates and not is_owner,
        f"The database role {name} may make roles.": makes_roles and not is_superuser,
    }
    return [sentence for sentence, holds in found.items() if holds]


def deployment_check(databases: Sequence[str] | None = None, **_: object) -> list[checks.CheckMessage]:
    """Warn in `check --deploy --database default` when the portal's role could change its own trail."""
    if "default" not in (databases or ()):
        return []
    hint = "Run the portal as a role that `manage.py database_roles` has set up; see docs/operations.md."
    return [checks.Warning(sentence, hint=hint, id="governance.W001") for sentence in excessive_rights()]
