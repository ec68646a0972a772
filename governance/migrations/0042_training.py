"""The jobs and data that versions were made from: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0041_lineage"), ("registry", "0024_training")]

    operations: ClassVar[list] = []
