"""MLflow runs in the audit trail."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from ._audited import FIXED_PATH, append_only, audited, kept, trigger

# What was named stays named: a run that is taken off is another row than the one named next. And a version's numbers
# are those of the run that stands on it.
GUARDS = """
CREATE FUNCTION governance_version_run_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.server_id, OLD.run_id, OLD.registration_id, OLD.attached_by_id, OLD.attached_at)
     IS DISTINCT FROM (NEW.server_id, NEW.run_id, NEW.registration_id, NEW.attached_by_id, NEW.attached_at)
     OR (OLD.version_id IS NOT NULL AND OLD.version_id IS DISTINCT FROM NEW.version_id) THEN
    RAISE EXCEPTION 'a run that was named is not another one later'
      USING ERRCODE = '23514', CONSTRAINT = 'version_run_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  IF OLD.detached_at IS NOT NULL AND OLD.detached_at IS DISTINCT FROM NEW.detached_at THEN
    RAISE EXCEPTION 'a run that was taken off is named anew'
      USING ERRCODE = '23514', CONSTRAINT = 'version_run_detached', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION governance_run_reading_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.run_reading_id IS NOT NULL AND NEW.run_reading_id IS DISTINCT FROM OLD.run_reading_id AND NOT EXISTS (
    SELECT 1 FROM registry_runreading g JOIN registry_versionrun r ON r.id = g.run_id
     WHERE g.id = NEW.run_reading_id AND r.version_id = NEW.id AND r.detached_at IS NULL
  ) THEN
    RAISE EXCEPTION 'these numbers are not of the run that stands on this version'
      USING ERRCODE = '23514', CONSTRAINT = 'run_reading_of_the_version', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""
TRAIL = "".join(
    [
        audited("registry_trackingserver", hidden="secret"),
        audited("registry_trackingserverproject"),
        # When the server was asked last is no news; what it said is a reading, and that it fell silent is said once.
        audited("registry_versionrun", quiet="tried_at,read_at"),
        kept("registry_versionrun"),
        trigger("version_run_guard", "registry_versionrun", "UPDATE", "governance_version_run_guard"),
        audited("registry_runreading"),
        append_only("registry_runreading"),
        trigger(
            "run_reading_guard",
            "registry_modelversion",
            "UPDATE OF run_reading_id",
            "governance_run_reading_guard",
        ),
    ]
)
_GONE = """
DROP FUNCTION IF EXISTS governance_version_run_guard() CASCADE;
DROP FUNCTION IF EXISTS governance_run_reading_guard() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0032_webhooks"), ("registry", "0015_tracking")]

    operations: ClassVar[list] = [
        migrations.RunSQL(GUARDS + FIXED_PATH, _GONE),
        migrations.RunSQL(TRAIL, migrations.RunSQL.noop),
    ]
