"""Model versions: SageMaker's model packages."""

from __future__ import annotations

from typing import Any

from django.db import models

from portal.core.search import letters_index, words_index

from ..choices import LinkSource, RiskRating, Stage, Status
from ..querysets import ModelVersionQuerySet
from .group import ModelGroup
from .use_case import UseCase
from .user import User


class ModelVersion(models.Model):
    """One ModelPackage as AWS describes it, and where it stands in its lifecycle.

    Known by its ARN together with its creation time: a deleted version's ARN may come back as something else.
    `stage` and `status` are written by the lifecycle service alone; the database refuses the rest. `registered_by` and
    `modified_by` are the people behind AWS's CreatedBy and LastModifiedBy; `changed_by_arn` is the last principal other
    than the portal itself that modified it, for the portal's own writes say nothing of who changed the content.
    """

    arn = models.CharField("ARN", max_length=2048)
    group = models.ForeignKey(ModelGroup, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    description = models.TextField(blank=True)

    aws_status = models.CharField(max_length=20)
    aws_approval_status = models.CharField(max_length=30)
    aws_approval_description = models.TextField(blank=True)
    aws_stage = models.CharField(max_length=63, blank=True)
    aws_stage_status = models.CharField(max_length=63, blank=True)
    aws_created_at = models.DateTimeField()
    aws_modified_at = models.DateTimeField()
    registrant_arn = models.CharField(max_length=2048, blank=True)
    modifier_arn = models.CharField(max_length=2048, blank=True)
    changed_by_arn = models.CharField(max_length=2048, blank=True)

    containers = models.JSONField(default=list)
    metric_sources = models.JSONField(default=dict)
    drift_baselines = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    card = models.JSONField(null=True)
    card_status = models.CharField(max_length=20, blank=True)
    source_uri = models.CharField(max_length=1024, blank=True)
    training_job_arn = models.CharField(max_length=2048, blank=True)
    described = models.JSONField(default=dict)
    content_digest = models.CharField(max_length=80)

    purpose = models.TextField(blank=True)
    owner_name = models.CharField(max_length=200, blank=True)
    line_of_business = models.CharField(max_length=200, blank=True)
    risk_rating = models.CharField(max_length=10, choices=RiskRating.choices(), default=RiskRating.UNKNOWN)
    use_cases = models.ManyToManyField(UseCase, through="VersionUseCase", related_name="versions")

    artifact_url = models.CharField(max_length=1024, blank=True)
    artifact_etag = models.CharField(max_length=128, blank=True)
    hub_artifact_url = models.CharField(max_length=1024, blank=True)
    hub_artifact_sha256 = models.CharField(max_length=64, blank=True)
    hub_artifact_copied_at = models.DateTimeField(null=True)

    registered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    modified_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=20, choices=Stage.choices(), default=Stage.DEVELOPMENT, editable=False)
    status = models.CharField(max_length=20, choices=Status.choices(), default=Status.PENDING, editable=False)
    missing_since = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1, editable=False)
    # What was read last of the MLflow run it comes from; written by the service of runs alone.
    run_reading = models.ForeignKey(
        "RunReading", on_delete=models.PROTECT, null=True, related_name="+", db_index=False, editable=False
    )

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["arn", "aws_created_at"], name="model_version_arn_creation")]
        indexes = [
            models.Index(fields=["stage", "status"]),
            models.Index(fields=["group", "-number"]),
            # The list of versions as it opens, and the figures that count them, without reading the wide rows.
            models.Index(fields=["-aws_created_at", "-id"], name="version_newest"),
            models.Index(fields=["stage", "status", "risk_rating", "group"], name="version_funnel"),
            # The page of last modified, of all, of a group and of those that stand alike.
            models.Index(fields=["-aws_modified_at", "-id"], name="version_last_modified"),
            models.Index(fields=["group", "-aws_modified_at", "-id"], name="version_of_group_modified"),
            models.Index(fields=["stage", "status", "-aws_modified_at", "-id"], name="version_standing_modified"),
            letters_index("model_version_letters", "description"),
            words_index("model_version_words", "description", "purpose", "owner_name"),
        ]

    @property
    def name(self) -> str:
        """The name people use: credit-risk/3."""
        return f"{self.group.name}/{self.number}"

    @property
    def registrant_name(self) -> str:
        """The last part of the registrant's ARN: a user's name, or the name somebody gave his session."""
        return self.registrant_arn.rsplit("/", 1)[-1]

    @property
    def changer_name(self) -> str:
        """The last part of the ARN of who changed it last, as `registrant_name`."""
        return self.changed_by_arn.rsplit("/", 1)[-1]

    @property
    def scope_project_id(self) -> int | None:
        return self.group.project_id

    def card_section(self, name: str) -> dict[str, Any]:
        """Return one section of the model card, empty when there is none."""
        section = (self.card or {}).get(name)
        return section if isinstance(section, dict) else {}

    def __str__(self) -> str:
        return self.name


class VersionUseCase(models.Model):
    """A version serves a use case: named by its card, or inherited from its group."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="use_case_links")
    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="version_links")
    source = models.CharField(max_length=10, choices=LinkSource.choices())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "use_case"], name="version_use_case_once")]

    def __str__(self) -> str:
        return f"{self.version_id} serves {self.use_case_id}"
