"""Model cards of their own, as SageMaker keeps them beside the registry, and what people ask to be written to them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models

from ..card_querysets import (
    ModelCardEditQuerySet,
    ModelCardExportQuerySet,
    ModelCardQuerySet,
    ModelCardVersionQuerySet,
)
from ..choices import AskedState, CardStatus, RiskRating
from .account import AwsAccount
from .group import ModelGroup
from .use_case import UseCase
from .user import User
from .version import ModelVersion


class ModelCard(models.Model):
    """One model card of an account and region, with what its latest version says.

    Known by its ARN together with its creation time: a deleted card's ARN may come back as another card. `version` and
    `group` are what its content names and the portal knows; `use_case` only one of the group's own project, for a card
    must not reach into another. `use_case_named` is what it says. Source: SageMaker DescribeModelCard.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="model_cards")
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=63)
    arn = models.CharField("ARN", max_length=256)
    number = models.PositiveIntegerField("latest version")
    status = models.CharField(max_length=20, choices=CardStatus.choices())
    problems = models.JSONField(default=list)
    model_name = models.CharField(max_length=200, blank=True)
    purpose = models.TextField(blank=True)
    risk_rating = models.CharField(max_length=10, choices=RiskRating.choices(), default=RiskRating.UNKNOWN)
    owner_name = models.CharField(max_length=200, blank=True)
    line_of_business = models.CharField(max_length=200, blank=True)
    use_case_named = models.CharField(max_length=200, blank=True)
    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, null=True, related_name="model_cards")
    group = models.ForeignKey(ModelGroup, on_delete=models.PROTECT, null=True, related_name="model_cards")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="model_cards")
    kms_key = models.CharField(max_length=2048, blank=True)
    aws_created_at = models.DateTimeField()
    aws_modified_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = ModelCardQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["arn", "aws_created_at"], name="model_card_arn_creation")]
        indexes = [models.Index(fields=["name", "id"], name="model_card_name")]

    @property
    def scope_project_id(self) -> int | None:
        return self.group.project_id if self.group else None

    def __str__(self) -> str:
        return self.name


class ModelCardVersion(models.Model):
    """One version of a card: its content never changes, its status may while it is the latest.

    `content` is None for one that is no JSON object; `text` then has what AWS gave. `author_arn` and `modifier_arn` are
    AWS's CreatedBy and LastModifiedBy, `written_by` the person behind whoever wrote its content, where known.
    """

    card = models.ForeignKey(ModelCard, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=CardStatus.choices())
    content = models.JSONField(null=True)
    text = models.TextField(blank=True)
    problems = models.JSONField(default=list)
    author_arn = models.CharField(max_length=2048, blank=True)
    modifier_arn = models.CharField(max_length=2048, blank=True)
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    aws_created_at = models.DateTimeField(null=True)
    aws_modified_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    objects = ModelCardVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["card", "number"], name="model_card_version_once")]

    @property
    def author_name(self) -> str:
        """The last part of the ARN of who wrote it: a user's name, or the name somebody gave his session."""
        return self.author_arn.rsplit("/", 1)[-1]

    def section(self, name: str) -> dict[str, Any]:
        """Return one section of the content, empty when there is none."""
        found = (self.content or {}).get(name)
        return found if isinstance(found, dict) else {}

    def __str__(self) -> str:
        return f"{self.card_id} version {self.number}"


class ModelCardEdit(models.Model):
    """One thing somebody asked to be written to a card, from the asking until it is there.

    Without `card` it makes one, of the name given. `content` is None where only the status changes. `expected_number`
    and `expected_status` are what he saw: a card that says something else by then is not written to.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=63)
    group = models.ForeignKey(ModelGroup, on_delete=models.PROTECT, null=True, related_name="+")
    card = models.ForeignKey(ModelCard, on_delete=models.PROTECT, null=True, related_name="edits")
    content = models.JSONField(null=True)
    status = models.CharField(max_length=20, choices=CardStatus.choices())
    expected_number = models.PositiveIntegerField(default=0)
    expected_status = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=AskedState.choices(), default=AskedState.PENDING)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = ModelCardEditQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region", "name"],
                condition=models.Q(state=AskedState.PENDING),
                name="model_card_edit_pending_once",
            )
        ]

    @property
    def scope_project_id(self) -> int | None:
        return self.group.project_id if self.group else None

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"


class ModelCardExport(models.Model):
    """One PDF that somebody had SageMaker write of one version of a card, from the asking until it is there.

    `url` is where S3 has it once it is done. Source: SageMaker CreateModelCardExportJob, DescribeModelCardExportJob.
    """

    card = models.ForeignKey(ModelCard, on_delete=models.PROTECT, related_name="exports")
    number = models.PositiveIntegerField("version")
    path = models.CharField("below", max_length=1024)
    job_arn = models.CharField("job", max_length=256, blank=True)
    url = models.CharField("URL", max_length=1024, blank=True)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=AskedState.choices(), default=AskedState.PENDING)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = ModelCardExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["card", "number"],
                condition=models.Q(state=AskedState.PENDING),
                name="model_card_export_pending_once",
            )
        ]

    @property
    def scope_project_id(self) -> int | None:
        return self.card.scope_project_id

    def __str__(self) -> str:
        return f"{self.card} version {self.number}"
