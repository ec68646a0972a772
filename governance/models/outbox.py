"""The outbox: the only way to AWS."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from registry.models import AwsAccount, ModelGroup, ModelVersion

from ..choices import OutboxKind, OutboxState
from ..querysets import OutboxQuerySet


class OutboxMessage(models.Model):
    """One thing to be done in AWS, written in the transaction that decided it.

    Messages with the same `ordering_key` are carried out in the order they were written. Those of one `lane`, an
    account's twelve digits and what is slow there apart, share a worker and its patience. `token` travels with
    the request, so doing it twice is doing it once. It is about a version, a group or an account: the first of them
    that is set.

    `in_doubt` is set while a request may be on its way whose answer nobody knows; `progress` is what its carrier keeps
    between attempts; `waiting_for` says in words what it awaits while nothing is wrong; `note` what is worth knowing
    of how it ended.
    """

    kind = models.CharField(max_length=20, choices=OutboxKind.choices())
    state = models.CharField(max_length=20, choices=OutboxState.choices(), default=OutboxState.PENDING)
    ordering_key = models.CharField(max_length=2100)
    lane = models.CharField(max_length=40, blank=True)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payload = models.JSONField()
    summary = models.TextField()
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    group = models.ForeignKey(ModelGroup, on_delete=models.PROTECT, null=True, related_name="+")
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, null=True, related_name="+")
    request_id_copy = models.BigIntegerField("approval request", null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.TextField(blank=True)
    waiting_for = models.TextField(blank=True)
    waiting_since = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    note = models.TextField(blank=True)
    superseded_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="supersedes")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    in_doubt = models.BooleanField(default=False)
    delivered_at = models.DateTimeField(null=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["state", "next_attempt_at"]),
            models.Index(fields=["ordering_key", "id"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state=OutboxState.SUPERSEDED)
                | (
                    ~models.Q(superseded_by=None)
                    & models.Q(kind__in=[OutboxKind.WRITE_BACK, OutboxKind.DEPLOYMENT_ORDER])
                ),
                name="outbox_superseded_by_a_word",
            )
        ]

    @property
    def lane_account_id(self) -> str:
        """The twelve digits of the account it is carried out in, "" for none."""
        return self.lane[:12]

    @property
    def is_stuck(self) -> bool:
        """Whether its worker is gone: the attempt began before any task could still be running, and never ended."""
        longest = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
        return (
            self.state == OutboxState.PENDING
            and self.ended_at is None
            and self.started_at is not None
            and timezone.now() - self.started_at > longest
        )

    @property
    def scope_project_id(self) -> int | None:
        subject = self.version or self.group
        return subject.scope_project_id if subject else None

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}: {self.state}"
