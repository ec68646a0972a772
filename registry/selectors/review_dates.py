"""How use cases stand to the dates of their next reviews."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q
from django.utils import timezone

from ..choices import ReviewDue, Stage

SOON = timedelta(days=30)


def due_when(due: ReviewDue, today: date | None = None) -> Q:
    """Return the filter for use cases that stand so to the date of their next review; what is retired has none."""
    day = today or timezone.localdate()
    living = ~Q(stage=Stage.RETIRED)
    return (
        living
        & {
            ReviewDue.OVERDUE: Q(next_review_on__lt=day),
            ReviewDue.SOON: Q(next_review_on__gte=day, next_review_on__lte=day + SOON),
            ReviewDue.LATER: Q(next_review_on__gt=day + SOON),
            ReviewDue.NO_DATE: Q(next_review_on=None),
        }[due]
    )
