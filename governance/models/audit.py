"""The audit trail, written by a trigger and by nothing else."""

from __future__ import annotations

from django.db import models

from ..querysets import AuditEventQuerySet


class AuditEvent(models.Model):
    """One change of one governed row. Append-only and hash-chained per object; see migration 0004."""

    sequence = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    transaction = models.BigIntegerField()
    database_user = models.CharField(max_length=63)
    actor = models.CharField(max_length=200, null=True)  # noqa: DJ001 - an unattributed change is NULL, not ""
    reason = models.TextField(null=True)  # noqa: DJ001 - as the actor
    correlation = models.CharField(max_length=64, null=True)  # noqa: DJ001 - as the actor
    table = models.CharField(max_length=63)
    object_id = models.CharField(max_length=40)
    action = models.CharField(max_length=10)
    changes = models.JSONField()
    chain = models.CharField(max_length=110)
    previous_hash = models.BinaryField(null=True)
    hash = models.BinaryField()

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["chain", "-sequence"], name="audit_chain"),
            models.Index(fields=["at"], name="audit_at"),
            models.Index(fields=["correlation"], name="audit_correlation"),
        ]

    @property
    def is_unattributed(self) -> bool:
        """Whether the change was made outside any service: nobody is named for it."""
        return not self.actor

    def __str__(self) -> str:
        return f"{self.action} {self.chain}"
