"""People, and the AWS identities that are the same person."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models

from portal.core.actors import Actor

from ..access import load_grants
from ..querysets import PersonManager


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox is untyped
    """A person who signs in. What he may do comes from roles, never from `is_superuser` or `is_staff`."""

    display_name = models.CharField(max_length=200, blank=True)

    objects: ClassVar[PersonManager] = PersonManager()

    @cached_property
    def actor(self) -> Actor:
        """The actor services take; its grants are read once per loaded user."""
        return Actor(name=self.username, user_id=self.pk, load_grants=lambda: load_grants(self))

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
