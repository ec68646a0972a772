"""What another edition makes of the answers that stand."""

from __future__ import annotations

from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from governance.services import retirement
from portal.core.errors import NotFound
from portal.core.vocabulary import RiskClass
from registry.ai_act import assess, edition
from registry.models import Classification, Project, UseCase
from registry.selectors import classifications as selectors
from registry.services import classifications, use_cases
from tests.factories import Cast, cast, project, use_case
from tests.factories.people import SYSTEM
from tests.scene import fingerprint

from .cases import CREDIT, EXEMPT
from .filled import AMENDED, FIRST, filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(db: None) -> Project:
    return project("rerun")


@pytest.fixture
def people_(here: Project) -> Cast:
    return cast(here, project("elsewhere"))


def classified(people_: Cast, here: Project, of: str = FIRST, **answers: Any) -> UseCase:
    case = use_case(people_, here, RiskClass.UNCLASSIFIED)
    classifications.propose(
        actor=people_.officer.actor,
        use_case_id=case.pk,
        answers=filled(edition(of), **answers),
        edition=of,
        derogation_reason="Sorts files only.",
    )
    return case


def test_dates_and_new_questions_are_listed(people_: Cast, here: Project) -> None:
    case = classified(people_, here, **CREDIT)
    before = fingerprint()
    (change,) = selectors.rerun(people_.officer.actor, edition(AMENDED))
    assert fingerprint() == before
    assert (change.use_case, change.edition) == (case, AMENDED)
    assert (change.class_before, change.class_after, change.so_far) == ("high", "unclassified", "high")
    assert not change.is_class_changed
    moved = {duty.duty: (duty.before, duty.after) for duty in change.duties}
    assert moved["risk_management"] == (date(2026, 8, 2), date(2027, 12, 2))
    assert "literacy" not in moved
    assert [missing.question for missing in change.unanswered] == ["p_intimate_imagery", "p_child_abuse"]


def test_a_system_that_marks_content_is_asked_for_the_grace(people_: Cast, here: Project) -> None:
    classified(people_, here, t_synthetic="yes")
    (change,) = selectors.rerun(people_.officer.actor, edition(AMENDED))
    assert "t_synthetic_existing" in {missing.question for missing in change.unanswered}
    assert (change.class_before, change.so_far) == ("limited", "limited")


def test_back_to_the_first_edition_shows_a_changed_class(people_: Cast, here: Project) -> None:
    classified(people_, here, AMENDED, p_intimate_imagery="yes", t_synthetic="yes")
    (change,) = selectors.rerun(people_.officer.actor, edition(FIRST))
    assert (change.class_before, change.class_after) == ("unacceptable", "limited")
    assert change.is_class_changed
    assert {"stop_new"} == {duty.duty for duty in change.duties if duty.after is None}


def test_machinery_loses_its_duties_and_gains_a_flag(people_: Cast, here: Project) -> None:
    classified(people_, here, product="component", product_law=["machinery"], product_third_party="yes")
    (change,) = selectors.rerun(people_.officer.actor, edition(AMENDED))
    assert [flag.key for flag in change.flags_gained] == ["sectoral"]
    assert {duty.after for duty in change.duties} == {None}
    (back,) = [change for change in selectors.rerun(people_.officer.actor, edition(AMENDED)) if change.flags_gained]
    assert back.flags_lost == ()


def test_the_exempt_are_told_that_their_registration_moves(people_: Cast, here: Project) -> None:
    classified(people_, here, **CREDIT, **EXEMPT)
    (change,) = selectors.rerun(people_.officer.actor, edition(AMENDED))
    assert {duty.article: duty.after for duty in change.duties} == {
        "Art. 6(4)": date(2027, 12, 2),
        "Art. 49(2)": date(2027, 12, 2),
    }


def test_nothing_changes_under_its_own_edition_nor_for_what_is_no_ai_system(people_: Cast, here: Project) -> None:
    classified(people_, here, AMENDED, **CREDIT)
    classified(people_, here, FIRST, ai_system="no")
    assert selectors.rerun(people_.officer.actor, edition(AMENDED)) == []


def test_only_what_stands_is_read_again(people_: Cast, here: Project) -> None:
    case = classified(people_, here, **CREDIT)
    use_cases.classify(actor=people_.officer.actor, use_case_id=case.pk, risk_class=RiskClass.HIGH, reason="By hand.")
    waits = use_case(people_, here, RiskClass.UNCLASSIFIED)
    classifications.propose(
        actor=people_.scientist.actor, use_case_id=waits.pk, answers=filled(edition(FIRST)), edition=FIRST
    )
    over = classified(people_, here, **CREDIT)
    retirement.retire(actor=people_.officer.actor, subject_type=UseCase, subject_id=over.pk, reason="Over.")
    assert selectors.rerun(people_.officer.actor, edition(AMENDED)) == []
    assert selectors.by_hand(people_.officer.actor) == 1
    assert selectors.by_edition(people_.officer.actor) == {"": 1}


def test_everybody_sees_his_own(people_: Cast, here: Project) -> None:
    classified(people_, here, **CREDIT)
    for who in (people_.scientist, people_.auditor, people_.admin):
        assert len(selectors.rerun(who.actor, edition(AMENDED))) == 1
    assert selectors.rerun(people_.stranger.actor, edition(AMENDED)) == []
    assert len(selectors.rerun(SYSTEM, edition(AMENDED))) == 1


def test_who_is_told_that_answers_wait(people_: Cast, here: Project) -> None:
    case = use_case(people_, here, RiskClass.UNCLASSIFIED)
    classifications.propose(actor=people_.scientist.actor, use_case_id=case.pk, answers={"ai_system": "yes"})
    assert not selectors.to_confirm(people_.officer.actor).exists()
    row = classifications.propose(actor=people_.scientist.actor, use_case_id=case.pk, answers=filled())
    assert list(selectors.to_confirm(people_.officer.actor)) == [row]
    for who in (people_.scientist, people_.owner, people_.stranger, people_.auditor):
        assert not selectors.to_confirm(who.actor).exists()


def test_what_was_stored_is_what_the_edition_still_says(people_: Cast, here: Project) -> None:
    classified(people_, here, **CREDIT, t_interacts="yes")
    row = Classification.objects.confirmed().get()
    again = assess(edition(row.edition), row.answers)
    assert again.as_json() == {
        "reasons": row.reasons,
        "flags": row.flags,
        "duties": row.duties,
        "missing": row.missing,
    }
    assert again.risk_class == row.proposed_class


def test_an_edition_there_is_not() -> None:
    with pytest.raises(NotFound):
        selectors.edition("1999")


def test_the_command_says_what_changes(people_: Cast, here: Project) -> None:
    case = classified(people_, here, **CREDIT)
    out = StringIO()
    call_command("ai_act_rerun", stdout=out)
    assert f"{case.public_id} high -> unclassified" in out.getvalue()
    assert "Art. 9: 2026-08-02 -> 2027-12-02" in out.getvalue()
    assert "asks Art. 5(1)(ba)/(bb) as amended: p_child_abuse" in out.getvalue()
    assert f"1 use cases change by {AMENDED}; 0 were classified by hand." in out.getvalue()
    with pytest.raises(CommandError, match=AMENDED):
        call_command("ai_act_rerun", "1999")
