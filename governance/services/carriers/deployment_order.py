"""Carrying a deployment order to whoever deploys: EventBridge."""

from __future__ import annotations

from typing import Any

from registry.aws import events

from ...models import OutboxMessage
from .carrier import Carrier, session_of

DEPLOYMENT_ORDERED = "Model Deployment Ordered"


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Put the order on the hub's bus; `orderId` lets a receiver recognise one sent twice. Raises AwsError."""
    payload = message.payload
    session = session_of(payload["account_id"], payload["region"])
    detail = {**payload["detail"], "orderId": str(message.token)}
    event_id = events.put_deployment_order(
        session,
        bus=payload["bus"],
        detail=detail,
        detail_type=DEPLOYMENT_ORDERED,
        resources=[detail["modelPackageArn"]],
    )
    return {"event_id": event_id}


CARRIER = Carrier(carry)
