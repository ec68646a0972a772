"""Declared shares, their principals, RAM's permissions and the groups' policies join the audit trail."""

from __future__ import annotations

from django.db import migrations

from ._audited import FIXED_PATH, audited, kept, trigger

# What lets another account approve or delete says so, so that it has a reason; what is withdrawn stays so.
GUARD = """
CREATE FUNCTION governance_declared_share_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (OLD.id, OLD.number, OLD.token, OLD.account_id, OLD.region, OLD.declared_by_id, OLD.declared_at)
       IS DISTINCT FROM
       (NEW.id, NEW.number, NEW.token, NEW.account_id, NEW.region, NEW.declared_by_id, NEW.declared_at) THEN
      RAISE EXCEPTION 'a declared share keeps its number, its place and who declared it'
        USING ERRCODE = '23514', CONSTRAINT = 'declared_share_pinned', TABLE = TG_TABLE_NAME;
    END IF;
    IF (OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn')
       OR (OLD.state = 'withdrawing' AND NEW.state NOT IN ('withdrawing', 'withdrawn')) THEN
      RAISE EXCEPTION 'a share that is % is not declared again', OLD.state
        USING ERRCODE = '23514', CONSTRAINT = 'declared_share_moves', TABLE = TG_TABLE_NAME;
    END IF;
  END IF;
  IF NOT NEW.verbs::text[] && '{approve,delete}' AND EXISTS (
    SELECT 1
      FROM unnest(NEW.actions || NEW.custom_actions) AS given,
           unnest('{sagemaker:updatemodelpackage,sagemaker:deletemodelpackage,sagemaker:deletemodelpackagegroup,'
                  'sagemaker:deletemodelpackagegrouppolicy,sagemaker:putmodelpackagegrouppolicy}'::text[]) AS guarded
     WHERE guarded LIKE translate(replace(replace(lower(given), '\\', '\\\\'), '_', '\\_'), '*?', '%_')
  ) THEN
    RAISE EXCEPTION 'a share that lets another account approve or delete has to say so'
      USING ERRCODE = '23514', CONSTRAINT = 'approve_path_is_said', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""
TRAIL = "".join(
    [
        audited("registry_declaredshare"),
        kept("registry_declaredshare"),
        trigger(
            "declared_share_guard", "registry_declaredshare", "INSERT OR UPDATE", "governance_declared_share_guard"
        ),
        audited("registry_declaredshare_groups"),
        audited("registry_declaredshare_accounts"),
        audited("registry_shareprincipal"),
        audited("registry_rampermission", quiet="read_at"),
        audited("registry_grouppolicy", quiet="read_at"),
    ]
)


class Migration(migrations.Migration):
    dependencies = [("governance", "0021_registry_events"), ("registry", "0009_registrations")]

    operations = [
        migrations.RunSQL(GUARD + FIXED_PATH, "DROP FUNCTION IF EXISTS governance_declared_share_guard() CASCADE"),
        migrations.RunSQL(TRAIL, migrations.RunSQL.noop),
    ]
