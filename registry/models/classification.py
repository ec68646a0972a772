"""Classifications: what a use case's answers led to under the AI Act, and on whose word the class stands."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ..choices import ClassificationState, RiskClass
from ..querysets import ClassificationQuerySet
from .use_case import UseCase
from .user import User


class Classification(models.Model):
    """One assessment of a use case: answers, the edition of the Act they were read by, what they led to, and its fate.

    `edition` is "" for a class a governance officer set by hand. `flags`, `reasons`, `duties` and `missing` are as
    `registry.ai_act.Assessment.as_json` gave them on that day. At most one per use case is confirmed and one proposed;
    the database keeps everything but the decision as it was written, and the class of the use case equal to the
    confirmed one.
    """

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="classifications")
    edition = models.CharField(max_length=40, blank=True)
    answers = models.JSONField(default=dict)
    proposed_class = models.CharField(max_length=20, choices=RiskClass.choices())
    reasons = models.JSONField(default=list)
    flags = models.JSONField(default=list)
    duties = models.JSONField(default=list)
    missing = models.JSONField(default=list)
    operator_roles = ArrayField(models.CharField(max_length=40), default=list)
    is_derogated = models.BooleanField("exempt by Article 6(3)", default=False)
    derogation_reason = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    assessor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    assessed_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=20, choices=ClassificationState.choices(), default=ClassificationState.PROPOSED)
    confirmed_class = models.CharField(max_length=20, choices=RiskClass.choices(), blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)

    objects = ClassificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["use_case"], condition=Q(state="confirmed"), name="classification_confirmed_once"
            ),
            models.UniqueConstraint(
                fields=["use_case"], condition=Q(state="proposed"), name="classification_proposed_once"
            ),
            models.CheckConstraint(
                name="classification_words",
                condition=Q(state__in=[word.value for word in ClassificationState])
                & Q(proposed_class__in=[word.value for word in RiskClass]),
            ),
            models.CheckConstraint(
                name="classification_confirmed_by_somebody",
                condition=~Q(state="confirmed")
                | (
                    Q(confirmed_class__in=[word.value for word in RiskClass])
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="classification_derogation_reasoned",
                condition=Q(is_derogated=False) | ~Q(derogation_reason=""),
            ),
            models.CheckConstraint(
                name="classification_by_hand_reasoned", condition=~Q(edition="") | ~Q(decision_reason="")
            ),
            models.CheckConstraint(
                name="classification_declined_reasoned", condition=~Q(state="declined") | ~Q(decision_reason="")
            ),
        ]
        indexes = [models.Index(fields=["use_case", "-assessed_at"], name="classification_history")]

    @property
    def scope_project_id(self) -> int | None:
        return self.use_case.project_id

    @property
    def is_by_hand(self) -> bool:
        """Whether an officer set the class without the questionnaire."""
        return not self.edition

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left open that the class depends on."""
        return self.proposed_class != RiskClass.UNCLASSIFIED

    @property
    def dated_duties(self) -> list[dict[str, Any]]:
        """The duties with days instead of their text."""
        return [{**duty, "applies_from": date.fromisoformat(duty["applies_from"])} for duty in self.duties]

    def __str__(self) -> str:
        return f"{self.use_case} {self.proposed_class}"
