"""Work a CloudFormation template out for given parameters: what the sandbox, which has no CloudFormation, deploys.

Only what the templates of deploy/ use: a function nobody thought of is an error, not a silent nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NOTHING = object()


class TemplateRefused(Exception):
    """The template lacks a parameter, has none of that name, or uses a function this does not know."""


class Worked:
    """A template with its parameters filled in, deployed in an account and region."""

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, str], *, account_id: str, region: str) -> None:
        """Fill the parameters in, their defaults where none is given. Raises TemplateRefused naming one that is off."""
        self._template = template
        known = template.get("Parameters", {})
        if unknown := set(given) - set(known):
            raise TemplateRefused(f"There is no parameter {', '.join(sorted(unknown))}.")
        self._values: dict[str, Any] = {
            "AWS::Partition": "aws",
            "AWS::AccountId": account_id,
            "AWS::Region": region,
        }
        for parameter, about in known.items():
            value = given.get(parameter, about.get("Default"))
            if value is None:
                raise TemplateRefused(f"The parameter {parameter} is needed.")
            is_list = about["Type"] == "CommaDelimitedList"
            self._values[parameter] = value.split(",") if is_list else value

    def properties(self, resource: str) -> dict[str, Any]:
        """Return one resource's properties. Raises TemplateRefused for a function this does not know."""
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
        raise TemplateRefused(f"{name} is not among the functions the templates of deploy/ use.")

    def _holds(self, condition: Any) -> bool:
        ((name, argument),) = condition.items()
        if name == "Fn::Not":
            return not self._holds(argument[0])
        if name == "Fn::Equals":
            one, other = map(self._work, argument)
            return bool(one == other)
        raise TemplateRefused(f"{name} is not among the conditions the templates of deploy/ use.")
