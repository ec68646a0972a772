"""The pipeline runs that produced versions."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0024_training")]

    operations: ClassVar[list] = []
