"""Carrying a decision to SageMaker: UpdateModelPackage."""

from __future__ import annotations

from typing import Any

from registry.aws import sagemaker
from registry.aws.records import LifeCycle

from ...models import OutboxMessage
from .carrier import Carrier, session_of


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Set approval status, description and lifecycle, unless SageMaker says so already. Raises AwsError."""
    payload = message.payload
    session = session_of(payload["account_id"], payload["region"])
    wanted = LifeCycle(payload["stage"], payload["stage_status"], payload["stage_description"])
    current = sagemaker.describe_version(session, payload["model_package_arn"])
    if (
        current.approval_status == payload["approval_status"]
        and current.approval_description == payload["approval_description"]
        and current.life_cycle == wanted
    ):
        # An earlier attempt got through and its worker died before saying so.
        return {}
    sagemaker.update_version(
        session,
        payload["model_package_arn"],
        client_token=str(message.token),
        approval_status=payload["approval_status"],
        approval_description=payload["approval_description"],
        life_cycle=wanted,
    )
    return {}


CARRIER = Carrier(carry)
