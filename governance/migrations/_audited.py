"""SQL that later migrations share: how a new table joins the audit trail and what refuses its history's loss."""

from __future__ import annotations

# A guard reads the tables it means: without this, a session's temporary tables come first.
FIXED_PATH = """
DO $$
DECLARE
  guard regprocedure;
BEGIN
  FOR guard IN
    SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = 'public' AND p.proname LIKE 'governance\\_%' AND p.prorettype = 'trigger'::regtype
       AND NOT coalesce(p.proconfig, '{}') && ARRAY['search_path=public, pg_temp']
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_temp', guard);
  END LOOP;
END $$;
"""


def audited(table: str, key: str = "id", quiet: str = "", hidden: str = "") -> str:
    """Return the SQL that puts a table under the audit trigger and refuses its TRUNCATE.

    `quiet` names columns that alone are not worth a row, `hidden` those whose content is not copied; comma separated.
    """
    return (
        f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table}\n"
        f"  FOR EACH ROW EXECUTE FUNCTION governance_audit_row('{key}', '{quiet}', '{hidden}');\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit;\n"
        + trigger("not_truncated", table, "TRUNCATE", "governance_refuse_removal", "STATEMENT")
    )


def append_only(table: str) -> str:
    """Return the SQL that refuses every change and removal of a table's rows."""
    return trigger("append_only", table, "UPDATE OR DELETE", "governance_refuse_change") + trigger(
        "append_only_truncate", table, "TRUNCATE", "governance_refuse_change", "STATEMENT"
    )


def kept(table: str) -> str:
    """Return the SQL that refuses the removal of a table's rows; they may still change."""
    return trigger("history_kept", table, "DELETE", "governance_refuse_removal")


def trigger(name: str, table: str, event: str, function: str, level: str = "ROW") -> str:
    """Return the SQL of one trigger that fires whatever the session's replication role."""
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {level} EXECUTE FUNCTION {function}();\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name};\n"
    )
