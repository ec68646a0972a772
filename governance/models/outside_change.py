"""Changes of an approval in SageMaker that the portal did not make, and what it did about each."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry.models import ModelVersion, User

from ..choices import Agreement, OutsideOutcome, OutsideResponse
from ..querysets import OutsideChangeQuerySet
from .approval import Decision
from .outbox import OutboxMessage
from .policy import PolicyVersion


class OutsideChange(models.Model):
    """One change of a version, known by AWS's LastModifiedTime, and the one answer the portal gave it. Never edited.

    `response` is what the policy in force asked for and `outcome` what was done; `reason` says why it is not the same.
    `person` is whom the principal is linked to, with or without proof. `is_war` marks the answer that gave up: the
    portal's word had been written back too often.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    aws_modified_at = models.DateTimeField()
    verdict = models.CharField(max_length=20, choices=Agreement.choices())
    aws_said = models.CharField(max_length=200)
    aws_description = models.TextField(blank=True)
    portal_said = models.CharField(max_length=200)
    principal = models.CharField(max_length=2048, blank=True)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    response = models.CharField(max_length=20, choices=OutsideResponse.choices())
    outcome = models.CharField(max_length=20, choices=OutsideOutcome.choices())
    reason = models.TextField(blank=True)
    is_war = models.BooleanField(default=False)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, related_name="+")
    message = models.ForeignKey(OutboxMessage, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = OutsideChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "aws_modified_at"], name="outside_change_answered_once"),
            models.CheckConstraint(
                name="outside_change_outcome_has_its_row",
                condition=Q(outcome=OutsideOutcome.ADOPTED, decision__isnull=False, message__isnull=True)
                | Q(outcome=OutsideOutcome.WRITTEN_BACK, decision__isnull=True, message__isnull=False)
                | Q(outcome=OutsideOutcome.REPORTED, decision__isnull=True, message__isnull=True),
            ),
            models.CheckConstraint(
                name="outside_change_as_the_policy_asks",
                condition=Q(outcome=OutsideOutcome.REPORTED)
                | Q(outcome=OutsideOutcome.ADOPTED, response=OutsideResponse.ADOPT)
                | Q(outcome=OutsideOutcome.WRITTEN_BACK, response=OutsideResponse.WRITE_BACK),
            ),
        ]

    @property
    def scope_project_id(self) -> int | None:
        return self.version.scope_project_id

    def __str__(self) -> str:
        return f"{self.version_id}: {self.verdict}, {self.outcome}"
