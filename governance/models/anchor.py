"""Anchors of the audit trail, and what checks of the trail found."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from registry.models import User

from ..choices import AuditCheckScope, AuditCheckState
from ..querysets import AuditRecordQuerySet


class AuditAnchor(models.Model):
    """The index entry of one signed anchor; the anchor itself is a file outside the database.

    An anchor covers the entries after those of the anchor before it, up to `last_sequence`, in the order of their
    numbers. `digest` is SHA-256 (hexadecimal) over number (8 bytes, big-endian) and hash (32 bytes) of each of them.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    first_sequence = models.BigIntegerField()
    last_sequence = models.BigIntegerField()
    rows = models.BigIntegerField("entries it covers")
    chains = models.BigIntegerField("chains that begin in it")
    total_rows = models.BigIntegerField("entries up to its end")
    total_chains = models.BigIntegerField("chains up to its end")
    digest = models.CharField(max_length=64)
    file_sha256 = models.CharField("SHA-256 of its file", max_length=64)
    signed_at = models.DateTimeField()

    objects = AuditRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="audit_anchor_counts",
                condition=Q(number__gte=1, rows__gte=1, chains__gte=0, total_rows__gte=F("rows"))
                & Q(total_chains__gte=F("chains"), first_sequence__lte=F("last_sequence")),
            ),
        ]

    def __str__(self) -> str:
        return f"anchor {self.number}"


class AuditCheck(models.Model):
    """One check of the trail that somebody asked for, or the schedule: carried out by a worker, kept with its result.

    `since` is the number of the anchor a check of recent entries began behind; None begins at the first entry.
    """

    scope = models.CharField(max_length=10, choices=AuditCheckScope.choices())
    state = models.CharField(max_length=10, choices=AuditCheckState.choices(), default=AuditCheckState.WAITING)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    since = models.PositiveBigIntegerField("begins behind anchor", null=True)
    rows_to_check = models.BigIntegerField("entries to check", null=True)
    rows = models.BigIntegerField("entries checked", default=0)
    verified_to = models.BigIntegerField("last entry checked", null=True)
    anchor = models.PositiveBigIntegerField("newest anchor checked", null=True)
    first_bad_sequence = models.BigIntegerField("first bad entry", null=True)
    first_bad_anchor = models.PositiveBigIntegerField("first bad anchor", null=True)
    problem = models.TextField(blank=True)

    objects = AuditRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope"],
                condition=Q(state__in=[AuditCheckState.WAITING, AuditCheckState.RUNNING]),
                name="audit_check_one_open",
            ),
            models.CheckConstraint(
                name="audit_check_ends_with_a_time",
                condition=Q(state__in=[AuditCheckState.WAITING, AuditCheckState.RUNNING], finished_at=None)
                | Q(state__in=[AuditCheckState.SOUND, AuditCheckState.BROKEN, AuditCheckState.FAILED])
                & Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"audit check {self.pk}: {self.state}"
