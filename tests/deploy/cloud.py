"""Work a template out for given parameters, and judge requests by the policies in it, as IAM does.

Only what the templates use: a function or an operator nobody thought of is an error, not a silent yes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PSEUDO = {"AWS::Partition": "aws", "AWS::AccountId": "111111111111", "AWS::Region": "eu-central-1"}
_NOTHING = object()


def template(name: str) -> dict[str, Any]:
    """Return one file of deploy/."""
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return loaded


class Worked:
    """A template with its parameters filled in, deployed in an account."""

    def __init__(self, name: str, account_id: str = PSEUDO["AWS::AccountId"], **given: str) -> None:
        self._template = template(name)
        known = self._template.get("Parameters", {})
        assert set(given) <= set(known), f"{name} has no parameter {set(given) - set(known)}"
        self._values: dict[str, Any] = {**PSEUDO, "AWS::AccountId": account_id}
        for parameter, about in known.items():
            value = given.get(parameter, about.get("Default"))
            assert value is not None, f"{name} needs {parameter}"
            is_list = about["Type"] == "CommaDelimitedList"
            self._values[parameter] = value.split(",") if is_list else value

    def properties(self, resource: str) -> dict[str, Any]:
        """Return one resource's properties."""
        worked: dict[str, Any] = self._work(self._template["Resources"][resource]["Properties"])
        return worked

    def _work(self, node: Any) -> Any:
        if isinstance(node, list):
            return [worked for worked in map(self._work, node) if worked is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(name, argument)
        return {key: self._work(value) for key, value in node.items()}

    def _function(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return _NOTHING if argument == "AWS::NoValue" else self._values.get(argument, f"ref:{argument}")
        if name == "Fn::GetAtt":
            return f"att:{'.'.join(argument)}"
        if name == "Fn::If":
            condition, yes, no = argument
            return self._work(yes if self._holds(self._template["Conditions"][condition]) else no)
        if name == "Fn::Sub":
            text, more = (argument, {}) if isinstance(argument, str) else argument
            values = {**self._values, **{key: self._work(value) for key, value in more.items()}}
            return re.sub(r"\$\{([\w:]+)\}", lambda found: str(values[found[1]]), text)
        if name == "Fn::Join":
            return argument[0].join(self._work(argument[1]))
        if name == "Fn::Split":
            return self._work(argument[1]).split(argument[0])
        raise AssertionError(f"nobody thought of {name}")

    def _holds(self, condition: Any) -> bool:
        ((name, argument),) = condition.items()
        if name == "Fn::Not":
            return not self._holds(argument[0])
        assert name == "Fn::Equals"
        one, other = map(self._work, argument)
        return bool(one == other)


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
