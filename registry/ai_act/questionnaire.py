"""The questions as they are to be asked: in sections, with what was answered and which ones are asked now."""

from __future__ import annotations

from dataclasses import dataclass

from .answers import UNSURE, Answers
from .edition import NO, YES, Edition, Option, Question, Section
from .engine import Reading

_YES_NO = (Option(YES, "Yes", ""), Option(NO, "No", ""))


@dataclass(frozen=True)
class Asked:
    """One question with its answer so far; `options` are all it offers, "not sure" last."""

    question: Question
    options: tuple[Option, ...]
    answer: tuple[str, ...]
    is_asked: bool
    is_open: bool


@dataclass(frozen=True)
class AskedSection:
    """One section; `is_asked` while any of its questions is."""

    section: Section
    questions: tuple[Asked, ...]

    @property
    def is_asked(self) -> bool:
        return any(asked.is_asked for asked in self.questions)

    @property
    def open(self) -> int:
        """How many of its questions lack a certain answer."""
        return sum(asked.is_open for asked in self.questions)


def questionnaire(edition: Edition, answers: Answers | None = None) -> tuple[AskedSection, ...]:
    """Return every section with all its questions, and which of them are asked after these answers."""
    reading = Reading(edition, answers or {})
    return tuple(
        AskedSection(
            section,
            tuple(_asked(reading, found) for found in edition.questions.values() if found.section == section.key),
        )
        for section in edition.sections
    )


def _asked(reading: Reading, question: Question) -> Asked:
    answer = reading.answers.get(question.key, [])
    return Asked(
        question=question,
        options=(*(question.options or _YES_NO), Option(UNSURE, "Not sure", "")),
        answer=(answer,) if isinstance(answer, str) else tuple(answer),
        is_asked=reading.asked(question.key) is True,
        is_open=reading.is_open(question),
    )
