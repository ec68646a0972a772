"""Periodic reviews of use cases: when the next one is due, and what was found when somebody looked again."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import F
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act

from ..choices import Stage
from ..models import UseCase, UseCaseReview
from . import changes, use_cases

# Nobody plans, or remembers, further than that.
FURTHEST = timedelta(days=5 * 366)
LONGEST_NOTE = 10_000


def plan(*, actor: Actor, use_case_id: int, revision: int, next_review_on: date | None, reason: str = "") -> UseCase:
    """Say when a use case is to be reviewed next; None takes the date away.

    Raises NotFound, Forbidden, StaleEdit when somebody changed the use case since `revision`, WrongState once retired,
    InvalidInput naming the fields: a day that is not ahead or is more than five years ahead, no reason for putting off
    a review that is overdue.
    """
    with operation(actor, reason.strip() or "plan the next review"):
        use_case = _locked(actor, use_case_id, Act.EDIT_USE_CASE, revision)
        if use_cases.is_review_overdue(use_case) and not reason.strip():
            raise InvalidInput(
                "Some fields need your attention.",
                errors={"reason": ["The review is overdue: say why it is put off."]},
            )
        if next_review_on is not None:
            _require_ahead(next_review_on)
        return _planned(actor, use_case, next_review_on, "Its next review was planned.")


def record(
    *, actor: Actor, use_case_id: int, revision: int, reviewed_on: date, note: str, next_review_on: date
) -> UseCaseReview:
    """Record that a use case was reviewed on a day, what was found, and when the next review is due.

    Raises NotFound, Forbidden, StaleEdit when somebody changed the use case since `revision`, WrongState once retired,
    InvalidInput naming the fields: no note, a day that has not come or lies before the use case was registered, a next
    review that is not ahead.
    """
    with operation(actor, "record a review"):
        use_case = _locked(actor, use_case_id, Act.REVIEW_USE_CASE, revision)
        if actor.user_id is None:
            raise InvalidInput("A review is recorded by a person.")
        errors: dict[str, list[str]] = {}
        if not note.strip():
            errors["note"] = ["Say what was looked at and what was found."]
        elif len(note.strip()) > LONGEST_NOTE:
            errors["note"] = [f"Use at most {LONGEST_NOTE:,} characters."]
        if reviewed_on > timezone.localdate():
            errors["reviewed_on"] = ["This day has not come yet."]
        elif reviewed_on < use_case.registered_at.date():
            errors["reviewed_on"] = ["The use case was not registered yet on this day."]
        try:
            _require_ahead(next_review_on)
        except InvalidInput as refusal:
            errors.update(refusal.errors)
        if errors:
            raise InvalidInput("Some fields need your attention.", errors=errors)
        row = UseCaseReview.objects.create(
            use_case=use_case,
            reviewed_on=reviewed_on,
            note=note.strip(),
            next_review_on=next_review_on,
            reviewer_id=actor.user_id,
        )
        row.use_case = _planned(actor, use_case, next_review_on, "It was reviewed.")
        return row


def _locked(actor: Actor, use_case_id: int, act: Act, revision: int) -> UseCase:
    use_case = access.for_update(UseCase, actor, act, pk=use_case_id)
    if use_case.stage == Stage.RETIRED:
        raise WrongState(f"{use_case.public_id} is retired and is not reviewed any more.")
    if use_case.revision != revision:
        raise StaleEdit("Somebody changed this use case since you opened it. Reload and read it again.")
    return use_case


def _require_ahead(day: date) -> None:
    today = timezone.localdate()
    if not today < day <= today + FURTHEST:
        raise InvalidInput(
            "Some fields need your attention.",
            errors={"next_review_on": ["Give a day after today and within five years."]},
        )


def _planned(actor: Actor, use_case: UseCase, day: date | None, why: str) -> UseCase:
    UseCase.objects.filter(pk=use_case.pk).update(next_review_on=day, revision=F("revision") + 1)
    use_case.refresh_from_db()
    changes.tell(actor=actor, what=use_case, fields=["next_review_on"], why=why)
    return use_case
