"""Who sees the same in the same instant: one finding, whatever threads and reviews do at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from django.utils import timezone

from governance.choices import FindingKind
from governance.models import Finding
from governance.services import findings, review
from portal.core.operations import operation
from registry.models import ModelVersion, UseCase
from tests.factories import group, use_case, version
from tests.factories.people import SYSTEM

from .test_concurrency import ROUNDS, Scene, at_once, refusals, scene

__all__ = ["scene"]

KIND = FindingKind.CARD_INVALID


def seeing(subject: ModelVersion, words: str) -> Callable[[], object]:
    """One observer, ready to see."""

    def see() -> object:
        with operation(SYSTEM):
            return findings.observe(KIND, subject, words)

    return see


def test_two_observers_of_the_same_open_one(scene: Scene) -> None:
    for _ in range(ROUNDS):
        made = version(group(scene.project, scene.people))
        results = at_once(*(seeing(made, f"Seen by {number}") for number in range(4)))
        assert refusals(results) == []
        (finding,) = Finding.objects.filter(version=made, kind=KIND)
        assert {result.pk for result in results if isinstance(result, Finding)} == {finding.pk}
        assert finding.state == "open"


def test_whoever_comes_second_waits_for_the_first_and_opens_it_if_that_is_undone(scene: Scene) -> None:
    made = version(group(scene.project, scene.people))

    def undone() -> None:
        with suppress(InterruptedError), operation(SYSTEM):
            findings.observe(KIND, made, "Never was.")
            raise InterruptedError

    results = at_once(undone, seeing(made, "Is."), undone)
    assert refusals(results) == []
    assert [row.summary for row in Finding.objects.filter(version=made, kind=KIND)] == ["Is."]


def test_seeing_and_closing_in_the_same_instant_lose_nothing(scene: Scene) -> None:
    officer = scene.people.officer.actor
    for _ in range(ROUNDS):
        made = version(group(scene.project, scene.people))
        standing = seeing(made, "Odd.")()
        assert isinstance(standing, Finding)
        results = at_once(
            seeing(made, "Odd, again."),
            partial(findings.resolve, actor=officer, finding_id=standing.pk, note="Mended."),
            seeing(made, "Odd, and again."),
        )
        assert refusals(results) == []
        standing.refresh_from_db()
        assert (standing.state, standing.closing_note) == ("resolved", "Mended.")
        # Who saw it before the resolution refreshed the old one, who saw it after opened another.
        assert Finding.objects.unresolved().filter(version=made, kind=KIND).count() <= 1


def test_two_officers_in_the_same_instant_leave_one_word(scene: Scene) -> None:
    people = scene.people
    for _ in range(ROUNDS):
        standing = seeing(version(group(scene.project, people)), "Odd.")()
        assert isinstance(standing, Finding)
        results = at_once(
            partial(
                findings.accept,
                actor=people.officer.actor,
                finding_id=standing.pk,
                reason="Known.",
                until=timezone.localdate(),
            ),
            partial(findings.acknowledge, actor=people.second_officer.actor, finding_id=standing.pk),
        )
        standing.refresh_from_db()
        # Taken on and then accepted is a legal order, accepted and then taken on is none.
        assert (standing.state, refusals(results)) in (("accepted", []), ("accepted", ["WrongState"]))


def test_reviews_and_observers_at_once_open_each_one_once(scene: Scene) -> None:
    people = scene.people
    cases = [use_case(people, scene.project) for _ in range(8)]
    UseCase.objects.update(next_review_on=timezone.localdate() - timedelta(days=1))

    def observing(case: UseCase) -> Callable[[], object]:
        def see() -> object:
            with operation(SYSTEM):
                return findings.observe(FindingKind.REVIEW_OVERDUE, case, "It is overdue.")

        return see

    results = at_once(
        *(partial(review.review_all, actor=SYSTEM) for _ in range(3)), *(observing(case) for case in cases)
    )
    assert refusals(results) == []
    rows = Finding.objects.filter(kind=FindingKind.REVIEW_OVERDUE)
    assert sorted(row.use_case_id or 0 for row in rows) == sorted(case.pk for case in cases)
    assert review.review_all(actor=SYSTEM).opened == 0
