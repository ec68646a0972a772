"""Complete sets of answers: what a case is about, and the harmless answer to everything else that is asked."""

from __future__ import annotations

from typing import Any

from registry.ai_act import Answers, Assessment, assess, current, edition, questionnaire, read_answers
from registry.ai_act.edition import Edition, Question

FIRST, AMENDED = "2024-1689", "2026-1744"
HARMLESS: dict[str, Any] = {"ai_system": "yes", "union": "yes", "role": ["provider", "deployer"]}


def harmless(question: Question) -> Any:
    """Return the answer that leads nowhere."""
    if question.key in HARMLESS:
        return HARMLESS[question.key]
    if question.type == "yes_no":
        return "no"
    return ["none"] if question.type == "multi" else question.options[-1].key


def filled(of: Edition | None = None, **given: Any) -> Answers:
    """Return answers to everything that is asked, those given first."""
    of = of or current()
    answers = read_answers(of, given)
    while True:
        open_now = [
            asked.question
            for section in questionnaire(of, answers)
            for asked in section.questions
            if asked.is_open and asked.question.key not in answers
        ]
        if not open_now:
            return answers
        answers = read_answers(of, {**answers, **{question.key: harmless(question) for question in open_now}})


def assessed(edition_id: str = AMENDED, **given: Any) -> Assessment:
    """Return the assessment of complete answers."""
    of = edition(edition_id)
    return assess(of, filled(of, **given))
