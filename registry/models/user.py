"""People, and the AWS identities that are the same person."""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from portal.core.actors import Actor

from ..access import load_grants
from ..querysets import PersonManager


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox is untyped
    """A person who signs in. What he may do comes from roles, never from `is_superuser` or `is_staff`.

    A service user is nobody: only tokens speak for it, and `ServiceAccount` says who answers for what they do.
    """

    display_name = models.CharField(max_length=200, blank=True)
    is_service = models.BooleanField(default=False, db_default=False, editable=False)

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(is_service=False) | Q(password__startswith="!", is_staff=False, is_superuser=False),
                name="user_service_has_no_password",
            )
        ]

    @cached_property
    def actor(self) -> Actor:
        """The actor services take; its grants are read once per loaded user."""
        return Actor(
            name=self.username, user_id=self.pk, load_grants=lambda: load_grants(self), is_service=self.is_service
        )

    def get_session_auth_hash(self) -> str:
        """Return what a session must carry to be this user's; a service user has none, so that none ever is."""
        return secrets.token_hex(32) if self.is_service else super().get_session_auth_hash()

    def __str__(self) -> str:
        return self.display_name or self.get_full_name() or self.username


class AwsIdentity(models.Model):
    """One AWS principal that acts for a person: an IAM user, role session or SSO user, by its ARN.

    Separation of duties follows these links: who registered a version in a spoke account is the same
    person who may not approve it here.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="aws_identities")
    arn = models.CharField("ARN", max_length=2048, unique=True)

    class Meta:
        verbose_name = "AWS identity"
        verbose_name_plural = "AWS identities"

    def __str__(self) -> str:
        return self.arn
