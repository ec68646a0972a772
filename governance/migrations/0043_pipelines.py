"""The pipeline runs that produced versions: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0042_training"), ("registry", "0025_pipelines")]

    operations: ClassVar[list] = []
