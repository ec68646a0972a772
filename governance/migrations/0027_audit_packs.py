"""Audit packs: who asked for which, what was built, and who took it away.

What was asked and what was built never changes afterwards, and a pack goes through its states in one direction: a
trigger sees to it. How far a worker has come is no entry of the audit trail; that it began, ended or failed is.
"""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from governance.migrations._audited import append_only, audited, kept, trigger

SCOPES = [("use_case", "Use case"), ("period", "Period")]
STATES = [
    ("waiting", "Waiting"),
    ("building", "Building"),
    ("ready", "Ready"),
    ("failed", "Failed"),
    ("expired", "Expired"),
    ("removed", "Removed"),
]
ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
GONE = ["expired", "removed"]

GUARD = """
CREATE FUNCTION governance_audit_pack_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (OLD.scope, OLD.use_case_id, OLD.project_id, OLD.line_of_business_id, OLD.starts_on, OLD.ends_on,
      OLD.requested_by_id, OLD.requested_at)
     IS DISTINCT FROM
     (NEW.scope, NEW.use_case_id, NEW.project_id, NEW.line_of_business_id, NEW.starts_on, NEW.ends_on,
      NEW.requested_by_id, NEW.requested_at) THEN
    RAISE EXCEPTION 'what audit pack % was asked for does not change', OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'audit_pack_as_asked', TABLE = TG_TABLE_NAME;
  END IF;
  IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN
     (('waiting', 'building'), ('waiting', 'failed'), ('building', 'ready'), ('building', 'failed'),
      ('ready', 'expired'), ('ready', 'removed')) THEN
    RAISE EXCEPTION 'audit pack % cannot go from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = '23514', CONSTRAINT = 'audit_pack_forward', TABLE = TG_TABLE_NAME;
  END IF;
  IF OLD.state IN ('ready', 'expired', 'removed', 'failed') AND
     (OLD.storage_name, OLD.sha256, OLD.size, OLD.as_of_entry, OLD.as_of_at, OLD.key_id, OLD.contents, OLD.left_out,
      OLD.is_sound, OLD.verdict, OLD.problem, OLD.finished_at, OLD.expires_at)
     IS DISTINCT FROM
     (NEW.storage_name, NEW.sha256, NEW.size, NEW.as_of_entry, NEW.as_of_at, NEW.key_id, NEW.contents, NEW.left_out,
      NEW.is_sound, NEW.verdict, NEW.problem, NEW.finished_at, NEW.expires_at) THEN
    RAISE EXCEPTION 'audit pack % is as it was built', OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'audit_pack_as_built', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""


def _to(model: str, *, null: bool = False, name: str = "+") -> models.ForeignKey:
    return models.ForeignKey(null=null, on_delete=django.db.models.deletion.PROTECT, related_name=name, to=model)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("governance", "0026_notifications"),
        ("registry", "0009_registrations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="AuditPack",
            fields=[
                ID,
                ("scope", models.CharField(choices=SCOPES, max_length=10)),
                ("starts_on", models.DateField(null=True)),
                ("ends_on", models.DateField(null=True)),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                ("state", models.CharField(choices=STATES, default="waiting", max_length=10)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("step", models.PositiveSmallIntegerField(default=0)),
                ("done", models.BigIntegerField(null=True)),
                ("total", models.BigIntegerField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("storage_name", models.CharField(blank=True, max_length=200)),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="SHA-256")),
                ("size", models.PositiveBigIntegerField(null=True)),
                ("as_of_entry", models.BigIntegerField(null=True, verbose_name="as of entry")),
                ("as_of_at", models.DateTimeField(null=True, verbose_name="as of")),
                ("key_id", models.CharField(blank=True, max_length=64)),
                ("contents", models.JSONField(default=dict)),
                ("left_out", models.JSONField(default=list)),
                ("is_sound", models.BooleanField(null=True)),
                ("verdict", models.TextField(blank=True)),
                ("problem", models.TextField(blank=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                ("removed_by", models.CharField(blank=True, max_length=200)),
                ("line_of_business", _to("registry.lineofbusiness", null=True)),
                ("project", _to("registry.project", null=True)),
                ("requested_by", _to(settings.AUTH_USER_MODEL)),
                ("use_case", _to("registry.usecase", null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["state", "expires_at"], name="audit_pack_state"),
                    models.Index(fields=["requested_by", "-id"], name="audit_pack_requester"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        name="audit_pack_one_scope",
                        condition=Q(
                            scope="use_case",
                            use_case__isnull=False,
                            project__isnull=True,
                            line_of_business__isnull=True,
                            starts_on__isnull=True,
                            ends_on__isnull=True,
                        )
                        | Q(
                            scope="period", use_case__isnull=True, starts_on__isnull=False, ends_on__gte=F("starts_on")
                        ),
                    ),
                    models.CheckConstraint(
                        name="audit_pack_built_as_a_whole",
                        condition=~Q(state__in=["ready", *GONE])
                        | Q(
                            sha256__regex=r"^[0-9a-f]{64}$",
                            size__gte=1,
                            as_of_at__isnull=False,
                            expires_at__isnull=False,
                        )
                        & ~Q(storage_name="")
                        & ~Q(key_id="")
                        & Q(is_sound__isnull=False, finished_at__isnull=False),
                    ),
                    models.CheckConstraint(
                        name="audit_pack_failed_with_a_reason",
                        condition=~Q(state="failed") | (Q(finished_at__isnull=False) & ~Q(problem="")),
                    ),
                    models.CheckConstraint(
                        name="audit_pack_removed_with_a_time",
                        condition=Q(state__in=GONE, removed_at__isnull=False)
                        | ~Q(state__in=GONE) & Q(removed_at__isnull=True),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditPackDownload",
            fields=[
                ID,
                ("person_name", models.CharField(max_length=200)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("pack", _to("governance.auditpack", name="downloads")),
                ("person", _to(settings.AUTH_USER_MODEL)),
            ],
            options={"indexes": [models.Index(fields=["pack", "-id"], name="audit_pack_downloads")]},
        ),
        # The register of decisions is asked for a period.
        migrations.AddIndex("decision", models.Index(fields=["decided_at"], name="decision_at")),
        migrations.RunSQL(
            GUARD
            + trigger("as_built", "governance_auditpack", "UPDATE", "governance_audit_pack_guard")
            + audited("governance_auditpack", quiet="step,done,total,storage_name")
            + kept("governance_auditpack")
        ),
        migrations.RunSQL(audited("governance_auditpackdownload") + append_only("governance_auditpackdownload")),
    ]
