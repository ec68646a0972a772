"""Two people in the same instant, each in a thread and a connection of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pytest
from django.db import connections

from governance.choices import Verdict
from governance.models import ApprovalRequest, Decision, OutboxMessage, StageEvent, StageRecord
from governance.selectors.audit import verify
from governance.services import approvals, metrics, retirement
from governance.services import use_cases as governed_use_cases
from portal.core.errors import DomainError, StaleEdit
from portal.core.vocabulary import RiskClass, Stage
from registry.models import ModelVersion, Project, UseCase, User
from registry.services import use_cases
from registry.services.use_cases import UseCaseText
from tests.factories import Cast, at_stage, cast, group, project, use_case, version
from tests.factories.walk import all_accounts, approve_once


@dataclass(frozen=True)
class Scene:
    project: Project
    people: Cast


@pytest.fixture
def scene(committed_db: str) -> Scene:
    here = project()
    all_accounts()
    return Scene(here, cast(here, project()))


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads that start together; returns each result or the refusal it ended in."""
    together = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        try:
            connections["default"].ensure_connection()
            together.wait(10)
            results[number] = call()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test judges it
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a thread hangs: a deadlock"
    return results


def saying(person: User, request: ApprovalRequest, verdict: Verdict = Verdict.APPROVE) -> Callable[[], object]:
    """One person's word, ready to be given."""
    comment = "" if verdict is Verdict.APPROVE else "No."
    return partial(approvals.decide, actor=person.actor, request_id=request.pk, verdict=verdict, comment=comment)


def asking(person: User, subject: ModelVersion | UseCase) -> Callable[[], object]:
    return partial(approvals.submit, actor=person.actor, subject_type=type(subject), subject_id=subject.pk)


def refusals(results: Sequence[object]) -> list[str]:
    return sorted(type(result).__name__ for result in results if isinstance(result, BaseException))


ROUNDS = 5


def test_two_officers_approve_in_the_same_instant(scene: Scene) -> None:
    people = scene.people
    for _ in range(ROUNDS):
        made = at_stage(people, version(group(scene.project, people), risk="High"), Stage.QA)
        request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
        written = OutboxMessage.objects.filter(version=made, kind="write_back").count()
        results = at_once(*(saying(officer, request) for officer in (people.officer, people.second_officer)))
        assert all(isinstance(result, Decision) for result in results), results
        request.refresh_from_db()
        made.refresh_from_db()
        assert (request.state, made.stage, made.status) == ("approved", "pre_production", "pending")
        assert set(request.decisions.values_list("decider", flat=True)) == {
            people.officer.pk,
            people.second_officer.pk,
        }
        assert StageEvent.objects.filter(version=made, verb="approve", stage="qa").count() == 1
        assert OutboxMessage.objects.filter(version=made, kind="write_back").count() == written + 1
    assert verify().is_intact


def test_the_same_officer_twice_in_the_same_instant_is_one(scene: Scene) -> None:
    people = scene.people
    made = at_stage(people, version(group(scene.project, people), risk="High"), Stage.QA)
    request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    results = at_once(*[saying(people.officer, request)] * 3)
    assert refusals(results) == ["AlreadyDecided", "AlreadyDecided"]
    made.refresh_from_db()
    assert (made.stage, request.decisions.count()) == ("qa", 1)


def test_approval_and_rejection_in_the_same_instant_leave_one_truth(scene: Scene) -> None:
    people = scene.people
    for _ in range(ROUNDS):
        made = at_stage(people, version(group(scene.project, people)), Stage.QA)
        request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
        results = at_once(
            saying(people.officer, request),
            saying(people.second_officer, request, Verdict.REJECT),
        )
        assert refusals(results) == ["RequestClosed"]
        request.refresh_from_db()
        made.refresh_from_db()
        expected = {"approved": "pre_production/pending", "rejected": "development/rejected"}
        assert f"{made.stage}/{made.status}" == expected[request.state]
        assert request.decisions.count() == 1


def test_a_double_submit_makes_one_request(scene: Scene) -> None:
    people = scene.people
    for subject in (version(group(scene.project, people)), use_case(people, scene.project)):
        results = at_once(
            *(asking(person, subject) for person in (people.scientist, people.engineer, people.scientist, people.owner))
        )
        assert refusals(results) == ["AlreadyOpen"] * 3
        assert ApprovalRequest.objects.open().about(subject).count() == 1


