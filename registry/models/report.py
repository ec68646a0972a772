"""Reports about a version that its package points at, as they were read from S3."""

from __future__ import annotations

from django.db import models

from ..reports.document import ReportProblem
from ..reports.kinds import ReportKind
from .version import ModelVersion


class VersionReport(models.Model):
    """One report of a version at one address, what it said when it could be read last, and what is wrong with it now.

    `read_at` is when it was looked at last, `etag` what S3 said then; `problem` and `sentence` are empty when it was
    read. `content`, with its `content_etag`, `sha256`, `size` (bytes) and `written_at`, is from `content_read_at`, the
    last time it could be read; None before. `expected_sha256` is what the package says of it. `replaced_at` is when the
    package stopped pointing there. Source: SageMaker DescribeModelPackage, S3 HeadObject and GetObject.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=40, choices=ReportKind.choices())
    address = models.CharField(max_length=1024)
    expected_sha256 = models.CharField(max_length=64, blank=True)
    problem = models.CharField(max_length=20, choices=ReportProblem.choices(), blank=True)
    sentence = models.TextField(blank=True)
    etag = models.CharField(max_length=128, blank=True)
    read_at = models.DateTimeField()
    content = models.JSONField(null=True)
    content_etag = models.CharField(max_length=128, blank=True)
    s3_version_id = models.CharField(max_length=1024, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(null=True)
    written_at = models.DateTimeField(null=True)
    content_read_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "kind", "address"], name="version_report_once"),
            models.UniqueConstraint(
                fields=["version", "kind"], condition=models.Q(replaced_at=None), name="version_report_pointed_at_once"
            ),
        ]
        indexes = [
            models.Index(fields=["version"], name="version_report_unreadable", condition=~models.Q(problem="")),
        ]

    @property
    def is_altered(self) -> bool:
        """Whether what was read is not what the package says it points at."""
        return bool(self.expected_sha256 and self.sha256 and self.expected_sha256 != self.sha256)

    @property
    def counts(self) -> bool:
        """Whether rules may rest on it: it was read, it is what the package names, and it is still pointed at."""
        return self.content is not None and not self.problem and not self.is_altered and self.replaced_at is None

    @property
    def trouble(self) -> str:
        """What is wrong with it as a sentence for people, "" when nothing is."""
        if self.problem:
            return self.sentence
        if self.is_altered:
            return (
                f"Its SHA-256 is {self.sha256[:12]}..., and the model package says {self.expected_sha256[:12]}...: "
                "it is not the report that was registered."
            )
        return ""

    def __str__(self) -> str:
        return f"{ReportKind(self.kind).label} of {self.version_id}"
