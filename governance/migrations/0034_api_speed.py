"""What makes decisions, registrations and the gate quick."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0033_tracking"), ("registry", "0016_api_indexes")]

    operations: ClassVar[list] = []
