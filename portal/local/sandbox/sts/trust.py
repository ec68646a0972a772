"""Ask a role's trust policy whether somebody may assume it."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException

from ..caller import Caller
from ..iam.models import iam_of
from ..policies import conditions_hold, names_action, principal_named, role_of, statements


class AccessDenied(ServiceException):
    code = "AccessDenied"

    def __init__(self, caller: Caller, action: str, role_arn: str) -> None:
        super().__init__(f"User: {caller.arn} is not authorized to perform: {action} on resource: {role_arn}")


def check_trust(caller: Caller, role_arn: str, context: dict[str, Any]) -> None:
    """Raise AccessDenied when the role exists and its trust policy does not let the caller assume it.

    ``context`` has the condition keys of STS; with a source identity ``sts:SetSourceIdentity`` must be allowed too. A
    role that is not in IAM, or whose policy has no statement, can be assumed by anybody. Keys that belong to nobody
    (the sandbox takes any) stand for whoever is wanted; their principal is not checked.
    """
    role = iam_of(role_arn.split(":")[4]).role_named(role_arn)
    found = statements(role.assume_role_policy_document) if role else []
    if not found:
        return
    nobody = caller.arn.endswith(":user/moto")
    request = {**context, "aws:PrincipalArn": role_of(caller.arn), "aws:PrincipalAccount": caller.account}
    wanted = ["sts:AssumeRole", *(["sts:SetSourceIdentity"] if context.get("sts:SourceIdentity") else [])]
    for action in wanted:
        effects = {
            s.get("Effect")
            for s in found
            if names_action(s, action)
            and (nobody or principal_named(s, caller.account, (caller.arn, role_of(caller.arn))))
            and conditions_hold(s, request)
        }
        if "Deny" in effects or "Allow" not in effects:
            raise AccessDenied(caller, action, role_arn)
