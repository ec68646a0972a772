"""Proposing, confirming and declining: who may, what is kept, what the use case gets."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from governance.services import retirement
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.vocabulary import RiskClass, Role
from registry.choices import ClassificationState
from registry.models import Classification, Project, UseCase
from registry.services import classifications, people, use_cases
from registry.services.classified import OwnUseCase
from tests.factories import Cast, cast, project, use_case
from tests.factories.people import SYSTEM

from .cases import CREDIT, EXEMPT
from .filled import AMENDED, FIRST, filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(db: None) -> Project:
    return project("ai-act")


@pytest.fixture
def people_(here: Project) -> Cast:
    return cast(here, project("elsewhere"))


@pytest.fixture
def case(people_: Cast, here: Project) -> UseCase:
    return use_case(people_, here, RiskClass.UNCLASSIFIED)


def proposed(people_: Cast, case: UseCase, **answers: Any) -> Classification:
    return classifications.propose(
        actor=people_.scientist.actor, use_case_id=case.pk, answers=filled(**answers), reason="As planned."
    )


def test_a_proposal_keeps_answers_edition_reason_and_assessor(people_: Cast, case: UseCase) -> None:
    row = proposed(people_, case, **CREDIT)
    row.refresh_from_db()
    assert (row.edition, row.state, row.proposed_class) == (AMENDED, ClassificationState.PROPOSED, RiskClass.HIGH)
    assert row.answers == filled(**CREDIT)
    assert (row.assessor, row.reason) == (people_.scientist, "As planned.")
    assert "Art. 6(2), Annex III, point 5(b)" in [reason["article"] for reason in row.reasons]
    assert {"provider", "deployer"} == set(row.operator_roles)
    assert row.duties
    assert row.flags
    case.refresh_from_db()
    assert case.risk_class == RiskClass.UNCLASSIFIED


def test_an_officer_confirms_and_the_use_case_gets_the_class(people_: Cast, case: UseCase) -> None:
    row = proposed(people_, case, **CREDIT)
    done = classifications.confirm(actor=people_.officer.actor, classification_id=row.pk)
    assert (done.state, done.confirmed_class, done.decided_by_id) == ("confirmed", "high", people_.officer.pk)
    case.refresh_from_db()
    assert (case.risk_class, case.risk_classified_by) == (RiskClass.HIGH, people_.officer)
    assert "Annex III, point 5(b)" in case.risk_reason
    with pytest.raises(classifications.NotProposed):
        classifications.confirm(actor=people_.officer.actor, classification_id=row.pk)


def test_an_officer_may_be_stricter_with_a_reason_but_not_laxer(people_: Cast, case: UseCase) -> None:
    officer = people_.officer.actor
    row = proposed(people_, case, t_interacts="yes")
    for lax in (RiskClass.MINIMAL, RiskClass.UNCLASSIFIED):
        with pytest.raises(InvalidInput) as refusal:
            classifications.confirm(actor=officer, classification_id=row.pk, risk_class=lax, reason="It is fine.")
        assert "risk_class" in refusal.value.errors
    with pytest.raises(InvalidInput) as refusal:
        classifications.confirm(actor=officer, classification_id=row.pk, risk_class=RiskClass.HIGH)
    assert "reason" in refusal.value.errors
    done = classifications.confirm(
        actor=officer, classification_id=row.pk, risk_class=RiskClass.HIGH, reason="It decides in practice."
    )
    case.refresh_from_db()
    assert (done.proposed_class, done.confirmed_class, case.risk_class) == ("limited", "high", "high")
    assert case.risk_reason.startswith("It decides in practice.")


@pytest.mark.parametrize("who", ["engineer", "admin", "auditor"])
def test_others_do_not_answer(people_: Cast, case: UseCase, who: str) -> None:
    with pytest.raises(Forbidden):
        classifications.propose(actor=getattr(people_, who).actor, use_case_id=case.pk, answers={})


@pytest.mark.parametrize("who", ["scientist", "owner", "engineer", "admin", "auditor"])
def test_others_do_not_decide(people_: Cast, case: UseCase, who: str) -> None:
    row = proposed(people_, case)
    with pytest.raises(Forbidden):
        classifications.confirm(actor=getattr(people_, who).actor, classification_id=row.pk)
    with pytest.raises(Forbidden):
        classifications.decline(actor=getattr(people_, who).actor, classification_id=row.pk, reason="No.")


def test_a_stranger_sees_nothing_of_it(people_: Cast, case: UseCase) -> None:
    row = proposed(people_, case)
    for call in (
        lambda: classifications.propose(actor=people_.stranger.actor, use_case_id=case.pk, answers={}),
        lambda: classifications.confirm(actor=people_.stranger.actor, classification_id=row.pk),
        lambda: classifications.decline(actor=people_.stranger.actor, classification_id=row.pk, reason="No."),
    ):
        with pytest.raises(NotFound):
            call()


def test_the_system_neither_answers_nor_decides(people_: Cast, case: UseCase) -> None:
    with pytest.raises(Forbidden):
        classifications.propose(actor=SYSTEM, use_case_id=case.pk, answers={})
    row = proposed(people_, case)
    with pytest.raises(Forbidden):
        classifications.confirm(actor=SYSTEM, classification_id=row.pk)
    with pytest.raises(Forbidden):
        use_cases.classify(actor=SYSTEM, use_case_id=case.pk, risk_class=RiskClass.HIGH, reason="x")


def test_whoever_answered_does_not_confirm_when_he_becomes_an_officer(people_: Cast, case: UseCase) -> None:
    row = classifications.propose(actor=people_.owner.actor, use_case_id=case.pk, answers=filled())
    people.grant(actor=SYSTEM, role=Role.GOVERNANCE_OFFICER, to=people_.owner, project=case.project)
    owner = type(people_.owner).objects.get(pk=people_.owner.pk)
    with pytest.raises(OwnUseCase):
        classifications.confirm(actor=owner.actor, classification_id=row.pk)
    with pytest.raises(OwnUseCase):
        classifications.decline(actor=owner.actor, classification_id=row.pk, reason="No.")


def test_an_officers_own_answers_are_confirmed_at_once(people_: Cast, case: UseCase) -> None:
    waiting = proposed(people_, case)
    row = classifications.propose(actor=people_.officer.actor, use_case_id=case.pk, answers=filled(**CREDIT))
    assert (row.state, row.confirmed_class, row.decided_by_id) == ("confirmed", "high", people_.officer.pk)
    case.refresh_from_db()
    waiting.refresh_from_db()
    assert (case.risk_class, waiting.state) == (RiskClass.HIGH, ClassificationState.SUPERSEDED)


def test_an_officer_who_registered_it_needs_another(people_: Cast, case: UseCase) -> None:
    people.grant(actor=SYSTEM, role=Role.GOVERNANCE_OFFICER, to=people_.scientist, project=case.project)
    registrant = type(people_.scientist).objects.get(pk=people_.scientist.pk).actor
    row = classifications.propose(actor=registrant, use_case_id=case.pk, answers=filled())
    assert row.state == ClassificationState.PROPOSED
    with pytest.raises(OwnUseCase):
        classifications.confirm(actor=registrant, classification_id=row.pk)
    with pytest.raises(OwnUseCase):
        use_cases.classify(actor=registrant, use_case_id=case.pk, risk_class=RiskClass.MINIMAL, reason="Mine.")
    classifications.confirm(actor=people_.officer.actor, classification_id=row.pk)
    case.refresh_from_db()
    assert case.risk_class == RiskClass.MINIMAL


def test_open_questions_are_kept_but_not_confirmed(people_: Cast, case: UseCase) -> None:
    for actor in (people_.scientist.actor, people_.officer.actor):
        row = classifications.propose(actor=actor, use_case_id=case.pk, answers={"ai_system": "yes"})
        assert (row.state, row.proposed_class) == (ClassificationState.PROPOSED, RiskClass.UNCLASSIFIED)
        assert [missing["question"] for missing in row.missing] == ["union"]
    with pytest.raises(WrongState, match="1 question of it"):
        classifications.confirm(actor=people_.second_officer.actor, classification_id=row.pk)
    case.refresh_from_db()
    assert case.risk_class == RiskClass.UNCLASSIFIED


def test_prohibited_is_confirmed_although_questions_are_open(people_: Cast, case: UseCase) -> None:
    answers = {"ai_system": "yes", "union": "yes", "exclusions": ["none"], "p_social_scoring": "yes"}
    row = classifications.propose(actor=people_.scientist.actor, use_case_id=case.pk, answers=answers)
    assert row.missing
    classifications.confirm(actor=people_.officer.actor, classification_id=row.pk)
    case.refresh_from_db()
    assert case.risk_class == RiskClass.UNACCEPTABLE


def test_an_exemption_needs_its_written_reason(people_: Cast, case: UseCase) -> None:
    answers = filled(**CREDIT, **EXEMPT)
    for empty in ("", " \n"):
        with pytest.raises(InvalidInput) as refusal:
            classifications.propose(
                actor=people_.scientist.actor, use_case_id=case.pk, answers=answers, derogation_reason=empty
            )
        assert "derogation_reason" in refusal.value.errors
    assert not Classification.objects.exists()
    row = classifications.propose(
        actor=people_.scientist.actor, use_case_id=case.pk, answers=answers, derogation_reason=" Sorts files only. "
    )
    assert (row.is_derogated, row.derogation_reason, row.proposed_class) == (True, "Sorts files only.", "minimal")


def test_a_newer_proposal_takes_the_place_of_one_that_waits_and_not_of_what_stands(
    people_: Cast, case: UseCase
) -> None:
    standing = classifications.propose(actor=people_.officer.actor, use_case_id=case.pk, answers=filled(**CREDIT))
    first, second = proposed(people_, case), proposed(people_, case)
    states = dict(Classification.objects.values_list("pk", "state"))
    assert states == {standing.pk: "confirmed", first.pk: "superseded", second.pk: "proposed"}
    classifications.confirm(actor=people_.officer.actor, classification_id=second.pk)
    states = dict(Classification.objects.values_list("pk", "state"))
    assert states == {standing.pk: "superseded", first.pk: "superseded", second.pk: "confirmed"}


def test_declining_sends_it_back_and_leaves_the_class(people_: Cast, case: UseCase) -> None:
    row = proposed(people_, case)
    with pytest.raises(InvalidInput):
        classifications.decline(actor=people_.officer.actor, classification_id=row.pk, reason=" ")
    done = classifications.decline(actor=people_.officer.actor, classification_id=row.pk, reason="It scores people.")
    case.refresh_from_db()
    assert (done.state, done.decision_reason, case.risk_class) == ("declined", "It scores people.", "unclassified")
    with pytest.raises(classifications.NotProposed):
        classifications.confirm(actor=people_.officer.actor, classification_id=row.pk)


def test_by_hand_is_in_the_history_and_takes_the_place_of_everything(people_: Cast, case: UseCase) -> None:
    stood = classifications.propose(actor=people_.officer.actor, use_case_id=case.pk, answers=filled(**CREDIT))
    waits = proposed(people_, case)
    lower = partial(use_cases.classify, use_case_id=case.pk, risk_class=RiskClass.LIMITED, reason="Advice.")
    with pytest.raises(OwnUseCase, match="Another governance officer"):
        lower(actor=people_.officer.actor)
    lower(actor=people_.second_officer.actor)
    row = Classification.objects.confirmed().get(use_case=case)
    assert (row.is_by_hand, row.confirmed_class, row.decision_reason) == (True, "limited", "Advice.")
    assert {Classification.objects.get(pk=pk).state for pk in (stood.pk, waits.pk)} == {"superseded"}


def test_nobody_lowers_alone_the_class_he_set(people_: Cast, case: UseCase) -> None:
    officer, other = people_.officer.actor, people_.second_officer.actor
    by_hand = partial(use_cases.classify, use_case_id=case.pk, reason="As assessed.")
    by_hand(actor=officer, risk_class=RiskClass.LIMITED)
    by_hand(actor=officer, risk_class=RiskClass.HIGH)
    for lower in (RiskClass.LIMITED, RiskClass.MINIMAL, RiskClass.UNCLASSIFIED):
        with pytest.raises(OwnUseCase):
            by_hand(actor=officer, risk_class=lower)
    answered = classifications.propose(actor=officer, use_case_id=case.pk, answers=filled())
    assert (answered.state, answered.proposed_class) == ("proposed", "minimal"), "another officer confirms it"
    classifications.confirm(actor=other, classification_id=answered.pk)
    case.refresh_from_db()
    assert case.risk_class == "minimal"


def test_a_retired_use_case_is_not_classified_any_more(people_: Cast, case: UseCase) -> None:
    row = proposed(people_, case)
    retirement.retire(actor=people_.officer.actor, subject_type=UseCase, subject_id=case.pk, reason="Over.")
    for call in (
        lambda: proposed(people_, case),
        lambda: classifications.confirm(actor=people_.officer.actor, classification_id=row.pk),
        lambda: classifications.decline(actor=people_.officer.actor, classification_id=row.pk, reason="x"),
    ):
        with pytest.raises(WrongState, match="retired"):
            call()


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ([], "answers"),
        (None, "answers"),
        ("yes", "answers"),
        ({"nothing_of_the_kind": "yes"}, "answers.nothing_of_the_kind"),
        ({"ai_system": "maybe"}, "answers.ai_system"),
        ({"ai_system": ["yes"]}, "answers.ai_system"),
        ({"ai_system": 10**30}, "answers.ai_system"),
        ({"exclusions": "military"}, "answers.exclusions"),
        ({"exclusions": ["military", "none"]}, "answers.exclusions"),
        ({"exclusions": [None]}, "answers.exclusions"),
        ({"exclusions": {"a": 1}}, "answers.exclusions"),
        ({"product": "\x00"}, "answers.product"),
        ({"p_intimate_imagery\x00": "yes"}, "answers.p_intimate_imagery\x00"),
    ],
)
def test_answers_that_are_none(people_: Cast, case: UseCase, answers: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        classifications.propose(actor=people_.scientist.actor, use_case_id=case.pk, answers=answers)
    assert field in refusal.value.errors
    assert not Classification.objects.exists()


def test_an_edition_there_is_not(people_: Cast, case: UseCase) -> None:
    with pytest.raises(InvalidInput) as refusal:
        classifications.propose(actor=people_.scientist.actor, use_case_id=case.pk, answers={}, edition="1999")
    assert FIRST in refusal.value.errors["edition"][0]
