"""The policy matrix: what each kind of subject needs at each stage and tier of risk."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from portal.core.vocabulary import EvidenceKind, Provenance

from ..choices import OutsideResponse, PolicyState, RiskRating, Stage, SubjectKind
from ..querysets import PolicyVersionQuerySet


class PolicyVersion(models.Model):
    """One edition of the matrix. Published ones never change; the newest published one is in force.

    `based_on` is the number of the policy its cells were copied from. `follows` is the number of the one in force
    when it was made: it may be published only while that is still so, or it would undo what it never saw; numbers
    therefore follow the order of publication. `revision` rises with every change of a draft or of one of its cells.
    `on_outside_approval` and `on_outside_rejection` say what is done about an approval made in SageMaker past the
    portal, and about any other change of a version's status or stage there.
    """

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=20, choices=PolicyState.choices(), default=PolicyState.DRAFT)
    note = models.TextField(blank=True)
    model_path = ArrayField(models.CharField(max_length=20, choices=Stage.choices()))
    use_case_path = ArrayField(models.CharField(max_length=20, choices=Stage.choices()))
    on_outside_approval = models.CharField(
        max_length=20, choices=OutsideResponse.choices(), default=OutsideResponse.REPORT
    )
    on_outside_rejection = models.CharField(
        max_length=20, choices=OutsideResponse.choices(), default=OutsideResponse.REPORT
    )
    based_on = models.PositiveIntegerField(null=True)
    follows = models.PositiveIntegerField(null=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    revision = models.PositiveIntegerField(default=1)
    published_at = models.DateTimeField(null=True)
    published_by = models.CharField(max_length=200, blank=True)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="policy_version_outside_responses",
                condition=Q(
                    on_outside_approval__in=[response.value for response in OutsideResponse],
                    on_outside_rejection__in=[response.value for response in OutsideResponse],
                ),
            )
        ]

    def __str__(self) -> str:
        return f"Policy {self.number}"


class PolicyRule(models.Model):
    """One cell of the matrix.

    `approvals` is a list of {"role", "count"}, `metrics` of {"path", "operator", "value", "segment",
    "max_age_days", "kind"}, `provenance` of what must be known of where a version comes from:
    `governance.policies.facts` reads and writes them.
    """

    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="rules")
    kind = models.CharField(max_length=20, choices=SubjectKind.choices())
    stage = models.CharField(max_length=20, choices=Stage.choices())
    tier = models.CharField(max_length=10, choices=RiskRating.choices())
    approvals = models.JSONField(default=list)
    evidence = ArrayField(models.CharField(max_length=40, choices=EvidenceKind.choices()), default=list)
    metrics = models.JSONField(default=list)
    provenance = ArrayField(
        models.CharField(max_length=30, choices=Provenance.choices()), default=list, db_default=[], blank=True
    )
    days_until_due = models.PositiveSmallIntegerField(default=5)
    days_until_expiry = models.PositiveSmallIntegerField(default=30)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "kind", "stage", "tier"], name="policy_rule_once"),
            models.CheckConstraint(
                name="policy_rule_provenance",
                condition=Q(provenance=[])
                | Q(
                    kind=SubjectKind.MODEL_VERSION,
                    # An endpoint comes after the decision: none can wait for it.
                    provenance__contained_by=[kind.value for kind in Provenance if kind is not Provenance.ENDPOINT],
                ),
            ),
            models.CheckConstraint(
                name="policy_rule_due_before_expiry",
                condition=Q(days_until_due__gte=1, days_until_due__lte=F("days_until_expiry")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id}: {self.kind} at {self.stage}, {self.tier} risk"
