"""What makes decisions and registrations quick: guards that ask for the columns they mean and are planned once per
session, and numbers nobody waits for.

What the guards refuse, and in which words, is what they refused before.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# As of 0003. Turning a wide row into JSON, card and all, to reach two of its columns cost more than the rest.
LIFECYCLE = """
CREATE OR REPLACE FUNCTION governance_lifecycle_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  columns text := array_to_string(TG_ARGV[1:], ',');
  move text := coalesce(current_setting('app.verb', true), '');
  old_state text := ''; new_state text; is_stale boolean := false;
BEGIN
  IF columns = 'stage,status' THEN new_state := concat_ws('/', NEW.stage, NEW.status);
  ELSIF columns = 'status' THEN new_state := NEW.status;
  ELSIF columns = 'state' THEN new_state := NEW.state;
  ELSE new_state := governance_state(to_jsonb(NEW), TG_ARGV[1:]);
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF columns = 'stage,status' THEN old_state := concat_ws('/', OLD.stage, OLD.status);
    ELSIF columns = 'status' THEN old_state := OLD.status;
    ELSIF columns = 'state' THEN old_state := OLD.state;
    ELSE old_state := governance_state(to_jsonb(OLD), TG_ARGV[1:]);
    END IF;
    IF old_state = new_state THEN RETURN NEW; END IF;
  END IF;
  IF move = '' THEN
    RAISE EXCEPTION '% % may move from "%" to "%" only through the lifecycle service',
      TG_TABLE_NAME, to_jsonb(NEW) ->> 'id', old_state, new_state
      USING ERRCODE = '23514', CONSTRAINT = 'lifecycle_guard', TABLE = TG_TABLE_NAME;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM governance_lifecycleedge e WHERE e.machine = TG_ARGV[0]
                 AND e.verb = move AND e.source = old_state AND e.target = new_state) THEN
    RAISE EXCEPTION 'the lifecycle of % has no move % from "%" to "%"', TG_ARGV[0], move, old_state, new_state
      USING ERRCODE = '23514', CONSTRAINT = 'lifecycle_guard', TABLE = TG_TABLE_NAME;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    -- Requests count no revisions.
    IF columns IN ('stage,status', 'status') THEN is_stale := NEW.revision <> OLD.revision + 1;
    ELSIF columns <> 'state' AND to_jsonb(NEW) ? 'revision' THEN
      is_stale := (to_jsonb(NEW) ->> 'revision')::int <> (to_jsonb(OLD) ->> 'revision')::int + 1;
    END IF;
    IF is_stale THEN
      RAISE EXCEPTION 'stale revision of % %', TG_TABLE_NAME, to_jsonb(NEW) ->> 'id'
        USING ERRCODE = '40001', TABLE = TG_TABLE_NAME;
    END IF;
  END IF;
  RETURN NEW;
