"""Classifications under the trail, and what the database refuses about them.

What was answered, and what it led to, stays as it was written; only the decision is added, by a governance officer who
neither answered nor registered the use case, or who answered himself and registered nothing. The class of a use case is
the one its confirmed classification says, whoever writes it.
"""

from __future__ import annotations

from django.db import migrations

from governance.migrations._audited import FIXED_PATH, audited, kept, trigger

GUARD = """
CREATE FUNCTION governance_classification_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  decision text[] := '{state,confirmed_class,decided_by_id,decided_at,decision_reason}';
  strictness text[] := '{unacceptable,high,limited,minimal}';
  project bigint; registrant bigint;
  is_decided boolean := NEW.state IN ('confirmed', 'declined');
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (to_jsonb(NEW) - decision) IS DISTINCT FROM (to_jsonb(OLD) - decision) THEN
      RAISE EXCEPTION 'classification % stays as it was answered', OLD.id
        USING ERRCODE = '23514', CONSTRAINT = 'classification_pinned', TABLE = TG_TABLE_NAME;
    END IF;
    IF to_jsonb(NEW) = to_jsonb(OLD) THEN RETURN NEW; END IF;
    IF NOT (OLD.state = 'proposed' AND NEW.state <> 'proposed') AND NOT (OLD.state = 'confirmed' AND NEW.state = 'superseded') THEN
      RAISE EXCEPTION 'classification % does not go from % to %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = '23514', CONSTRAINT = 'classification_moves', TABLE = TG_TABLE_NAME;
    END IF;
    IF NEW.state = 'superseded' THEN
      IF (to_jsonb(NEW) - 'state'::text) IS DISTINCT FROM (to_jsonb(OLD) - 'state'::text) THEN
        RAISE EXCEPTION 'classification % keeps its decision', OLD.id
          USING ERRCODE = '23514', CONSTRAINT = 'classification_pinned', TABLE = TG_TABLE_NAME;
      END IF;
      RETURN NEW;
    END IF;
  ELSIF NEW.state NOT IN ('proposed', 'confirmed') THEN
    RAISE EXCEPTION 'a classification does not begin as %', NEW.state
      USING ERRCODE = '23514', CONSTRAINT = 'classification_moves', TABLE = TG_TABLE_NAME;
  END IF;
  IF NOT is_decided THEN
    IF NEW.confirmed_class <> '' OR NEW.decided_by_id IS NOT NULL OR NEW.decided_at IS NOT NULL OR NEW.decision_reason <> '' THEN
      RAISE EXCEPTION 'a proposed classification holds no decision'
        USING ERRCODE = '23514', CONSTRAINT = 'classification_undecided', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
  END IF;
  SELECT project_id, registered_by_id INTO project, registrant FROM registry_usecase WHERE id = NEW.use_case_id;
  IF NEW.decided_by_id = registrant OR (TG_OP = 'UPDATE') = (NEW.decided_by_id = NEW.assessor_id) THEN
    RAISE EXCEPTION 'person % does not decide on this classification', NEW.decided_by_id
      USING ERRCODE = '23514', CONSTRAINT = 'classification_by_another', TABLE = TG_TABLE_NAME;
  END IF;
  IF NEW.decided_by_id IS NULL OR NOT governance_holds_role(NEW.decided_by_id, 'governance_officer', project) THEN
    RAISE EXCEPTION 'a governance officer decides on a classification'
      USING ERRCODE = '23514', CONSTRAINT = 'classification_by_officer', TABLE = TG_TABLE_NAME;
  END IF;
  IF NEW.state = 'confirmed' AND NEW.edition <> '' AND NOT coalesce(
       array_position(strictness, NEW.confirmed_class::text) <= array_position(strictness, NEW.proposed_class::text), false) THEN
    RAISE EXCEPTION 'answers that lead to "%" are not confirmed as "%"', NEW.proposed_class, NEW.confirmed_class
      USING ERRCODE = '23514', CONSTRAINT = 'classification_not_laxer', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""

CLASS = """
-- Checked when it is written, not at commit: whoever classifies writes his classification first.
CREATE FUNCTION governance_risk_class_confirmed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  confirmed text := 'unclassified';
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.risk_class = OLD.risk_class THEN RETURN NEW; END IF;
    SELECT confirmed_class INTO confirmed FROM registry_classification WHERE use_case_id = NEW.id AND state = 'confirmed';
  END IF;
  IF NEW.risk_class IS DISTINCT FROM confirmed THEN
    RAISE EXCEPTION 'use case % has no confirmed classification as "%"', NEW.id, NEW.risk_class
      USING ERRCODE = '23514', CONSTRAINT = 'risk_class_confirmed', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0015_custom_attributes"), ("registry", "0002_classifications")]

    operations = [
        migrations.RunSQL(GUARD),
        migrations.RunSQL(CLASS),
        migrations.RunSQL(audited("registry_classification") + kept("registry_classification")),
        migrations.RunSQL(
            trigger(
                "classification_guard",
                "registry_classification",
                "INSERT OR UPDATE",
                "governance_classification_guard",
            )
        ),
        migrations.RunSQL(
            trigger(
                "risk_class_confirmed",
                "registry_usecase",
                "INSERT OR UPDATE OF risk_class",
                "governance_risk_class_confirmed",
            )
        ),
        # The last of these migrations: whatever the ones before it made as well.
        migrations.RunSQL(FIXED_PATH),
    ]
