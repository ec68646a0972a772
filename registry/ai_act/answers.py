"""Answers as people and programs send them, made sure of before anything is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .edition import NO, NONE, YES, Edition, Question

# A question answered so stays open: nobody is classified on a guess.
UNSURE = "unsure"
Answers = dict[str, str | list[str]]


class AnswersUnusable(ValueError):
    """Some answers are none the questionnaire offers; `errors` names the questions."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("Some answers are not on offer.")
        self.errors = dict(errors)


def read_answers(edition: Edition, raw: Any) -> Answers:
    """Return the answers by question, those to several choices in the questionnaire's order, without repetition.

    Takes a mapping of question to "yes", "no", an option, "unsure", or for several choices a list of these; an
    empty answer is none. Raises AnswersUnusable naming every question there is not and every answer not on offer.
    """
    if not isinstance(raw, Mapping):
        raise AnswersUnusable({"": "Send the answers as an object of question and answer."})
    errors: dict[str, str] = {}
    read: Answers = {}
    for key, given in raw.items():
        question = edition.questions.get(key) if isinstance(key, str) else None
        if question is None:
            errors[str(key)[:80]] = f"The edition {edition.id} has no such question."
            continue
        try:
            answer = _several(question, given) if question.type == "multi" else _one(question, given)
        except ValueError as error:
            errors[question.key] = str(error)
            continue
        if answer:
            read[question.key] = answer
    if errors:
        raise AnswersUnusable(errors)
    return {key: read[key] for key in edition.questions if key in read}


def offered(question: Question) -> list[str]:
    """Return the values a question takes, "unsure" last."""
    values = [YES, NO] if question.type == "yes_no" else [option.key for option in question.options]
    return [*values, UNSURE]


def _one(question: Question, given: Any) -> str:
    if given is None or given == "":
        return ""
    if not isinstance(given, str) or given not in offered(question):
        raise ValueError(f"Answer one of {', '.join(offered(question))}.")
    return given


def _several(question: Question, given: Any) -> list[str]:
    if given is None or given == "":
        return []
    if not isinstance(given, list) or not all(isinstance(item, str) and item in offered(question) for item in given):
        raise ValueError(f"Answer with a list of {', '.join(offered(question))}.")
    if NONE in given and len(set(given)) > 1:
        raise ValueError("None of these cannot go with another answer.")
    return [value for value in offered(question) if value in given]
