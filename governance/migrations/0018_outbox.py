"""What a message awaits and keeps between attempts, the lane it is carried in, and the word that took its place."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import governance.choices

from ._audited import audited

# How far a multi-step message has come changes often and is told by its states; the lane follows from its subject.
RECREATED = f"""
DROP TRIGGER audit ON governance_outboxmessage;
DROP TRIGGER IF EXISTS not_truncated ON governance_outboxmessage;
{audited("governance_outboxmessage", quiet="progress,lane,in_doubt")}
"""
LANES = """
UPDATE governance_outboxmessage
   SET lane = coalesce(payload ->> 'target_account_id', payload ->> 'account_id', '')
              || CASE WHEN kind = 'artifact_copy' THEN ':slow' ELSE '' END
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0017_sync"), ("registry", "0009_registrations")]

    operations = [
        migrations.AddField(
            model_name="outboxmessage",
            name="ended_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="in_doubt",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="lane",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="note",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="progress",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="superseded_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="supersedes",
                to="governance.outboxmessage",
            ),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="waiting_for",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="waiting_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="outboxmessage",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("delivered", "Delivered"),
                    ("failed", "Failed"),
                    ("superseded", "Superseded"),
                ],
                default=governance.choices.OutboxState["PENDING"],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="outboxmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "superseded"), _negated=True)
                | (
                    models.Q(("superseded_by", None), _negated=True)
                    & models.Q(("kind__in", ["write_back", "deployment_order"]))
                ),
                name="outbox_superseded_by_a_word",
            ),
        ),
        migrations.RunSQL(RECREATED, migrations.RunSQL.noop),
        migrations.RunSQL(LANES, migrations.RunSQL.noop),
    ]
