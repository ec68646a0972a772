"""Findings: where reality, AWS and the portal's word do not agree."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, IntegerField, Q, Value, When
from django.utils import timezone

from portal.core.search import words_index
from registry.models import AwsAccount, ModelGroup, ModelVersion, UseCase, User

from ..choices import FindingKind, FindingState, Severity, Stage
from ..querysets import FindingQuerySet

# The order people see findings in: standing ones first, then accepted ones, the gravest of them first. An index has it,
# so that the first page of a long list is read and not sorted out of all of it; both must say the very same.
PLACE = Case(
    When(state__in=[FindingState.OPEN, FindingState.ACKNOWLEDGED], then=Value(0)),
    When(state__in=[FindingState.ACCEPTED], then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)
GRAVITY = Case(
    When(severity=Severity.CRITICAL, then=Value(0)),
    When(severity=Severity.SERIOUS, then=Value(1)),
    When(severity=Severity.WARNING, then=Value(2)),
    When(severity=Severity.INFO, then=Value(3)),
    output_field=IntegerField(),
)


class Finding(models.Model):
    """One disagreement. `subject_key` says about what, and at which stage and in which account where that matters.

    One unresolved finding stands per kind and subject. What happened to it, by whom and why, is in the audit trail:
    every change of it is an entry there. Its moves are `governance.choices.FINDING_MOVES`; one that is resolved is not
    edited.
    """

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
    stage = models.CharField(max_length=20, choices=Stage.choices(), blank=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    due_on = models.DateField(null=True, blank=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    accepted_until = models.DateField(null=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    acceptance_reason = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    closing_note = models.TextField(blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_key"],
                condition=Q(state__in=[FindingState.OPEN, FindingState.ACKNOWLEDGED, FindingState.ACCEPTED]),
                name="finding_one_unresolved_per_subject",
            ),
            models.CheckConstraint(
                name="finding_accepted_until_by_and_why",
                condition=(
                    Q(state=FindingState.ACCEPTED, accepted_until__isnull=False, accepted_by__isnull=False)
                    & ~Q(acceptance_reason="")
                )
                | (
                    ~Q(state=FindingState.ACCEPTED)
                    & Q(accepted_until__isnull=True, accepted_by__isnull=True, acceptance_reason="")
                ),
            ),
            models.CheckConstraint(
                name="finding_closed_when_resolved",
                condition=Q(state=FindingState.RESOLVED, closed_at__isnull=False)
                | (~Q(state=FindingState.RESOLVED) & Q(closed_at__isnull=True, closing_note="")),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "severity"]),
            words_index("finding_words", "summary"),
            models.Index(PLACE, GRAVITY, F("last_seen_at").desc(), F("id").desc(), name="finding_urgency"),
            models.Index(
                fields=["due_on"],
                condition=Q(state__in=[FindingState.OPEN, FindingState.ACKNOWLEDGED]),
                name="finding_due",
            ),
        ]

    @property
    def public_id(self) -> str:
        """The id people use: FND-000007."""
        return f"FND-{self.pk:06d}"

    @property
    def is_standing(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.state in (FindingState.OPEN, FindingState.ACKNOWLEDGED)

    @property
    def is_overdue(self) -> bool:
        """Whether it stands past its due date."""
        return self.is_standing and self.due_on is not None and self.due_on < timezone.localdate()

    @property
    def scope_project_id(self) -> int | None:
        for subject in (self.use_case, self.version, self.group):
            if subject is not None:
                return subject.scope_project_id
        return None

    def __str__(self) -> str:
        return f"{self.public_id} {self.kind}"
