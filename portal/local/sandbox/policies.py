"""Evaluate policy documents as IAM does: an explicit deny wins, then any allow, otherwise nothing is said.

Conditions: the String, Arn, Numeric and Bool operators of IAM with ``IfExists``, ``ForAnyValue:`` and
``ForAllValues:``, and Null. One that is not known here does not hold, so that nothing is allowed by mistake.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Context = Mapping[str, Any]
ALLOWED, DENIED, SILENT = "allowed", "explicitDeny", "implicitDeny"


def listed(value: Any) -> list[str]:
    """A policy's value, which may be one text or a list, as a list of texts."""
    return [
        str(v).lower() if isinstance(v, bool) else str(v) for v in ([value] if not isinstance(value, list) else value)
    ]


def statements(document: str | Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The statements of a policy document; none of what is not one."""
    try:
        found = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return []
    wanted = found.get("Statement") if isinstance(found, Mapping) else None
    return [s for s in (wanted if isinstance(wanted, list) else [wanted]) if isinstance(s, dict)]


def _like(value: str, pattern: str) -> bool:
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def holds(value: str, wanted: str) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False

    return holds


_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (lambda a, b: a == b, True),
    "StringNotEquals": (lambda a, b: a == b, False),
    "StringEqualsIgnoreCase": (lambda a, b: a.lower() == b.lower(), True),
    "StringNotEqualsIgnoreCase": (lambda a, b: a.lower() == b.lower(), False),
    "StringLike": (_like, True),
    "StringNotLike": (_like, False),
    "ArnEquals": (_like, True),
    "ArnNotEquals": (_like, False),
    "ArnLike": (_like, True),
    "ArnNotLike": (_like, False),
    "Bool": (lambda a, b: a.lower() == b.lower(), True),
    "NumericEquals": (_number(lambda a, b: a == b), True),
    "NumericNotEquals": (_number(lambda a, b: a == b), False),
    "NumericLessThan": (_number(lambda a, b: a < b), True),
    "NumericLessThanEquals": (_number(lambda a, b: a <= b), True),
    "NumericGreaterThan": (_number(lambda a, b: a > b), True),
    "NumericGreaterThanEquals": (_number(lambda a, b: a >= b), True),
}


def _condition(operator: str, key: str, wanted: Any, context: Context) -> bool:
    given = next((v for k, v in context.items() if k.lower() == key.lower() and v is not None), None)
    if operator == "Null":
        return (given is None) == (str(wanted).lower() == "true")
    quantifier, _, name = operator.rpartition(":")
    name, optional = name.removesuffix("IfExists"), name.endswith("IfExists")
    if name not in _OPERATORS:
        return False
    compare, positive = _OPERATORS[name]
    if given is None:
        return optional or quantifier == "ForAllValues" or not positive
    values = listed(given)
    held = (any(compare(v, w) for w in listed(wanted)) == positive for v in values)
    return any(held) if quantifier == "ForAnyValue" else all(held)


def conditions_hold(statement: Mapping[str, Any], context: Context) -> bool:
    """Whether every condition of a statement holds for a request."""
    block = statement.get("Condition") or {}
    if not isinstance(block, Mapping):
        return False
    return all(
        isinstance(keys, Mapping) and all(_condition(operator, k, v, context) for k, v in keys.items())
        for operator, keys in block.items()
    )


def _names(statement: Mapping[str, Any], member: str, value: str, fold: bool = False) -> bool:
    change = str.lower if fold else str
    for name, wanted in ((member, True), ("Not" + member, False)):
        if statement.get(name) is not None:
            return any(_like(change(value), change(p)) for p in listed(statement[name])) == wanted
    return False


def names_action(statement: Mapping[str, Any], action: str) -> bool:
    """Whether a statement speaks of an action, as ``sagemaker:CreateModel``; capitals do not matter."""
    return _names(statement, "Action", action, fold=True)


def names_resource(statement: Mapping[str, Any], resource: str) -> bool:
    """Whether a statement speaks of a resource. "*" is matched by "*" alone: it stands for no resource at all."""
    return _names(statement, "Resource", resource)


def matching(found: list[dict[str, Any]], action: str, resource: str, context: Context) -> list[dict[str, Any]]:
    """The statements that speak of a request."""
    return [s for s in found if names_action(s, action) and names_resource(s, resource) and conditions_hold(s, context)]


def decide(found: list[dict[str, Any]], action: str, resource: str, context: Context) -> str:
    """What statements say to a request: ``allowed``, ``explicitDeny`` or ``implicitDeny``."""
    effects = {str(s.get("Effect")) for s in matching(found, action, resource, context)}
    return DENIED if "Deny" in effects else ALLOWED if "Allow" in effects else SILENT


def principal_named(statement: Mapping[str, Any], account: str, arns: tuple[str, ...]) -> bool:
    """Whether a statement's Principal is everybody, the account, or one of the caller's ARNs."""
    principal = statement.get("Principal")
    named = listed(principal.get("AWS") or []) if isinstance(principal, Mapping) else listed(principal or [])
    whole = ("*", account, f"arn:aws:iam::{account}:root", *arns)
    return any(name in whole for name in named)


def role_of(session_arn: str) -> str:
    """The ARN of the role an assumed-role session has (without a path, which the session does not tell)."""
    match = re.fullmatch(r"(arn:aws[\w-]*):sts::(\d{12}):assumed-role/([^/]+)/.+", session_arn)
    return f"{match[1]}:iam::{match[2]}:role/{match[3]}" if match else session_arn
