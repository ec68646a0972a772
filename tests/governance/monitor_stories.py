"""How findings about monitoring come about and go away: what is read of schedules, and what runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.core.vocabulary import Stage
from registry.choices import DeploymentState
from registry.models import AwsAccount, Deployment, MonitoringExecution, MonitoringSchedule
from tests.factories.records import card

from .finding_stories import OfVersion

ENDPOINT = "credit-risk"


class OfMonitor(OfVersion):
    """One about a version in production in the hub, at an endpoint."""

    account: AwsAccount

    def deploy(self) -> None:
        """Have the version reported in place in production."""
        self.begin(card_content=card(risk="High"))
        self.account = AwsAccount.objects.get(account_id="111111111111")
        Deployment.objects.create(
            version=self.version,
            account=self.account,
            region=self.account.region,
            stage=Stage.PRODUCTION,
            state=DeploymentState.DEPLOYED,
            endpoint=ENDPOINT,
        )

    def schedule(self, name: str, endpoint: str = ENDPOINT, **values: Any) -> MonitoringSchedule:
        """Have a schedule on an endpoint, as the last pass read it."""
        return MonitoringSchedule.objects.create(
            account=self.account,
            region=self.account.region,
            name=name,
            arn=f"arn:aws:sagemaker:{self.account.region}:111111111111:monitoring-schedule/{name}",
            endpoint=endpoint,
            read_at=timezone.now(),
            **{"monitor_type": "DataQuality", "status": "Scheduled", **values},
        )


class MonitorMissing(OfMonitor):
    def cause(self) -> None:
        self.deploy()
        self.schedule("elsewhere", "another-endpoint")

    def change(self) -> None:
        self.schedule("stopped", status="Stopped")

    def mend(self) -> None:
        self.schedule("hourly")


class MonitorViolations(OfMonitor):
    def cause(self) -> None:
        self.deploy()
        self.watching = self.schedule("hourly")
        self.ran("CompletedWithViolations", ["age"])

    def change(self) -> None:
        self.ran("CompletedWithViolations", ["age", "income"])

    def mend(self) -> None:
        self.ran("Completed", [])

    def ran(self, status: str, subjects: list[str]) -> None:
        """Have the schedule run once more."""
        at = timezone.now() + timedelta(hours=self.watching.executions.count())
        MonitoringExecution.objects.create(
            schedule=self.watching,
            scheduled_at=at,
            status=status,
            violations=[{"subject": name, "check": "data_type_check", "description": "no"} for name in subjects],
            violation_count=len(subjects),
            read_at=at,
        )
