"""RAM shares of model groups, as AWS reports them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ..choices import ShareState
from ..querysets import ResourceShareQuerySet
from .account import AwsAccount
from .group import ModelGroup


class ResourceShare(models.Model):
    """One RAM resource share owned by the hub: which groups, with whom, under which permissions."""

    arn = models.CharField("ARN", max_length=2048, unique=True)
    name = models.CharField(max_length=255)
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="shares")
    region = models.CharField(max_length=30)
    state = models.CharField(max_length=20, choices=ShareState.choices())
    groups = models.ManyToManyField(ModelGroup, related_name="shares", blank=True)
    principals = ArrayField(models.CharField(max_length=2048), default=list, blank=True)
    permission_arns = ArrayField(models.CharField(max_length=2048), default=list, blank=True)
    allows_external = models.BooleanField(default=True)
    seen_at = models.DateTimeField()

    objects = ResourceShareQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class ShareInvitation(models.Model):
    """An invitation a spoke account received for a share."""

    arn = models.CharField("ARN", max_length=2048, unique=True)
    share_arn = models.CharField(max_length=2048)
    share_name = models.CharField(max_length=255, blank=True)
    sender_account_id = models.CharField(max_length=12)
    receiver = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="invitations")
    status = models.CharField(max_length=20)
    invited_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.share_name} to {self.receiver_id}"
