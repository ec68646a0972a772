"""Name the managed permissions of SageMaker model package groups and what each lets a consumer do.

AWS publishes the names; the action lists are read at run time with GetPermission. These follow AWS's examples: reading
is the trio of the discoverability guide, deploying needs CreateModel on a version, registering needs
CreateModelPackage.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

RESOURCE_TYPE: Final = "sagemaker:ModelPackageGroup"

READ: Final = (
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:ListModelPackages",
)
_PUBLISHED: Final = datetime(2024, 6, 14, tzinfo=UTC)


@dataclass(frozen=True)
class ManagedPermission:
    """One AWS managed permission: its ARN and the actions it grants on the group and its versions."""

    name: str
    actions: tuple[str, ...]
    default: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:ram::aws:permission/{self.name}"

    def summary(self) -> dict[str, Any]:
        """RAM ResourceSharePermissionSummary."""
        return {
            "arn": self.arn,
            "name": self.name,
            "version": "1",
            "defaultVersion": True,
            "resourceType": RESOURCE_TYPE,
            "status": "ATTACHABLE",
            "isResourceTypeDefault": self.default,
            "permissionType": "AWS_MANAGED",
            "featureSet": "STANDARD",
            "creationTime": _PUBLISHED,
            "lastUpdatedTime": _PUBLISHED,
        }

    def detail(self) -> dict[str, Any]:
        """RAM ResourceSharePermissionDetail; ``permission`` is the policy template as JSON."""
        template = {"Effect": "Allow", "Action": list(self.actions)}
        return {**self.summary(), "permission": json.dumps(template)}


PERMISSIONS: Final = {
    p.arn: p
    for p in (
        ManagedPermission("AWSRAMDefaultPermissionSageMakerModelPackageGroup", READ, default=True),
        ManagedPermission("AWSRAMPermissionSageMakerModelPackageGroupAllowDeploy", (*READ, "sagemaker:CreateModel")),
        ManagedPermission(
            "AWSRAMPermissionSageMakerModelPackageGroupAllowRegister", (*READ, "sagemaker:CreateModelPackage")
        ),
    )
}
DEFAULT: Final = next(p for p in PERMISSIONS.values() if p.default)
