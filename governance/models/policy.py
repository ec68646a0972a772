"""The policy matrix: what each kind of subject needs at each stage and tier of risk."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ..choices import PolicyState, RiskRating, Stage, SubjectKind
from ..querysets import PolicyVersionQuerySet


class PolicyVersion(models.Model):
    """One edition of the matrix. Published ones never change; the newest published one is in force."""

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=20, choices=PolicyState.choices(), default=PolicyState.DRAFT)
    note = models.TextField(blank=True)
    model_path = ArrayField(models.CharField(max_length=20, choices=Stage.choices()))
    use_case_path = ArrayField(models.CharField(max_length=20, choices=Stage.choices()))
    published_at = models.DateTimeField(null=True)
    published_by = models.CharField(max_length=200, blank=True)

    objects = PolicyVersionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Policy {self.number}"


class PolicyRule(models.Model):
    """One cell of the matrix: `approvals` is a list of {"role", "count"}."""

    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="rules")
    kind = models.CharField(max_length=20, choices=SubjectKind.choices())
    stage = models.CharField(max_length=20, choices=Stage.choices())
    tier = models.CharField(max_length=10, choices=RiskRating.choices())
    approvals = models.JSONField(default=list)
    days_until_due = models.PositiveSmallIntegerField(default=5)
    days_until_expiry = models.PositiveSmallIntegerField(default=30)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "kind", "stage", "tier"], name="policy_rule_once"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id}: {self.kind} at {self.stage}, {self.tier} risk"
