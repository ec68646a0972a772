"""Findings: where reality, AWS and the portal's word do not agree."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry.models import AwsAccount, ModelGroup, ModelVersion, UseCase, User

from ..choices import FindingKind, FindingState, Severity
from ..querysets import FindingQuerySet


class Finding(models.Model):
    """One disagreement. `subject_key` says about what; one finding stands per kind and subject at a time."""

    kind = models.CharField(max_length=40, choices=FindingKind.choices())
    severity = models.CharField(max_length=10, choices=Severity.choices())
    state = models.CharField(max_length=20, choices=FindingState.choices(), default=FindingState.OPEN)
    subject_key = models.CharField(max_length=2100)
    summary = models.TextField()
    evidence = models.JSONField(default=dict)
    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, null=True, related_name="+")
    group = models.ForeignKey(ModelGroup, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, null=True, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    due_on = models.DateField(null=True, blank=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closing_note = models.TextField(blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_key"],
                condition=Q(state__in=[FindingState.OPEN, FindingState.ACKNOWLEDGED]),
                name="finding_one_standing_per_subject",
            )
        ]
        indexes = [models.Index(fields=["state", "severity"])]

    @property
    def public_id(self) -> str:
        """The id people use: FND-000007."""
        return f"FND-{self.pk:06d}"

    @property
    def scope_project_id(self) -> int | None:
        for subject in (self.use_case, self.version, self.group):
            if subject is not None:
                return subject.scope_project_id
        return None

    def __str__(self) -> str:
        return f"{self.public_id} {self.kind}"
