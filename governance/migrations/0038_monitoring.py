"""Monitoring schedules, their executions and alerts: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0037_reports"), ("registry", "0020_monitoring")]

    operations: ClassVar[list] = []
