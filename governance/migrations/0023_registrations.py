"""Registrations and creations in the audit trail; who asked for what stays as it was asked, in the database too."""

from __future__ import annotations

from django.db import migrations

from ._audited import audited, kept

# Who may decide on a version rests on who asked for its registration: neither he nor the version may change after.
GUARD = """
CREATE FUNCTION governance_asked_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  moving text[] := TG_ARGV[0]::text[];
  once text[] := TG_ARGV[1]::text[];
  before jsonb; after jsonb;
  name text;
BEGIN
  after := to_jsonb(NEW);
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'pending' THEN
      RAISE EXCEPTION 'what is asked for begins as pending, not as "%"', NEW.state
        USING ERRCODE = '23514', CONSTRAINT = 'asked_moves', TABLE = TG_TABLE_NAME;
    END IF;
    FOREACH name IN ARRAY once LOOP
      IF coalesce(after ->> name, '') <> '' THEN
        RAISE EXCEPTION 'what was just asked for cannot have its %', name
          USING ERRCODE = '23514', CONSTRAINT = 'asked_pinned', TABLE = TG_TABLE_NAME;
      END IF;
    END LOOP;
    RETURN NEW;
  END IF;
  before := to_jsonb(OLD);
  IF (before - moving - once) IS DISTINCT FROM (after - moving - once) THEN
    RAISE EXCEPTION '% % stays as it was asked', TG_TABLE_NAME, OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'asked_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  FOREACH name IN ARRAY once LOOP
    IF coalesce(before ->> name, '') <> '' AND before ->> name IS DISTINCT FROM after ->> name THEN
      RAISE EXCEPTION '% % keeps its %', TG_TABLE_NAME, OLD.id, name
        USING ERRCODE = '23514', CONSTRAINT = 'asked_pinned', TABLE = TG_TABLE_NAME;
    END IF;
  END LOOP;
  IF OLD.state = 'done' AND NEW.state <> 'done' THEN
    RAISE EXCEPTION '% % is done', TG_TABLE_NAME, OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'asked_moves', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""


def guarded(table: str, once: str) -> str:
    """Return the SQL that pins what was asked; the columns of `once` are written a single time."""
    return (
        f"CREATE TRIGGER asked_guard BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION governance_asked_guard('{{state,error,finished_at}}', '{{{once}}}');\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER asked_guard;\n" + audited(table) + kept(table)
    )


class Migration(migrations.Migration):
    dependencies = [("governance", "0022_shares"), ("registry", "0009_registrations")]

    operations = [
        migrations.RunSQL(GUARD, "DROP FUNCTION governance_asked_guard() CASCADE"),
        migrations.RunSQL(guarded("registry_registration", "arn,version_id"), migrations.RunSQL.noop),
        migrations.RunSQL(guarded("registry_groupcreation", "group_id"), migrations.RunSQL.noop),
    ]
