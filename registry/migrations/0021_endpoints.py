"""What serves requests in each account, and with which versions."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0020_monitoring")]

    operations: ClassVar[list] = []
