"""Sync runs: one row per pass over one account and region."""

from __future__ import annotations

from django.db import models

from ..choices import SyncKind, SyncState
from ..querysets import OperationsQuerySet
from .account import AwsAccount


class SyncRun(models.Model):
    """What one pass did and what it cost; a failed one says why and what happens next."""

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="sync_runs")
    region = models.CharField(max_length=30)
    kind = models.CharField(max_length=10, choices=SyncKind.choices())
    state = models.CharField(max_length=10, choices=SyncState.choices(), default=SyncState.RUNNING)
    requested_by = models.CharField(max_length=200)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    throttles = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    objects = OperationsQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "region", "-started_at"])]

    def __str__(self) -> str:
        return f"{self.kind} sync of {self.account_id} at {self.started_at:%Y-%m-%d %H:%M}"
