"""From data files to editions: what an amendment changes is laid over what it extends, then everything is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from portal.core.vocabulary import RiskClass

from .conditions import Condition, EditionInvalid, parse
from .edition import (
    NO,
    YES,
    Applies,
    DutyRule,
    Edition,
    Fact,
    FlagRule,
    Option,
    Question,
    Rule,
    Section,
    Source,
)

LISTS = ("sections", "questions", "facts", "rules", "flags", "duties")
HEAD = {"id", "title", "summary", "status", "extends", "adopted_on", "published_on", "in_force_on", "sources", "dates"}
TYPES = ("yes_no", "single", "multi")
Raw = dict[str, Any]


def read_editions(raw: Mapping[str, Raw]) -> list[Edition]:
    """Build every edition from its file's content, by file name. Raises EditionInvalid naming file and place."""
    made = []
    for name, content in raw.items():
        if content.get("id") != name:
            raise EditionInvalid(f"{name}: the id must be the name of the file.")
        try:
            made.append(_built(_whole(name, raw, ())))
        except (KeyError, TypeError, ValueError, EditionInvalid) as error:
            raise EditionInvalid(f"{name}: {error}") from error
    return made


def _whole(name: str, raw: Mapping[str, Raw], above: tuple[str, ...]) -> Raw:
    """Lay an amendment over what it extends; the head of a file is its own."""
    own = raw[name]
    unknown = set(own) - HEAD - set(LISTS)
    if unknown:
        raise EditionInvalid(f"no such part: {', '.join(sorted(unknown))}.")
    if not own.get("extends"):
        return own
    if own["extends"] in (*above, name):
        raise EditionInvalid("it extends itself.")
    base = _whole(own["extends"], raw, (*above, name))
    laid = {part: _laid(base.get(part, []), own.get(part, [])) for part in LISTS}
    return {**own, **laid, "dates": {**base["dates"], **own.get("dates", {})}}


def _laid(base: list[Raw], own: list[Raw]) -> list[Raw]:
    """Replace by key, insert after the key that `after` names, and append the rest."""
    result = list(base)
    for entry in own:
        entry = dict(entry)
        after = entry.pop("after", None)
        places = {item["key"]: place for place, item in enumerate(result)}
        if entry["key"] in places:
            result[places[entry["key"]]] = entry
        elif after is None:
            result.append(entry)
        else:
            result.insert(places[after] + 1, entry)
    return result


def _built(raw: Raw) -> Edition:
    sections = tuple(_section(entry) for entry in raw["sections"])
    questions = _by_key([_question(entry) for entry in raw["questions"]])
    by_section = _by_key(sections)
    found = Edition(
        id=raw["id"],
        title=raw["title"],
        summary=raw["summary"],
        status=raw["status"],
        adopted_on=raw["adopted_on"],
        published_on=raw.get("published_on"),
        in_force_on=raw.get("in_force_on"),
        extends=raw.get("extends", ""),
        sources=tuple(Source(**source) for source in raw["sources"]),
        dates={key: _applies(entry) for key, entry in raw["dates"].items()},
        sections=sections,
        questions=questions,
        facts=_by_key([Fact(entry["key"], parse(entry["when"])) for entry in raw["facts"]]),
        rules=tuple(_by_key([_rule(entry) for entry in raw["rules"]]).values()),
        flags=tuple(_by_key([_flag(entry) for entry in raw["flags"]]).values()),
        duties=tuple(_by_key([_duty(entry) for entry in raw["duties"]]).values()),
        section_of={key: by_section[question.section] for key, question in questions.items()},
    )
    check(found)
    return found


