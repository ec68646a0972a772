"""What the portal's role may do in one region of an account, as it was last looked at."""

from __future__ import annotations

from typing import Any

from django.db import models

from ..choices import PermissionOutcome, PreflightMethod
from ..querysets import OperationsQuerySet
from .account import AwsAccount


class AccountPreflight(models.Model):
    """One region's permissions: `results` has one entry per action and resource the portal needs there.

    Each is {"action", "resource", "outcome", "needed_for", "detail"}. `error` says why nothing could be found out.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="preflights")
    region = models.CharField(max_length=30)
    method = models.CharField(max_length=10, choices=PreflightMethod.choices())
    results = models.JSONField(default=list)
    error = models.TextField(blank=True)
    checked_at = models.DateTimeField()

    objects = OperationsQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region"], name="preflight_once_per_region")]
        ordering = ["region"]

    def having(self, outcome: PermissionOutcome) -> list[dict[str, Any]]:
        """Return the entries with an outcome."""
        return [entry for entry in self.results if entry["outcome"] == outcome]

    @property
    def missing(self) -> list[dict[str, Any]]:
        """What the role may not do and should be able to."""
        return self.having(PermissionOutcome.DENIED)

    @property
    def not_tried(self) -> list[dict[str, Any]]:
        """What could not be found out."""
        return self.having(PermissionOutcome.NOT_TRIED)

    @property
    def allowed(self) -> list[dict[str, Any]]:
        """What the role may do."""
        return self.having(PermissionOutcome.ALLOWED)

    def __str__(self) -> str:
        return f"permissions in {self.region} of {self.account_id}"
