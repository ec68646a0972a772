"""Say what identity policies let a role do at most: certainly, in part or under conditions, or not at all.

What hangs on a condition nobody can judge from here counts as "under conditions". A permissions boundary takes away
what it does not allow too. Service control policies are not looked at: they can only take away more. Source: IAM's
policy grammar and evaluation logic.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ..sharing.resources import overlap
from ..sharing.verbs import matches

# What SageMaker tells of a request about a version; a request that does not say it has none of these keys.
_SAID_OF_VERSIONS = "sagemaker:model"
_EQUAL = {"stringequals": True, "stringnotequals": False, "stringequalsignorecase": True}
_EQUAL |= {"stringnotequalsignorecase": False, "stringlike": True, "stringnotlike": False}


class Reach(IntEnum):
    """How far something is allowed; the more, the higher."""

    NO = 0
    IN_PART = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an identity policy."""

    allows: bool
    actions: tuple[str, ...]
    all_but_actions: bool
    resources: tuple[str, ...]
    all_but_resources: bool
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    def names(self, action: str) -> bool:
        return any(matches(glob, action) for glob in self.actions) is not self.all_but_actions


class Unreadable(ValueError):
    """The document is not one IAM would take, so nothing certain can be said of it."""


def statements(document: Any) -> list[Statement]:
    """Return the statements of a policy document, a mapping or its JSON text. Raises Unreadable."""
    try:
        found = json.loads(document) if isinstance(document, str) else document
    except ValueError as error:
        raise Unreadable("It is not JSON.") from error
    given = found.get("Statement") if isinstance(found, Mapping) else None
    return [_statement(one) for one in (given if isinstance(given, list) else [given])]


def _statement(given: Any) -> Statement:
    if not isinstance(given, Mapping):
        raise Unreadable("It has no statements.")
    if given.get("Effect") not in ("Allow", "Deny"):
        raise Unreadable('A statement has neither the effect "Allow" nor "Deny".')
    block = given.get("Condition") or {}
    if not isinstance(block, Mapping) or not all(isinstance(keys, Mapping) for keys in block.values()):
        raise Unreadable("A condition is none.")
    return Statement(
        allows=given["Effect"] == "Allow",
        actions=_texts(given.get("Action", given.get("NotAction"))),
        all_but_actions="Action" not in given,
        resources=_texts(given.get("Resource", given.get("NotResource"))),
        all_but_resources="Resource" not in given,
        conditions=tuple(
            (str(operator), str(key), _texts(values))
            for operator, keys in block.items()
            for key, values in keys.items()
        ),
    )


def _texts(value: Any) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | bool | int | float) for one in found):
        raise Unreadable("A statement lacks its actions, its resources or the values of a condition.")
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in found)


def reach(found: Sequence[Statement], action: str, on: str, said: Mapping[str, str]) -> Reach:
    """Return how far statements allow an action on what an ARN pattern means, in a request that says `said`."""
    best = Reach.NO
    for statement in found:
        if not statement.allows or not statement.names(action):
            continue
        holds = _holds(statement, said)
        for glob in _meant(statement, on):
            if holds is False:
                continue
            this = _after_refusals(found, action, (glob, on), said)
            best = max(best, min(this, Reach.YES if holds else Reach.IN_PART))
    return best


def within(boundary: Sequence[Statement] | None, how: Reach, action: str, on: str, said: Mapping[str, str]) -> Reach:
    """Return what a permissions boundary leaves of a reach; None is no boundary, and takes nothing away.

    One that allows the action on some of what is asked about leaves it in part: whether on the same is not compared.
    """
    if boundary is None or how is Reach.NO:
        return how
    left = reach(boundary, action, on, said)
    whole = any(
        statement.allows
        and statement.names(action)
        and (
            statement.all_but_resources
            or any(matches(glob, on) or glob.split(":")[5:6] == ["*"] for glob in statement.resources)
        )
        for statement in boundary
    )
    return min(how, left if whole else min(left, Reach.IN_PART))


def _meant(statement: Statement, on: str) -> list[str]:
    """Return the patterns under which an allowing statement means something of what is asked about."""
    if statement.all_but_resources:
        return [] if any(matches(glob, on) for glob in statement.resources) else [on]
    return [glob for glob in statement.resources if _meet(glob, on)]


def _meet(one: str, other: str) -> bool:
    """Whether two ARN patterns can mean the same, part by part where both have all six parts of an ARN."""
    parts = [glob.lower().split(":", 5) for glob in (one, other)]
    if any(len(part) != 6 for part in parts):
        return overlap(one.lower(), other.lower())
    return all(overlap(*pair) for pair in zip(*parts, strict=True))


def _after_refusals(found: Iterable[Statement], action: str, both: tuple[str, str], said: Mapping[str, str]) -> Reach:
    """Return what refusals leave of what two patterns have in common."""
    left = Reach.YES
    for statement in found:
        if statement.allows or not statement.names(action):
            continue
        holds, covering = _holds(statement, said), _refuses(statement, both)
        if holds is False or covering is Reach.NO:
            continue
        if holds and covering is Reach.YES:
            return Reach.NO
        left = Reach.IN_PART
    return left


def _refuses(statement: Statement, both: tuple[str, str]) -> Reach:
    """Return how much of what two patterns have in common a refusal is about."""
    whole = any(matches(glob, one) for glob in statement.resources for one in both)
    touched = any(all(_meet(glob, one) for one in both) for glob in statement.resources)
    if statement.all_but_resources:
        return Reach.NO if whole else Reach.IN_PART if touched else Reach.YES
    return Reach.YES if whole else Reach.IN_PART if touched else Reach.NO


def _holds(statement: Statement, said: Mapping[str, str]) -> bool | None:
    found = [_judge(*condition, said) for condition in statement.conditions]
    return False if False in found else None if None in found else True


def _judge(operator: str, key: str, values: tuple[str, ...], said: Mapping[str, str]) -> bool | None:
    """Whether a condition holds, None when that cannot be said here."""
    given = next((value for name, value in said.items() if name.lower() == key.lower()), None)
    if given is None and not key.lower().startswith(_SAID_OF_VERSIONS):
        return None
    name = operator.rpartition(":")[2].lower()
    if name == "null":
        return (given is None) == (values[:1] == ("true",))
    optional, name = name.endswith("ifexists"), name.removesuffix("ifexists")
    if name not in _EQUAL:
        return None
    positive = _EQUAL[name]
    if given is None:
        return optional or not positive
    if "like" in name:
        return any(matches(glob, given) for glob in values) is positive
    if "ignorecase" in name:
        return (given.lower() in {value.lower() for value in values}) is positive
    return (given in values) is positive
