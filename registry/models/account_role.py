"""Roles people and SageMaker can take, as they were found in the accounts."""

from __future__ import annotations

from django.db import models

from ..choices import Persona
from ..querysets import OperationsQuerySet
from .account import AwsAccount
from .user import User


class AccountRole(models.Model):
    """One role of an account that people or SageMaker can take, with who may assume it and the policies it has.

    `boundary` is its permissions boundary, of arn and document (null where that may not be read), {} where it has none;
    null was not read. `policies` are entries of name, arn ("" for an inline one) and document; null was not read, and
    `problem` says why. `missing_since` is when a complete listing first lacked it. `persona` is the one an ML admin
    said it stands for.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="roles")
    arn = models.CharField("ARN", max_length=2048, unique=True)
    name = models.CharField(max_length=64)
    description = models.TextField(blank=True)
    aws_created_at = models.DateTimeField(null=True)
    trust = models.JSONField(default=dict)
    policies = models.JSONField(null=True)
    boundary = models.JSONField(null=True)
    problem = models.TextField(blank=True)
    missing_since = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    persona = models.CharField(max_length=20, choices=Persona.choices(), blank=True)
    linked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    linked_at = models.DateTimeField(null=True)

    objects = OperationsQuerySet.as_manager()

    class Meta:
        verbose_name = "role"
        indexes = [models.Index(fields=["account", "name"], name="account_role_by_name")]

    def __str__(self) -> str:
        return self.name
