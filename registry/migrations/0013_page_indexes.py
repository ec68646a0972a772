"""Indexes for lists and figures of many versions and passes."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0012_search")]

    operations: ClassVar[list] = [
        migrations.AddIndex(
            model_name="modelversion",
            index=models.Index(fields=["-aws_created_at", "-id"], name="version_newest"),
        ),
        migrations.AddIndex(
            model_name="modelversion",
            index=models.Index(fields=["stage", "status", "risk_rating", "group"], name="version_funnel"),
        ),
        migrations.AddIndex(
            model_name="modelversion",
            index=GinIndex(OpClass(Upper("description"), name="gin_trgm_ops"), name="model_version_letters"),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["-started_at", "-id"], name="sync_run_list"),
        ),
    ]
