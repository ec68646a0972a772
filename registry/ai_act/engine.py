"""From answers to a class: prohibited first, then high by either route, then limited, then minimal.

Pure: the same edition and answers give the same assessment, in whatever order they were given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from portal.core.vocabulary import RiskClass

from .answers import UNSURE, Answers
from .conditions import Condition, Truth, every, inverse, some
from .edition import NONE, DutyRule, Edition, FlagRule, Option, Question, Rule

# From the strictest to the laxest.
ORDER = (RiskClass.UNACCEPTABLE, RiskClass.HIGH, RiskClass.LIMITED, RiskClass.MINIMAL)


@dataclass(frozen=True)
class Reason:
    """Why: the rule, its article and plain words; `risk_class` is what it leads to, "" for a remark."""

    rule: str
    article: str
    text: str
    risk_class: str = ""


@dataclass(frozen=True)
class Flag:
    """Something to know beside the class, with its article."""

    key: str
    label: str
    article: str
    text: str


@dataclass(frozen=True)
class Duty:
    """What is to be done, by whom, from when."""

    key: str
    role: str
    article: str
    text: str
    applies_from: date


@dataclass(frozen=True)
class Missing:
    """A question that is still open; `is_unsure` when somebody said so, else nobody answered."""

    question: str
    text: str
    article: str
    is_unsure: bool


@dataclass(frozen=True)
class Assessment:
    """What the answers lead to.

    `risk_class` is unclassified while questions are open, unless something prohibited is already certain; `so_far` is
    the strictest class the given answers lead to already.
    """

    edition: str
    risk_class: RiskClass
    so_far: RiskClass
    reasons: tuple[Reason, ...]
    flags: tuple[Flag, ...]
    duties: tuple[Duty, ...]
    missing: tuple[Missing, ...]
    roles: tuple[str, ...]
    is_derogated: bool

    @property
    def is_complete(self) -> bool:
        return not self.missing

    def as_json(self) -> dict[str, Any]:
        """Return reasons, flags, duties and what is missing as JSON can hold them."""
        listed: dict[str, Any] = {
            "reasons": [asdict(reason) for reason in self.reasons],
            "flags": [asdict(flag) for flag in self.flags],
            "duties": [{**asdict(duty), "applies_from": duty.applies_from.isoformat()} for duty in self.duties],
            "missing": [asdict(missing) for missing in self.missing],
        }
        return listed


class Reading:
    """Answers read against an edition: what is asked, what holds, what counts. Everything is worked out once."""

    def __init__(self, edition: Edition, answers: Answers) -> None:
        self.edition = edition
        self.answers = answers
        self._asked: dict[str, Truth] = {}
        self._facts: dict[str, Truth] = {}

    def asked(self, key: str) -> Truth:
        """Whether a question is to be answered; None while that depends on an open one."""
        if key not in self._asked:
            question = self.edition.questions[key]
            self._asked[key] = every((self.holds(self.edition.section_of[key].when), self.holds(question.when)))
        return self._asked[key]

    def fact(self, key: str) -> Truth:
        """Whether a named condition holds."""
        if key not in self._facts:
            self._facts[key] = self.holds(self.edition.facts[key].when)
        return self._facts[key]

    def holds(self, condition: Condition) -> Truth:
        """Whether a condition holds; None when that is not known yet."""
        if condition.kind == "fact":
            return self.fact(condition.name)
        if condition.name:
            return self._tested(condition)
        parts = (self.holds(part) for part in condition.parts)
        if condition.kind == "all":
            return every(parts)
        found = some(parts)
        return found if condition.kind == "any" else inverse(found)

    def is_open(self, question: Question) -> bool:
        """Whether a question that is asked lacks a certain answer."""
        answer = self.answers.get(question.key)
        return self.asked(question.key) is True and (not answer or UNSURE in _listed(answer))

    def counting(self, key: str) -> list[Option]:
        """Return the chosen options of a question that count; "none" never does."""
        chosen = _listed(self.answers.get(key, []))
        return [
            option
            for option in self.edition.questions[key].options
            if option.key in chosen and option.key != NONE and not self._lifted(option.unless)
        ]

    def _lifted(self, unless: Condition | None) -> bool:
        return unless is not None and self.holds(unless) is True

    def fires(self, rule: Rule) -> bool:
        """Whether a rule certainly applies. An exception that is not certain does not lift it."""
        return self.holds(rule.when) is True and not self._lifted(rule.unless)

    def _tested(self, condition: Condition) -> Truth:
        asked = self.asked(condition.name)
        answer = self.answers.get(condition.name)
        if asked is not True or not answer:
            return False if asked is False else None
        if condition.kind in ("is", "includes"):
            found = any(value in _listed(answer) for value in condition.values)
        else:
            counting = {option.key for option in self.counting(condition.name)}
            found = bool(counting & set(condition.values)) if condition.values else bool(counting)
        return True if found else None if UNSURE in _listed(answer) else False


def assess(edition: Edition, answers: Answers) -> Assessment:
    """Classify by an edition's rules.

    `answers` are as `read_answers` returns them; those to questions that are not asked change nothing. A prohibited
    practice is unacceptable at once; anything else needs every question that is asked to be answered with certainty.
    """
    reading = Reading(edition, answers)
    fired = [rule for rule in edition.rules if reading.fires(rule)]
    flagged = [flag for flag in edition.flags if reading.holds(flag.when) is True]
    missing = tuple(
        Missing(question.key, question.text, question.article, bool(answers.get(question.key)))
        for question in edition.questions.values()
        if reading.is_open(question)
    )
    so_far = _strictest(fired, flagged, is_complete=not missing)
    is_certain = not missing or so_far is RiskClass.UNACCEPTABLE
    shown = [flag for flag in flagged if _is_for(flag, so_far)]
    return Assessment(
        edition=edition.id,
        risk_class=so_far if is_certain else RiskClass.UNCLASSIFIED,
        so_far=so_far,
        reasons=tuple(_reasons(reading, fired, shown, so_far)),
        flags=tuple(Flag(flag.key, flag.label, flag.article, flag.text) for flag in shown),
        duties=tuple(_duties(reading, {rule.key for rule in fired}, so_far)),
        missing=missing,
        roles=tuple(value for value in _listed(answers.get("role", [])) if value != UNSURE and reading.asked("role")),
        is_derogated=reading.fact("derogation") is True,
    )


def _strictest(fired: list[Rule], flagged: list[FlagRule], *, is_complete: bool) -> RiskClass:
    classes = {rule.risk_class for rule in fired}
    if any(flag.limited for flag in flagged):
        classes.add(RiskClass.LIMITED)
    found = next((word for word in ORDER if word in classes), None)
    return found or (RiskClass.MINIMAL if is_complete else RiskClass.UNCLASSIFIED)


def _is_for(entry: Rule | FlagRule, risk_class: RiskClass) -> bool:
    excepted = entry.except_for if isinstance(entry, FlagRule) else None
    if excepted is not None and risk_class in (excepted, RiskClass.UNCLASSIFIED):
        return False
    return entry.only_for in (None, risk_class)


def _reasons(reading: Reading, fired: list[Rule], flagged: list[FlagRule], risk_class: RiskClass) -> Iterator[Reason]:
    """Yield the reasons: the strictest first, transparency among them, remarks last."""
    found = [reason for rule in fired if _is_for(rule, risk_class) for reason in _reasons_of(reading, rule)]
    found += [Reason(flag.key, flag.article, flag.text, RiskClass.LIMITED) for flag in flagged if flag.limited]
    places = {word.value: place for place, word in enumerate(ORDER)}
    yield from sorted(found, key=lambda reason: places.get(reason.risk_class, len(ORDER)))


def _reasons_of(reading: Reading, rule: Rule) -> Iterator[Reason]:
    risk_class = rule.risk_class.value if rule.risk_class else ""
    yielded = False
    for key in rule.each:
        question = reading.edition.questions[key]
        if reading.asked(key) is not True:
            continue
        # An area names itself; a question does not, so the rule's words stand before the answer.
        about = rule.text.rstrip(".") if question.text.endswith("?") else question.text
        for option in reading.counting(key):
            yielded = True
            article, text = option.article, f"{about}: {option.text}."
            where = article if article.startswith(rule.article) else f"{rule.article}, {article}"
            yield Reason(rule.key, where, text, risk_class)
    if not yielded:
        yield Reason(rule.key, rule.article, rule.text, risk_class)


def _duties(reading: Reading, fired: set[str], risk_class: RiskClass) -> Iterator[Duty]:
    for duty in reading.edition.duties:
        if not _applies(reading, duty, fired, risk_class):
            continue
        counted = [
            (reading.holds(reading.edition.dates[key].when), reading.edition.dates[key].on) for key in duty.dates
        ]
        certain = [day for holds, day in counted if holds is True]
        # While it is open which date counts, the earlier one is shown: nobody plans for a day that is too late.
        days = certain or [day for holds, day in counted if holds is None]
        if days:
            yield Duty(duty.key, duty.role, duty.article, duty.text, min(days))


def _applies(reading: Reading, duty: DutyRule, fired: set[str], risk_class: RiskClass) -> bool:
    if (duty.risk_class or risk_class) is not risk_class:
        return False
    # What may not exist at all has no other duties than to stop.
    if risk_class is RiskClass.UNACCEPTABLE and duty.risk_class is None:
        return False
    if duty.rules and not fired.intersection(duty.rules):
        return False
    return reading.holds(duty.when) is True and (not duty.role or reading.fact(duty.role) is True)


def _listed(answer: str | list[str]) -> list[str]:
    return [answer] if isinstance(answer, str) else answer
