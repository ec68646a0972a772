"""Name the permissions a share of model package groups can have, and what each lets a consumer do.

AWS publishes the names of its managed permissions; the action lists are read at run time with GetPermission. These
follow AWS's examples: reading is the trio of the discoverability guide, deploying needs CreateModel on a version,
registering needs CreateModelPackage. An account makes permissions of its own with CreatePermission.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from . import errors

RESOURCE_TYPE: Final = "sagemaker:ModelPackageGroup"

READ: Final = (
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:ListModelPackages",
)
_PUBLISHED: Final = datetime(2024, 6, 14, tzinfo=UTC)


@dataclass
class Version:
    """One version of a permission: its policy template, and when it was made."""

    template: str
    created: datetime


@dataclass
class Permission:
    """A permission with its versions; ``default_version`` is what a new share gets."""

    arn: str
    kind: str
    versions: dict[int, Version]
    default_version: int = 1
    resource_default: bool = False
    feature_set: str = "STANDARD"
    tags: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    asked: str | None = None

    @property
    def name(self) -> str:
        return self.arn.rsplit("/", 1)[1]

    def version(self, number: int | None) -> int:
        """The number of a version that is there, the default one for None. Raises UnknownResourceException."""
        found = number or self.default_version
        if found not in self.versions:
            raise errors.UnknownResource(f"Permission {self.arn} has no version {found}.")
        return found

    def actions(self, number: int | None = None) -> tuple[str, ...]:
        """The actions a version grants on a group and its versions."""
        wanted = json.loads(self.versions[self.version(number)].template)["Action"]
        return (wanted,) if isinstance(wanted, str) else tuple(wanted)

    def summary(self, number: int | None = None) -> dict[str, Any]:
        """RAM ResourceSharePermissionSummary."""
        found = self.version(number)
        standard = self.feature_set == "STANDARD"
        return {
            "arn": self.arn,
            "name": self.name,
            "version": str(found),
            "defaultVersion": found == self.default_version,
            "resourceType": RESOURCE_TYPE,
            "status": "ATTACHABLE" if standard else "UNATTACHABLE",
            "isResourceTypeDefault": self.resource_default,
            "permissionType": self.kind,
            "featureSet": self.feature_set,
            "creationTime": self.versions[found].created,
            "lastUpdatedTime": self.versions[found].created,
            "tags": [{"key": k, "value": v} for k, v in self.tags.items()],
        }

    def detail(self, number: int | None = None) -> dict[str, Any]:
        """RAM ResourceSharePermissionDetail; ``permission`` is the policy template as JSON."""
        return {**self.summary(number), "permission": self.versions[self.version(number)].template}


def template_of(text: str) -> str:
    """A policy template as it was given, if it is one. Source: RAM CreatePermission.

    Raises MalformedPolicyTemplateException for what is not an Effect and Actions (and Conditions) without Resource and
    Principal, and InvalidPolicyException for actions of other services.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    wanted = found.get("Action") if isinstance(found, dict) else None
    actions = [wanted] if isinstance(wanted, str) else wanted
    whole = isinstance(found, dict) and set(found) <= {"Effect", "Action", "Condition"}
    if not whole or found.get("Effect") != "Allow" or not isinstance(actions, list) or not actions:
        raise errors.MalformedPolicyTemplate(
            "The policy template must be a JSON object with Effect Allow and Action, and without Resource or Principal."
        )
    if not all(isinstance(a, str) and a.startswith("sagemaker:") and "*" not in a for a in actions):
        raise errors.InvalidPolicy(f"The policy template may name actions of SageMaker only, and not {actions}.")
    return text


def _managed(name: str, actions: tuple[str, ...], default: bool = False) -> Permission:
    template = json.dumps({"Effect": "Allow", "Action": list(actions)})
    arn = f"arn:aws:ram::aws:permission/{name}"
    return Permission(arn, "AWS_MANAGED", {1: Version(template, _PUBLISHED)}, resource_default=default)


MANAGED: Final = {
    p.arn: p
    for p in (
        _managed("AWSRAMDefaultPermissionSageMakerModelPackageGroup", READ, default=True),
        _managed("AWSRAMPermissionSageMakerModelPackageGroupAllowDeploy", (*READ, "sagemaker:CreateModel")),
        _managed("AWSRAMPermissionSageMakerModelPackageGroupAllowRegister", (*READ, "sagemaker:CreateModelPackage")),
    )
}
DEFAULT: Final = next(p for p in MANAGED.values() if p.resource_default)
