"""Evidence: its content never changes, no row is removed, and editions follow one another.

A row says what was put down, by whom and when; somebody may have decided on it. Only two things may still happen to
it, once each: a later edition takes its place, and it is withdrawn with a reason.
"""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from governance.migrations._audited import audited, kept, trigger
from portal.core.vocabulary import EvidenceKind

TABLE = "governance_evidence"

FUNCTIONS = """
CREATE FUNCTION governance_evidence_pinned() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  still_open text[] := '{superseded_at,withdrawn_at,withdrawn_by_id,withdrawn_by_name,withdrawal_reason}';
BEGIN
  IF to_jsonb(OLD) - still_open IS DISTINCT FROM to_jsonb(NEW) - still_open THEN
    RAISE EXCEPTION 'the content of evidence % never changes; attach the next edition', OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'evidence_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  IF (OLD.superseded_at IS NOT NULL AND NEW.superseded_at IS DISTINCT FROM OLD.superseded_at)
     OR (OLD.withdrawn_at IS NOT NULL AND
         ROW(NEW.withdrawn_at, NEW.withdrawn_by_id, NEW.withdrawn_by_name, NEW.withdrawal_reason) IS DISTINCT FROM
         ROW(OLD.withdrawn_at, OLD.withdrawn_by_id, OLD.withdrawn_by_name, OLD.withdrawal_reason)) THEN
    RAISE EXCEPTION 'what happened to evidence % cannot be taken back', OLD.id
      USING ERRCODE = '23514', CONSTRAINT = 'evidence_pinned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION governance_evidence_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.superseded_at IS NOT NULL OR NEW.withdrawn_at IS NOT NULL THEN
    RAISE EXCEPTION 'evidence begins standing'
      USING ERRCODE = '23514', CONSTRAINT = 'evidence_edition_follows', TABLE = TG_TABLE_NAME;
  END IF;
  IF NEW.edition > 1 AND NOT EXISTS (
       SELECT 1 FROM governance_evidence before
        WHERE before.series = NEW.series AND before.edition = NEW.edition - 1
          AND before.use_case_id IS NOT DISTINCT FROM NEW.use_case_id
          AND before.version_id IS NOT DISTINCT FROM NEW.version_id
          AND before.kind = NEW.kind) THEN
    RAISE EXCEPTION 'edition % follows no edition % of the same evidence', NEW.edition, NEW.edition - 1
      USING ERRCODE = '23514', CONSTRAINT = 'evidence_edition_follows', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""

UPLOAD = (
    Q(source="upload", sha256__regex="^[0-9a-f]{64}$", s3_uri="", s3_version_id="", s3_etag="", account__isnull=True)
    & ~Q(storage_name="")
)  # fmt: skip
S3 = (
    Q(source="s3", storage_name="", sha256="", s3_uri__startswith="s3://", account__isnull=False)
    & ~Q(s3_etag="")
)  # fmt: skip


def _person(name: str) -> tuple[str, models.Field]:
    key = models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
    )
    return name, key


def _about(name: str, model: str) -> tuple[str, models.Field]:
    key = models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=model)
    return name, key


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0009_policy_rules"),
        ("registry", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                _about("use_case", "registry.usecase"),
                _about("version", "registry.modelversion"),
                ("kind", models.CharField(choices=EvidenceKind.choices(), max_length=40)),
                ("title", models.CharField(max_length=200)),
                ("note", models.TextField(blank=True)),
                ("series", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("edition", models.PositiveIntegerField(default=1)),
                ("source", models.CharField(choices=[("upload", "Upload"), ("s3", "S3")], max_length=10)),
                ("filename", models.CharField(max_length=255)),
                ("content_type", models.CharField(max_length=255)),
                ("size", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="SHA-256")),
                ("storage_name", models.CharField(blank=True, max_length=200)),
                _about("account", "registry.awsaccount"),
                ("s3_uri", models.CharField(blank=True, max_length=2048, verbose_name="S3 URI")),
                ("s3_version_id", models.CharField(blank=True, max_length=1024, verbose_name="S3 version id")),
                ("s3_etag", models.CharField(blank=True, max_length=128, verbose_name="S3 ETag")),
                _person("author"),
                ("author_name", models.CharField(max_length=200)),
                ("added_at", models.DateTimeField(auto_now_add=True)),
                ("superseded_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                _person("withdrawn_by"),
                ("withdrawn_by_name", models.CharField(blank=True, max_length=200)),
                ("withdrawal_reason", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "evidence",
                "verbose_name_plural": "evidence",
                "indexes": [
                    models.Index(fields=["use_case", "kind"], name="evidence_of_use_case"),
                    models.Index(fields=["version", "kind"], name="evidence_of_version"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(use_case__isnull=False, version__isnull=True)
                        | Q(use_case__isnull=True, version__isnull=False),
                        name="evidence_one_subject",
                    ),
                    models.CheckConstraint(condition=UPLOAD | S3, name="evidence_pinned_by_source"),
                    models.CheckConstraint(condition=Q(size__gte=1, edition__gte=1), name="evidence_not_empty"),
                    models.CheckConstraint(
                        condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                        & Q(withdrawn_by_name="", withdrawal_reason="")
                        | Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by_name="") & ~Q(withdrawal_reason=""),
                        name="evidence_withdrawn_with_reason",
                    ),
                    models.UniqueConstraint(fields=["series", "edition"], name="evidence_edition_once"),
                    models.UniqueConstraint(
                        condition=Q(superseded_at__isnull=True),
                        fields=["series"],
                        name="evidence_one_latest_edition",
                    ),
                    models.UniqueConstraint(
                        condition=~Q(storage_name=""), fields=["storage_name"], name="evidence_one_row_per_file"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            FUNCTIONS
            + audited(TABLE)
            + kept(TABLE)
            + trigger("evidence_pinned", TABLE, "UPDATE", "governance_evidence_pinned")
            + trigger("evidence_edition_follows", TABLE, "INSERT", "governance_evidence_begins")
        ),
    ]
