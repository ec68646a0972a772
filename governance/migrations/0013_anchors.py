"""Anchors of the audit trail and checks of it; the guards read the tables they mean, whatever a session prefers.

The ledger joins the trail here, so that anchors cover it too. Without a fixed search path a trigger function looks for
its tables where the session tells it to, and a session's temporary tables come first: a temporary lifecycle table would
have allowed any move.
"""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from ._audited import FIXED_PATH, append_only, audited, kept

# The digest reads nothing: marked so, the check of a long trail is shared between processes.
PARALLEL = """
ALTER FUNCTION governance_audit_digest(bytea, text, timestamptz, bigint, text, text, text, text, text, text, text, jsonb)
  PARALLEL SAFE;
"""

SCOPES = [("all", "The whole trail"), ("recent", "What is new")]
STATES = [
    ("waiting", "Waiting"),
    ("running", "Running"),
    ("sound", "Sound"),
    ("broken", "Broken"),
    ("failed", "Failed"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0012_signing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditAnchor",
            fields=[
                ("number", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("first_sequence", models.BigIntegerField()),
                ("last_sequence", models.BigIntegerField()),
                ("rows", models.BigIntegerField(verbose_name="entries it covers")),
                ("chains", models.BigIntegerField(verbose_name="chains that begin in it")),
                ("total_rows", models.BigIntegerField(verbose_name="entries up to its end")),
                ("total_chains", models.BigIntegerField(verbose_name="chains up to its end")),
                ("digest", models.CharField(max_length=64)),
                ("file_sha256", models.CharField(max_length=64, verbose_name="SHA-256 of its file")),
                ("signed_at", models.DateTimeField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="auditanchor",
            constraint=models.CheckConstraint(
                name="audit_anchor_counts",
                condition=Q(number__gte=1, rows__gte=1, chains__gte=0, total_rows__gte=F("rows"))
                & Q(total_chains__gte=F("chains"), first_sequence__lte=F("last_sequence")),
            ),
        ),
        migrations.CreateModel(
            name="AuditCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(choices=SCOPES, max_length=10)),
                ("state", models.CharField(choices=STATES, default="waiting", max_length=10)),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("since", models.PositiveBigIntegerField(null=True, verbose_name="begins behind anchor")),
                ("rows_to_check", models.BigIntegerField(null=True, verbose_name="entries to check")),
                ("rows", models.BigIntegerField(default=0, verbose_name="entries checked")),
                ("verified_to", models.BigIntegerField(null=True, verbose_name="last entry checked")),
                ("anchor", models.PositiveBigIntegerField(null=True, verbose_name="newest anchor checked")),
                ("first_bad_sequence", models.BigIntegerField(null=True, verbose_name="first bad entry")),
                ("first_bad_anchor", models.PositiveBigIntegerField(null=True, verbose_name="first bad anchor")),
                ("problem", models.TextField(blank=True)),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="auditcheck",
            constraint=models.UniqueConstraint(
                fields=["scope"],
                condition=Q(state__in=["waiting", "running"]),
                name="audit_check_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="auditcheck",
            constraint=models.CheckConstraint(
                name="audit_check_ends_with_a_time",
                condition=Q(state__in=["waiting", "running"], finished_at=None)
                | Q(state__in=["sound", "broken", "failed"]) & Q(finished_at__isnull=False),
            ),
        ),
        migrations.RunSQL(audited("governance_auditanchor", key="number") + append_only("governance_auditanchor")),
        migrations.RunSQL(audited("governance_auditcheck", quiet="rows,rows_to_check") + kept("governance_auditcheck")),
        migrations.RunSQL(audited("governance_stageevent")),
        migrations.RunSQL(PARALLEL + FIXED_PATH),
    ]
