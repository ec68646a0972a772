"""What an edition of the Act consists of: questions, named conditions, rules, flags, duties and dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from portal.core.vocabulary import RiskClass

from .conditions import ALWAYS, Condition

NONE = "none"
YES, NO = "yes", "no"


@dataclass(frozen=True)
class Source:
    """Where an edition's text and dates come from, and when somebody last looked."""

    citation: str
    checked_on: date
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Applies:
    """A day from which something applies, by an article, for systems that `when` describes."""

    label: str
    on: date
    article: str
    when: Condition = ALWAYS


@dataclass(frozen=True)
class Section:
    """A part of the questionnaire; its questions are asked while `when` holds."""

    key: str
    title: str
    lead: str = ""
    when: Condition = ALWAYS


@dataclass(frozen=True)
class Option:
    """One answer to choose; `unless` says when choosing it does not count after all."""

    key: str
    text: str
    article: str
    unless: Condition | None = None


@dataclass(frozen=True)
class Question:
    """One question: `type` is yes_no, single or multi; it is asked while `when` holds."""

    key: str
    section: str
    type: str
    text: str
    article: str
    help: str = ""
    when: Condition = ALWAYS
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A named condition."""

    key: str
    when: Condition


@dataclass(frozen=True)
class Rule:
    """What `when` leads to: a class, or a remark without one. Lifted only by an `unless` that certainly holds."""

    key: str
    article: str
    text: str
    when: Condition
    risk_class: RiskClass | None = None
    unless: Condition | None = None
    each: tuple[str, ...] = ()
    only_for: RiskClass | None = None


@dataclass(frozen=True)
class FlagRule:
    """Something to know beside the class; `limited` ones make a system without a stricter class one of limited risk."""

    key: str
    label: str
    article: str
    text: str
    when: Condition
    limited: bool = False
    only_for: RiskClass | None = None
    except_for: RiskClass | None = None


@dataclass(frozen=True)
class DutyRule:
    """What is to be done by whom (`role` names a fact), from the earliest of the `dates` that count.

    With `risk_class` it is a duty of that class alone; with `rules` it needs one of them to have led there.
    """

    key: str
    article: str
    text: str
    dates: tuple[str, ...]
    role: str = ""
    when: Condition = ALWAYS
    risk_class: RiskClass | None = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edition:
    """One state of the law as the portal asks about it. `extends` is the edition it amends."""

    id: str
    title: str
    summary: str
    status: str
    adopted_on: date
    published_on: date | None
    in_force_on: date | None
    extends: str
    sources: tuple[Source, ...]
    dates: Mapping[str, Applies]
    sections: tuple[Section, ...]
    questions: Mapping[str, Question]
    facts: Mapping[str, Fact]
    rules: tuple[Rule, ...]
    flags: tuple[FlagRule, ...]
    duties: tuple[DutyRule, ...]
    section_of: Mapping[str, Section] = field(repr=False, default_factory=dict)