END $$;
"""

# As of 0007, in the language whose plans a session keeps.
HOLDS_ROLE = """
CREATE OR REPLACE FUNCTION governance_holds_role(person bigint, wanted text, project bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (
    SELECT 1 FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id
     WHERE c.app_label = 'registry' AND c.model = 'project' AND p.codename = 'role_' || wanted AND (
       EXISTS (SELECT 1 FROM registry_user_user_permissions u WHERE u.user_id = person AND u.permission_id = p.id)
       OR EXISTS (SELECT 1 FROM registry_user_groups g JOIN auth_group_permissions gp ON gp.group_id = g.group_id
                   WHERE g.user_id = person AND gp.permission_id = p.id)
       OR EXISTS (SELECT 1 FROM registry_projectuserobjectpermission o
                   WHERE o.user_id = person AND o.permission_id = p.id AND o.content_object_id = project)
       OR EXISTS (SELECT 1 FROM registry_projectgroupobjectpermission o JOIN registry_user_groups g
                      ON g.group_id = o.group_id
                   WHERE g.user_id = person AND o.permission_id = p.id AND o.content_object_id = project)));
END $$;
"""

# As of 0025. Who owns the trail is asked only by a session that says its clock is behind; every entry asks this.
CLOCK = """
CREATE OR REPLACE FUNCTION governance_clock_behind() RETURNS interval LANGUAGE plpgsql STABLE AS $$
DECLARE
  said text := nullif(current_setting('app.clock_behind', true), '');
BEGIN
  IF said IS NULL THEN RETURN interval '0'; END IF;
  IF NOT pg_has_role(session_user,
      (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = 'public.governance_auditevent'::regclass), 'MEMBER')
  THEN
    RETURN interval '0';
  END IF;
  -- Back only: nothing is written before it happens.
  RETURN greatest(said::interval, interval '0');
END $$;
"""

# As of 0025, in two parts. PL/pgSQL makes each expression of a function ready once in a transaction and for each table
# that the function is a trigger of: what writes the entry is a function of its own, which a transaction's tables share.
# What changed is found by laying two images of one row side by side, for they have the same keys in the same order.
# Nobody but the owner may call it: entries are written of what happened to rows, by the trigger, which runs as the owner.
AUDIT = """
CREATE FUNCTION governance_audit_write(
  place text, what text, before jsonb, after jsonb, key_name text, quiet_names text, hidden_names text) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  -- The name of a table comes in the collation of names, and a chain compared in that one would be found by no index.
  link text COLLATE "default";
  changed jsonb; key text; last bytea; since timestamptz;
  hidden text[] := string_to_array(hidden_names, ',');
  actor text := nullif(current_setting('app.actor', true), '');
  reason text := nullif(current_setting('app.reason', true), '');
  correlation text := nullif(current_setting('app.correlation', true), '');
  written timestamptz := clock_timestamp();
  behind interval := governance_clock_behind();
  moment timestamptz := written - behind;
  xid bigint := (pg_current_xact_id()::text)::bigint;
BEGIN
  IF what = 'update' THEN
    SELECT jsonb_object_agg(n.name, jsonb_build_array(
             CASE WHEN n.name = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE n.was END,
             CASE WHEN n.name = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE n.now END))
      INTO changed
      FROM ROWS FROM (jsonb_each(before), jsonb_each(after)) n(same, was, name, now) WHERE n.was IS DISTINCT FROM n.now;
    IF changed IS NULL OR (changed - string_to_array(quiet_names, ',')) = '{}'::jsonb THEN RETURN false; END IF;
  ELSE
    changed := coalesce(after, before);
    -- Taking a wide row apart and putting it together again costs more than all the rest.
    IF hidden <> '{}' THEN
      SELECT jsonb_object_agg(c.key, CASE WHEN c.key = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE c.value END)
        INTO changed FROM jsonb_each(changed) c;
    END IF;
  END IF;
  key := coalesce(after, before) ->> key_name;
  link := place || ':' || key;
  -- The lock on the row itself already lets only one transaction at a time extend this chain.
  SELECT e.hash, e.at INTO last, since FROM governance_auditevent e WHERE e.chain = link ORDER BY e.sequence DESC LIMIT 1;
  IF behind > interval '0' THEN
    moment := greatest(moment, since);
    changed := changed || jsonb_build_object('(written at)', CASE WHEN what = 'update'
      THEN jsonb_build_array(moment, written) ELSE to_jsonb(written) END);
  END IF;
  INSERT INTO governance_auditevent
    (at, transaction, database_user, actor, reason, correlation, "table", object_id, action, changes, chain, previous_hash, hash)
  VALUES (moment, xid, session_user, actor, reason, correlation, place, key, what, changed, link, last,
    governance_audit_digest(last, link, moment, xid, session_user::text, actor, reason, correlation, place, key, what,
                            changed));
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION governance_audit_write(text, text, jsonb, jsonb, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION governance_audit_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  told boolean;
BEGIN
  IF TG_OP = 'INSERT' THEN
    told := governance_audit_write(TG_TABLE_NAME, 'insert', NULL, to_jsonb(NEW), TG_ARGV[0], TG_ARGV[1], TG_ARGV[2]);
  ELSIF TG_OP = 'UPDATE' THEN
    told := governance_audit_write(
      TG_TABLE_NAME, 'update', to_jsonb(OLD), to_jsonb(NEW), TG_ARGV[0], TG_ARGV[1], TG_ARGV[2]);
  ELSE
    told := governance_audit_write(TG_TABLE_NAME, 'delete', to_jsonb(OLD), NULL, TG_ARGV[0], TG_ARGV[1], TG_ARGV[2]);
  END IF;
  RETURN NULL;
END $$;
"""

# As of 0006 and 0008: whole rows are compared as they are, not as JSON. A column that joins later is compared as well.
PINNED = """
CREATE OR REPLACE FUNCTION governance_record_pinned() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  moved boolean;
BEGIN
  IF TG_TABLE_NAME = 'governance_stagerecord' THEN
    moved := (OLD.id, OLD.version_id, OLD.stage, OLD.account_id)
      IS DISTINCT FROM (NEW.id, NEW.version_id, NEW.stage, NEW.account_id);
  ELSE
    moved := (OLD.id, OLD.use_case_id, OLD.stage) IS DISTINCT FROM (NEW.id, NEW.use_case_id, NEW.stage);
  END IF;
  IF moved THEN
    RAISE EXCEPTION '% % stays with what it is about', TG_TABLE_NAME, OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'record_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION governance_request_pinned() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  was governance_approvalrequest := OLD;
BEGIN
  was.state := NEW.state;
  was.waiting_roles := NEW.waiting_roles;
  was.closed_at := NEW.closed_at;
  was.closing_note := NEW.closing_note;
  was.escalated_at := NEW.escalated_at;
  IF was IS DISTINCT FROM NEW OR (OLD.state <> 'open' AND OLD IS DISTINCT FROM NEW) THEN
    RAISE EXCEPTION 'request % is pinned to what was asked', OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'request_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""

# As of 0008 and 0030: of the request, which holds all that was asked about, only what is compared is read; and whom a
# decision names is read from its row and not from JSON.
DECIDED = """
CREATE OR REPLACE FUNCTION governance_decision_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  standing text; requester bigint; registrant bigint; modifier bigint;
BEGIN
  SELECT r.state, r.requester_id, r.registrant_id, r.modifier_id INTO standing, requester, registrant, modifier
    FROM governance_approvalrequest r WHERE r.id = NEW.request_id;
  IF standing <> 'open' THEN
    RAISE EXCEPTION 'request % is % and takes no decision', NEW.request_id, standing
      USING ERRCODE = '23514', CONSTRAINT = 'decision_on_open_request', TABLE = TG_TABLE_NAME;
  END IF;
  IF NEW.requester_id_copy IS DISTINCT FROM requester
     OR NEW.registrant_id_copy IS DISTINCT FROM registrant
     OR NEW.modifier_id_copy IS DISTINCT FROM modifier THEN
    RAISE EXCEPTION 'decision on request % names another requester, registrant or modifier', NEW.request_id
      USING ERRCODE = '23514', CONSTRAINT = 'decision_copies_request', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION governance_people_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  named bigint[];
  found text;
BEGIN
  IF TG_TABLE_NAME = 'governance_decision' THEN
    named := ARRAY[NEW.decider_id, NEW.on_behalf_of_id];
  ELSE
    SELECT array_agg((to_jsonb(NEW) ->> c)::bigint) INTO named FROM unnest(TG_ARGV) c;
  END IF;
  SELECT username INTO found FROM registry_user WHERE id = ANY(named) AND is_service LIMIT 1;
  IF found IS NOT NULL THEN
    RAISE EXCEPTION '% is a service account, which owns nothing and decides on nothing', found
      USING ERRCODE = '23514', CONSTRAINT = 'people_only', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""

# Numbers of registrations come from a sequence: whoever registers waits for nobody else's transaction to end. One that
# is rolled back leaves a gap. The portal's own role has no rights on sequences, so a function of their owner's asks.
NUMBERS = """
CREATE SEQUENCE registry_registration_number;
SELECT setval('registry_registration_number', greatest(
  (SELECT coalesce(max(number), 0) FROM registry_registration),
  (SELECT coalesce(max(last), 0) FROM registry_publicnumber WHERE series = 'REG')) + 1, false);
CREATE FUNCTION registry_next_registration() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT nextval('registry_registration_number') $$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0033_tracking"), ("registry", "0016_api_indexes")]

    operations: ClassVar[list] = [
        migrations.RunSQL(sql) for sql in (LIFECYCLE, HOLDS_ROLE, CLOCK, AUDIT, PINNED, DECIDED, NUMBERS)
    ]
