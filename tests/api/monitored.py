"""A monitoring schedule of the world: on an endpoint that nothing of the project runs on."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.core.operations import operation
from registry.models import (
    AwsAccount,
    MonitoringAlert,
    MonitoringConstraints,
    MonitoringExecution,
    MonitoringSchedule,
)
from tests.factories.people import SYSTEM


def monitored() -> MonitoringSchedule:
    """Return a schedule that ran once, found something, and raised its alert."""
    now, hub = timezone.now(), AwsAccount.objects.get(account_id="111111111111")
    address = "s3://hub/monitor/constraints.json"
    with operation(SYSTEM):
        MonitoringConstraints.objects.create(
            account=hub, address=address, limits={"features / age / completeness": 1.0}, read_at=now
        )
        schedule = MonitoringSchedule.objects.create(
            account=hub,
            region="us-east-1",
            name="hourly",
            arn="arn:aws:sagemaker:us-east-1:111111111111:monitoring-schedule/hourly",
            monitor_type="DataQuality",
            endpoint="of-nobody",
            status="Scheduled",
            expression="cron(0 * ? * * *)",
            constraints_url=address,
            read_at=now,
        )
        MonitoringExecution.objects.create(
            schedule=schedule,
            scheduled_at=now - timedelta(hours=1),
            status="CompletedWithViolations",
            violations=[{"subject": "age", "check": "data_type_check", "description": "Value: 0.4 does not"}],
            violation_count=1,
            metrics={"rmse": 0.5, "r2": None},
            read_at=now,
        )
        MonitoringAlert.objects.create(
            schedule=schedule,
            name="hourly-alert",
            status="InAlert",
            datapoints=1,
            period=1,
            history=[{"at": now.isoformat(), "status": "InAlert"}],
            read_at=now,
        )
    return schedule
