"""Webhooks: who is told of events, what is on its way to whom, and what came of each attempt (ADR 0017)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.permissions import ROLES, Act
from portal.core.vocabulary import DeliveryState, WebhookEnd, WebhookState
from registry.models import Project, User


def _seen(rows: Any, actor: Actor, path: str) -> Any:
    overseeing = ROLES[Act.SEE_WEBHOOKS]
    if actor.is_system or actor.holds_everywhere(*overseeing):
        return rows.all()
    projects = [pk for pk, roles in actor.grants.by_project.items() if roles & overseeing]
    return rows.filter(**{f"{path}project_id__in": projects})


class WebhookQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """All of them for those who administer or audit everywhere, those of a project for those who do so there."""
        return _seen(self, actor, "")

    def active(self) -> Self:
        """Those that are told of events."""
        return self.filter(state=WebhookState.ACTIVE)


class WebhookDeliveryQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """What goes to the webhooks the actor may see."""
        return _seen(self, actor, "webhook__")

    def pending(self) -> Self:
        """What is still to be delivered."""
        return self.filter(state=DeliveryState.PENDING)

    def next_ones(self, now: datetime) -> Self:
        """What may be sent now, the oldest first: it is due, and nothing of its subject waits before it."""
        ahead = self.model._default_manager.pending().filter(
            webhook_id=OuterRef("webhook_id"), subject=OuterRef("subject"), pk__lt=OuterRef("pk")
        )
        return self.pending().filter(~Exists(ahead), next_attempt_at__lte=now).order_by("pk")


class Webhook(models.Model):
    """One address that is told of events: of one project, or without a project of all of them.

    `events` are names or patterns of the catalogue, `sources` the tables whose changes those may be: the trigger that
    writes events down looks at nothing else. `failures` counts attempts since the last one that was taken,
    `failing_since` says since when; until `quiet_until` nothing is sent. Secrets are stored encrypted; after a rotation
    the former one signs beside the new one until its time is over.
    """

    name = models.CharField(max_length=100)
    url = models.CharField("URL", max_length=2048)
    events = ArrayField(models.CharField(max_length=60))
    sources = ArrayField(models.CharField(max_length=63), editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=WebhookState.choices(), default=WebhookState.ACTIVE)
    ended_by = models.CharField(max_length=10, choices=WebhookEnd.choices(), blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.TextField(blank=True)
    secret = models.TextField(editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    quiet_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="webhook_disabled_says_when_and_why",
                condition=Q(state=WebhookState.ACTIVE, disabled_at=None, ended_by="", disabled_reason="")
                | (Q(state=WebhookState.DISABLED, disabled_at__isnull=False) & ~Q(ended_by="")),
            ),
            models.CheckConstraint(name="webhook_wants_something", condition=~Q(events=[])),
            models.CheckConstraint(
                name="webhook_former_secret_has_its_end",
                condition=Q(former_secret="", former_secret_until=None)
                | (~Q(former_secret="") & Q(former_secret_until__isnull=False)),
            ),
        ]

    @property
    def scope_project_id(self) -> int | None:
        return self.project_id

    @property
    def is_active(self) -> bool:
        """Whether events are written down and sent for it."""
        return self.state == WebhookState.ACTIVE

    def __str__(self) -> str:
        return self.name


class WebhookEvent(models.Model):
    """One change as a trigger wrote it down in its transaction, until it is spread to the webhooks that want it.

    `before` and `after` are the columns that the catalogue names; `row_id` is the row that changed. One that cannot be
    spread stays, with the `problem`.
    """

    table = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.JSONField()
    actor = models.CharField(max_length=200, blank=True)
    correlation = models.CharField(max_length=64, blank=True)
    happened_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField()
    problem = models.TextField(blank=True, db_default="")

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"


class WebhookDelivery(models.Model):
    """One event on its way to one webhook: the same id and the same bytes at every attempt.

    Those of one `subject` go in the order of their ids: a later one waits until the earlier one is delivered or given
    up. `sequence` is the number the event had in its transaction. A test has no number, and waits for nobody.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=40, unique=True, editable=False)
    sequence = models.BigIntegerField(null=True)
    type = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    subject_name = models.CharField(max_length=300, blank=True)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=DeliveryState.choices(), default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    tried_since = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(
                name="webhook_delivery_ended_has_its_time",
                condition=Q(state=DeliveryState.PENDING, ended_at=None)
                | (~Q(state=DeliveryState.PENDING) & Q(ended_at__isnull=False)),
            )
        ]
        indexes = [
            # What is due, and what stands before it.
            models.Index(
                fields=["webhook", "subject", "id"], condition=Q(state="pending"), name="webhook_delivery_order"
            ),
            models.Index(
                fields=["webhook", "next_attempt_at"], condition=Q(state="pending"), name="webhook_delivery_due"
            ),
            models.Index(fields=["webhook", "-id"], name="webhook_delivery_list"),
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    @property
    def scope_project_id(self) -> int | None:
        return self.webhook.project_id

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}: {self.state}"


class WebhookAttempt(models.Model):
    """One attempt of a delivery: written before it is made, so one that killed its worker is seen.

    `http_status` is NULL without an answer, `answer` the beginning of what the receiver said, `error` why it does not
    count as taken.
    """

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["delivery", "id"], name="webhook_attempt_of")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"
