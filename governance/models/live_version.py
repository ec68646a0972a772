"""Where versions are, or should be: one row for each version and account, made by the database of what it holds."""

from __future__ import annotations

from django.db import models

from registry.models import AwsAccount, ModelVersion
from registry.querysets import DeploymentQuerySet


class LiveVersion(models.Model):
    """A version in an account where it is seen serving, was reported deployed, or is approved for production.

    A view: nothing is written here. What is so is read of the tables it rests on.
    """

    id = models.BigIntegerField(primary_key=True)
    version = models.ForeignKey(ModelVersion, on_delete=models.DO_NOTHING, related_name="+")
    account = models.ForeignKey(AwsAccount, on_delete=models.DO_NOTHING, related_name="+")

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "governance_live_version"

    def __str__(self) -> str:
        return f"{self.version_id} in {self.account_id}"
