"""Indexes for the lists that pipelines ask."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0015_tracking")]

    operations: ClassVar[list] = [
        migrations.AddIndex(
            model_name="modelversion",
            index=models.Index(fields=["-aws_modified_at", "-id"], name="version_last_modified"),
        ),
        migrations.AddIndex(
            model_name="modelversion",
            index=models.Index(fields=["group", "-aws_modified_at", "-id"], name="version_of_group_modified"),
        ),
        migrations.AddIndex(
            model_name="modelversion",
            index=models.Index(fields=["stage", "status", "-aws_modified_at", "-id"], name="version_standing_modified"),
        ),
    ]
