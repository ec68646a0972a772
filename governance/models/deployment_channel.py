"""How deployment orders leave the portal, per account and stage."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry.models import AwsAccount

from ..choices import MODEL_STAGE_CHOICES, ChannelKind, PipelineHome
from ..querysets import DeploymentChannelQuerySet


class DeploymentChannel(models.Model):
    """The way orders for one account take: for one stage, or for every stage without a channel of its own.

    Without a row, orders go to the hub's event bus. Secrets are stored encrypted; after a rotation the former one
    signs beside the new one until its time is over.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="channels")
    stage = models.CharField(max_length=20, blank=True, choices=MODEL_STAGE_CHOICES)
    kind = models.CharField(max_length=20, choices=ChannelKind.choices())
    is_enabled = models.BooleanField("enabled", default=True)
    bus = models.CharField("event bus", max_length=256, blank=True)
    runs_in = models.CharField(max_length=10, choices=PipelineHome.choices(), default=PipelineHome.HUB)
    pipeline = models.CharField(max_length=2048, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    queue_url = models.CharField("queue URL", max_length=500, blank=True)
    step_name = models.CharField(max_length=64, blank=True)
    url = models.CharField("URL", max_length=2048, blank=True)
    secret = models.TextField(blank=True, editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)

    objects = DeploymentChannelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "stage"], name="channel_once_per_account_and_stage"),
            models.CheckConstraint(
                name="channel_has_what_its_kind_needs",
                condition=Q(kind=ChannelKind.EVENT_BRIDGE)
                | (Q(kind=ChannelKind.PIPELINE) & ~Q(pipeline=""))
                | Q(kind=ChannelKind.CALLBACK)
                | (Q(kind=ChannelKind.WEBHOOK) & ~Q(url="") & ~Q(secret="")),
            ),
            models.CheckConstraint(
                name="channel_former_secret_has_its_end",
                condition=Q(former_secret="", former_secret_until=None)
                | (~Q(former_secret="") & Q(former_secret_until__isnull=False)),
            ),
        ]

    @property
    def scope_project_id(self) -> int | None:
        """Channels belong to the installation, not to a project."""
        return None

    def __str__(self) -> str:
        return f"{self.kind} for {self.account}{f', {self.stage}' if self.stage else ''}"
