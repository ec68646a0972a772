"""The AWS accounts the portal reads and writes."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from ..choices import AccountPurpose
from ..querysets import AwsAccountQuerySet


def _default_regions() -> list[str]:
    return ["us-east-1"]


class AwsAccount(models.Model):
    """One account, what it is for, and the role the portal assumes in it."""

    account_id = models.CharField(
        max_length=12,
        unique=True,
        validators=[RegexValidator(r"^\d{12}$", "An account id has twelve digits.")],
    )
    alias = models.CharField(max_length=63)
    purposes = ArrayField(models.CharField(max_length=20, choices=AccountPurpose.choices()), default=list)
    regions = ArrayField(models.CharField(max_length=30), default=_default_regions)
    role_arn = models.CharField("role ARN", max_length=2048, blank=True)
    external_id = models.CharField(max_length=1224, blank=True)
    organisation_id = models.CharField(max_length=34, blank=True)
    event_queue_url = models.URLField(
        max_length=500, blank=True, help_text="The SQS queue that EventBridge feeds with registry events."
    )
    event_bus = models.CharField(
        max_length=256, default="default", help_text="The EventBridge bus that deployment orders go to."
    )
    artifact_buckets = ArrayField(
        models.CharField(max_length=63),
        default=list,
        blank=True,
        help_text="Buckets of this account that hold model artifacts; the hub's first one receives the copies.",
    )
    is_enabled = models.BooleanField("enabled", default=True)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    check_error = models.TextField(blank=True, editable=False)

    objects = AwsAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "AWS account"

    @property
    def region(self) -> str:
        """The account's first region: where orders go and artifacts lie."""
        return self.regions[0]

    def __str__(self) -> str:
        return f"{self.alias} {self.account_id}"
