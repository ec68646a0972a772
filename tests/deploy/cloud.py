"""Work a file of deploy/ out for given parameters, and judge requests by the policies in it, as IAM does.

Only what the templates use: an operator nobody thought of is an error, not a silent yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from portal.local import templates

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ACCOUNT = "111111111111"


def template(name: str) -> dict[str, Any]:
    """Return one file of deploy/."""
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return loaded


class Worked(templates.Worked):
    """A file of deploy/ with its parameters filled in, deployed in an account."""

    def __init__(self, name: str, account_id: str = ACCOUNT, **given: str) -> None:
        super().__init__(template(name), given, account_id=account_id, region="eu-central-1")


def listed(value: Any) -> list[str]:
    """Return one or several words as a list."""
    return [value] if isinstance(value, str) else list(value)


def is_allowed(
    policies: Iterable[Mapping[str, Any]], action: str, resource: str = "*", context: Mapping[str, str] | None = None
) -> bool:
    """Whether identity policies allow a request: some statement allows it and none denies it."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in policy["Statement"]
        if _fits(statement, action, resource, context or {})
    }
    return effects == {"Allow"}


def _fits(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement
    return (
        any(fnmatchcase(action.lower(), pattern.lower()) for pattern in listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        and all(
            _meets(operator, key, listed(values), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _meets(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool:
    given = context.get(key)
    if operator == "Null":
        return (given is None) == (values == ["true"])
    if operator == "StringEquals":
        return given in values
    if operator == "StringNotEquals":
        # A negated operator holds where the key is absent.
        return given not in values
    if operator == "ArnNotLike":
        return given is None or not any(fnmatchcase(given, pattern) for pattern in values)
    raise AssertionError(f"nobody thought of {operator}")
