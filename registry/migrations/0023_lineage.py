"""Where versions come from, as SageMaker's lineage has it."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0022_endpoint_metrics")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="VersionLineage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("graph", models.JSONField(null=True)),
                ("facts", models.JSONField(default=dict)),
                ("vertex_count", models.PositiveIntegerField(default=0)),
                ("is_cut", models.BooleanField(default=False)),
                ("digest", models.CharField(blank=True, max_length=80)),
                ("problem", models.TextField(blank=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField()),
                ("missing_since", models.DateTimeField(null=True)),
                ("of_modification", models.DateTimeField(null=True)),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=models.PROTECT, related_name="aws_lineage", to="registry.modelversion"
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["tried_at"], name="version_lineage_tried")]},
        ),
    ]
