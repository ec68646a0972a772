"""Where versions come from, as SageMaker's lineage has it: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0040_endpoint_metrics"), ("registry", "0023_lineage")]

    operations: ClassVar[list] = []
