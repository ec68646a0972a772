"""Read the roles people and SageMaker can take in an account, and the policies those have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.aws.errors import AwsDenied, AwsNotFound, translated
from registry.aws.session import AwsSession, pages

# More roles than a person looks through; the listing itself goes on to its end, to say how many there are.
MOST_ROLES = 300
# What a role can have by AWS's quotas is less than that.
_MOST_POLICIES = 40


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """One role and who may assume it, as IAM says it."""

    arn: str
    name: str
    path: str
    description: str
    created_at: datetime | None
    trust: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """One policy of a role: an inline one has no ARN. `document` is what IAM holds of it now."""

    name: str
    arn: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BoundaryRecord:
    """A role's permissions boundary; `document` is None where it may not be read, and `problem` says why."""

    arn: str
    document: Mapping[str, Any] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles people and SageMaker can take, those of people first, the first `MOST_ROLES` of `total`."""

    found: tuple[RoleRecord, ...]
    total: int


def roles_of_people(session: AwsSession) -> Roles:
    """Return the roles that something beside an AWS service may assume, by name, and then those of SageMaker.

    What runs in a notebook or a job does so as a role of SageMaker: whoever works there may do what that role may. Left
    out are roles of other services alone and those AWS makes for them. Raises AwsError. Source: iam ListRoles, which
    says neither a role's permissions boundary nor when it was used.
    """
    found: list[RoleRecord] = []
    for page in pages(session, "iam", "ListRoles", session.iam.list_roles, {}, token="Marker"):
        for role in page.get("Roles", ()):
            record = RoleRecord(
                arn=role["Arn"],
                name=role["RoleName"],
                path=role.get("Path", "/"),
                description=role.get("Description", ""),
                created_at=role.get("CreateDate"),
                trust=_mapping(role.get("AssumeRolePolicyDocument")),
            )
            if not record.path.startswith("/aws-service-role/") and (
                takes_people(record.trust) or takes_sagemaker(record.trust)
            ):
                found.append(record)
    found.sort(key=lambda record: (not takes_people(record.trust), record.name))
    return Roles(tuple(found[:MOST_ROLES]), len(found))


def takes_people(trust: Mapping[str, Any]) -> bool:
    """Whether a trust policy lets more in than AWS services: accounts, identity providers, anybody."""
    given = trust.get("Statement")
    for statement in given if isinstance(given, list) else [given]:
        if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal")
        if not isinstance(principal, Mapping) or set(principal) - {"Service"}:
            return True
    return False


def takes_sagemaker(trust: Mapping[str, Any]) -> bool:
    """Whether a trust policy lets SageMaker in: its notebooks, jobs and models then run as the role."""
    given = trust.get("Statement")
    return any(
        isinstance(statement, Mapping)
        and statement.get("Effect") == "Allow"
        and isinstance(principal := statement.get("Principal"), Mapping)
        and "sagemaker.amazonaws.com" in _listed(principal.get("Service"))
        for statement in (given if isinstance(given, list) else [given])
    )


def boundary_of(session: AwsSession, role: str, managed: dict[str, PolicyRecord]) -> BoundaryRecord | None:
    """Return a role's permissions boundary, None for a role without one; a document that is denied says so.

    Raises AwsError when the role itself may not be read. Sources: iam GetRole, GetPolicy, GetPolicyVersion.
    """
    with translated(session, "iam", "GetRole"):
        answer = session.iam.get_role(RoleName=role)
    arn = str((answer["Role"].get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn") or "")
    if not arn:
        return None
    try:
        if arn not in managed:
            managed[arn] = _managed(session, arn, arn.rpartition("/")[2])
    except (AwsDenied, AwsNotFound) as refusal:
        return BoundaryRecord(arn, None, str(refusal))
    return BoundaryRecord(arn, managed[arn].document)


def policies_of(session: AwsSession, role: str, managed: dict[str, PolicyRecord]) -> list[PolicyRecord]:
    """Return a role's policies, the inline ones first. `managed` holds the managed ones of this pass, read once each.

    Raises AwsError. Sources: iam ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies, GetPolicy,
    GetPolicyVersion.
    """
    iam, request = session.iam, {"RoleName": role}
    found: list[PolicyRecord] = []
    for page in pages(session, "iam", "ListRolePolicies", iam.list_role_policies, request, token="Marker"):
        for name in page.get("PolicyNames", ())[:_MOST_POLICIES]:
            with translated(session, "iam", "GetRolePolicy"):
                answer = iam.get_role_policy(RoleName=role, PolicyName=name)
            found.append(PolicyRecord(name, "", _mapping(answer["PolicyDocument"])))
    attached = iam.list_attached_role_policies
    for page in pages(session, "iam", "ListAttachedRolePolicies", attached, request, token="Marker"):
        for policy in page.get("AttachedPolicies", ())[:_MOST_POLICIES]:
            arn = policy["PolicyArn"]
            if arn not in managed:
                managed[arn] = _managed(session, arn, policy["PolicyName"])
            found.append(managed[arn])
    return found


def _managed(session: AwsSession, arn: str, name: str) -> PolicyRecord:
    iam = session.iam
    with translated(session, "iam", "GetPolicy"):
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    with translated(session, "iam", "GetPolicyVersion"):
        answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return PolicyRecord(name, arn, _mapping(answer["PolicyVersion"].get("Document")))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _mapping(document: Any) -> Mapping[str, Any]:
    return document if isinstance(document, Mapping) else {}
