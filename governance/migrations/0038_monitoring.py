"""Monitoring schedules, their executions and alerts: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from ._audited import audited, kept

# Executions and constraint files are exempt: a schedule has one an hour, and they are what AWS and S3 say. What is kept
# is not removed, but for executions that are older than the services keep them: what they measured stays reported.
GUARDS = (
    audited("registry_monitoringschedule", quiet="read_at,read_until")
    + kept("registry_monitoringschedule")
    + audited("registry_monitoringalert", quiet="read_at")
    + kept("registry_monitoringalert")
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0037_reports"), ("registry", "0020_monitoring")]

    operations: ClassVar[list] = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
