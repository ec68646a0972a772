"""Ask IAM what the portal's own role may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.aws.session import AwsSession, pages

ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class Decision:
    """What IAM would answer to one action on one resource, and which layer says no.

    `decision` is "allowed", "explicitDeny" or "implicitDeny". `by_boundary` and `by_organisation` are True when the
    permissions boundary, or a service control policy, alone would refuse.
    """

    action: str
    resource: str
    decision: str
    by_boundary: bool
    by_organisation: bool

    @property
    def is_allowed(self) -> bool:
        return self.decision == ALLOWED


def simulate(
    session: AwsSession,
    *,
    role_arn: str,
    actions: Sequence[str],
    resources: Sequence[str],
    context: Mapping[str, str] | None = None,
) -> list[Decision]:
    """Return IAM's decision on each action and each resource for a role (not for one session of it).

    `context` gives condition keys with their value. Boundaries count; service control policies with conditions,
    resource control policies and the policies of buckets, queues and keys do not. Raises AwsDenied when the role may
    not simulate, AwsNotFound when there is no such role. Source: iam SimulatePrincipalPolicy.
    """
    request = {
        "PolicySourceArn": role_arn,
        "ActionNames": list(actions),
        "ResourceArns": list(resources),
        "ContextEntries": [
            {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for name, value in (context or {}).items()
        ],
    }
    found: list[Decision] = []
    call = session.iam.simulate_principal_policy
    for page in pages(session, "iam", "SimulatePrincipalPolicy", call, request, token="Marker"):
        for result in page.get("EvaluationResults", ()):
            boundary = result.get("PermissionsBoundaryDecisionDetail") or {}
            organisation = result.get("OrganizationsDecisionDetail") or {}
            found.append(
                Decision(
                    action=result["EvalActionName"],
                    resource=result.get("EvalResourceName", "*"),
                    decision=result["EvalDecision"],
                    by_boundary=boundary.get("AllowedByPermissionsBoundary") is False,
                    by_organisation=organisation.get("AllowedByOrganizations") is False,
                )
            )
    return found


def role_of(session_arn: str) -> str:
    """Return the role's ARN for the ARN of a session of it, and any other identity's ARN as it is.

    The path of a role is not part of a session's ARN: a role with one is not found under the ARN returned.
    """
    parts = session_arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "sts" or not parts[5].startswith("assumed-role/"):
        return session_arn
    return f"arn:{parts[1]}:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
