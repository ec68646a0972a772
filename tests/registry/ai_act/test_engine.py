"""What must hold for any answers: open is never no, stricter stays stricter, order does not matter."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.ai_act import (
    UNSURE,
    Answers,
    AnswersUnusable,
    assess,
    current,
    edition,
    editions,
    questionnaire,
    read_answers,
)
from registry.ai_act.answers import offered
from registry.ai_act.edition import NONE, Edition
from registry.ai_act.engine import ORDER, Reading

from .cases import CASES, CREDIT, EXEMPT
from .filled import AMENDED, FIRST, filled

PRACTICES = [rule.when.name for rule in current().rules if rule.risk_class == "unacceptable"]


def answers_to(of: Edition) -> st.SearchStrategy[Answers]:
    """Any answers to any questions, asked or not."""

    def to(key: str) -> st.SearchStrategy[Any]:
        question = of.questions[key]
        if question.type != "multi":
            return st.none() | st.sampled_from(offered(question))
        several = [value for value in offered(question) if value != NONE]
        chosen = st.none() | st.lists(st.sampled_from(several), unique=True, max_size=3)
        return chosen | st.just([NONE]) if NONE in offered(question) else chosen

    return st.fixed_dictionaries({key: to(key) for key in of.questions}).map(lambda raw: read_answers(of, raw))


def strictness(word: str) -> int:
    """Return how strict a class is; unclassified is the least that can be said."""
    return len(ORDER) - ORDER.index(word) if word in ORDER else 0


@settings(max_examples=150, deadline=None)
@given(answers_to(current()), st.sampled_from(PRACTICES))
def test_a_prohibited_practice_never_lowers_the_class(answers: Answers, practice: str) -> None:
    before, after = assess(current(), answers), assess(current(), {**answers, practice: "yes"})
    assert strictness(after.so_far) >= strictness(before.so_far)
    lifted = after.risk_class is not before.risk_class and strictness(after.risk_class) < strictness(before.risk_class)
    # The practice's own exception may be open now; then nothing is said yet, which is not a laxer class.
    assert not lifted or (after.missing and after.risk_class == "unclassified")


@settings(max_examples=150, deadline=None)
@given(answers_to(current()), st.sampled_from(PRACTICES))
def test_a_practice_in_scope_is_prohibited_unless_its_exception_is_certain(answers: Answers, practice: str) -> None:
    found = assess(current(), {**answers, practice: "yes"})
    reading = Reading(current(), {**answers, practice: "yes"})
    if reading.fact("in_scope") is True:
        rule = next(rule for rule in current().rules if rule.when.name == practice)
        excepted = rule.unless is not None and reading.holds(rule.unless) is True
        assert (found.risk_class == "unacceptable") or excepted


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(editions()).flatmap(lambda of: st.tuples(st.just(of), answers_to(of))), st.randoms())
def test_the_order_of_answers_does_not_matter(given_: tuple[Edition, Answers], luck: random.Random) -> None:
    of, answers = given_
    shuffled = list(answers.items())
    luck.shuffle(shuffled)
    assert assess(of, dict(shuffled)) == assess(of, answers)
    assert read_answers(of, dict(shuffled)) == answers


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(editions()).flatmap(lambda of: st.tuples(st.just(of), answers_to(of))))
def test_any_answers_are_assessed(given_: tuple[Edition, Answers]) -> None:
    of, answers = given_
    found = assess(of, answers)
    assert (found.risk_class == "unclassified") == (not found.is_complete and found.so_far != "unacceptable")
    assert found.risk_class in ("unclassified", found.so_far)
    assert all(reason.article and reason.text for reason in found.reasons)
    assert found.is_complete <= bool(found.reasons)
    limited = any(flag.key in {rule.key for rule in of.flags if rule.limited} for flag in found.flags)
    assert strictness(found.so_far) >= (strictness("limited") if limited else 0)
    open_questions = {missing.question for missing in found.missing}
    assert open_questions == {
        asked.question.key for section in questionnaire(of, answers) for asked in section.questions if asked.is_open
    }


@settings(max_examples=100, deadline=None)
@given(answers_to(current()), st.data())
def test_answers_to_what_is_not_asked_change_nothing(answers: Answers, data: st.DataObject) -> None:
    reading = Reading(current(), answers)
    asked = {key: answer for key, answer in answers.items() if reading.asked(key) is True}
    assert assess(current(), asked) == assess(current(), answers)


@pytest.mark.parametrize("case", CASES[::4], ids=lambda case: case.name)
def test_not_sure_is_never_taken_for_no(case: Any) -> None:
    """Whatever single answer is taken back, nothing is classified on what is left, unless it is prohibited anyway."""
    of = edition(case.edition)
    complete = filled(of, **case.answers)
    reading = Reading(of, complete)
    for key in complete:
        if reading.asked(key) is not True:
            continue
        for open_answer in ([UNSURE] if of.questions[key].type == "multi" else UNSURE, None):
            answers = {**complete, key: open_answer} if open_answer else {k: v for k, v in complete.items() if k != key}
            found = assess(of, answers)
            assert found.risk_class in ("unclassified", "unacceptable"), key
            if found.risk_class == "unclassified":
                assert key in {missing.question for missing in found.missing}


def test_a_certain_choice_beside_not_sure_counts_and_stays_open() -> None:
    found = assess(current(), {**filled(**CREDIT), "a3_services": ["credit", UNSURE]})
    assert (found.risk_class, found.so_far) == ("unclassified", "high")
    assert [(missing.question, missing.is_unsure) for missing in found.missing] == [("a3_services", True)]


@pytest.mark.parametrize("answer", [None, UNSURE, "no"])
@pytest.mark.parametrize(
    ("practice", "exception"),
    [
        ("p_crime_prediction", "p_crime_prediction_support"),
        ("p_emotion_work_school", "p_emotion_medical_safety"),
        ("p_biometric_categories", "p_biometric_lawful_labelling"),
    ],
)
def test_an_exception_that_is_not_certain_does_not_lift_article_5(
    practice: str, exception: str, answer: str | None
) -> None:
    answers = {**filled(**{practice: "yes"})}
    answers.pop(exception)
    assert assess(current(), {**answers, **({exception: answer} if answer else {})}).risk_class == "unacceptable"


def test_an_exclusion_from_annex_iii_must_be_certain() -> None:
    answers = filled(**CREDIT)
    assert assess(current(), {**answers, "a3_fraud_only": UNSURE}).so_far == "high"
    assert (
        assess(
            current(),
            {**answers, "significant_risk": UNSURE, **{k: v for k, v in EXEMPT.items() if k != "significant_risk"}},
        ).so_far
        == "high"
    )


def test_the_exemption_is_void_although_its_conditions_were_answered_before_profiling() -> None:
    answers = {**filled(**CREDIT, **EXEMPT), "profiling": "yes"}
    found = assess(current(), answers)
    assert (found.risk_class, found.is_derogated) == ("high", False)


def test_the_first_question_is_all_that_is_asked_at_first() -> None:
    for of in editions():
        found = assess(of, {})
        assert [missing.question for missing in found.missing] == ["ai_system"]
        assert (found.risk_class, found.so_far, found.reasons, found.duties) == ("unclassified", "unclassified", (), ())


def test_answers_are_brought_into_one_form() -> None:
    read = read_answers(
        current(), {"role": ["deployer", "provider", "deployer"], "union": "", "ai_system": "yes", "exclusions": []}
    )
    assert read == {"ai_system": "yes", "role": ["provider", "deployer"]}
    assert list(read) == ["ai_system", "role"]


def test_every_wrong_answer_is_named_at_once() -> None:
    with pytest.raises(AnswersUnusable) as refusal:
        read_answers(current(), {"ai_system": 1, "role": "provider", "x": "yes", 7: "yes", "union": "yes"})
    assert set(refusal.value.errors) == {"ai_system", "role", "x", "7"}


def test_the_new_questions_are_not_in_the_first_edition() -> None:
    assert set(edition(AMENDED).questions) - set(edition(FIRST).questions) == {
        "p_intimate_imagery",
        "p_child_abuse",
        "t_synthetic_existing",
    }
    with pytest.raises(AnswersUnusable):
        read_answers(edition(FIRST), {"p_child_abuse": "yes"})
