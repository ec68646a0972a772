"""Model groups that people create through the portal."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ..choices import AskedState
from ..querysets import GroupCreationQuerySet
from .account import AwsAccount
from .group import ModelGroup
from .organisation import Project
from .user import User


class GroupCreation(models.Model):
    """One model package group somebody asked the portal to create in a hub, from the asking until it is there.

    CreateModelPackageGroup knows no ClientToken: the group carries `token` in a tag, which tells the portal's own from
    one of the same name that somebody else made. `policy` is the resource policy as JSON text, "" for none.
    """

    number = models.PositiveBigIntegerField(unique=True, editable=False)
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=63)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=dict)
    policy = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    use_case_ids = ArrayField(models.BigIntegerField(), default=list)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=AskedState.choices(), default=AskedState.PENDING)
    error = models.TextField(blank=True)
    group = models.OneToOneField(ModelGroup, on_delete=models.PROTECT, null=True, related_name="creation")
    finished_at = models.DateTimeField(null=True)

    objects = GroupCreationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region", "name"],
                condition=models.Q(state=AskedState.PENDING),
                name="group_creation_pending_once",
            )
        ]

    @property
    def public_id(self) -> str:
        """The id people use: GC-000001."""
        return f"GC-{self.number:06d}"

    @property
    def scope_project_id(self) -> int | None:
        return self.project_id

    def __str__(self) -> str:
        return f"{self.public_id} {self.name}"
