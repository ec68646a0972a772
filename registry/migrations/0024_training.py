"""The jobs and data that versions were made from."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0023_lineage")]

    operations: ClassVar[list] = []
