"""What the audit trail cannot see is refused: rows that are history are not deleted, and nothing is truncated.

TRUNCATE fires no row trigger, so on a governed table it would leave no trace. A stage record keeps the version,
stage and account it is about: moving it to another stage would carry an approval along. A published policy takes
no rule of a draft's either.
"""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

GOVERNED = [table for table, *_ in import_module("governance.migrations.0004_audit").GOVERNED]
APPEND_ONLY = import_module("governance.migrations.0003_guards").APPEND_ONLY

FUNCTIONS = """
CREATE FUNCTION governance_refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are history and are not removed', TG_TABLE_NAME
    USING ERRCODE = '23514', CONSTRAINT = 'history_kept', TABLE = TG_TABLE_NAME;
END $$;

CREATE FUNCTION governance_record_pinned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  about text[] := '{id,version_id,use_case_id,stage,account_id}';
  before jsonb; after jsonb;
BEGIN
  SELECT jsonb_object_agg(key, value) FILTER (WHERE key = ANY(about)) INTO before FROM jsonb_each(to_jsonb(OLD));
  SELECT jsonb_object_agg(key, value) FILTER (WHERE key = ANY(about)) INTO after FROM jsonb_each(to_jsonb(NEW));
  IF before IS DISTINCT FROM after THEN
    RAISE EXCEPTION '% % stays with what it is about', TG_TABLE_NAME, OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'record_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION governance_policy_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  key text := CASE WHEN TG_TABLE_NAME = 'governance_policyversion' THEN 'id' ELSE 'policy_id' END;
  touched bigint[] := ARRAY[]::bigint[];
  frozen bigint;
BEGIN
  IF TG_OP <> 'INSERT' THEN touched := touched || (to_jsonb(OLD) ->> key)::bigint; END IF;
  IF TG_OP <> 'DELETE' THEN touched := touched || (to_jsonb(NEW) ->> key)::bigint; END IF;
  SELECT id INTO frozen FROM governance_policyversion WHERE id = ANY(touched) AND state = 'published' LIMIT 1;
  IF frozen IS NOT NULL THEN
    RAISE EXCEPTION 'policy % is published and never changes', frozen
      USING ERRCODE = '23514', CONSTRAINT = 'policy_frozen', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
"""

KEPT = [
    "registry_usecase",
    "registry_modelversion",
    "governance_stagerecord",
    "governance_usecasestagerecord",
    "governance_approvalrequest",
]
RECORDS = ["governance_stagerecord", "governance_usecasestagerecord"]


def _trigger(name: str, table: str, event: str, function: str, level: str = "ROW") -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {level} EXECUTE FUNCTION {function}();\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name};\n"
    )


def _triggers() -> str:
    return "".join(
        [
            *(_trigger("history_kept", table, "DELETE", "governance_refuse_removal") for table in KEPT),
            *(_trigger("record_pinned", table, "UPDATE", "governance_record_pinned") for table in RECORDS),
            *(
                _trigger("not_truncated", table, "TRUNCATE", "governance_refuse_removal", "STATEMENT")
                for table in GOVERNED
                if table not in APPEND_ONLY
            ),
        ]
    )


class Migration(migrations.Migration):
    dependencies = [("governance", "0005_default_policy")]

    operations = [migrations.RunSQL(FUNCTIONS), migrations.RunSQL(_triggers())]
