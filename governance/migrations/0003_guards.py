"""The database's own refusals: illegal moves, moves without a ledger entry, edited history, self-approval.

Every trigger is ENABLE ALWAYS, so `session_replication_role = replica` does not step around it.
"""

from __future__ import annotations

from django.db import migrations

GUARD = """
CREATE FUNCTION governance_state(row_data jsonb, columns text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(row_data ->> name, '/' ORDER BY position)
    FROM unnest(columns) WITH ORDINALITY AS c(name, position)
$$;

-- Arguments: machine, then the columns that make up the state.
CREATE FUNCTION governance_lifecycle_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  columns text[] := TG_ARGV[1:];
  old_state text := '';
  new_state text := governance_state(to_jsonb(NEW), columns);
  move text := coalesce(current_setting('app.verb', true), '');
BEGIN
  IF TG_OP = 'UPDATE' THEN
    old_state := governance_state(to_jsonb(OLD), columns);
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
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) ? 'revision'
     AND (to_jsonb(NEW) ->> 'revision')::int <> (to_jsonb(OLD) ->> 'revision')::int + 1 THEN
    RAISE EXCEPTION 'stale revision of % %', TG_TABLE_NAME, to_jsonb(NEW) ->> 'id'
      USING ERRCODE = '40001', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""

# Table, machine, the columns that make up its state.
GUARDED = [
    ("registry_usecase", "use_case", ["stage", "status"]),
    ("registry_modelversion", "model_version", ["stage", "status"]),
    ("governance_stagerecord", "stage_record", ["status"]),
    ("governance_usecasestagerecord", "stage_record", ["status"]),
    ("governance_approvalrequest", "approval_request", ["state"]),
]

LEDGER = """
-- At commit the position of a subject is what the last entry of its ledger says.
CREATE FUNCTION governance_ledger_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted text; recorded text; current_row jsonb;
BEGIN
  EXECUTE format('SELECT to_jsonb(t) FROM %I t WHERE id = $1', TG_TABLE_NAME) INTO current_row USING NEW.id;
  IF current_row IS NULL THEN RETURN NULL; END IF;
  wanted := (current_row ->> 'stage') || '/' || (current_row ->> 'status');
  EXECUTE format('SELECT position_stage || ''/'' || position_status FROM governance_stageevent
                   WHERE %I = $1 ORDER BY id DESC LIMIT 1', TG_ARGV[0]) INTO recorded USING NEW.id;
  IF recorded IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION '% % stands at "%" but its ledger says "%"', TG_TABLE_NAME, NEW.id, wanted, coalesce(recorded, 'nothing')
      USING ERRCODE = '23514', CONSTRAINT = 'ledger_agrees', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_agrees AFTER INSERT OR UPDATE OF stage, status ON registry_usecase
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION governance_ledger_agrees('use_case_id');
ALTER TABLE registry_usecase ENABLE ALWAYS TRIGGER ledger_agrees;
CREATE CONSTRAINT TRIGGER ledger_agrees AFTER INSERT OR UPDATE OF stage, status ON registry_modelversion
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION governance_ledger_agrees('version_id');
ALTER TABLE registry_modelversion ENABLE ALWAYS TRIGGER ledger_agrees;
"""

FROZEN = """
CREATE FUNCTION governance_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
    USING ERRCODE = '23514', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;
"""
APPEND_ONLY = ["governance_stageevent", "governance_decision", "governance_metricreport"]

DECISION = """
-- The copies that the CHECK constraints compare must be true, and a closed request takes no more decisions.
CREATE FUNCTION governance_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  request governance_approvalrequest%ROWTYPE;
BEGIN
  SELECT * INTO request FROM governance_approvalrequest WHERE id = NEW.request_id;
  IF request.state <> 'open' THEN
    RAISE EXCEPTION 'request % is % and takes no decision', NEW.request_id, request.state
      USING ERRCODE = '23514', CONSTRAINT = 'decision_on_open_request', TABLE = TG_TABLE_NAME;
  END IF;
  IF NEW.requester_id_copy IS DISTINCT FROM request.requester_id
     OR NEW.registrant_id_copy IS DISTINCT FROM request.registrant_id THEN
    RAISE EXCEPTION 'decision on request % names another requester or registrant', NEW.request_id
      USING ERRCODE = '23514', CONSTRAINT = 'decision_copies_request', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decision_guard BEFORE INSERT ON governance_decision
  FOR EACH ROW EXECUTE FUNCTION governance_decision_guard();
ALTER TABLE governance_decision ENABLE ALWAYS TRIGGER decision_guard;

-- Who asked, what was asked and under which policy never changes after the asking.
CREATE FUNCTION governance_request_pinned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (to_jsonb(NEW) - '{state,waiting_roles,closed_at,closing_note}'::text[])
     IS DISTINCT FROM (to_jsonb(OLD) - '{state,waiting_roles,closed_at,closing_note}'::text[])
     OR (OLD.state <> 'open' AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)) THEN
    RAISE EXCEPTION 'request % is pinned to what was asked', OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'request_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER request_pinned BEFORE UPDATE ON governance_approvalrequest
  FOR EACH ROW EXECUTE FUNCTION governance_request_pinned();
ALTER TABLE governance_approvalrequest ENABLE ALWAYS TRIGGER request_pinned;
"""

POLICY = """
CREATE FUNCTION governance_policy_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  policy bigint := CASE WHEN TG_TABLE_NAME = 'governance_policyversion'
                        THEN (to_jsonb(OLD) ->> 'id')::bigint
                        ELSE (to_jsonb(coalesce(OLD, NEW)) ->> 'policy_id')::bigint END;
BEGIN
  IF EXISTS (SELECT 1 FROM governance_policyversion WHERE id = policy AND state = 'published') THEN
    RAISE EXCEPTION 'policy % is published and never changes', policy
      USING ERRCODE = '23514', CONSTRAINT = 'policy_frozen', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER policy_frozen BEFORE UPDATE OR DELETE ON governance_policyversion
  FOR EACH ROW EXECUTE FUNCTION governance_policy_frozen();
ALTER TABLE governance_policyversion ENABLE ALWAYS TRIGGER policy_frozen;
CREATE TRIGGER policy_frozen BEFORE INSERT OR UPDATE OR DELETE ON governance_policyrule
  FOR EACH ROW EXECUTE FUNCTION governance_policy_frozen();
ALTER TABLE governance_policyrule ENABLE ALWAYS TRIGGER policy_frozen;
"""


def _guards() -> str:
    statements = []
    for table, machine, columns in GUARDED:
        arguments = ", ".join(f"'{argument}'" for argument in [machine, *columns])
        statements.append(
            f"CREATE TRIGGER lifecycle_guard BEFORE INSERT OR UPDATE OF {', '.join(columns)} ON {table}\n"
            f"  FOR EACH ROW EXECUTE FUNCTION governance_lifecycle_guard({arguments});\n"
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER lifecycle_guard;\n"
        )
    for table in APPEND_ONLY:
        statements.append(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}\n"
            f"  FOR EACH ROW EXECUTE FUNCTION governance_refuse_change();\n"
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}\n"
            f"  FOR EACH STATEMENT EXECUTE FUNCTION governance_refuse_change();\n"
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only;\n"
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only_truncate;\n"
        )
    return "\n".join(statements)


class Migration(migrations.Migration):
    dependencies = [("governance", "0002_initial"), ("registry", "0001_initial")]

    operations = [migrations.RunSQL(sql) for sql in (GUARD, FROZEN, _guards(), LEDGER, DECISION, POLICY)]
