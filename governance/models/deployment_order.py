"""Orders as they went out, and the pipelines that wait for one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from registry.models import AwsAccount, Deployment, ModelVersion

from ..choices import MODEL_STAGE_CHOICES, CallbackOutcome, CallbackSource, ChannelKind, OrderAction
from ..querysets import DeploymentOrderQuerySet, WaitingCallbackQuerySet
from .outbox import OutboxMessage


class DeploymentOrder(models.Model):
    """One order of a deployment or its removal: the channel it was written for, and what came back.

    `reference` is what the other side calls it: a pipeline execution's ARN, an event's id, an HTTP status.
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="orders")
    message = models.OneToOneField(OutboxMessage, on_delete=models.PROTECT, related_name="deployment_order")
    action = models.CharField(max_length=10, choices=OrderAction.choices())
    kind = models.CharField(max_length=20, choices=ChannelKind.choices())
    through = models.TextField()
    reference = models.CharField(max_length=2048, blank=True)
    note = models.TextField(blank=True)
    ordered_at = models.DateTimeField(default=timezone.now)
    carried_at = models.DateTimeField(null=True)

    objects = DeploymentOrderQuerySet.as_manager()

    @property
    def scope_project_id(self) -> int | None:
        return self.deployment.scope_project_id

    @property
    def execution_arn(self) -> str:
        """The pipeline execution that carries it out, "" when none does."""
        return self.reference if self.kind in (ChannelKind.PIPELINE, ChannelKind.CALLBACK) else ""

    def __str__(self) -> str:
        return f"{self.action} {self.deployment} {self.through}"


class WaitingCallback(models.Model):
    """One pipeline step that waits for the word whether a version may be deployed to an account for a stage.

    The token is stored encrypted until it is used; its digest tells one that comes twice. `home` is the account the
    pipeline runs in.
    """

    model_package_arn = models.CharField(max_length=2048, db_index=True)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="waiting_callbacks")
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20, choices=MODEL_STAGE_CHOICES)
    home = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=30)
    token = models.TextField(blank=True, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    execution_arn = models.CharField(max_length=2048, blank=True)
    step_name = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=10, choices=CallbackSource.choices())
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=10, choices=CallbackOutcome.choices(), default=CallbackOutcome.WAITING)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(OutboxMessage, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.TextField(blank=True)

    objects = WaitingCallbackQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="callback_answered_has_its_time",
                condition=Q(outcome=CallbackOutcome.WAITING, answered_at=None)
                | (~Q(outcome=CallbackOutcome.WAITING) & Q(answered_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["version", "stage", "account", "outcome"])]

    @property
    def scope_project_id(self) -> int | None:
        return self.version.scope_project_id if self.version else None

    def __str__(self) -> str:
        return f"{self.model_package_arn} waits for {self.stage} in {self.account}: {self.outcome}"
