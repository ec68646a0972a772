"""The data files: whole, consistent, covering what the articles name, and never changed silently."""

from __future__ import annotations

import copy
import hashlib
import tomllib
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from registry.ai_act import UnknownEdition, current, edition, editions
from registry.ai_act.catalogue import files
from registry.ai_act.conditions import EditionInvalid, parse
from registry.ai_act.edition import Edition
from registry.ai_act.reading import read_editions

from .filled import AMENDED, FIRST

# Classifications rest on these files: what they led to must stay reproducible.
PINNED = {
    FIRST: "c16b88673609739014517258c269961a91a47ddf946d18981b0b5909a36d0232",
    AMENDED: "3e332a83acc2b60809e20f87a6236cab023516c1cb061790fc976176f77d332e",
}
AREAS = {1: "abc", 3: "abcd", 4: "ab", 5: "abcd", 6: "abcde", 7: "abcd", 8: "ab"}


def test_an_edition_never_changes() -> None:
    found = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in files()}
    assert found == PINNED, (
        "An edition that classifications rest on does not change: make a new edition in a file of its own, with"
        " `extends`, its dates and its sources, and pin it here."
    )


def test_the_current_edition_is_the_one_nobody_amends() -> None:
    assert [found.id for found in editions()] == [FIRST, AMENDED]
    assert current().id == AMENDED
    assert current().extends == FIRST
    with pytest.raises(UnknownEdition):
        edition("1999")


@pytest.mark.parametrize("of", editions(), ids=lambda of: of.id)
def test_an_edition_says_where_it_comes_from(of: Edition) -> None:
    assert of.title
    assert of.status
    assert of.sources
    for source in of.sources:
        assert source.citation
        assert source.checked_on >= date(2026, 11, 21)


def test_what_was_not_seen_is_said() -> None:
    assert "not seen" in edition(AMENDED).status
    assert any("not seen" in source.note for source in edition(AMENDED).sources)


def _option_articles(of: Edition) -> set[str]:
    return {option.article for question in of.questions.values() for option in question.options}


@pytest.mark.parametrize("of", editions(), ids=lambda of: of.id)
def test_every_point_of_the_articles_is_asked(of: Edition) -> None:
    asked = {question.article for question in of.questions.values()} | _option_articles(of)
    assert {f"Art. 5(1)({point})" for point in "abcdefgh"} <= asked
    assert {f"Art. 5(1)(h)({point})" for point in ("i", "ii", "iii")} <= asked
    assert {f"Annex III, point {area}({point})" for area, points in AREAS.items() for point in points} <= asked
    assert "Annex III, point 2" in asked
    assert {f"Art. 6(3)({point})" for point in "abcd"} <= asked
    assert {"Art. 6(1)(a)", "Art. 6(1)(b)", "Art. 6(3), last subparagraph"} <= asked
    assert {"Art. 50(1)", "Art. 50(2)", "Art. 50(3)"} <= asked
    assert {"Art. 50(4), first subparagraph", "Art. 50(4), second subparagraph"} <= asked
    assert {f"Art. 2({paragraph})" for paragraph in (1, 3, 4, 6, 8, 10, 12)} | {"Art. 3(1)"} <= asked
    assert {f"Art. 25(1)({point})" for point in "abc"} <= asked
    sections = [option for option in of.questions["product_law"].options if option.key != "none"]
    assert len(sections) == 20
    moved = {"Annex I, Section B as amended"} if of.id == AMENDED else {"Annex I, Section A, point 1"}
    first = {f"Annex I, Section A, point {point}" for point in range(2, 13)} | moved
    second = {f"Annex I, Section B, point {point}" for point in range(13, 21)}
    assert {option.article for option in sections} == first | second


@pytest.mark.parametrize("of", editions(), ids=lambda of: of.id)
def test_every_question_matters(of: Edition) -> None:
    """A question whose answer nothing reads is a question nobody should have to answer."""
    read = {part.name for section in of.sections for part in section.when.walk()}
    for entry in (*of.questions.values(), *of.facts.values(), *of.flags, *of.duties, *of.dates.values()):
        read |= {part.name for part in entry.when.walk()}
    for rule in of.rules:
        for condition in (rule.when, rule.unless):
            read |= {part.name for part in condition.walk()} if condition else set()
        read |= set(rule.each)
    for question in of.questions.values():
        for option in question.options:
            read |= {part.name for part in option.unless.walk()} if option.unless else set()
    assert not set(of.questions) - read


