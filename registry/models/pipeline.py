"""Pipeline executions as AWS tells them, step by step, and the versions they registered."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from portal.core.actors import Actor
from portal.core.permissions import Act, may_anywhere
from portal.core.vocabulary import Word

from ..querysets import seen_versions
from .account import AwsAccount
from .version import ModelVersion

RUNNING = ("Executing", "Stopping")


class RegisteredBy(Word):
    """How it is known that an execution registered a version."""

    STEP = "step"
    GENERATED_BY = "generated_by"


class PipelineExecutionQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Executions that registered a version the actor may see; those who operate see all."""
        condition = seen_versions(actor, "version__")
        if condition is None or may_anywhere(actor, Act.SEE_OPERATIONS):
            return self.all()
        made = PipelineRegistration.objects.filter(condition, execution=OuterRef("pk"))
        return self.filter(Exists(made))

    def unsettled(self) -> Self:
        """Executions of which AWS still has more to tell: under way, or not read to their end."""
        return self.filter(is_settled=False, missing_since=None)


class PipelineRegistrationQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Registrations of the versions the actor may see."""
        condition = seen_versions(actor, "version__")
        return self.all() if condition is None else self.filter(condition)


class PipelineExecution(models.Model):
    """One execution of a SageMaker pipeline; `status` is in AWS's words, `started_by` the principal's ARN.

    `ended_at` is when it changed last, once it is over. `missing_since` says that AWS does not know it any more;
    `problem` what could not be read of it, "" when all could. It is settled when it is over and was read to its end.
    `selected_from` is the execution whose results it took where only some steps were asked for, "" where all were.
    `is_listed` tells that a listing of its pipeline had it, so that the next one begins behind it.
    """

    arn = models.CharField("ARN", max_length=2048, unique=True)
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=30)
    pipeline = models.CharField(max_length=256)
    display_name = models.CharField(max_length=256, blank=True)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=30)
    failure_reason = models.TextField(blank=True)
    started_by = models.CharField(max_length=2048, blank=True)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)
    selected_from = models.CharField(max_length=2048, blank=True)
    is_settled = models.BooleanField(default=False)
    is_listed = models.BooleanField(default=False)
    versions = models.ManyToManyField(ModelVersion, through="PipelineRegistration", related_name="pipeline_executions")

    objects = PipelineExecutionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "region", "pipeline", "-begun_at"], name="pipeline_execution_newest"),
            models.Index(fields=["read_at"], condition=Q(is_settled=False), name="pipeline_execution_unsettled"),
        ]

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING and self.missing_since is None

    @property
    def scope_project_id(self) -> int | None:
        """Executions belong to an account, not to a project; the versions they made do."""
        return None

    def __str__(self) -> str:
        return f"{self.pipeline}: {self.display_name or self.arn.rsplit('/', 1)[-1]}"


class PipelineStep(models.Model):
    """One step of an execution that has begun; it is written again as long as the execution runs.

    `kind` is the type of the pipeline's definition (Training, ClarifyCheck). `check_details` holds what a check tells:
    its type, the baseline it used and the one it calculated, the address of its violation report. `violations` is what
    that report says, one object each with `feature`, `check` and `description`; null as long as it was not read, and
    `report_problem` says why where it could not be, `evidence_problem` why a report is no evidence of the version.
    `result` is what the check itself calculated, `rows` of `what`, `value` and `note`, with `left_out`; null as long as
    it was not read, and `result_problem` says why where it could not be.
    """

    execution = models.ForeignKey(PipelineExecution, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=256)
    display_name = models.CharField(max_length=256, blank=True)
    kind = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=20)
    failure_reason = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(null=True)
    cached_from = models.CharField(max_length=2048, blank=True)
    outcome = models.CharField(max_length=10, blank=True)
    resource_arn = models.CharField("resource ARN", max_length=2048, blank=True)
    registered_arn = models.CharField("registered ARN", max_length=2048, blank=True)
    check_details = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    violations = models.JSONField(null=True)
    violations_left_out = models.PositiveIntegerField(default=0)
    report_problem = models.TextField(blank=True)
    report_etag = models.CharField("report ETag", max_length=128, blank=True)
    report_read_at = models.DateTimeField(null=True)
    evidence_problem = models.TextField(blank=True)
    result = models.JSONField(null=True)
    result_problem = models.TextField(blank=True)
    result_read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "name"], name="pipeline_step_once")]
        ordering = ("position", "pk")

    @property
    def is_check(self) -> bool:
        return self.kind in ("QualityCheck", "ClarifyCheck")

    @property
    def result_address(self) -> str:
        """The address of what the check calculated, "" when it names nothing or was told to compare nothing."""
        told = self.check_details
        found = told.get("CalculatedBaselineStatistics") or told.get("CalculatedBaselineConstraints")
        return found if isinstance(found, str) and not told.get("SkipCheck") else ""

    @property
    def violation_report(self) -> str:
        """The address of the check's violation report, "" when it names none."""
        return str(self.check_details.get("ViolationReport") or "")

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"


class PipelineRegistration(models.Model):
    """An execution registered a version: by a step that names it, or as the version's own metadata say."""

    execution = models.ForeignKey(PipelineExecution, on_delete=models.PROTECT, related_name="registrations")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="pipeline_registrations")
    source = models.CharField(max_length=20, choices=RegisteredBy.choices())
    found_at = models.DateTimeField(auto_now_add=True)

    objects = PipelineRegistrationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "version"], name="pipeline_registration_once")]

    @property
    def scope_project_id(self) -> int | None:
        return self.version.scope_project_id

    def __str__(self) -> str:
        return f"{self.execution_id} registered {self.version_id}"
