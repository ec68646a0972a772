"""Decide what one account may do with another's model package groups."""

from __future__ import annotations

from typing import Any

from ..caller import Caller
from ..policies import matching, principal_named, role_of, statements
from ..ram.models import granted_actions


def _policy_says(policy: str | None, caller: Caller, action: str, resource: str) -> str | None:
    """The effect a group's resource policy has: "Deny", "Allow" or None."""
    request = {"aws:PrincipalArn": role_of(caller.arn), "aws:PrincipalAccount": caller.account}
    named = [s for s in statements(policy) if principal_named(s, caller.account, (caller.arn, role_of(caller.arn)))]
    effects = {s.get("Effect") for s in matching(named, action, resource, request)}
    return "Deny" if "Deny" in effects else "Allow" if "Allow" in effects else None


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
