"""The keys the portal signs with."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..choices import SigningAlgorithm, SigningKeyState


class SigningKey(models.Model):
    """One key pair. Exactly one is active and signs; retired ones still verify; a revoked one verifies nothing.

    `kid` is the thumbprint of the public key (RFC 7638). The private key is stored encrypted, and only while the
    key is active: whatever is retired or revoked can never sign again.
    """

    kid = models.CharField("key id", max_length=64, unique=True)
    algorithm = models.CharField(max_length=10, choices=SigningAlgorithm.choices())
    public_jwk = models.JSONField("public key")
    private_key = models.TextField(blank=True, editable=False)
    state = models.CharField(max_length=10, choices=SigningKeyState.choices(), default=SigningKeyState.ACTIVE)
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revocation_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=SigningKeyState.ACTIVE), name="signing_key_one_active"
            ),
            models.CheckConstraint(
                name="signing_key_state_has_its_time",
                condition=Q(state=SigningKeyState.ACTIVE, retired_at=None, revoked_at=None, revocation_reason="")
                | Q(state=SigningKeyState.RETIRED, retired_at__isnull=False, revoked_at=None, revocation_reason="")
                | (Q(state=SigningKeyState.REVOKED, revoked_at__isnull=False) & ~Q(revocation_reason="")),
            ),
            models.CheckConstraint(
                name="signing_key_private_while_active",
                condition=(Q(state=SigningKeyState.ACTIVE) & ~Q(private_key=""))
                | (~Q(state=SigningKeyState.ACTIVE) & Q(private_key="")),
            ),
        ]

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as a JWKS lists it (RFC 7517)."""
        return {**self.public_jwk, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def __str__(self) -> str:
        return f"{self.kid[:8]} ({self.state})"