def test_deciding_and_withdrawing_in_the_same_instant(scene: Scene) -> None:
    people = scene.people
    for _ in range(ROUNDS):
        made = version(group(scene.project, people))
        request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
        results = at_once(
            saying(people.owner, request),
            partial(approvals.withdraw, actor=people.scientist.actor, request_id=request.pk),
        )
        assert refusals(results) == ["RequestClosed"]
        request.refresh_from_db()
        made.refresh_from_db()
        assert made.stage == {"approved": "qa", "withdrawn": "development"}[request.state]


def test_deciding_and_retiring_in_the_same_instant(scene: Scene) -> None:
    people = scene.people
    for _ in range(ROUNDS):
        made = version(group(scene.project, people))
        request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
        results = at_once(
            saying(people.owner, request),
            partial(
                retirement.retire,
                actor=people.officer.actor,
                subject_type=ModelVersion,
                subject_id=made.pk,
                reason="Obsolete.",
            ),
        )
        assert all(isinstance(result, DomainError) or not isinstance(result, BaseException) for result in results)
        made.refresh_from_db()
        request.refresh_from_db()
        assert made.stage == "retired"
        assert set(StageRecord.objects.filter(version=made).values_list("status", flat=True)) == {"retired"}
        assert request.state in ("approved", "outdated")


def test_classifying_and_approving_in_the_same_instant_never_approves_another_class(scene: Scene) -> None:
    people = scene.people
    for _ in range(ROUNDS):
        case = use_case(people, scene.project)
        request = approvals.submit(actor=people.scientist.actor, subject_type=UseCase, subject_id=case.pk)
        results = at_once(
            saying(people.owner, request),
            partial(
                use_cases.classify,
                actor=people.officer.actor,
                use_case_id=case.pk,
                risk_class=RiskClass.UNACCEPTABLE,
                reason="Social scoring.",
            ),
        )
        assert refusals(results) in ([], ["StaleRequest"])
        case.refresh_from_db()
        request.refresh_from_db()
        # Either it was approved first, as what it was then, and sent back since, or the class came first and the
        # request is void. It is beyond POC in neither case.
        assert (request.state, case.stage, case.status) in (
            ("approved", "poc", "rejected"),
            ("outdated", "poc", "pending"),
        )


def test_two_models_approved_in_the_same_instant_take_their_use_case_along_once(scene: Scene) -> None:
    people = scene.people
    for _ in range(ROUNDS):
        case = use_case(people, scene.project)
        approve_once(people, case)
        models = [version(group(scene.project, people, case)) for _ in range(2)]
        approve_once(people, case)
        requests = [
            approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=model.pk)
            for model in models
        ]
        results = at_once(*(saying(people.owner, request) for request in requests))
        assert refusals(results) == []
        case.refresh_from_db()
        assert (case.stage, case.status) == ("qa", "pending")
        assert StageEvent.objects.filter(use_case=case, verb="advance", stage="qa").count() == 1


def test_a_stale_edit_loses(scene: Scene) -> None:
    people = scene.people
    case = use_case(people, scene.project)
    results = at_once(
        *(
            lambda name=name: use_cases.edit(  # type: ignore[misc]
                actor=people.scientist.actor,
                use_case_id=case.pk,
                revision=case.revision,
                text=UseCaseText(name=name, intended_purpose="Rank."),
            )
            for name in ("first", "second", "third")
        )
    )
    assert [type(r) for r in results if isinstance(r, Exception)] == [StaleEdit, StaleEdit]
    winner = next(r for r in results if isinstance(r, UseCase))
    assert UseCase.objects.get(pk=case.pk).name == winner.name


def test_numbers_are_given_out_once_and_without_gaps(scene: Scene) -> None:
    people = scene.people
    results = at_once(
        *(
            lambda name=name: governed_use_cases.register(  # type: ignore[misc]
                actor=people.scientist.actor,
                project_id=scene.project.pk,
                # One of them is refused; its number is not lost.
                text=UseCaseText(name=name, intended_purpose="Rank."),
            )
            for name in ("a", "b", "", "c", "d")
        )
    )
    assert refusals(results) == ["InvalidInput"]
    assert sorted(UseCase.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


def test_metrics_reported_in_the_same_instant_are_all_kept(scene: Scene) -> None:
    people = scene.people
    record = StageRecord.objects.get(version=version(group(scene.project, people)))
    results = at_once(
        *(
            lambda value=value: metrics.report(  # type: ignore[misc]
                actor=people.engineer.actor,
                record_id=record.pk,
                kind=metrics.MetricKind.VALIDATION,
                metrics={"auc": value},
            )
            for value in (0.1, 0.2, 0.3, 0.4)
        )
    )
    assert refusals(results) == []
    assert record.reports.count() == 4
    newest = record.reports.latest("captured_at")
    record.refresh_from_db()
    assert record.validation_metrics == newest.metrics
    assert verify().is_intact
