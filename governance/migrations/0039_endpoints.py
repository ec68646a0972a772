"""What serves requests in each account, and with which versions: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0038_monitoring"), ("registry", "0021_endpoints")]

    operations: ClassVar[list] = []
