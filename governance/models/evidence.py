"""Evidence: what somebody puts down to show that a use case or a version is what it is said to be."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from portal.core.search import letters_index, words_index
from portal.core.vocabulary import EvidenceKind
from registry.models import AwsAccount, ModelVersion, UseCase, User

from ..choices import EvidenceSource
from ..querysets import EvidenceQuerySet


class Evidence(models.Model):
    """One edition of one piece of evidence: a file the portal keeps, or a pinned object in S3.

    Never deleted, and its content never changes: a correction is the next edition of the same `series`, and what was
    wrong is withdrawn and stays readable. A later edition takes the place of the earlier one also when it is
    withdrawn itself. `size` is in bytes, `sha256` 64 hexadecimal digits, "" for an object in S3, which its version
    id and ETag pin instead; `s3_etag` is without quotes.
    """

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=40, choices=EvidenceKind.choices())
    title = models.CharField(max_length=200)
    note = models.TextField(blank=True)
    series = models.UUIDField(default=uuid.uuid4, editable=False)
    edition = models.PositiveIntegerField(default=1)
    source = models.CharField(max_length=10, choices=EvidenceSource.choices())
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    storage_name = models.CharField(max_length=200, blank=True)
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, null=True, related_name="+")
    s3_uri = models.CharField("S3 URI", max_length=2048, blank=True)
    s3_version_id = models.CharField("S3 version id", max_length=1024, blank=True)
    s3_etag = models.CharField("S3 ETag", max_length=128, blank=True)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    author_name = models.CharField(max_length=200)
    added_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_by_name = models.CharField(max_length=200, blank=True)
    withdrawal_reason = models.TextField(blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = "evidence"
        verbose_name_plural = "evidence"
        constraints = [
            models.CheckConstraint(
                name="evidence_one_subject",
                condition=Q(use_case__isnull=False, version__isnull=True)
                | Q(use_case__isnull=True, version__isnull=False),
            ),
            models.CheckConstraint(
                name="evidence_pinned_by_source",
                condition=Q(
                    source=EvidenceSource.UPLOAD,
                    sha256__regex=r"^[0-9a-f]{64}$",
                    s3_uri="",
                    s3_version_id="",
                    s3_etag="",
                    account__isnull=True,
                )
                & ~Q(storage_name="")
                | Q(
                    source=EvidenceSource.S3,
                    storage_name="",
                    sha256="",
                    s3_uri__startswith="s3://",
                    account__isnull=False,
                )
                & ~Q(s3_etag=""),
            ),
            models.CheckConstraint(name="evidence_not_empty", condition=Q(size__gte=1, edition__gte=1)),
            models.CheckConstraint(
                name="evidence_withdrawn_with_reason",
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                & Q(withdrawn_by_name="", withdrawal_reason="")
                | Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by_name="") & ~Q(withdrawal_reason=""),
            ),
            models.UniqueConstraint(fields=["series", "edition"], name="evidence_edition_once"),
            models.UniqueConstraint(
                fields=["series"], condition=Q(superseded_at__isnull=True), name="evidence_one_latest_edition"
            ),
            models.UniqueConstraint(
                fields=["storage_name"], condition=~Q(storage_name=""), name="evidence_one_row_per_file"
            ),
        ]
        indexes = [
            models.Index(fields=["use_case", "kind"], name="evidence_of_use_case"),
            models.Index(fields=["version", "kind"], name="evidence_of_version"),
            letters_index("evidence_letters", "title"),
            words_index("evidence_words", "title", "note", "filename"),
        ]

    @property
    def public_id(self) -> str:
        """The id people use: EV-000001."""
        return f"EV-{self.pk:06d}"

    @property
    def subject(self) -> UseCase | ModelVersion:
        """The use case or version it is about."""
        subject = self.use_case or self.version
        assert subject is not None
        return subject

    @property
    def scope_project_id(self) -> int | None:
        return self.subject.scope_project_id

    @property
    def fingerprint(self) -> str:
        """What pins its content: the SHA-256 of a file, `uri|version id|ETag` of an object in S3."""
        return self.sha256 or f"{self.s3_uri}|{self.s3_version_id}|{self.s3_etag}"

    @property
    def is_standing(self) -> bool:
        """Whether it counts: the latest edition, and not withdrawn."""
        return self.superseded_at is None and self.withdrawn_at is None

    def __str__(self) -> str:
        return f"{self.public_id} {self.title}"
