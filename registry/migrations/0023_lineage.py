"""Where versions come from, as SageMaker's lineage has it."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0022_endpoint_metrics")]

    operations: ClassVar[list] = []
