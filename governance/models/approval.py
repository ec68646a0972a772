"""Approval requests and the decisions on them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from portal.core.search import words_index
from registry.models import ModelVersion, UseCase, User

from ..choices import REQUEST_STATE_CHOICES, DecisionSource, RiskRating, Role, Stage, SubjectKind, Verdict
from ..lifecycle import RequestState
from ..querysets import ApprovalRequestQuerySet
from .delegation import Delegation
from .policy import PolicyVersion


class ApprovalRequest(models.Model):
    """Somebody asks that a subject be approved at the stage it is in.

    What is needed (`requirements`), the policy it comes from and the digest of what is to be decided are copied
    in when the request is made: what is decided is exactly what was asked. `facts` is that content itself, which the
    digest is taken over, so a later difference can be told field by field. `registrant` brought the subject in and
    `modifier` changed it last; they may decide on it no more than the requester may. A request that `renews` asks
    for a standing approval again whose subject has changed since it was given.
    """

    kind = models.CharField(max_length=20, choices=SubjectKind.choices())
    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=20, choices=Stage.choices())
    to_stage = models.CharField(max_length=20, choices=Stage.choices(), blank=True)
    state = models.CharField(max_length=20, choices=REQUEST_STATE_CHOICES, default=RequestState.OPEN)
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    registrant = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    modifier = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    renews = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    requirements = models.JSONField(default=dict)
    waiting_roles = ArrayField(models.CharField(max_length=30, choices=Role.choices()), default=list)
    tier = models.CharField(max_length=10, choices=RiskRating.choices())
    digest = models.CharField(max_length=80)
    facts = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    closing_note = models.TextField(blank=True)

    objects = ApprovalRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="approval_request_one_subject",
                condition=Q(kind=SubjectKind.USE_CASE, use_case__isnull=False, version__isnull=True)
                | Q(kind=SubjectKind.MODEL_VERSION, use_case__isnull=True, version__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["use_case", "stage"],
                condition=Q(state=RequestState.OPEN, use_case__isnull=False),
                name="approval_request_one_open_per_use_case",
            ),
            models.UniqueConstraint(
                fields=["version", "stage"],
                condition=Q(state=RequestState.OPEN, version__isnull=False),
                name="approval_request_one_open_per_version",
            ),
            models.CheckConstraint(
                name="approval_request_closed_has_time",
                condition=Q(state=RequestState.OPEN, closed_at__isnull=True)
                | (~Q(state=RequestState.OPEN) & Q(closed_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"]), words_index("approval_request_words", "note")]

    @property
    def public_id(self) -> str:
        """The id people use: AR-000001."""
        return f"AR-{self.pk:06d}"

    @property
    def subject(self) -> UseCase | ModelVersion:
        """The use case or version asked about."""
        subject = self.use_case or self.version
        assert subject is not None
        return subject

    @property
    def scope_project_id(self) -> int | None:
        return self.subject.scope_project_id

    def __str__(self) -> str:
        return self.public_id


class Decision(models.Model):
    """One person's word on one request. Written once, never edited.

    Requester, registrant and modifier are copied from the request so the database itself can refuse that somebody
    decides on his own work; a trigger makes sure the copies are true. A delegate decides `on_behalf_of` the one who
    delegated: it counts as that person's word, and neither of the two may have a part in the subject. An adopted one
    was made in SageMaker, by that principal at that time, and is always the person's own.
    """

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="decisions")
    decider = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decider_name = models.CharField(max_length=200)
    on_behalf_of = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    delegation = models.ForeignKey(Delegation, on_delete=models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=30, choices=Role.choices())
    verdict = models.CharField(max_length=20, choices=Verdict.choices())
    comment = models.TextField(blank=True)
    back_to = models.CharField(max_length=20, choices=Stage.choices(), blank=True)
    digest = models.CharField(max_length=80)
    requester_id_copy = models.BigIntegerField()
    registrant_id_copy = models.BigIntegerField(null=True)
    modifier_id_copy = models.BigIntegerField(null=True)
    source = models.CharField(max_length=20, choices=DecisionSource.choices(), default=DecisionSource.PORTAL)
    aws_principal = models.CharField(max_length=2048, blank=True)
    aws_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "decider"], name="decision_once_per_person"),
            models.CheckConstraint(name="decision_not_by_requester", condition=~Q(decider_id=F("requester_id_copy"))),
            models.CheckConstraint(
                name="decision_not_by_registrant",
                condition=Q(registrant_id_copy__isnull=True) | ~Q(decider_id=F("registrant_id_copy")),
            ),
            models.CheckConstraint(
                name="decision_not_by_modifier",
                condition=Q(modifier_id_copy__isnull=True) | ~Q(decider_id=F("modifier_id_copy")),
            ),
            models.CheckConstraint(
                name="decision_not_for_those_with_a_part",
                condition=Q(on_behalf_of__isnull=True)
                | (
                    ~Q(on_behalf_of_id=F("requester_id_copy"))
                    & ~Q(on_behalf_of_id=F("decider_id"))
                    & (Q(registrant_id_copy__isnull=True) | ~Q(on_behalf_of_id=F("registrant_id_copy")))
                    & (Q(modifier_id_copy__isnull=True) | ~Q(on_behalf_of_id=F("modifier_id_copy")))
                ),
            ),
            models.CheckConstraint(
                name="decision_delegated_as_a_whole",
                condition=Q(on_behalf_of__isnull=True, delegation__isnull=True)
                | Q(on_behalf_of__isnull=False, delegation__isnull=False),
            ),
            models.UniqueConstraint(
                F("request"), Coalesce("on_behalf_of", "decider"), name="decision_once_per_authority"
            ),
            models.CheckConstraint(
                name="decision_comment_unless_approving",
                condition=Q(verdict=Verdict.APPROVE) | ~Q(comment=""),
            ),
            models.CheckConstraint(
                name="decision_adopted_of_ones_own",
                condition=Q(source=DecisionSource.PORTAL, aws_principal="", aws_at__isnull=True)
                | (
                    Q(source=DecisionSource.ADOPTED, aws_at__isnull=False, on_behalf_of__isnull=True)
                    & ~Q(aws_principal="")
                ),
            ),
        ]
        indexes = [models.Index(fields=["decided_at"], name="decision_at")]

    def __str__(self) -> str:
        return f"{self.decider_name} on {self.request_id}: {self.verdict}"
