"""Reviews of use cases, and the finding that one is overdue, which ends with them."""

from __future__ import annotations

from datetime import date

from portal.core.actors import Actor
from portal.core.operations import operation
from registry.models import UseCase, UseCaseReview
from registry.services import use_case_reviews

from ..choices import FindingKind
from . import findings


def plan(*, actor: Actor, use_case_id: int, revision: int, next_review_on: date | None, reason: str = "") -> UseCase:
    """Say when a use case is to be reviewed next; that its review is overdue is no longer so.

    Raises what `registry.services.use_case_reviews.plan` does.
    """
    with operation(actor, reason.strip() or "plan the next review"):
        use_case = use_case_reviews.plan(
            actor=actor, use_case_id=use_case_id, revision=revision, next_review_on=next_review_on, reason=reason
        )
        day = use_case.next_review_on
        note = f"The review is planned for {day}." if day else "No review is planned any more."
        findings.clear(FindingKind.REVIEW_OVERDUE, use_case, note)
        return use_case


def record(
    *, actor: Actor, use_case_id: int, revision: int, reviewed_on: date, note: str, next_review_on: date
) -> UseCaseReview:
    """Record a review of a use case; the finding that it was overdue is resolved by it.

    Raises what `registry.services.use_case_reviews.record` does.
    """
    with operation(actor, "record a review"):
        row = use_case_reviews.record(
            actor=actor,
            use_case_id=use_case_id,
            revision=revision,
            reviewed_on=reviewed_on,
            note=note,
            next_review_on=next_review_on,
        )
        findings.clear(FindingKind.REVIEW_OVERDUE, row.use_case, f"Reviewed on {row.reviewed_on}.")
        return row