def test_the_amendment_moves_these_dates_and_no_others() -> None:
    before, after = edition(FIRST).dates, edition(AMENDED).dates
    moved = {key: (before[key].on, after[key].on) for key in before if before[key].on != after[key].on}
    assert moved == {
        "annex_iii": (date(2026, 8, 2), date(2027, 12, 2)),
        "annex_i": (date(2027, 8, 2), date(2028, 8, 2)),
        "derogation": (date(2026, 8, 2), date(2027, 12, 2)),
    }
    assert {key: after[key].on for key in set(after) - set(before)} == {
        "new_prohibitions": date(2026, 12, 2),
        "marking_existing": date(2026, 12, 2),
    }


# A file that does not hold together is refused whole.


def _raw() -> dict[str, Any]:
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in files()}


def _first(raw: dict[str, Any], part: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in raw[FIRST][part] if entry["key"] == key)
    return found


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "an id that is not the file's": lambda raw: raw[FIRST].update(id="other"),
    "a part there is not": lambda raw: raw[FIRST].update(extras=[]),
    "a question without its article": lambda raw: _first(raw, "questions", "union").update(article=" "),
    "an option without its article": lambda raw: _first(raw, "questions", "role")["options"][0].update(article=""),
    "a rule without its article": lambda raw: _first(raw, "rules", "annex_i").update(article=""),
    "a question of a type there is not": lambda raw: _first(raw, "questions", "union").update(type="free"),
    "a yes-no question with options": lambda raw: _first(raw, "questions", "union").update(options=[{"key": "a", "text": "a", "article": "a"}]),
    "a choice without options": lambda raw: _first(raw, "questions", "role").update(options=[]),
    "a rule on a question there is not": lambda raw: _first(raw, "rules", "annex_i").update(when={"q": "nothing", "is": "yes"}),
    "a rule on an answer there is not": lambda raw: _first(raw, "rules", "manipulation").update(when={"q": "p_manipulation", "is": "maybe"}),
    "a rule on a fact there is not": lambda raw: _first(raw, "rules", "annex_i").update(when={"fact": "nothing"}),
    "a test that does not fit the question": lambda raw: _first(raw, "rules", "manipulation").update(when={"q": "p_manipulation", "chosen": True}),
    "reasons from a question without options": lambda raw: _first(raw, "rules", "annex_iii").update(each=["union"]),
    "a class there is not": lambda raw: _first(raw, "rules", "annex_iii").update({"class": "severe"}),
    "a duty without a date": lambda raw: _first(raw, "duties", "literacy").update(dates=[]),
    "a duty from a date there is not": lambda raw: _first(raw, "duties", "literacy").update(dates=["someday"]),
    "a duty of a role there is not": lambda raw: _first(raw, "duties", "risk_management").update(role="king"),
    "a duty of a rule there is not": lambda raw: _first(raw, "duties", "stop").update(rules=["nothing"]),
    "a field there is not": lambda raw: _first(raw, "duties", "literacy").update(until="never"),
    "a date that is text": lambda raw: raw[FIRST]["dates"]["general"].update(on="2026-08-02"),
    "a question that asks for itself": lambda raw: _first(raw, "questions", "union").update(when={"q": "union", "is": "yes"}),
    "facts that rest on each other": lambda raw: _first(raw, "facts", "annex_i").update(when={"fact": "annex_i_a"}),
    "the same key twice": lambda raw: raw[FIRST]["rules"].append(copy.deepcopy(raw[FIRST]["rules"][0])),
    "an amendment of itself": lambda raw: raw[FIRST].update(extends=FIRST),
    "an amendment of nothing": lambda raw: raw[AMENDED].update(extends="1999"),
    "a place after nothing": lambda raw: raw[AMENDED]["rules"][0].update(after="nothing"),
    "no title": lambda raw: raw[FIRST].pop("title"),
}  # fmt: skip


def test_the_files_as_they_are_hold_together() -> None:
    assert {found.id for found in read_editions(_raw())} == {FIRST, AMENDED}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_does_not_hold_together(name: str) -> None:
    raw = _raw()
    BROKEN[name](raw)
    with pytest.raises(EditionInvalid):
        read_editions(raw)


@pytest.mark.parametrize(
    "raw",
    [None, "yes", {}, {"all": {}}, {"all": [], "any": []}, {"q": "a"}, {"q": "a", "is": 1}, {"q": "a", "is": []},
     {"q": "a", "chosen": False}, {"q": "a", "has": "b"}, {"fact": 1}, {"q": "a", "is": "b", "includes": "c"}, {"not": []}],
)  # fmt: skip
def test_what_is_no_condition(raw: Any) -> None:
    with pytest.raises(EditionInvalid):
        parse(raw)
