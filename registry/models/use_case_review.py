"""Periodic reviews of use cases."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from ..querysets import OfUseCaseQuerySet
from .use_case import UseCase
from .user import User


class UseCaseReview(models.Model):
    """That somebody looked at a use case again on a day, what he found, and when the next look is due. Never edited."""

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="reviews")
    reviewed_on = models.DateField()
    note = models.TextField()
    next_review_on = models.DateField()
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = OfUseCaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="use_case_review_said", condition=~Q(note="")),
            models.CheckConstraint(name="use_case_review_goes_on", condition=Q(next_review_on__gt=F("reviewed_on"))),
        ]
        indexes = [models.Index(fields=["use_case", "-reviewed_on"], name="use_case_review_newest")]

    @property
    def scope_project_id(self) -> int | None:
        return self.use_case.project_id

    def __str__(self) -> str:
        return f"{self.use_case} reviewed on {self.reviewed_on}"
