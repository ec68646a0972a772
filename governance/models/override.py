"""Break-glass: a failed rule overridden by an officer, for a while."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from registry.models import ModelVersion, UseCase, User

from ..choices import Stage, SubjectKind
from ..querysets import OverrideQuerySet


class Override(models.Model):
    """One check of one subject at one stage that counts as passed until it expires, on an officer's word.

    Separation of duties is no check and cannot be overridden. Written once; it can only be revoked.
    """

    kind = models.CharField(max_length=20, choices=SubjectKind.choices())
    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=20, choices=Stage.choices())
    check_key = models.CharField(max_length=300)
    check_label = models.CharField(max_length=500)
    reason = models.TextField()
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    granted_by_name = models.CharField(max_length=200)
    granted_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, blank=True)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="override_one_subject",
                condition=Q(kind=SubjectKind.USE_CASE, use_case__isnull=False, version__isnull=True)
                | Q(kind=SubjectKind.MODEL_VERSION, use_case__isnull=True, version__isnull=False),
            ),
            models.CheckConstraint(name="override_says_why", condition=~Q(reason="")),
            models.CheckConstraint(name="override_expires", condition=Q(expires_at__gt=F("granted_at"))),
        ]
        indexes = [
            models.Index(fields=["version", "stage"], condition=Q(version__isnull=False), name="override_version"),
            models.Index(fields=["use_case", "stage"], condition=Q(use_case__isnull=False), name="override_use_case"),
        ]

    @property
    def public_id(self) -> str:
        """The id people use: BG-000001."""
        return f"BG-{self.pk:06d}"

    @property
    def subject(self) -> UseCase | ModelVersion:
        """The use case or version it is about."""
        subject = self.use_case or self.version
        assert subject is not None
        return subject

    @property
    def scope_project_id(self) -> int | None:
        return self.subject.scope_project_id

    def is_in_force(self, moment: datetime) -> bool:
        """Whether the check counts as passed at that moment."""
        return self.revoked_at is None and self.expires_at > moment

    def __str__(self) -> str:
        return f"{self.public_id} {self.check_key}"
