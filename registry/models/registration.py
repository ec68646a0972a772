"""Versions that people register through the portal."""

from __future__ import annotations

import uuid

from django.db import models

from ..choices import AskedState
from ..querysets import RegistrationQuerySet
from .group import ModelGroup
from .user import User
from .version import ModelVersion


class Registration(models.Model):
    """One version somebody asked the portal to register, from the asking until AWS has it.

    AWS knows the portal's role alone as the one who made it (CreatedBy): who asked is told here, and once `arn` is
    known this row says who registered that version. `payload` is what is sent, under the names of CreateModelPackage;
    `token` its ClientToken; `reference` the asker's own name for it, the same one never registering twice.
    """

    number = models.PositiveBigIntegerField(unique=True, editable=False)
    group = models.ForeignKey(ModelGroup, on_delete=models.PROTECT, related_name="registrations")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    reference = models.CharField(max_length=128, blank=True)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=AskedState.choices(), default=AskedState.PENDING)
    error = models.TextField(blank=True)
    arn = models.CharField("ARN", max_length=2048, blank=True)
    version = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, null=True, related_name="registration")
    finished_at = models.DateTimeField(null=True)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "requested_by", "reference"],
                condition=~models.Q(reference=""),
                name="registration_reference_once",
            ),
            models.UniqueConstraint(fields=["arn"], condition=~models.Q(arn=""), name="registration_arn_once"),
        ]

    @property
    def public_id(self) -> str:
        """The id people use: REG-000001."""
        return f"REG-{self.number:06d}"

    @property
    def scope_project_id(self) -> int | None:
        return self.group.project_id

    def __str__(self) -> str:
        return self.public_id
