"""The stage ledger: where everything stands, and every move that led there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry.models import AwsAccount, Deployment, ModelVersion, UseCase
from registry.models.attribute import value_index

from ..choices import MetricKind, Stage, Status, SubjectKind
from ..querysets import StageRecordQuerySet, SubjectQuerySet, UseCaseStageRecordQuerySet


class LifecycleEdge(models.Model):
    """The lifecycle table mirrored for the guard triggers; `governance.lifecycle.EDGES` is the original."""

    machine = models.CharField(max_length=30)
    verb = models.CharField(max_length=30)
    source = models.CharField(max_length=50, blank=True)
    target = models.CharField(max_length=50)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["machine", "verb", "source", "target"], name="lifecycle_edge_once")
        ]

    def __str__(self) -> str:
        return f"{self.machine}: {self.source or 'new'} -{self.verb}-> {self.target}"


class StageRecord(models.Model):
    """One row per model version and stage, and per account where the stage runs in several.

    Absent metrics are NULL: not reported is never zero. `approved_digest` is the digest the standing approval was
    given for; `outdated_at` says since when the subject is something else than that.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20, choices=Stage.choices())
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=20, choices=Status.choices(), default=Status.PENDING)
    validation_metrics = models.JSONField(null=True)
    validation_source = models.CharField(max_length=500, blank=True)
    validation_captured_at = models.DateTimeField(null=True)
    monitoring_metrics = models.JSONField(null=True)
    monitoring_endpoint = models.CharField(max_length=2048, blank=True)
    monitoring_captured_at = models.DateTimeField(null=True)
    approved_digest = models.CharField(max_length=80, blank=True)
    outdated_at = models.DateTimeField(null=True, blank=True)
    # Values of custom attributes by their keys; what is not set is not there.
    attributes = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    audit_at = models.DateTimeField()
    audit_user = models.CharField(max_length=200)
    revision = models.PositiveIntegerField(default=1)

    objects = StageRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "stage", "account"], name="stage_record_once", nulls_distinct=False
            )
        ]
        indexes = [
            models.Index(fields=["stage", "status"]),
            value_index("stage_record_attributes"),
            # What speaks for a deployment is looked up for each of them.
            models.Index(fields=["version", "stage", "account"], include=["status"], name="stage_record_speaks"),
        ]

    @property
    def scope_project_id(self) -> int | None:
        return self.version.scope_project_id

    def __str__(self) -> str:
        return f"{self.version} at {self.stage}: {self.status}"


class UseCaseStageRecord(models.Model):
    """One row per use case and stage."""

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20, choices=Stage.choices())
    status = models.CharField(max_length=20, choices=Status.choices(), default=Status.PENDING)
    approved_digest = models.CharField(max_length=80, blank=True)
    outdated_at = models.DateTimeField(null=True, blank=True)
    audit_at = models.DateTimeField()
    audit_user = models.CharField(max_length=200)
    revision = models.PositiveIntegerField(default=1)

    objects = UseCaseStageRecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["use_case", "stage"], name="use_case_stage_record_once")]

    @property
    def scope_project_id(self) -> int | None:
        return self.use_case.scope_project_id

    def __str__(self) -> str:
        return f"{self.use_case} at {self.stage}: {self.status}"


class StageEvent(models.Model):
    """One move, written once and never changed: the ledger every position must agree with.

    `stage` and `status` are those of the record that moved; `position_*` is where the subject stands afterwards.
    Names are copied, so the ledger outlives its people and objects.
    """

    kind = models.CharField(max_length=20, choices=SubjectKind.choices())
    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    record_id_copy = models.BigIntegerField("record")
    verb = models.CharField(max_length=30)
    stage = models.CharField(max_length=20, choices=Stage.choices())
    from_status = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices())
    position_stage = models.CharField(max_length=20, choices=Stage.choices())
    position_status = models.CharField(max_length=20, choices=Status.choices())
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, null=True, related_name="+")
    request_id_copy = models.BigIntegerField("approval request", null=True)
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    correlation = models.CharField(max_length=64)
    at = models.DateTimeField()

    objects = SubjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="stage_event_one_subject",
                condition=Q(kind=SubjectKind.USE_CASE, use_case__isnull=False, version__isnull=True)
                | Q(kind=SubjectKind.MODEL_VERSION, use_case__isnull=True, version__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["version", "-id"], condition=Q(version__isnull=False), name="stage_event_version"),
            models.Index(fields=["use_case", "-id"], condition=Q(use_case__isnull=False), name="stage_event_use_case"),
            models.Index(fields=["kind", "record_id_copy", "-id"], name="stage_event_record"),
            models.Index(fields=["at"], name="stage_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} at {self.stage}: {self.status}"


class MetricReport(models.Model):
    """One report of metrics as it came in; the newest is also on the stage record."""

    record = models.ForeignKey(StageRecord, on_delete=models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=20, choices=MetricKind.choices())
    metrics = models.JSONField()
    source = models.CharField(max_length=500, blank=True)
    endpoint = models.CharField(max_length=2048, blank=True)
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, null=True, related_name="+")
    captured_at = models.DateTimeField()
    reported_by = models.CharField(max_length=200)
    reported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["record", "kind", "-captured_at"])]

    def __str__(self) -> str:
        return f"{self.kind} metrics of {self.record_id}"
