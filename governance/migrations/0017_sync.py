"""What an outbox message can be about: a version, a group or an account."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("governance", "0016_classifications"), ("registry", "0009_registrations")]

    operations = [
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
