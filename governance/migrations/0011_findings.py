"""Findings accepted for a while; their moves, and that a resolved one is not edited, kept by the database."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from governance.choices import FindingKind
from governance.migrations._audited import kept, trigger
from portal.core.vocabulary import Stage

UNRESOLVED = models.Q(("state__in", ["open", "acknowledged", "accepted"]))
STANDING = models.Q(("state__in", ["open", "acknowledged"]))

GUARD = """
CREATE FUNCTION governance_finding_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  old_state text := '';
  about text[] := '{id,kind,subject_key,use_case_id,group_id,version_id,account_id,stage,first_seen_at}';
  moving text[] := '{state,closed_at,closing_note,due_on,last_seen_at}';
  before jsonb; after jsonb;
  project bigint;
  today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    old_state := OLD.state;
    SELECT jsonb_object_agg(key, value) FILTER (WHERE key = ANY(about)) INTO before FROM jsonb_each(to_jsonb(OLD));
    SELECT jsonb_object_agg(key, value) FILTER (WHERE key = ANY(about)) INTO after FROM jsonb_each(to_jsonb(NEW));
    IF before IS DISTINCT FROM after THEN
      RAISE EXCEPTION 'finding % stays with what it is about', OLD.id
        USING ERRCODE = '23514', CONSTRAINT = 'finding_pinned', TABLE = TG_TABLE_NAME;
    END IF;
    IF OLD.state = 'resolved' AND (
         (NEW.state = 'resolved' AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD))
         OR (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)) THEN
      RAISE EXCEPTION 'finding % is resolved and not edited', OLD.id
        USING ERRCODE = '23514', CONSTRAINT = 'finding_closed', TABLE = TG_TABLE_NAME;
    END IF;
  END IF;
  IF TG_OP = 'INSERT' OR NEW.state <> OLD.state THEN
    IF (old_state, NEW.state) NOT IN (
      ('', 'open'),
      ('open', 'acknowledged'),
      ('open', 'accepted'), ('acknowledged', 'accepted'),
      ('open', 'resolved'), ('acknowledged', 'resolved'), ('accepted', 'resolved'),
      ('accepted', 'open'), ('resolved', 'open')
    ) THEN
      RAISE EXCEPTION 'a finding does not move from "%" to "%"', old_state, NEW.state
        USING ERRCODE = '23514', CONSTRAINT = 'finding_moves', TABLE = TG_TABLE_NAME;
    END IF;
  END IF;
  IF NEW.state = 'accepted' AND (TG_OP = 'INSERT' OR (NEW.accepted_until, NEW.accepted_by_id)
                                 IS DISTINCT FROM (OLD.accepted_until, OLD.accepted_by_id)) THEN
    -- A day of grace on either side: the portal's clock is not the database's.
    IF NEW.accepted_until NOT BETWEEN today - 1 AND today + 367 THEN
      RAISE EXCEPTION 'finding % cannot be accepted until %', NEW.id, NEW.accepted_until
        USING ERRCODE = '23514', CONSTRAINT = 'finding_accepted_for_a_year', TABLE = TG_TABLE_NAME;
    END IF;
    SELECT coalesce(u.project_id, vg.project_id, g.project_id) INTO project
      FROM (SELECT 1) one
      LEFT JOIN registry_usecase u ON u.id = NEW.use_case_id
      LEFT JOIN registry_modelversion v ON v.id = NEW.version_id
      LEFT JOIN registry_modelgroup vg ON vg.id = v.group_id
      LEFT JOIN registry_modelgroup g ON g.id = NEW.group_id;
    IF NOT governance_holds_role(NEW.accepted_by_id, 'governance_officer', project) THEN
      RAISE EXCEPTION 'person % is no governance officer there', NEW.accepted_by_id
        USING ERRCODE = '23514', CONSTRAINT = 'finding_accepted_by_officer', TABLE = TG_TABLE_NAME;
    END IF;
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0010_evidence"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        # The vocabulary's own words: a kind added later needs no migration.
        migrations.AlterField("finding", "kind", models.CharField(choices=FindingKind.choices(), max_length=40)),
        migrations.AddField(
            "finding",
            "stage",
            models.CharField(blank=True, choices=Stage.choices(), default="", max_length=20),
            preserve_default=False,
        ),
        migrations.AddField("finding", "accepted_until", models.DateField(null=True)),
        migrations.AddField(
            "finding",
            "accepted_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "finding", "acceptance_reason", models.TextField(blank=True, default=""), preserve_default=False
        ),
        migrations.RemoveConstraint("finding", "finding_one_standing_per_subject"),
        migrations.AddConstraint(
            "finding",
            models.UniqueConstraint(
                condition=UNRESOLVED, fields=("kind", "subject_key"), name="finding_one_unresolved_per_subject"
            ),
        ),
        migrations.AddConstraint(
            "finding",
            models.CheckConstraint(
                condition=(
                    models.Q(("accepted_by__isnull", False), ("accepted_until__isnull", False), ("state", "accepted"))
                    & ~models.Q(("acceptance_reason", ""))
                )
                | (
                    ~models.Q(("state", "accepted"))
                    & models.Q(
                        ("acceptance_reason", ""), ("accepted_by__isnull", True), ("accepted_until__isnull", True)
                    )
                ),
                name="finding_accepted_until_by_and_why",
            ),
        ),
        migrations.AddConstraint(
            "finding",
            models.CheckConstraint(
                condition=models.Q(("closed_at__isnull", False), ("state", "resolved"))
                | (~models.Q(("state", "resolved")) & models.Q(("closed_at__isnull", True), ("closing_note", ""))),
                name="finding_closed_when_resolved",
            ),
        ),
        migrations.AddIndex("finding", models.Index(condition=STANDING, fields=["due_on"], name="finding_due")),
        migrations.RunSQL(GUARD),
        migrations.RunSQL(
            trigger("finding_guard", "governance_finding", "INSERT OR UPDATE", "governance_finding_guard")
            + kept("governance_finding")
        ),
    ]