def _by_key(entries: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries:
        if entry.key in found:
            raise EditionInvalid(f"{entry.key} is there twice.")
        found[entry.key] = entry
    return found


def _with(raw: Raw, **read: Callable[[Any], Any]) -> Raw:
    """Return an entry with some of its values read; what is absent stays absent."""
    return {key: read[key](value) if key in read else value for key, value in raw.items()}


def _applies(raw: Raw) -> Applies:
    if type(raw["on"]) is not date:
        raise EditionInvalid(f"{raw['on']!r} is no day.")
    return Applies(**_with(raw, when=parse))


def _section(raw: Raw) -> Section:
    return Section(**_with(raw, when=parse))


def _question(raw: Raw) -> Question:
    return Question(**_with(raw, when=parse, options=_options))


def _options(raw: list[Raw]) -> tuple[Option, ...]:
    return tuple(_by_key([Option(**_with(entry, unless=parse)) for entry in raw]).values())


def _classed(raw: Raw) -> Raw:
    lists = dict.fromkeys(("each", "rules", "dates"), tuple)
    classes = dict.fromkeys(("only_for", "except_for"), RiskClass)
    read = _with(raw, when=parse, unless=parse, **lists, **classes)
    if "class" in read:
        read["risk_class"] = RiskClass(read.pop("class"))
    return read


def _rule(raw: Raw) -> Rule:
    return Rule(**_classed(raw))


def _flag(raw: Raw) -> FlagRule:
    return FlagRule(**_classed(raw))


def _duty(raw: Raw) -> DutyRule:
    return DutyRule(**_classed(raw))


def check(found: Edition) -> None:
    """Raise EditionInvalid unless every reference leads somewhere, every part has its article, and nothing circles."""
    for question in found.questions.values():
        _check_question(question)
    for key, article in _articles(found):
        if not article.strip():
            raise EditionInvalid(f"{key} names no article.")
    for condition in _conditions(found):
        for part in condition.walk():
            _check_reference(found, part)
    _check_outcomes(found)
    _check_circles(found)


def _check_question(question: Question) -> None:
    if question.type not in TYPES or not question.text.strip():
        raise EditionInvalid(f"{question.key} is no question of type {question.type}.")
    if (question.type == "yes_no") == bool(question.options):
        raise EditionInvalid(f"{question.key}: options are for single and multi.")


def _check_outcomes(found: Edition) -> None:
    rules = {rule.key for rule in found.rules}
    for rule in found.rules:
        if wrong := [key for key in rule.each if key not in found.questions or not found.questions[key].options]:
            raise EditionInvalid(f"{rule.key}: no question with options {', '.join(wrong)}.")
    for duty in found.duties:
        unknown = {*set(duty.dates) - set(found.dates), *set(duty.rules) - rules}
        if duty.role and duty.role not in found.facts:
            unknown.add(duty.role)
        if unknown or not duty.dates:
            raise EditionInvalid(f"{duty.key}: {', '.join(sorted(unknown)) or 'no date'} is not known.")


def _articles(found: Edition) -> Iterator[tuple[str, str]]:
    yield from ((key, applies.article) for key, applies in found.dates.items())
    for question in found.questions.values():
        yield question.key, question.article
        yield from ((f"{question.key}/{option.key}", option.article) for option in question.options)
    yield from ((rule.key, rule.article) for rule in found.rules)
    yield from ((flag.key, flag.article) for flag in found.flags)
    yield from ((duty.key, duty.article) for duty in found.duties)


def _conditions(found: Edition) -> Iterator[Condition]:
    yield from (section.when for section in found.sections)
    yield from (fact.when for fact in found.facts.values())
    yield from (applies.when for applies in found.dates.values())
    yield from (flag.when for flag in found.flags)
    yield from (duty.when for duty in found.duties)
    for rule in found.rules:
        yield from (condition for condition in (rule.when, rule.unless) if condition)
    for question in found.questions.values():
        yield question.when
        yield from (option.unless for option in question.options if option.unless)


def _check_reference(found: Edition, condition: Condition) -> None:
    if condition.kind == "fact":
        if condition.name not in found.facts:
            raise EditionInvalid(f"no such fact {condition.name}.")
        return
    if not condition.name:
        return
    question = found.questions.get(condition.name)
    if question is None:
        raise EditionInvalid(f"no such question {condition.name}.")
    allowed = {"yes_no": {"is"}, "single": {"is"}, "multi": {"includes", "chosen", "counts"}}[question.type]
    values = {YES, NO} if question.type == "yes_no" else {option.key for option in question.options}
    if condition.kind not in allowed or not set(condition.values) <= values:
        raise EditionInvalid(f"{condition.name} cannot be asked whether it {condition.kind} {condition.values}.")


def _check_circles(found: Edition) -> None:
    """Refuse a question whose asking depends, over facts and exclusions, on its own asking."""
    done: set[tuple[str, str]] = set()

    def visit(node: tuple[str, str], above: tuple[tuple[str, str], ...]) -> None:
        if node in above:
            raise EditionInvalid(f"{node[1]} depends on itself.")
        if node not in done:
            for condition in _needed(found, node):
                for part in condition.walk():
                    for needed in _nodes(part):
                        visit(needed, (*above, node))
            done.add(node)

    for key in found.questions:
        visit(("count", key), ())
    for key in found.facts:
        visit(("fact", key), ())


def _nodes(part: Condition) -> Iterator[tuple[str, str]]:
    if part.kind == "fact":
        yield "fact", part.name
    elif part.name:
        yield ("count" if part.kind in ("chosen", "counts") else "asked"), part.name


def _needed(found: Edition, node: tuple[str, str]) -> Iterator[Condition]:
    kind, key = node
    if kind == "fact":
        yield found.facts[key].when
        return
    yield found.questions[key].when
    yield found.section_of[key].when
    if kind == "count":
        yield from (option.unless for option in found.questions[key].options if option.unless)
