"""API tokens: stored hashed, shown once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from knox.models import AbstractAuthToken, AuthTokenManager


class ApiToken(AbstractAuthToken):
    """A knox token with a name to recognise it by; it holds the rights of its user, no more."""

    objects: ClassVar[AuthTokenManager] = AuthTokenManager()

    name = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name or 'token'} {self.token_key}…"
