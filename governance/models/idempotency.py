"""What a POST with an Idempotency-Key was answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class IdempotentAnswer(models.Model):
    """One answer, written in the transaction of what it tells of: there is never the one without the other.

    `fingerprint` is the SHA-256, in hex, of the address and the body. `headers` are those that belong to the effect
    (Location, ETag, Content-Type). `body` is sealed, because an answer may hold a secret that is shown once.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    path = models.CharField(max_length=2000)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    answered_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "answer kept for Idempotency-Key"
        verbose_name_plural = "answers kept for Idempotency-Key"
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
