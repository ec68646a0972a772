"""A clock that an owner of the tables may set back, for a history that is made after the fact, and that says so.

The guards ask PostgreSQL what time it is. A demo that shows months of work in a minute has to tell them another time,
and only whoever owns the tables can: he could switch the guards off as well (adr/0014). What is written under a clock
that was set back carries the real time in its entry of the trail, under the entry's own hash.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

CLOCK = """
-- How far behind the real time this session's clock is: none, unless it is an owner of the trail's, who says so in
-- app.clock_behind. session_user, for a guard that runs with its owner's rights must not lend them to the portal.
CREATE FUNCTION governance_clock_behind() RETURNS interval LANGUAGE plpgsql STABLE AS $$
DECLARE
  said text := nullif(current_setting('app.clock_behind', true), '');
BEGIN
  IF said IS NULL OR NOT pg_has_role(session_user,
      (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = 'public.governance_auditevent'::regclass), 'MEMBER')
  THEN
    RETURN interval '0';
  END IF;
  -- Back only: nothing is written before it happens.
  RETURN greatest(said::interval, interval '0');
END $$;
"""

# As of 0017, with the clock that may be set back. An entry never says an earlier time than the one before it in its
# chain because of that.
AUDIT = """
CREATE OR REPLACE FUNCTION governance_audit_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before jsonb; after jsonb; changed jsonb; key text; link text; last bytea; since timestamptz;
  quiet text[] := string_to_array(TG_ARGV[1], ','); hidden text[] := string_to_array(TG_ARGV[2], ',');
  actor text := nullif(current_setting('app.actor', true), '');
  reason text := nullif(current_setting('app.reason', true), '');
  correlation text := nullif(current_setting('app.correlation', true), '');
  written timestamptz := clock_timestamp();
  behind interval := governance_clock_behind();
  moment timestamptz := written - behind;
  xid bigint := (pg_current_xact_id()::text)::bigint;
BEGIN
  IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD); END IF;
  IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW); END IF;
  IF TG_OP = 'UPDATE' THEN
    SELECT jsonb_object_agg(n.key, jsonb_build_array(
             CASE WHEN n.key = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE before -> n.key END,
             CASE WHEN n.key = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE n.value END))
      INTO changed FROM jsonb_each(after) n WHERE before -> n.key IS DISTINCT FROM n.value;
    IF changed IS NULL OR (changed - quiet) = '{}'::jsonb THEN RETURN NULL; END IF;
  ELSE
    changed := coalesce(after, before);
    -- Taking a wide row apart and putting it together again costs more than all the rest.
    IF hidden <> '{}' THEN
      SELECT jsonb_object_agg(c.key, CASE WHEN c.key = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE c.value END)
        INTO changed FROM jsonb_each(changed) c;
    END IF;
  END IF;
  key := coalesce(after, before) ->> TG_ARGV[0];
  link := TG_TABLE_NAME || ':' || key;
  -- The lock on the row itself already lets only one transaction at a time extend this chain.
  SELECT e.hash, e.at INTO last, since FROM governance_auditevent e WHERE e.chain = link ORDER BY e.sequence DESC LIMIT 1;
  IF behind > interval '0' THEN
    moment := greatest(moment, since);
    changed := changed || jsonb_build_object('(written at)', CASE WHEN TG_OP = 'UPDATE'
      THEN jsonb_build_array(moment, written) ELSE to_jsonb(written) END);
  END IF;
  INSERT INTO governance_auditevent
    (at, transaction, database_user, actor, reason, correlation, "table", object_id, action, changes, chain, previous_hash, hash)
  VALUES (moment, xid, session_user, actor, reason, correlation, TG_TABLE_NAME, key, lower(TG_OP), changed, link, last,
    governance_audit_digest(last, link, moment, xid, session_user::text, actor, reason, correlation, TG_TABLE_NAME::text, key,
                            lower(TG_OP), changed));
  RETURN NULL;
END $$;

-- As of 0014, within the time the transaction has by its session's clock.
CREATE OR REPLACE FUNCTION governance_history_moment(after timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
  moment timestamptz := nullif(current_setting('app.history_moment', true), '');
  behind interval := governance_clock_behind();
BEGIN
  IF moment IS NULL OR moment < transaction_timestamp() - behind OR moment > clock_timestamp() OR moment <= after THEN
    moment := greatest(clock_timestamp() - behind, after + interval '1 microsecond');
    PERFORM set_config('app.history_moment', moment::text, true);
  END IF;
  RETURN moment;
END $$;
"""

# Guards in which only the clock changes: the function, and what it reads the time by.
CLOCKS = {
    "governance_decision_entitled()": "now()",
    "governance_finding_guard()": "now()",
    "governance_attributes_fit()": "clock_timestamp()",
}


def _with_clock(function: str, clock: str) -> str:
    """Return the SQL that has one guard, whatever migration wrote it last, read its session's clock."""
    return f"""
DO $replace$
DECLARE
  text_now text := pg_get_functiondef('{function}'::regprocedure);
  text_then text := replace(text_now, '{clock}', '({clock} - governance_clock_behind())');
BEGIN
  IF text_then = text_now THEN RAISE EXCEPTION '{function} does not read {clock}'; END IF;
  EXECUTE text_then;
END $replace$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0024_accounts"), ("registry", "0013_page_indexes")]

    operations: ClassVar[list] = [
        migrations.RunSQL(CLOCK),
        migrations.RunSQL(AUDIT),
        *(migrations.RunSQL(_with_clock(function, clock)) for function, clock in CLOCKS.items()),
    ]
