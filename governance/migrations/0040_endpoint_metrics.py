"""What CloudWatch counts of endpoints: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0039_endpoints"), ("registry", "0022_endpoint_metrics")]

    operations: ClassVar[list] = []
