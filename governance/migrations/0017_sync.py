"""What an outbox message can be about; and triggers that a sync of many new versions waits less for.

What they refuse and record is what they refused and recorded before (0003, 0004).
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

TRIGGERS = """
CREATE OR REPLACE FUNCTION governance_audit_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before jsonb; after jsonb; changed jsonb; key text; link text; last bytea;
  quiet text[] := string_to_array(TG_ARGV[1], ','); hidden text[] := string_to_array(TG_ARGV[2], ',');
  actor text := nullif(current_setting('app.actor', true), '');
  reason text := nullif(current_setting('app.reason', true), '');
  correlation text := nullif(current_setting('app.correlation', true), '');
  moment timestamptz := clock_timestamp();
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
  SELECT hash INTO last FROM governance_auditevent WHERE chain = link ORDER BY sequence DESC LIMIT 1;
  INSERT INTO governance_auditevent
    (at, transaction, database_user, actor, reason, correlation, "table", object_id, action, changes, chain, previous_hash, hash)
  VALUES (moment, xid, session_user, actor, reason, correlation, TG_TABLE_NAME, key, lower(TG_OP), changed, link, last,
    governance_audit_digest(last, link, moment, xid, session_user::text, actor, reason, correlation, TG_TABLE_NAME::text, key,
                            lower(TG_OP), changed));
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION governance_ledger_agrees() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
  wanted text; recorded text;
BEGIN
  -- Statements that are written out keep their plans, and only what is compared is read of a wide row.
  IF TG_TABLE_NAME = 'registry_modelversion' THEN
    SELECT stage || '/' || status INTO wanted FROM registry_modelversion WHERE id = NEW.id;
    SELECT position_stage || '/' || position_status INTO recorded FROM governance_stageevent
     WHERE version_id = NEW.id ORDER BY id DESC LIMIT 1;
  ELSE
    SELECT stage || '/' || status INTO wanted FROM registry_usecase WHERE id = NEW.id;
    SELECT position_stage || '/' || position_status INTO recorded FROM governance_stageevent
     WHERE use_case_id = NEW.id ORDER BY id DESC LIMIT 1;
  END IF;
  IF wanted IS NULL THEN RETURN NULL; END IF;
  IF recorded IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION '% % stands at "%" but its ledger says "%"', TG_TABLE_NAME, NEW.id, wanted, coalesce(recorded, 'nothing')
      USING ERRCODE = '23514', CONSTRAINT = 'ledger_agrees', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0016_classifications"), ("registry", "0009_registrations")]

    operations = [
        migrations.RunSQL(TRIGGERS),
        migrations.AddField(
            model_name="outboxmessage",
            name="account",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.awsaccount",
            ),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="group",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.modelgroup",
            ),
        ),
        migrations.AlterField(
            model_name="outboxmessage",
            name="kind",
            field=models.CharField(
                choices=[
                    ("write_back", "Write back"),
                    ("deployment_order", "Deployment order"),
                    ("artifact_copy", "Artifact copy"),
                    ("group_creation", "Group creation"),
                    ("version_registration", "Version registration"),
                    ("share", "Share"),
                    ("share_invitation", "Share invitation"),
                ],
                max_length=20,
            ),
        ),
    ]
