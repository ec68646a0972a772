"""What the portal's role may do in each region of an account."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_registry_events")]

    operations = [
        migrations.CreateModel(
            name="AccountPreflight",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("region", models.CharField(max_length=30)),
                (
                    "method",
                    models.CharField(
                        choices=[("simulated", "Simulated"), ("probed", "Probed"), ("failed", "Failed")], max_length=10
                    ),
                ),
                ("results", models.JSONField(default=list)),
                ("error", models.TextField(blank=True)),
                ("checked_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="preflights",
                        to="registry.awsaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["region"],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "region"), name="preflight_once_per_region")
                ],
            },
        ),
    ]
