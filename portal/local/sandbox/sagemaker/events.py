"""Tell EventBridge about every change of a model package, in the account that owns it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from moto.events.models import events_backends

DETAIL_TYPE = "SageMaker Model Package State Change"
# The card is left out: its 100,000 characters are read by Describe, as everything a handler must be sure of.
_DETAIL = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "MetadataProperties",
    "ModelMetrics",
    "CustomerMetadataProperties",
    "ModelLifeCycle",
    "SourceUri",
    "LastModifiedTime",
    "CreatedBy",
    "LastModifiedBy",
)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    raise TypeError(f"{value!r} cannot be in an event")


def state_changed(package: dict[str, Any], fields: list[str], status: str = "Completed") -> None:
    """Emit the state change of a package; ``fields`` become UpdatedModelPackageFields.

    Source: the EventBridge event "SageMaker Model Package State Change" of aws.sagemaker.
    """
    arn = package["ModelPackageArn"]
    detail = {name: package[name] for name in _DETAIL if name in package}
    detail.update(ModelPackageStatus=status, UpdatedModelPackageFields=fields)
    account, region = arn.split(":")[4], arn.split(":")[3]
    plain = json.loads(json.dumps(detail, default=_plain))
    events_backends[account][region].publish("aws.sagemaker", DETAIL_TYPE, plain, [arn])  # type: ignore[attr-defined]
