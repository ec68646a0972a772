"""Model Monitor as it was read: schedules, the series of their executions, alerts, and constraint files."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat

from portal.core.actors import Actor

from ..choices import MonitorType
from ..querysets import OperationsQuerySet, seen_versions, sees_operations
from .account import AwsAccount
from .deployment import Deployment
from .endpoint import EndpointVariant


def _watching_what_is_seen(schedules: Any, actor: Actor) -> Any:
    """Keep the schedules of an endpoint that a version the actor sees was deployed on, or is seen to serve from."""
    # A deployment was reported with the endpoint's name or with its ARN, in which AWS writes the name small.
    named = Q(endpoint__iexact=OuterRef("endpoint")) | Q(
        endpoint__iendswith=Concat(Value(":endpoint/"), OuterRef("endpoint"))
    )
    reported = Deployment.objects.filter(
        named, seen_versions(actor, "version__") or Q(), account=OuterRef("account"), region=OuterRef("region")
    )
    shown = EndpointVariant.objects.filter(
        seen_versions(actor, "version__") or Q(),
        version__isnull=False,
        endpoint__account=OuterRef("account"),
        endpoint__region=OuterRef("region"),
        endpoint__name__iexact=OuterRef("endpoint"),
    )
    return schedules.exclude(endpoint="").filter(Exists(reported) | Exists(shown))


class MonitoringScheduleQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the accounts one sees, or of an endpoint that a version one sees runs on."""
        return self.all() if sees_operations(actor) else _watching_what_is_seen(self, actor)


class MonitoringPartQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Executions and alerts: as visible as their schedule."""
        if sees_operations(actor):
            return self.all()
        return self.filter(schedule__in=MonitoringSchedule.objects.visible_to(actor).values("pk"))


class MonitoringSchedule(models.Model):
    """One monitoring schedule of an account and region, as AWS describes it.

    `expression` is AWS's (cron or NOW), `endpoint` a name ("" where batch transforms are watched). `constraints_url`
    and `statistics_url` are the baseline in S3. Every change of an execution until `read_until` was taken in, None
    before a listing of them was complete. One that a complete listing no longer has is kept, with `missing_since`.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="monitoring_schedules")
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=63)
    arn = models.CharField("ARN", max_length=2048)
    monitor_type = models.CharField(max_length=20, choices=MonitorType.choices(), blank=True)
    endpoint = models.CharField(max_length=63, blank=True)
    status = models.CharField(max_length=20)
    failure_reason = models.TextField(blank=True)
    expression = models.CharField(max_length=256, blank=True)
    definition_name = models.CharField(max_length=63, blank=True)
    constraints_url = models.CharField(max_length=1024, blank=True)
    statistics_url = models.CharField(max_length=1024, blank=True)
    output_url = models.CharField(max_length=1024, blank=True)
    problem = models.TextField(blank=True)
    aws_created_at = models.DateTimeField(null=True)
    aws_modified_at = models.DateTimeField(null=True)
    read_until = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True, blank=True)

    objects = MonitoringScheduleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "region", "name"], name="monitoring_schedule_once_per_region")
        ]
        indexes = [models.Index(fields=["account", "region", "endpoint"], name="monitoring_of_endpoint")]

    def __str__(self) -> str:
        return self.name


class MonitoringExecution(models.Model):
    """One execution of a schedule and what it found.

    `violations` are as the report lists them, at most a few hundred; `violation_count` counts all of them, and is None
    while it is not known: a run that failed or goes on, or a report that could not be read, of which `report_problem`
    and `report_sentence` tell. `metrics` are a model quality run's numbers by name, None where there are none.
    """

    schedule = models.ForeignKey(MonitoringSchedule, on_delete=models.PROTECT, related_name="executions")
    scheduled_at = models.DateTimeField()
    status = models.CharField(max_length=30)
    failure_reason = models.TextField(blank=True)
    endpoint = models.CharField(max_length=63, blank=True)
    processing_job_arn = models.CharField("processing job ARN", max_length=2048, blank=True)
    output_url = models.CharField(max_length=1024, blank=True)
    violations = models.JSONField(default=list)
    violation_count = models.PositiveIntegerField(null=True)
    metrics = models.JSONField(null=True)
    report_problem = models.CharField(max_length=20, blank=True)
    report_sentence = models.TextField(blank=True)
    aws_created_at = models.DateTimeField(null=True)
    aws_modified_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    objects = MonitoringPartQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "scheduled_at"], name="monitoring_execution_once")]

    def __str__(self) -> str:
        return f"{self.schedule} at {self.scheduled_at:%Y-%m-%d %H:%M}"


class MonitoringAlert(models.Model):
    """One alert of a schedule: InAlert when `datapoints` of the last `period` executions had violations.

    `history` are its newest changes as AWS lists them, newest first: `at` in ISO, `status`.
    """

    schedule = models.ForeignKey(MonitoringSchedule, on_delete=models.PROTECT, related_name="alerts")
    name = models.CharField(max_length=63)
    status = models.CharField(max_length=20)
    datapoints = models.PositiveSmallIntegerField(null=True)
    period = models.PositiveSmallIntegerField(null=True)
    history = models.JSONField(default=list)
    aws_created_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True, blank=True)

    objects = MonitoringPartQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "name"], name="monitoring_alert_once")]

    def __str__(self) -> str:
        return self.name


class MonitoringConstraints(models.Model):
    """One constraints.json as an account last read it: what a schedule compares with, or a version was approved with.

    `limits` are its statements by what they are about, None while the file could not be read: then `problem` names why
    and `sentence` says it for people.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=1024)
    limits = models.JSONField(null=True)
    problem = models.CharField(max_length=20, blank=True)
    sentence = models.TextField(blank=True)
    etag = models.CharField(max_length=128, blank=True)
    read_at = models.DateTimeField()

    objects = OperationsQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="monitoring_constraints_once")]

    def __str__(self) -> str:
        return self.address
