"""Sync runs: one row per pass over one account and region."""

from __future__ import annotations

from django.db import models

from ..choices import SyncKind, SyncState
from ..querysets import OperationsQuerySet
from .account import AwsAccount


class SyncRun(models.Model):
    """What one pass did and what it cost; a failed one says why and what happens next.

    Its counts are written while it runs. `after` is the ARN of the last group whose versions are all taken in, so that
    whoever takes up a killed pass begins behind it; `absent` are the keys of the versions the listing did not have,
    which are only missing when the pass ends complete and unthrottled. An incremental pass reads what was modified
    since `since`. `lag_seconds` is the age of the oldest change it brought, when it was taken in; null when it brought
    none.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="sync_runs")
    region = models.CharField(max_length=30)
    kind = models.CharField(max_length=20, choices=SyncKind.choices())
    state = models.CharField(max_length=10, choices=SyncState.choices(), default=SyncState.RUNNING)
    requested_by = models.CharField(max_length=200)
    started_at = models.DateTimeField(auto_now_add=True)
    progress_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    resumed = models.PositiveSmallIntegerField(default=0)
    groups = models.PositiveIntegerField(default=0)
    groups_done = models.PositiveIntegerField(default=0)
    after = models.CharField(max_length=2048, blank=True)
    absent = models.JSONField(default=list)
    calls = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    throttles = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    lag_seconds = models.FloatField(null=True)
    error = models.TextField(blank=True)

    objects = OperationsQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "region", "-started_at"]),
            models.Index(fields=["account", "region", "kind", "-started_at"], name="sync_run_newest"),
            models.Index(fields=["-started_at", "-id"], name="sync_run_list"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} sync of {self.account_id} at {self.started_at:%Y-%m-%d %H:%M}"
