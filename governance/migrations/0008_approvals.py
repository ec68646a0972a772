"""Approvals in full: delegation, break-glass, renewal, the content a request was about; the ledger of records."""

from __future__ import annotations

from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

from governance.migrations._audited import audited, kept
from portal.core.vocabulary import Role, Stage, SubjectKind

mirror_lifecycle = import_module("governance.migrations.0005_default_policy").mirror_lifecycle


def _to(model: str, *, null: bool = False, related_name: str = "+") -> models.ForeignKey:
    return models.ForeignKey(
        null=null, on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to=model
    )


PERSON = settings.AUTH_USER_MODEL
ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))

GUARDS = """
-- Who asked, what was asked and under which policy never changes after the asking.
CREATE OR REPLACE FUNCTION governance_request_pinned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moving text[] := '{state,waiting_roles,closed_at,closing_note,escalated_at}';
BEGIN
  IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
     OR (OLD.state <> 'open' AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)) THEN
    RAISE EXCEPTION 'request % is pinned to what was asked', OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'request_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION governance_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  request governance_approvalrequest%ROWTYPE;
BEGIN
  SELECT * INTO request FROM governance_approvalrequest WHERE id = NEW.request_id;
  IF request.state <> 'open' THEN
    RAISE EXCEPTION 'request % is % and takes no decision', NEW.request_id, request.state
      USING ERRCODE = '23514', CONSTRAINT = 'decision_on_open_request', TABLE = TG_TABLE_NAME;
  END IF;
  IF NEW.requester_id_copy IS DISTINCT FROM request.requester_id
     OR NEW.registrant_id_copy IS DISTINCT FROM request.registrant_id
     OR NEW.modifier_id_copy IS DISTINCT FROM request.modifier_id THEN
    RAISE EXCEPTION 'decision on request % names another requester, registrant or modifier', NEW.request_id
      USING ERRCODE = '23514', CONSTRAINT = 'decision_copies_request', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

-- The role is held by the one whose word it is: the decider, or the one a delegation in force puts him in place of.
CREATE OR REPLACE FUNCTION governance_decision_entitled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  project bigint;
BEGIN
  -- Those with a part in the subject are refused by the CHECK constraints, which name the real reason.
  IF NEW.decider_id IN (NEW.requester_id_copy, NEW.registrant_id_copy, NEW.modifier_id_copy)
     OR NEW.on_behalf_of_id IN (NEW.requester_id_copy, NEW.registrant_id_copy, NEW.modifier_id_copy, NEW.decider_id)
     OR (NEW.on_behalf_of_id IS NULL) <> (NEW.delegation_id IS NULL) THEN RETURN NEW; END IF;
  SELECT coalesce(u.project_id, g.project_id) INTO project
    FROM governance_approvalrequest r
    LEFT JOIN registry_usecase u ON u.id = r.use_case_id
    LEFT JOIN registry_modelversion v ON v.id = r.version_id
    LEFT JOIN registry_modelgroup g ON g.id = v.group_id
   WHERE r.id = NEW.request_id;
  IF NEW.delegation_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM governance_delegation d
     WHERE d.id = NEW.delegation_id AND d.delegator_id = NEW.on_behalf_of_id AND d.delegate_id = NEW.decider_id
       AND d.role = NEW.role AND d.revoked_at IS NULL
       AND (now() AT TIME ZONE 'UTC')::date BETWEEN d.starts_on AND d.ends_on
       AND (d.project_id IS NULL OR d.project_id = project)) THEN
    RAISE EXCEPTION 'person % has no delegation in force from % for the role %',
      NEW.decider_id, NEW.on_behalf_of_id, NEW.role
      USING ERRCODE = '23514', CONSTRAINT = 'decision_delegation_in_force', TABLE = TG_TABLE_NAME;
  END IF;
  IF NEW.delegation_id IS NOT NULL AND NOT (governance_holds_role(NEW.decider_id, 'model_owner', project)
     OR governance_holds_role(NEW.decider_id, 'governance_officer', project)) THEN
    RAISE EXCEPTION 'person % may never decide there, and a delegation does not change that', NEW.decider_id
      USING ERRCODE = '23514', CONSTRAINT = 'decision_delegate_decides', TABLE = TG_TABLE_NAME;
  END IF;
  IF NOT governance_holds_role(coalesce(NEW.on_behalf_of_id, NEW.decider_id), NEW.role, project) THEN
    RAISE EXCEPTION 'person % does not hold the role % there', coalesce(NEW.on_behalf_of_id, NEW.decider_id), NEW.role
      USING ERRCODE = '23514', CONSTRAINT = 'decision_role_held', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION governance_request_decided() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  need jsonb;
BEGIN
  IF NEW.state = 'approved' AND OLD.state = 'open' THEN
    FOR need IN SELECT jsonb_array_elements(NEW.requirements -> 'approvals') LOOP
      IF (SELECT count(DISTINCT coalesce(d.on_behalf_of_id, d.decider_id)) FROM governance_decision d
           WHERE d.request_id = NEW.id AND d.verdict = 'approve' AND d.role = need ->> 'role')
         < (need ->> 'count')::int THEN
        RAISE EXCEPTION 'request % lacks approvals in the role %', NEW.id, need ->> 'role'
          USING ERRCODE = '23514', CONSTRAINT = 'request_decided', TABLE = TG_TABLE_NAME;
      END IF;
    END LOOP;
  END IF;
  RETURN NEW;
END $$;

-- At commit a record stands as the last entry of the ledger about it says.
CREATE FUNCTION governance_record_agrees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted text; recorded text;
BEGIN
  EXECUTE format('SELECT status FROM %I WHERE id = $1', TG_TABLE_NAME) INTO wanted USING NEW.id;
  IF wanted IS NULL THEN RETURN NULL; END IF;
  SELECT status INTO recorded FROM governance_stageevent
   WHERE kind = TG_ARGV[0] AND record_id_copy = NEW.id ORDER BY id DESC LIMIT 1;
  IF recorded IS DISTINCT FROM wanted THEN
    RAISE EXCEPTION '% % is "%" but its ledger says "%"', TG_TABLE_NAME, NEW.id, wanted, coalesce(recorded, 'nothing')
      USING ERRCODE = '23514', CONSTRAINT = 'record_agrees', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER record_agrees AFTER INSERT OR UPDATE OF status ON governance_stagerecord
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION governance_record_agrees('model_version');
ALTER TABLE governance_stagerecord ENABLE ALWAYS TRIGGER record_agrees;
CREATE CONSTRAINT TRIGGER record_agrees AFTER INSERT OR UPDATE OF status ON governance_usecasestagerecord
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION governance_record_agrees('use_case');
ALTER TABLE governance_usecasestagerecord ENABLE ALWAYS TRIGGER record_agrees;

-- At commit, so that classifying a use case and sending it back to POC can be one transaction (DOMAIN section 4).
CREATE FUNCTION governance_unacceptable_stays_in_poc() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  current_row registry_usecase%ROWTYPE;
BEGIN
  SELECT * INTO current_row FROM registry_usecase WHERE id = NEW.id;
  IF current_row.risk_class = 'unacceptable' AND current_row.stage NOT IN ('poc', 'retired') THEN
    RAISE EXCEPTION 'use case % is of unacceptable risk and cannot be beyond POC', NEW.id
      USING ERRCODE = '23514', CONSTRAINT = 'unacceptable_stays_in_poc', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER unacceptable_stays_in_poc AFTER INSERT OR UPDATE OF stage, risk_class ON registry_usecase
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION governance_unacceptable_stays_in_poc();
ALTER TABLE registry_usecase ENABLE ALWAYS TRIGGER unacceptable_stays_in_poc;

-- Delegations and overrides are written once; they can only be revoked, once.
CREATE FUNCTION governance_only_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moving text[] := '{revoked_at,revoked_by}';
BEGIN
  IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) OR OLD.revoked_at IS NOT NULL THEN
    RAISE EXCEPTION '% % does not change, it can only be revoked', TG_TABLE_NAME, OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'only_revoked', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_revoked BEFORE UPDATE ON governance_delegation
  FOR EACH ROW EXECUTE FUNCTION governance_only_revoked();
ALTER TABLE governance_delegation ENABLE ALWAYS TRIGGER only_revoked;
CREATE TRIGGER only_revoked BEFORE UPDATE ON governance_override
  FOR EACH ROW EXECUTE FUNCTION governance_only_revoked();
ALTER TABLE governance_override ENABLE ALWAYS TRIGGER only_revoked;
"""
SURFACES = "".join(f"{audited(table)}{kept(table)}" for table in ("governance_delegation", "governance_override"))


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0007_entitled"),
        ("registry", "0004_modifier"),
        migrations.swappable_dependency(PERSON),
    ]

    operations = [
        migrations.RemoveField("stageevent", "snapshot"),
        migrations.CreateModel(
            name="Delegation",
            fields=[
                ID,
                ("delegator", _to(PERSON)),
                ("delegate", _to(PERSON, related_name="delegations_received")),
                ("role", models.CharField(choices=Role.choices(), max_length=30)),
                ("project", _to("registry.project", null=True)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("reason", models.TextField()),
                ("made_by", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("revoked_at", None)), fields=["delegate", "ends_on"], name="delegation_live"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=~models.Q(delegator_id=models.F("delegate_id")), name="delegation_to_another"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(ends_on__gte=models.F("starts_on")), name="delegation_ends_after_start"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Override",
            fields=[
                ID,
                ("kind", models.CharField(choices=SubjectKind.choices(), max_length=20)),
                ("use_case", _to("registry.usecase", null=True)),
                ("version", _to("registry.modelversion", null=True)),
                ("stage", models.CharField(choices=Stage.choices(), max_length=20)),
                ("check_key", models.CharField(max_length=300)),
                ("check_label", models.CharField(max_length=500)),
                ("reason", models.TextField()),
                ("granted_by", _to(PERSON)),
                ("granted_by_name", models.CharField(max_length=200)),
                ("granted_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("version__isnull", False)),
                        fields=["version", "stage"],
                        name="override_version",
                    ),
                    models.Index(
                        condition=models.Q(("use_case__isnull", False)),
                        fields=["use_case", "stage"],
                        name="override_use_case",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", SubjectKind.USE_CASE),
                                ("use_case__isnull", False),
                                ("version__isnull", True),
                            ),
                            models.Q(
                                ("kind", SubjectKind.MODEL_VERSION),
                                ("use_case__isnull", True),
                                ("version__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="override_one_subject",
                    ),
                    models.CheckConstraint(condition=~models.Q(reason=""), name="override_says_why"),
                    models.CheckConstraint(
                        condition=models.Q(expires_at__gt=models.F("granted_at")), name="override_expires"
                    ),
                ],
            },
        ),
        *(
            migrations.AddField(model, name, field)
            for model, name, field in (
                ("approvalrequest", "modifier", _to(PERSON, null=True)),
                ("approvalrequest", "renews", models.BooleanField(default=False)),
                ("approvalrequest", "facts", models.JSONField(default=dict)),
                ("approvalrequest", "escalated_at", models.DateTimeField(null=True)),
                ("decision", "on_behalf_of", _to(PERSON, null=True)),
                ("decision", "delegation", _to("governance.delegation", null=True)),
                ("decision", "modifier_id_copy", models.BigIntegerField(null=True)),
                ("stagerecord", "approved_digest", models.CharField(blank=True, max_length=80)),
                ("stagerecord", "outdated_at", models.DateTimeField(blank=True, null=True)),
                ("usecasestagerecord", "approved_digest", models.CharField(blank=True, max_length=80)),
                ("usecasestagerecord", "outdated_at", models.DateTimeField(blank=True, null=True)),
            )
        ),
        migrations.AddIndex(
            "stageevent", models.Index(fields=["kind", "record_id_copy", "-id"], name="stage_event_record")
        ),
        migrations.AddConstraint(
            "decision",
            models.CheckConstraint(
                condition=models.Q(modifier_id_copy__isnull=True) | ~models.Q(decider_id=models.F("modifier_id_copy")),
                name="decision_not_by_modifier",
            ),
        ),
        migrations.AddConstraint(
            "decision",
            models.CheckConstraint(
                condition=models.Q(on_behalf_of__isnull=True)
                | (
                    ~models.Q(on_behalf_of_id=models.F("requester_id_copy"))
                    & ~models.Q(on_behalf_of_id=models.F("decider_id"))
                    & (
                        models.Q(registrant_id_copy__isnull=True)
                        | ~models.Q(on_behalf_of_id=models.F("registrant_id_copy"))
                    )
                    & (
                        models.Q(modifier_id_copy__isnull=True)
                        | ~models.Q(on_behalf_of_id=models.F("modifier_id_copy"))
                    )
                ),
                name="decision_not_for_those_with_a_part",
            ),
        ),
        migrations.AddConstraint(
            "decision",
            models.CheckConstraint(
                condition=models.Q(on_behalf_of__isnull=True, delegation__isnull=True)
                | models.Q(on_behalf_of__isnull=False, delegation__isnull=False),
                name="decision_delegated_as_a_whole",
            ),
        ),
        migrations.AddConstraint(
            "decision",
            models.UniqueConstraint(
                models.F("request"),
                django.db.models.functions.comparison.Coalesce("on_behalf_of", "decider"),
                name="decision_once_per_authority",
            ),
        ),
        migrations.RunSQL(GUARDS),
        migrations.RunSQL(SURFACES),
        migrations.RunSQL("SELECT set_config('app.actor', 'system:migration', true)", migrations.RunSQL.noop),
        migrations.RunPython(mirror_lifecycle, migrations.RunPython.noop),
    ]
