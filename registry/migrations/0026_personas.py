"""The roles of people found in accounts."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_PERSONAS = [
    ("data_scientist", "Data scientist"),
    ("ml_engineer", "ML engineer"),
    ("governance_officer", "Governance officer"),
    ("compute", "SageMaker compute role"),
]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0025_pipelines")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="AccountRole",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("arn", models.CharField(max_length=2048, unique=True, verbose_name="ARN")),
                ("name", models.CharField(max_length=64)),
                ("description", models.TextField(blank=True)),
                ("aws_created_at", models.DateTimeField(null=True)),
                ("trust", models.JSONField(default=dict)),
                ("policies", models.JSONField(null=True)),
                ("boundary", models.JSONField(null=True)),
                ("problem", models.TextField(blank=True)),
                ("missing_since", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField()),
                ("persona", models.CharField(blank=True, choices=_PERSONAS, max_length=20)),
                ("linked_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="roles", to="registry.awsaccount"
                    ),
                ),
                (
                    "linked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "role",
                "indexes": [models.Index(fields=["account", "name"], name="account_role_by_name")],
            },
        ),
    ]
