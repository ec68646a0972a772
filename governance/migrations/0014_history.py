"""The past of everything the stage table shows, kept by triggers, and the functions that answer as of a moment.

The audit trail (0004) proves who changed what; it is no place to ask what stood on a Tuesday. Here each row's past is
typed and has a span, so the whole table as of a moment is one query. See docs/adr/0008.
"""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models

from governance.migrations import _history as history

BASE = """
CREATE FUNCTION governance_jsonb_merge(jsonb, jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT $1 || $2
$$;
CREATE AGGREGATE governance_jsonb_merged(jsonb) (SFUNC = governance_jsonb_merge, STYPE = jsonb, INITCOND = '{}');

-- The moment at which everything this transaction does becomes so: when it first changed something that is kept, so
-- that waiting for a lock does not date it before what it waited for; later than `after` in any case.
-- What a session claims the moment to be counts only within its transaction's own time.
CREATE FUNCTION governance_history_moment(after timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
  moment timestamptz := nullif(current_setting('app.history_moment', true), '');
BEGIN
  IF moment IS NULL OR moment < transaction_timestamp() OR moment > clock_timestamp() OR moment <= after THEN
    moment := greatest(clock_timestamp(), after + interval '1 microsecond');
    PERFORM set_config('app.history_moment', moment::text, true);
  END IF;
  RETURN moment;
END $$;

-- Only a trigger of the kept table writes here; it ends spans and begins new ones, and changes nothing but what its
-- own transaction wrote.
CREATE FUNCTION governance_history_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP IN ('INSERT', 'UPDATE') AND pg_trigger_depth() > 1 THEN
    IF TG_OP = 'INSERT' OR OLD."transaction" = (pg_current_xact_id()::text)::bigint THEN RETURN NEW; END IF;
    OLD.valid_to := CASE WHEN OLD.valid_to = 'infinity' THEN NEW.valid_to ELSE OLD.valid_to END;
    IF OLD IS NOT DISTINCT FROM NEW THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION '% is written by the triggers of what it keeps, and never rewritten', TG_TABLE_NAME
    USING ERRCODE = '23514', CONSTRAINT = 'history_kept', TABLE = TG_TABLE_NAME;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0013_anchors")]

    operations = [
        migrations.RunSQL(BASE),
        *(migrations.RunSQL(watched.create()) for watched in history.KEPT),
        migrations.RunSQL(history.stage_table_as_of()),
        migrations.RunSQL(history.VERSIONS_AS_OF),
        migrations.RunSQL(history.USE_CASES_AS_OF),
        migrations.CreateModel(
            name="PastStageRow",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("row_key", models.IntegerField()),
                ("version_id", models.BigIntegerField()),
                ("group_id", models.BigIntegerField()),
                ("use_case_number", models.IntegerField(null=True)),
                ("use_case_name", models.TextField(null=True)),
                ("use_case_stage", models.TextField(null=True)),
                ("model_group", models.TextField()),
                ("model_version", models.IntegerField()),
                ("model_owner", models.TextField(null=True)),
                ("model_lob", models.TextField(null=True)),
                ("model_project", models.TextField(null=True)),
                ("model_stage", models.TextField()),
                ("model_status", models.TextField()),
                ("model_risk", models.TextField()),
                ("validation_metrics", models.JSONField(null=True)),
                ("monitoring_metrics", models.JSONField(null=True)),
                ("monitoring_endpoint", models.TextField()),
                ("monitoring_captured_at", models.DateTimeField(null=True)),
                ("outdated_at", models.DateTimeField(null=True)),
                ("audit_at", models.DateTimeField()),
                ("audit_user", models.TextField()),
                ("arn", models.TextField()),
                ("artifact_url", models.TextField()),
                ("hub_artifact_url", models.TextField()),
                ("account_id", models.TextField(null=True)),
                ("account_alias", models.TextField(null=True)),
                ("attributes", models.JSONField()),
                ("risks", models.JSONField(null=True)),
            ],
            options={
                "db_table": "governance_stage_table_as_of",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PastUseCase",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("name", models.TextField()),
                ("stage", models.TextField()),
                ("status", models.TextField()),
                ("risk_class", models.TextField()),
                ("project", models.TextField(null=True)),
                ("line_of_business", models.TextField(null=True)),
                ("attributes", models.JSONField()),
            ],
            options={
                "db_table": "governance_use_cases_as_of",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PastVersion",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("arn", models.TextField()),
                ("group_id", models.BigIntegerField()),
                ("group", models.TextField()),
                ("number", models.IntegerField()),
                ("project", models.TextField(null=True)),
                ("owner", models.TextField(null=True)),
                ("line_of_business", models.TextField(null=True)),
                ("stage", models.TextField()),
                ("status", models.TextField()),
                ("risk", models.TextField()),
                ("artifact_url", models.TextField()),
                ("hub_artifact_url", models.TextField()),
                ("use_cases", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
            ],
            options={
                "db_table": "governance_versions_as_of",
                "managed": False,
            },
        ),
    ]
