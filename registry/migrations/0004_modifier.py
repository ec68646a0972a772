"""Who last changed a version in AWS, and deployments that were taken down."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from registry.choices import DeploymentState


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_custom_attributes")]

    operations = [
        migrations.AddField(
            "modelversion",
            "modified_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("modelversion", "changed_by_arn", models.CharField(blank=True, max_length=2048)),
        migrations.AlterField(
            "deployment", "state", models.CharField(choices=DeploymentState.choices(), default="ordered", max_length=20)
        ),
    ]
