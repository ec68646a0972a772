"""Monitoring schedules, their executions and alerts."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0019_reports")]

    operations: ClassVar[list] = []
