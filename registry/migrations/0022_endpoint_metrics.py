"""What CloudWatch counts of endpoints."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0021_endpoints")]

    operations: ClassVar[list] = []
