"""How use cases walk, and what keeps them."""

from __future__ import annotations

import pytest

from governance.choices import Verdict
from governance.models import StageEvent
from governance.services import approvals, lifecycle
from portal.core.errors import WrongState
from portal.core.vocabulary import RiskClass, Stage
from registry.services import use_cases
from tests.factories import Cast, at_stage, group, use_case, version
from tests.factories.records import card
from tests.factories.walk import approve_once
from tests.scene import fingerprint, settle

from .conftest import Place
from .walking_by_hand import ask, position, reject, retire

pytestmark = pytest.mark.django_db


def test_an_unclassified_use_case_asks_in_vain(place: Place, people: Cast) -> None:
    case = use_case(people, place.project, RiskClass.UNCLASSIFIED)
    before = fingerprint()
    with pytest.raises(WrongState, match="not classified"):
        ask(people, case)
    assert fingerprint() == before


def test_an_unacceptable_use_case_never_leaves_poc(place: Place, people: Cast) -> None:
    case = use_case(people, place.project, RiskClass.UNACCEPTABLE)
    with pytest.raises(WrongState, match="never leave POC"):
        ask(people, case)
    assert lifecycle.blockers(case)


def test_it_cannot_become_unacceptable_between_asking_and_deciding(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    request = ask(people, case)
    use_cases.classify(
        actor=people.officer.actor,
        use_case_id=case.pk,
        risk_class=RiskClass.UNACCEPTABLE,
        reason="Social scoring.",
    )
    with pytest.raises(approvals.StaleRequest):
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    request.refresh_from_db()
    assert (request.state, position(case)) == ("outdated", "poc/pending")
    assert not request.decisions.exists()
    with pytest.raises(WrongState):
        ask(people, case)


def test_a_use_case_waits_for_each_of_its_models_and_names_them(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    approve_once(people, case)
    assert position(case) == "development/pending"
    assert lifecycle.blockers(case) == ("No model group is linked to it.",)

    scorer = version(group(place.project, people, case, name="scorer"))
    group(place.project, people, case, name="explainer")
    approve_once(people, case)
    assert position(case) == "development/approved"
    assert lifecycle.blockers(case) == (
        "No version of explainer is approved in Development (it has no version there).",
        "No version of scorer is approved in Development (version 1 is pending in Development).",
    )
    approve_once(people, scorer)
    assert position(case) == "development/approved"
    explainer = version(scorer.group.__class__.objects.get(name="explainer"))
    approve_once(people, explainer)
    # The last model to be approved takes the use case along, in its own transaction.
    assert position(case) == "qa/pending"
    event = StageEvent.objects.filter(use_case=case).latest("pk")
    assert (event.verb, event.stage, event.status) == ("advance", "qa", "pending")
    settle()


def test_the_whole_walk_of_a_use_case_with_its_model(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    approve_once(people, case)
    model = version(group(place.project, people, case))
    seen = []
    for _ in range(4):
        approve_once(people, model)
        approve_once(people, case)
        seen.append(position(case))
    assert seen == ["qa/pending", "pre_production/pending", "production/pending", "production/approved"]
    assert lifecycle.blockers(case) == ()
    settle()


def test_a_newer_version_still_in_development_does_not_hold_the_use_case_back(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    approve_once(people, case)
    model = version(group(place.project, people, case))
    approve_once(people, model)
    version(model.group, 2)
    approve_once(people, case)
    assert position(case) == "qa/pending"


def test_a_use_case_goes_back_for_rework_and_up_again(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    at_stage(people, version(group(place.project, people, case)), Stage.PRODUCTION)
    for _ in range(3):
        approve_once(people, case)
    assert position(case) == "pre_production/pending"
    reject(people, case)
    assert position(case) == "development/rejected"
    approve_once(people, case)
    assert position(case) == "qa/pending"
    settle()


def test_retiring_the_model_in_the_way_takes_the_use_case_along(place: Place, people: Cast) -> None:
    """A version that names a use case without its group being linked leaves its scope when it is retired."""
    case = use_case(people, place.project)
    approve_once(people, case)
    approve_once(people, version(group(place.project, people, case)))
    stray = version(group(place.project, people), card_content=card(case.public_id, risk="Low"))
    approve_once(people, case)
    assert position(case) == "development/approved"
    retire(people, stray)
    assert position(case) == "qa/pending"
    settle()
