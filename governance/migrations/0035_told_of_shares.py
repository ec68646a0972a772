"""What changed and told nothing: groups of shares, principals RAM is further with, and what is deployed anew (ADR 0017).

A version that goes live keeps the deployment of its trial, so the report that it is in place live moves no state: what
tells of it is that it was reported. A group that leaves a share is known only by the row that is gone.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# The arguments are the column of the share, whose number the event has, and every column that is copied.
MEMBER = """
CREATE FUNCTION governance_note_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  given jsonb; copied jsonb; moment timestamptz;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM governance_webhook WHERE state = 'active' AND TG_TABLE_NAME = ANY(sources)) THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'DELETE' THEN given := to_jsonb(OLD); ELSE given := to_jsonb(NEW); END IF;
  SELECT jsonb_object_agg(name, given -> name) INTO copied FROM unnest(TG_ARGV) name;
  moment := clock_timestamp();
  INSERT INTO governance_webhookevent
    ("table", row_id, before, after, actor, correlation, happened_at, next_attempt_at)
  VALUES (TG_TABLE_NAME, (given ->> TG_ARGV[0])::bigint, CASE WHEN TG_OP = 'DELETE' THEN copied END, copied,
          coalesce(current_setting('app.actor', true), ''), coalesce(current_setting('app.correlation', true), ''),
          moment, moment);
  RETURN NULL;
END $$;
"""
_GROUPS = (("registry_declaredshare_groups", "declaredshare_id"), ("registry_resourceshare_groups", "resourceshare_id"))
_THERE = "('ASSOCIATED', 'ASSOCIATING')"
# Table, columns that are copied, and when a change is news: what 0032 says of them, and what was missing.
_CHANGED = (
    (
        "registry_deployment",
        "version_id,account_id,region,stage,mode,state",
        (
            "OLD.state <> NEW.state OR OLD.mode <> NEW.mode"
            " OR NEW.reported_at IS NOT NULL AND OLD.reported_at IS DISTINCT FROM NEW.reported_at"
        ),
        "OLD.state <> NEW.state OR OLD.mode <> NEW.mode",
    ),
    (
        "registry_resourceshare",
        "arn,account_id,region,state",
        (
            "(OLD.state, OLD.principals, OLD.permissions, OLD.allows_external, OLD.unknown_resources)"
            " IS DISTINCT FROM (NEW.state, NEW.principals, NEW.permissions, NEW.allows_external, NEW.unknown_resources)"
        ),
        "(OLD.state, OLD.principals, OLD.permissions) IS DISTINCT FROM (NEW.state, NEW.principals, NEW.permissions)",
    ),
    (
        "registry_shareprincipal",
        "share_id,status",
        # Whoever comes in or goes is among the share's principals, whose change is told.
        f"OLD.status <> NEW.status AND (OLD.status IN {_THERE}) = (NEW.status IN {_THERE})",
        "",
    ),
)
# Subscriptions that are there already want what is new as well.
SUBSCRIBED = """
SELECT set_config('app.actor', 'system:migration', true);
UPDATE governance_webhook w SET sources = (
  SELECT array_agg(DISTINCT source ORDER BY source) FROM unnest(w.sources || wanted.tables) source
) FROM (VALUES
  (ARRAY['*', 'share.*'],
   ARRAY['registry_declaredshare_groups', 'registry_resourceshare_groups', 'registry_shareprincipal']::varchar[]),
  (ARRAY['share.altered'], ARRAY['registry_shareprincipal']::varchar[])
) wanted (patterns, tables) WHERE w.events && wanted.patterns::varchar[];
"""


def _trigger(name: str, event: str, table: str, condition: str, call: str) -> str:
    when = f" WHEN ({condition})" if condition else ""
    return (
        f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW{when}\n  EXECUTE FUNCTION {call};\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name};\n"
    )


def _arguments(columns: str) -> str:
    return ", ".join(f"'{name}'" for name in columns.split(","))


def _told() -> str:
    made = MEMBER
    for table, share in _GROUPS:
        call = f"governance_note_member({_arguments(f'{share},modelgroup_id')})"
        made += _trigger("told_new", "INSERT", table, "", call) + _trigger("told_gone", "DELETE", table, "", call)
    return made + _changed([(table, columns, now) for table, columns, now, _ in _CHANGED])


def _undone() -> str:
    drops = "".join(f"DROP TRIGGER IF EXISTS {name} ON {table};\n" for table, _ in _GROUPS for name in _NAMES)
    before = _changed([(table, columns, before) for table, columns, _, before in _CHANGED])
    return f"{drops}{before}DROP FUNCTION IF EXISTS governance_note_member();"


def _changed(rows: list[tuple[str, str, str]]) -> str:
    made = ""
    for table, columns, condition in rows:
        made += f"DROP TRIGGER IF EXISTS told_changed ON {table};\n"
        if condition:
            call = f"governance_note_change({_arguments(columns)})"
            made += _trigger("told_changed", "UPDATE", table, condition, call)
    return made


_NAMES = ("told_new", "told_gone")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0034_api_speed"), ("registry", "0013_page_indexes")]

    operations: ClassVar[list] = [
        migrations.RunSQL(_told(), _undone()),
        migrations.RunSQL(SUBSCRIBED, migrations.RunSQL.noop),
    ]
