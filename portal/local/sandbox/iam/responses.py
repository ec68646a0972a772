"""Answer IAM's SimulatePrincipalPolicy; the other operations are stock moto's."""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import IAMException, NotFoundException
from moto.iam.responses import IamResponse

from ..pages import BadToken, binding, cut
from .models import iam_of

_PRINCIPAL = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(role|user|group)/[\w+=,.@/-]+")


class InvalidInput(IAMException):
    code = "InvalidInput"


class SandboxIamResponse(IamResponse):
    """IAM over HTTP."""

    def simulate_principal_policy(self) -> ActionResult:
        """One result for each action and resource. Source: IAM SimulatePrincipalPolicy.

        Raises NoSuchEntity for a role IAM does not have and InvalidInput for what is not a role's ARN or an action.
        """
        p: dict[str, Any] = self.params
        arn, actions = str(p.get("PolicySourceArn") or ""), list(p.get("ActionNames") or [])
        if not _PRINCIPAL.fullmatch(arn) or arn.split(":")[4] != self.current_account:
            raise InvalidInput(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
        role = iam_of(self.current_account).role_named(arn)
        if role is None:
            raise NotFoundException(f"The role with ARN {arn} cannot be found.")
        if not actions or not all(re.fullmatch(r"[\w-]+:[\w*]+", str(a)) for a in actions):
            raise InvalidInput(f"ActionNames must be names as sagemaker:CreateModel, and not {actions}.")
        context = {c["ContextKeyName"]: c.get("ContextKeyValues") or [] for c in p.get("ContextEntries") or []}
        context.setdefault("aws:PrincipalArn", [arn])
        rows = []
        for action in actions:
            for resource in p.get("ResourceArns") or ["*"]:
                said, matched = iam_of(self.current_account).decision(role, action, resource, context)
                rows.append(
                    {
                        "EvalActionName": action,
                        "EvalResourceName": resource,
                        "EvalDecision": said,
                        "MatchedStatements": matched,
                        "MissingContextValues": [],
                    }
                )
        numbered = [{**row, "number": n} for n, row in enumerate(rows)]
        marker = p.get("Marker")
        bound = binding({k: v for k, v in p.items() if k not in ("Marker", "MaxItems")})
        try:
            page, token = cut(numbered, lambda r: [r["number"]], int(p.get("MaxItems") or 100), marker, bound)
        except BadToken:
            raise InvalidInput("Invalid Marker.") from None
        results = [{k: v for k, v in row.items() if k != "number"} for row in page]
        return ActionResult({"EvaluationResults": results, "IsTruncated": token is not None, "Marker": token})
