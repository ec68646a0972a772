"""Audit packs: what somebody outside takes away to look at, and who took it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from registry.models import LineOfBusiness, Project, UseCase, User

from ..choices import PackScope, PackState
from ..querysets import AuditPackQuerySet

_OPEN = [PackState.WAITING, PackState.BUILDING]
_BUILT = [PackState.READY, PackState.EXPIRED, PackState.REMOVED]


class AuditPack(models.Model):
    """One archive of everything about a use case, or about a period (both days included, UTC), as of one moment.

    What was asked never changes, and nothing of what was built: the database refuses it. `as_of_entry` is the newest
    entry of the audit trail it knows, `sha256` (hexadecimal) and `size` (bytes) are those of the archive, `key_id` the
    key its manifest is signed with. `is_sound` and `verdict` are what its own verifier said of it. `contents` counts
    what is in it, `left_out` names what could not be put into it, as {"what", "why"}. `step` counts from 1 while it is
    built, `done` of `total` is how far that step has come. The row stays when the file is gone.
    """

    scope = models.CharField(max_length=10, choices=PackScope.choices())
    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, null=True, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    line_of_business = models.ForeignKey(LineOfBusiness, on_delete=models.PROTECT, null=True, related_name="+")
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=PackState.choices(), default=PackState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    step = models.PositiveSmallIntegerField(default=0)
    done = models.BigIntegerField(null=True)
    total = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    storage_name = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    size = models.PositiveBigIntegerField(null=True)
    as_of_entry = models.BigIntegerField("as of entry", null=True)
    as_of_at = models.DateTimeField("as of", null=True)
    key_id = models.CharField(max_length=64, blank=True)
    contents = models.JSONField(default=dict)
    left_out = models.JSONField(default=list)
    is_sound = models.BooleanField(null=True)
    verdict = models.TextField(blank=True)
    problem = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.CharField(max_length=200, blank=True)

    objects = AuditPackQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="audit_pack_one_scope",
                condition=Q(
                    scope=PackScope.USE_CASE,
                    use_case__isnull=False,
                    project__isnull=True,
                    line_of_business__isnull=True,
                    starts_on__isnull=True,
                    ends_on__isnull=True,
                )
                | Q(
                    scope=PackScope.PERIOD, use_case__isnull=True, starts_on__isnull=False, ends_on__gte=F("starts_on")
                ),
            ),
            models.CheckConstraint(
                name="audit_pack_built_as_a_whole",
                condition=~Q(state__in=_BUILT)
                | Q(sha256__regex=r"^[0-9a-f]{64}$", size__gte=1, as_of_at__isnull=False, expires_at__isnull=False)
                & ~Q(storage_name="")
                & ~Q(key_id="")
                & Q(is_sound__isnull=False, finished_at__isnull=False),
            ),
            models.CheckConstraint(
                name="audit_pack_failed_with_a_reason",
                condition=~Q(state=PackState.FAILED) | (Q(finished_at__isnull=False) & ~Q(problem="")),
            ),
            models.CheckConstraint(
                name="audit_pack_removed_with_a_time",
                condition=Q(state__in=[PackState.EXPIRED, PackState.REMOVED], removed_at__isnull=False)
                | ~Q(state__in=[PackState.EXPIRED, PackState.REMOVED]) & Q(removed_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "expires_at"], name="audit_pack_state"),
            models.Index(fields=["requested_by", "-id"], name="audit_pack_requester"),
        ]

    @property
    def public_id(self) -> str:
        """The id people use: PACK-000001."""
        return f"PACK-{self.pk:06d}"

    @property
    def filename(self) -> str:
        """The name its archive is given out under."""
        return f"audit-pack-{self.pk:06d}.zip"

    @property
    def scope_project_id(self) -> int | None:
        return self.use_case.project_id if self.use_case else self.project_id

    @property
    def is_open(self) -> bool:
        """Whether it is still to be built, or being built."""
        return self.state in _OPEN

    def __str__(self) -> str:
        return self.public_id


class AuditPackDownload(models.Model):
    """One time somebody took an audit pack away. Written before the first byte is sent, and never changed."""

    pack = models.ForeignKey(AuditPack, on_delete=models.PROTECT, related_name="downloads")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["pack", "-id"], name="audit_pack_downloads")]

    def __str__(self) -> str:
        return f"{self.pack_id} by {self.person_name}"
