"""Deployments: what was ordered to run where, and what was reported back."""

from __future__ import annotations

from django.db import models

from ..choices import DeploymentMode, DeploymentState, Stage
from ..querysets import DeploymentQuerySet
from .account import AwsAccount
from .version import ModelVersion


class Deployment(models.Model):
    """One version ordered into one account for one stage. Ordered by an approval, reported by people or pipelines."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="deployments")
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="deployments")
    region = models.CharField(max_length=30)
    stage = models.CharField(max_length=20, choices=Stage.choices())
    mode = models.CharField(max_length=10, choices=DeploymentMode.choices(), default=DeploymentMode.TRIAL)
    state = models.CharField(max_length=20, choices=DeploymentState.choices(), default=DeploymentState.ORDERED)
    endpoint = models.CharField(max_length=2048, blank=True)
    detail = models.TextField(blank=True)
    ordered_at = models.DateTimeField(auto_now_add=True)
    reported_at = models.DateTimeField(null=True, blank=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "stage", "account"], name="deployment_once_per_stage_account")
        ]

    @property
    def scope_project_id(self) -> int | None:
        return self.version.scope_project_id

    def __str__(self) -> str:
        return f"{self.version} in {self.account} for {self.stage}"
