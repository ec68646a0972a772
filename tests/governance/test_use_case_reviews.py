"""Reviews of use cases: planned, recorded once, and the end of the finding that one was overdue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import FindingKind, FindingState
from governance.models import Finding
from governance.selectors import use_case_reviews as selectors
from governance.selectors.timeline import history
from governance.services import retirement, review, use_case_reviews
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from registry.choices import ReviewDue
from registry.models import UseCase, UseCaseReview
from registry.services import use_cases
from registry.services.use_cases import UseCaseText
from tests.factories import Cast, cast, project, use_case
from tests.factories.people import SYSTEM
from tests.refusals import refused, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def who() -> Cast:
    place = project("reviewed")
    people = cast(place, project("elsewhere"))
    use_case(people, place, name="Letters")
    return people


@pytest.fixture
def case(who: Cast) -> UseCase:
    return UseCase.objects.get()


def overdue(case: UseCase) -> UseCase:
    UseCase.objects.filter(pk=case.pk).update(next_review_on=timezone.localdate() - timedelta(days=3))
    review.review_all(actor=SYSTEM)
    case.refresh_from_db()
    return case


def record(who: Cast, case: UseCase, **more: Any) -> UseCaseReview:
    today = timezone.localdate()
    values: dict[str, Any] = {
        "actor": who.officer.actor,
        "revision": case.revision,
        "reviewed_on": today,
        "note": "Nothing changed.",
        "next_review_on": today + timedelta(days=180),
    }
    return use_case_reviews.record(use_case_id=case.pk, **(values | more))


def test_a_review_ends_the_finding_that_it_was_overdue_and_is_in_the_history(who: Cast, case: UseCase) -> None:
    overdue(case)
    finding = Finding.objects.get(kind=FindingKind.REVIEW_OVERDUE)
    row = record(who, case)
    finding.refresh_from_db()
    assert finding.state == FindingState.RESOLVED
    assert UseCase.objects.get().next_review_on == row.next_review_on
    assert any(entry.text == "Nothing changed." for entry in history(UseCase.objects.get()))
    review.review_all(actor=SYSTEM)
    finding.refresh_from_db()
    assert finding.state == FindingState.RESOLVED


def test_a_review_is_kept_as_it_was_recorded(who: Cast, case: UseCase) -> None:
    record(who, case)
    for statement in ("UPDATE registry_usecasereview SET note = 'x'", "DELETE FROM registry_usecasereview"):
        with refused("append_only"):
            sql(statement)


def test_only_an_officer_records_and_nobody_on_what_is_retired(who: Cast, case: UseCase) -> None:
    for person, refusal in ((who.scientist, Forbidden), (who.owner, Forbidden), (who.auditor, Forbidden)):
        with pytest.raises(refusal):
            record(who, case, actor=person.actor)
    with pytest.raises(NotFound):
        record(who, case, actor=who.stranger.actor)
    with pytest.raises(StaleEdit):
        record(who, case, revision=case.revision + 1)
    assert not UseCaseReview.objects.exists()


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"note": "  "}, "note"),
        ({"note": "x" * 10_001}, "note"),
        ({"reviewed_on": date(2999, 1, 1)}, "reviewed_on"),
        ({"reviewed_on": date(1999, 1, 1)}, "reviewed_on"),
        ({"next_review_on": date(2000, 1, 1)}, "next_review_on"),
        ({"next_review_on": date(9999, 12, 31)}, "next_review_on"),
    ],
)
def test_what_a_review_must_say(who: Cast, case: UseCase, more: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        record(who, case, **more)
    assert list(refusal.value.errors) == [name]
    assert not UseCaseReview.objects.exists()


def test_an_overdue_review_is_put_off_with_a_reason_and_by_no_detour(who: Cast, case: UseCase) -> None:
    overdue(case)
    later = timezone.localdate() + timedelta(days=30)
    plan: dict[str, Any] = {"actor": who.scientist.actor, "use_case_id": case.pk, "revision": case.revision}
    with pytest.raises(InvalidInput) as refusal:
        use_case_reviews.plan(**plan, next_review_on=later)
    assert list(refusal.value.errors) == ["reason"]
    text = UseCaseText(name=case.name, intended_purpose=case.intended_purpose, next_review_on=later)
    with pytest.raises(InvalidInput):
        use_cases.edit(actor=who.scientist.actor, use_case_id=case.pk, revision=case.revision, text=text)
    use_case_reviews.plan(**plan, next_review_on=later, reason="The auditors come in a month.")
    assert Finding.objects.get(kind=FindingKind.REVIEW_OVERDUE).state == FindingState.RESOLVED
    assert any(entry.text == "The auditors come in a month." for entry in history(UseCase.objects.get()))


def test_a_retired_use_case_is_not_reviewed(who: Cast, case: UseCase) -> None:
    retirement.retire(actor=who.officer.actor, subject_type=UseCase, subject_id=case.pk, reason="Over.")
    case.refresh_from_db()
    with pytest.raises(WrongState):
        record(who, case)
    with pytest.raises(WrongState):
        use_case_reviews.plan(actor=who.officer.actor, use_case_id=case.pk, revision=case.revision, next_review_on=None)
    assert not selectors.by_next_review(who.officer.actor)


def test_the_list_puts_what_is_due_first_and_counts_it(who: Cast, case: UseCase) -> None:
    place, today = case.project, timezone.localdate()
    due = {ReviewDue.OVERDUE: -1, ReviewDue.SOON: 30, ReviewDue.LATER: 31}
    for word, days in due.items():
        made = use_case(who, place, name=word.value)
        UseCase.objects.filter(pk=made.pk).update(next_review_on=today + timedelta(days=days))
    rows = [row.name for row in selectors.by_next_review(who.officer.actor)]
    assert rows == [*(word.value for word in due), "Letters"]
    assert set(selectors.counts(who.officer.actor).values()) == {1}
    assert set(selectors.counts(who.stranger.actor).values()) == {0}
