"""The roles of people found in accounts."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0025_pipelines")]

    operations: ClassVar[list] = []
