"""The past, as functions of the database answer it for one moment; nobody writes here (see migration 0014)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ..querysets import PastStageRowQuerySet, PastUseCaseQuerySet, PastVersionQuerySet


class PastStageRow(models.Model):
    """One row of the stage governance table as of a moment; `id` is the record's, shown once per use case.

    `row_key` tells the rows of one record apart: the number of the use case, 0 without one. `risks` are the number and
    class of every use case the version served then, whichever of them the row is about.
    """

    id = models.BigIntegerField(primary_key=True)
    row_key = models.IntegerField()
    version_id = models.BigIntegerField()
    group_id = models.BigIntegerField()
    use_case_number = models.IntegerField(null=True)
    use_case_name = models.TextField(null=True)  # noqa: DJ001 - no use case is NULL, as in the table of today
    use_case_stage = models.TextField(null=True)  # noqa: DJ001 - as the name
    model_group = models.TextField()
    model_version = models.IntegerField()
    model_owner = models.TextField(null=True)  # noqa: DJ001 - nobody is NULL
    model_lob = models.TextField(null=True)  # noqa: DJ001 - none is NULL
    model_project = models.TextField(null=True)  # noqa: DJ001 - not claimed is NULL
    model_stage = models.TextField()
    model_status = models.TextField()
    model_risk = models.TextField()
    validation_metrics = models.JSONField(null=True)
    monitoring_metrics = models.JSONField(null=True)
    monitoring_endpoint = models.TextField()
    monitoring_captured_at = models.DateTimeField(null=True)
    outdated_at = models.DateTimeField(null=True)
    audit_at = models.DateTimeField()
    audit_user = models.TextField()
    arn = models.TextField()
    artifact_url = models.TextField()
    hub_artifact_url = models.TextField()
    account_id = models.TextField(null=True)  # noqa: DJ001 - no account is NULL
    account_alias = models.TextField(null=True)  # noqa: DJ001 - no account is NULL
    attributes = models.JSONField()
    risks = models.JSONField(null=True)

    objects = PastStageRowQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "governance_stage_table_as_of"

    def __str__(self) -> str:
        return f"{self.model_group}/{self.model_version} at {self.model_stage}: {self.model_status}"


class PastVersion(models.Model):
    """A model version as of a moment: where it stood, whose it was, what it served."""

    id = models.BigIntegerField(primary_key=True)
    arn = models.TextField()
    group_id = models.BigIntegerField()
    group = models.TextField()
    number = models.IntegerField()
    project = models.TextField(null=True)  # noqa: DJ001 - not claimed is NULL
    owner = models.TextField(null=True)  # noqa: DJ001 - nobody is NULL
    line_of_business = models.TextField(null=True)  # noqa: DJ001 - none is NULL
    stage = models.TextField()
    status = models.TextField()
    risk = models.TextField()
    artifact_url = models.TextField()
    hub_artifact_url = models.TextField()
    use_cases = ArrayField(models.IntegerField())

    objects = PastVersionQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "governance_versions_as_of"

    @property
    def name(self) -> str:
        """The name people used: credit-risk/3."""
        return f"{self.group}/{self.number}"

    def __str__(self) -> str:
        return self.name


class PastUseCase(models.Model):
    """A use case as of a moment."""

    id = models.BigIntegerField(primary_key=True)
    number = models.IntegerField()
    name = models.TextField()
    stage = models.TextField()
    status = models.TextField()
    risk_class = models.TextField()
    project = models.TextField(null=True)  # noqa: DJ001 - a project that is gone is NULL
    line_of_business = models.TextField(null=True)  # noqa: DJ001 - as the project
    attributes = models.JSONField()

    objects = PastUseCaseQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "governance_use_cases_as_of"

    @property
    def public_id(self) -> str:
        """The id people use: UC-0001."""
        return f"UC-{self.number:04d}"

    def __str__(self) -> str:
        return f"{self.public_id} {self.name}"
