"""The AI Act's pages: questions that follow from answers, a decision on what was read, what an edition changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal.core.vocabulary import RiskClass
from registry.ai_act import edition
from registry.models import Classification, UseCase
from registry.services import classifications
from tests.api.world import World
from tests.factories import use_case
from tests.registry.ai_act.cases import CREDIT, EXEMPT
from tests.registry.ai_act.filled import AMENDED, FIRST, filled
from tests.scene import fingerprint

AsRole = Callable[[str], Client]
HTMX = {"HX-Request": "true"}


def words_of(answer: Any) -> str:
    """Return what a person reads, without the tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def sent(answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a form as a browser would send it."""
    return {**{f"q-{key}": answer for key, answer in answers.items()}, "edition": AMENDED, **more}


@pytest.fixture
def case(world: World) -> UseCase:
    return use_case(world.people, world.project, RiskClass.UNCLASSIFIED)


def ask(case: UseCase) -> str:
    return reverse("registry:use_case_questionnaire", args=[case.number])


def page(case: UseCase) -> str:
    return reverse("registry:use_case_ai_act", args=[case.number])


def test_only_what_follows_is_asked(case: UseCase, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    first = client.get(ask(case)).content.decode()
    assert 'name="q-ai_system"' in first
    assert 'name="q-union"' not in first
    before = fingerprint()
    shown = client.post(ask(case), sent({"ai_system": "yes"}, act="show", reason="Typed."))
    assert shown.status_code == 200
    assert 'name="q-union"' in shown.content.decode()
    assert "Typed." in shown.content.decode()
    assert fingerprint() == before


def test_htmx_gets_the_form_alone_with_the_class_and_its_article(case: UseCase, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    form = sent({"ai_system": "yes", "union": "yes", "exclusions": ["none"], "p_social_scoring": "yes"}, act="show")
    part = client.post(ask(case), form, headers=HTMX)
    assert "<html" not in part.content.decode()
    assert "Unacceptable risk" in words_of(part)
    assert "Art. 5(1)(c)" in words_of(part)
    assert "Prohibited whatever else is answered" in words_of(part)
    form = sent({**form_answers(form), "p_social_scoring": "no", "a3_services": ["credit"]}, act="show")
    part = client.post(ask(case), form, headers=HTMX)
    assert "At least high by what is answered" in words_of(part)
    assert not Classification.objects.filter(use_case=case).exists()


def form_answers(form: dict[str, Any]) -> dict[str, Any]:
    """Return the answers in a form."""
    return {key.removeprefix("q-"): answer for key, answer in form.items() if key.startswith("q-")}


def test_answers_are_sent_and_wait_for_an_officer(case: UseCase, as_role: AsRole) -> None:
    answer = as_role("model_owner").post(ask(case), sent(filled(**CREDIT), reason="As planned."), follow=True)
    assert "The answers lead to high. A governance officer confirms it." in words_of(answer)
    assert "Waits for a governance officer" in words_of(answer)
    assert "Annex III, point 5(b)" in words_of(answer)
    assert "applies from 2 December 2027" in words_of(answer)
    assert "not legal advice" in words_of(answer)
    assert "Confirm the class" not in words_of(answer)
    row = Classification.objects.get(use_case=case)
    assert row.answers == filled(**CREDIT)


def test_unfinished_answers_are_kept_and_come_back(case: UseCase, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    answer = client.post(ask(case), sent({"ai_system": "yes", "union": "unsure"}), follow=True)
    assert "The answers are kept; 1 question still open." in words_of(answer)
    assert "Not finished: 1 open" in words_of(answer)
    again = client.get(ask(case)).content.decode()
    assert re.search(r'name="q-union"[^>]*value="unsure"[^>]*checked|checked[^>]*name="q-union"', again)
    officer = as_role("governance_officer").get(page(case))
    assert "Nothing can be confirmed while questions are open." in words_of(officer)


def test_the_exemption_asks_for_its_reason_beside_the_field(case: UseCase, as_role: AsRole) -> None:
    client, answers = as_role("data_scientist"), filled(**CREDIT, **EXEMPT)
    refused = client.post(ask(case), sent(answers, reason="Kept."))
    assert refused.status_code == 422
    assert "although it is in Annex III (Art. 6(4))" in words_of(refused)
    assert "Kept." in refused.content.decode()
    answer = client.post(ask(case), sent(answers, derogation_reason="Sorts files."), follow=True)
    assert "Why Article 6(3) is claimed" in words_of(answer)
    assert "Sorts files." in words_of(answer)


@pytest.mark.parametrize(
    "form",
    [
        {"q-ai_system": "perhaps"},
        {"q-ai_system": "yes", "q-union": "yes", "q-exclusions": ["none", "military"]},
        {"q-ai_system": "yes", "q-union": "yes", "q-exclusions": ["nothing of the kind"]},
        {"q-ai_system": "no", "reason": "x\x00"},
    ],
)
def test_answers_not_on_offer_are_refused_beside_the_question(case: UseCase, as_role: AsRole, form: Any) -> None:
    answer = as_role("data_scientist").post(ask(case), form)
    assert answer.status_code in (400, 422)
    if answer.status_code == 422:
        assert "Nothing was saved" in words_of(answer)
    assert not Classification.objects.filter(use_case=case).exists()


def test_an_edition_there_is_not(case: UseCase, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    assert client.get(ask(case), {"edition": "1999"}).status_code == 404
    assert client.post(ask(case), {"edition": "1999"}).status_code == 404
    assert client.get(reverse("registry:ai_act"), {"edition": "1999"}).status_code == 404


def test_another_edition_can_be_answered(case: UseCase, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    assert FIRST in client.get(ask(case), {"edition": FIRST}).content.decode()
    client.post(ask(case), {**sent(filled(edition(FIRST))), "edition": FIRST})
    assert Classification.objects.get(use_case=case).edition == FIRST


def _proposed(world: World, case: UseCase, **answers: Any) -> Classification:
    return classifications.propose(actor=world.people.scientist.actor, use_case_id=case.pk, answers=filled(**answers))


def test_an_officer_confirms_what_he_read(world: World, case: UseCase, as_role: AsRole) -> None:
    row, client = _proposed(world, case, t_interacts="yes"), as_role("governance_officer")
    assert "Limited, as the answers say" in words_of(client.get(page(case)))
    form = {"act": "confirm", "classification": row.pk, "risk_class": "high", "reason": ""}
    refused = client.post(page(case), form)
    assert refused.status_code == 422
    assert "A stricter class needs its reason." in words_of(refused)
    answer = client.post(page(case), {**form, "reason": "It decides in practice."}, follow=True)
    assert "is classified high." in words_of(answer)
    assert "confirmed a stricter class: It decides in practice." in words_of(answer)
    case.refresh_from_db()
    assert case.risk_class == RiskClass.HIGH
    assert client.post(page(case), form).status_code == 409


def test_answers_that_changed_meanwhile_are_not_confirmed(world: World, case: UseCase, as_role: AsRole) -> None:
    read, client = _proposed(world, case), as_role("governance_officer")
    _proposed(world, case, **CREDIT)
    answer = client.post(page(case), {"act": "confirm", "classification": read.pk, "risk_class": "minimal"})
    assert answer.status_code == 409
    case.refresh_from_db()
    assert case.risk_class == RiskClass.UNCLASSIFIED


def test_an_officer_sends_answers_back(world: World, case: UseCase, as_role: AsRole) -> None:
    row, client = _proposed(world, case), as_role("governance_officer")
    form = {"act": "decline", "classification": row.pk, "risk_class": "minimal", "reason": ""}
    assert "Declining needs its reason." in words_of(client.post(page(case), form))
    answer = client.post(page(case), {**form, "reason": "Who reads the letters?"}, follow=True)
    assert "Sent back by" in words_of(answer)
    assert "Who reads the letters?" in words_of(answer)


@pytest.mark.parametrize("value", ["", "x", "0", str(10**30), "\x00"])
def test_a_decision_on_nothing(world: World, case: UseCase, as_role: AsRole, value: str) -> None:
    _proposed(world, case)
    answer = as_role("governance_officer").post(page(case), {"act": "confirm", "classification": value})
    assert answer.status_code in (400, 409, 422)


def test_home_tells_an_officer_that_answers_wait(world: World, case: UseCase, as_role: AsRole) -> None:
    _proposed(world, case)
    assert f"Confirm the AI Act class of {case.public_id}" in words_of(as_role("governance_officer").get("/"))
    assert f"Confirm the AI Act class of {case.public_id}" not in words_of(as_role("data_scientist").get("/"))


def test_a_use_case_nobody_answered_for_says_what_to_do(case: UseCase, as_role: AsRole) -> None:
    assert "Answer the questionnaire" in words_of(as_role("data_scientist").get(page(case)))
    auditor = words_of(as_role("auditor").get(page(case)))
    assert "Nobody has answered yet" in auditor
    assert "Answer the questionnaire" not in auditor


def test_the_editions_page_lists_what_changes(world: World, case: UseCase, as_role: AsRole) -> None:
    officer = world.people.officer.actor
    answers = filled(edition(FIRST), **CREDIT)
    classifications.propose(actor=officer, use_case_id=case.pk, answers=answers, edition=FIRST)
    shown = words_of(as_role("governance_officer").get(reverse("registry:ai_act")))
    assert case.public_id in shown
    assert "2 August 2026 → 2 December 2027" in shown
    assert "at least high, until the new questions are answered" in shown
    assert "The text in the Official Journal was not seen" in shown
    back = words_of(as_role("governance_officer").get(reverse("registry:ai_act"), {"edition": FIRST}))
    assert "Nothing changes" in back
    assert case.public_id not in words_of(as_role("stranger").get(reverse("registry:ai_act")))
