"""Decide what one account may do with another's model package groups."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from ..caller import Caller
from ..ram.models import granted_actions


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _names(statement: dict[str, Any], caller: Caller) -> bool:
    principal = statement.get("Principal")
    if principal == "*":
        return True
    names = _listed(principal.get("AWS")) if isinstance(principal, dict) else []
    return any(n in ("*", caller.account, f"arn:aws:iam::{caller.account}:root", caller.arn) for n in names)


def _policy_says(policy: str | None, caller: Caller, action: str, resource: str) -> str | None:
    """The effect a group's resource policy has: "Deny", "Allow" or None. Conditions are not evaluated."""
    said = None
    statements = json.loads(policy).get("Statement", []) if policy else []
    for statement in [statements] if isinstance(statements, dict) else statements:
        matches = (
            _names(statement, caller)
            and any(fnmatchcase(action.lower(), a.lower()) for a in _listed(statement.get("Action")))
            and any(fnmatchcase(resource, r) for r in _listed(statement.get("Resource")))
        )
        if matches and statement.get("Effect") == "Deny":
            return "Deny"
        if matches:
            said = "Allow"
    return said


def allowed(caller: Caller, group: dict[str, Any], action: str, resource: str) -> bool:
    """Whether the caller may do ``action`` (sagemaker:...) on the group or one of its versions.

    The owning account may do everything; another one what an accepted RAM share or the group's resource policy gives.
    """
    owner, region = group["ModelPackageGroupArn"].split(":")[4], group["ModelPackageGroupArn"].split(":")[3]
    if caller.account == owner:
        return True
    said = _policy_says(group.get("policy"), caller, action, resource)
    if said == "Deny":
        return False
    return said == "Allow" or action in granted_actions(caller.account, region, group["ModelPackageGroupArn"])
