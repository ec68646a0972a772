"""Take the ARNs of the model registry apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):"
    r"(?P<kind>model-package-group|model-package)/(?P<name>[A-Za-z0-9-]+)(?:/(?P<version>\d+))?"
)

_SESSION = re.compile(r"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/[^/]+")


class MalformedArn(ValueError):
    """Report text that is not the ARN it should be."""


class UnversionedPackage(MalformedArn):
    """Report a model package outside any group, which has no version to govern."""


@dataclass(frozen=True, slots=True)
class GroupArn:
    """Hold the parts of a model package group's ARN."""

    partition: str
    region: str
    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ModelPackageArn:
    """Hold the parts of a version's ARN. `group_name` may be lower-cased by AWS: compare it without case."""

    partition: str
    region: str
    account_id: str
    group_name: str
    version: int


def parse_group_arn(arn: str) -> GroupArn:
    """Take a model package group's ARN apart. Raises MalformedArn."""
    parts = _ARN.fullmatch(arn)
    if not parts or parts["kind"] != "model-package-group" or parts["version"]:
        raise MalformedArn(
            f"{arn!r} is not the ARN of a model package group; it should look like "
            "arn:aws:sagemaker:REGION:ACCOUNT:model-package-group/NAME."
        )
    return GroupArn(parts["partition"], parts["region"], parts["account"], parts["name"])


def parse_model_package_arn(arn: str) -> ModelPackageArn:
    """Take a version's ARN apart. Raises MalformedArn, and UnversionedPackage for a package without group."""
    parts = _ARN.fullmatch(arn)
    if not parts or parts["kind"] != "model-package":
        raise MalformedArn(
            f"{arn!r} is not the ARN of a model version; it should look like "
            "arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION."
        )
    if parts["version"] is None:
        raise UnversionedPackage(f"{arn!r} belongs to no model package group and so has no version to govern.")
    return ModelPackageArn(parts["partition"], parts["region"], parts["account"], parts["name"], int(parts["version"]))


def role_of_session(arn: str) -> str:
    """Return the IAM role behind an assumed-role session's ARN, the ARN itself for any other principal.

    A session's ARN does not carry its role's path: to compare it with a role that may have one, ask `is_session_of`.
    """
    parts = _SESSION.fullmatch(arn)
    return f"arn:{parts['partition']}:iam::{parts['account']}:role/{parts['role']}" if parts else arn


def is_session_of(arn: str, role: str) -> bool:
    """Whether an ARN is a role, or a session of it; a session's ARN does not carry the role's path."""
    head, _, path = role.partition(":role/")
    return bool(role) and (arn == role or role_of_session(arn) == f"{head}:role/{path.rpartition('/')[2]}")


def is_portal(arn: str, source_identity: str, *, role: str, session_name: str) -> bool:
    """Whether who did something in an account is the portal itself.

    It is known by the role it assumes there; where it has none, by the source identity it gives itself.
    """
    return is_session_of(arn, role) if role else bool(session_name) and source_identity == session_name


def endpoint_name(endpoint: str) -> str:
    """Return the name of an endpoint that is said by its name or its ARN."""
    return endpoint.rpartition(":endpoint/")[2]
