"""What a pass over an account may look at."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0016_api_indexes")]

    operations: ClassVar[list] = [
        migrations.AlterField(
            model_name="syncrun",
            name="kind",
            field=models.CharField(
                choices=[
                    ("full", "Full"),
                    ("incremental", "Incremental"),
                    ("events", "Events"),
                    ("shares", "Shares"),
                    ("cards", "Cards"),
                    ("reports", "Reports"),
                    ("monitors", "Monitors"),
                    ("endpoints", "Endpoints"),
                    ("endpoint_metrics", "Endpoint metrics"),
                    ("lineage", "Lineage"),
                    ("training", "Training"),
                    ("pipelines", "Pipelines"),
                    ("personas", "Personas"),
                ],
                max_length=20,
            ),
        ),
    ]
