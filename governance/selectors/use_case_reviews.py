"""Use cases by the date of their next review, and what earlier reviews found."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Count, DateField, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from portal.core.actors import Actor
from registry.choices import ReviewDue
from registry.models import UseCase, UseCaseReview
from registry.selectors.review_dates import due_when


def by_next_review(actor: Actor) -> QuerySet[Any]:
    """Return the use cases in service an actor may see, the review that is due first on top, those without a date last.

    `last_reviewed_on` is the day of the latest review, None where none is recorded.
    """
    latest = UseCaseReview.objects.filter(use_case=OuterRef("pk")).order_by("-reviewed_on", "-pk")
    return (
        UseCase.objects.visible_to(actor)
        .active()
        .select_related("project", "model_owner")
        .annotate(last_reviewed_on=Subquery(latest.values("reviewed_on")[:1]))
        .order_by(F("next_review_on").asc(nulls_last=True), "number")
    )


def with_review_date(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Give use cases `review_date`: the day of their next review, and the end of days for those without one."""
    return rows.annotate(review_date=Coalesce("next_review_on", Value(date.max, output_field=DateField())))


def counts(actor: Actor, today: date | None = None) -> dict[ReviewDue, int]:
    """Return how many use cases stand how to their next review, in one query."""
    wanted = {word.value: Count("pk", filter=Q(due_when(word, today))) for word in ReviewDue}
    found = UseCase.objects.visible_to(actor).active().aggregate(**wanted)
    return {word: found[word.value] for word in ReviewDue}


def of_use_case(use_case: UseCase) -> QuerySet[UseCaseReview]:
    """Return the reviews of a use case that the actor was shown before, newest first."""
    return use_case.reviews.select_related("reviewer").order_by("-reviewed_on", "-pk")
