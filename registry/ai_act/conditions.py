"""Conditions over answers, as the data files write them: small, declarative, without code.

    { q = "union", is = "yes" }                  a yes-no or single answer is this (or one of these)
    { q = "role", includes = "deployer" }        a multiple answer includes this (or one of these)
    { q = "a3_services", chosen = true }         something other than "none" is chosen, and not lifted by its `unless`
    { q = "a3_services", counts = ["credit"] }   one of these is chosen, and not lifted by its `unless`
    { fact = "in_scope" }                        a named condition holds
    { all = [...] }  { any = [...] }  { none = [...] }

What holds is True, False or None: not known yet. Not known is never taken for no.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Truth = bool | None
GROUPS = ("all", "any", "none")
TESTS = ("is", "includes", "chosen", "counts")


class EditionInvalid(Exception):
    """A data file does not say what an edition must say; the text names the place."""


@dataclass(frozen=True)
class Condition:
    """One condition: a group of `parts`, the fact `name`, or a test of the question `name` against `values`."""

    kind: str
    name: str = ""
    values: tuple[str, ...] = ()
    parts: tuple[Condition, ...] = ()

    def walk(self) -> Iterator[Condition]:
        """Yield this condition and everything in it."""
        yield self
        for part in self.parts:
            yield from part.walk()


ALWAYS = Condition("all")


def parse(raw: Any) -> Condition:
    """Read a condition as TOML gives it. Raises EditionInvalid for anything that is not exactly one."""
    if not isinstance(raw, Mapping):
        raise EditionInvalid(f"{raw!r} is no condition.")
    given = dict(raw)
    question = given.pop("q", None)
    if len(given) != 1:
        raise EditionInvalid(f"{raw!r} must be exactly one condition.")
    kind, value = next(iter(given.items()))
    if question is not None:
        return _test(question, kind, value)
    if kind == "fact" and isinstance(value, str):
        return Condition("fact", value)
    if kind in GROUPS and isinstance(value, list):
        return Condition(kind, parts=tuple(parse(part) for part in value))
    raise EditionInvalid(f"{raw!r} is no condition.")


def _test(question: Any, kind: str, value: Any) -> Condition:
    if kind == "chosen" and value is True:
        return Condition("chosen", str(question))
    values = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
    if kind not in TESTS or kind == "chosen" or not values or not all(isinstance(item, str) for item in values):
        raise EditionInvalid(f"{kind} = {value!r} is no test of {question!r}.")
    return Condition(kind, str(question), values)


def every(truths: Iterable[Truth]) -> Truth:
    """Whether all hold: one False decides, else one unknown leaves it open."""
    found = list(truths)
    if any(truth is False for truth in found):
        return False
    return None if any(truth is None for truth in found) else True


def some(truths: Iterable[Truth]) -> Truth:
    """Whether any holds: one True decides, else one unknown leaves it open."""
    found = list(truths)
    if any(truth is True for truth in found):
        return True
    return None if any(truth is None for truth in found) else False


def inverse(truth: Truth) -> Truth:
    """What is not known stays so."""
    return None if truth is None else not truth
