"""How versions were trained: the job, what it began with, who labeled its data."""

from __future__ import annotations

from django.db import models

from ..choices import TrainingSource
from ..querysets import LabelingJobQuerySet, TrainingProvenanceQuerySet
from .account import AwsAccount
from .version import ModelVersion


class LabelingJob(models.Model):
    """One Ground Truth labeling job of an account; counts are null where AWS does not say.

    Source: ListLabelingJobs; `task` and `workers` of DescribeLabelingJob, once a version's data comes from it.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="labeling_jobs")
    region = models.CharField(max_length=30)
    arn = models.CharField("ARN", max_length=2048, unique=True)
    name = models.CharField(max_length=63)
    status = models.CharField(max_length=20, blank=True)
    failure = models.TextField(blank=True)
    output = models.CharField(max_length=1024, blank=True)
    input = models.CharField(max_length=1024, blank=True)
    workteam_arn = models.CharField(max_length=2048, blank=True)
    task = models.CharField(max_length=200, blank=True)
    workers = models.PositiveIntegerField(null=True)
    total = models.PositiveIntegerField(null=True)
    human = models.PositiveIntegerField(null=True)
    machine = models.PositiveIntegerField(null=True)
    failed = models.PositiveIntegerField(null=True)
    unlabeled = models.PositiveIntegerField(null=True)
    aws_created_at = models.DateTimeField(null=True)
    aws_modified_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    objects = LabelingJobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["output"], name="labeling_job_output"),
            models.Index(fields=["account", "region", "-aws_modified_at"], name="labeling_job_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class TrainingProvenance(models.Model):
    """The training job of a version as it was read last, and what that job began with; one row for each version.

    `source` says how the job was found, "" while none was. Null is what AWS did not say, never "off": the flags say
    false only where SageMaker does. `metrics` are the job's own final metrics, as {"name", "value", "at"}; `inputs`
    its channels. `hub` and `automl` are null where the model has no such origin. A reading that failed leaves all
    that and sets `problem`; `looked_in` are the accounts and regions that were asked and know no job.
    """

    version = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, related_name="training")
    source = models.CharField(max_length=10, choices=TrainingSource.choices(), blank=True)
    job_arn = models.CharField("training job ARN", max_length=2048, blank=True)
    job_name = models.CharField(max_length=63, blank=True)
    account_id_copy = models.CharField("account", max_length=12, blank=True)
    region = models.CharField(max_length=30, blank=True)
    status = models.CharField(max_length=20, blank=True)
    secondary_status = models.CharField(max_length=40, blank=True)
    failure = models.TextField(blank=True)
    created_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    training_seconds = models.PositiveIntegerField(null=True)
    billable_seconds = models.PositiveIntegerField(null=True)
    image = models.CharField(max_length=1024, blank=True)
    algorithm = models.CharField(max_length=100, blank=True)
    role_arn = models.CharField(max_length=2048, blank=True)
    instance_type = models.CharField(max_length=40, blank=True)
    instance_count = models.PositiveIntegerField(null=True)
    hyperparameters = models.JSONField(default=dict)
    metrics = models.JSONField(default=list)
    inputs = models.JSONField(default=list)
    artifact = models.CharField(max_length=1024, blank=True)
    network_isolation = models.BooleanField(null=True)
    traffic_encryption = models.BooleanField(null=True)
    spot = models.BooleanField(null=True)
    volume_key = models.CharField(max_length=2048, blank=True)
    output_key = models.CharField(max_length=2048, blank=True)
    vpc = models.JSONField(null=True)
    hub = models.JSONField(null=True)
    licence = models.CharField(max_length=500, blank=True)
    eula_accepted = models.BooleanField(null=True)
    automl = models.JSONField(null=True)
    labeling = models.ForeignKey(LabelingJob, on_delete=models.PROTECT, null=True, related_name="trainings")
    problem = models.TextField(blank=True)
    looked_in = models.JSONField(default=list)
    of_digest = models.CharField(max_length=80, blank=True)
    read_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField()

    objects = TrainingProvenanceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["tried_at"], name="training_tried")]

    @property
    def is_settled(self) -> bool:
        """Whether nothing of the job changes any more."""
        return self.status in ("Completed", "Failed", "Stopped")

    def __str__(self) -> str:
        return f"training of version {self.version_id}"
