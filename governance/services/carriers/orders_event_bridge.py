"""Ordering by an event on a bus."""

from __future__ import annotations

from typing import Any

from registry.aws import events

from ...models import OutboxMessage
from .carrier import session_of

DEPLOYMENT_ORDERED = "Model Deployment Ordered"
# Another type than an order's: a rule that deploys must not take a test for one, whatever it thinks of the flag.
TEST_ORDERED = "Model Deployment Order Test"


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Put the order on the bus; `orderId` lets a receiver recognise one sent twice. Raises AwsError."""
    payload = message.payload
    session = session_of(payload["account_id"], payload["region"])
    detail = {**payload["detail"], "orderId": str(message.token)}
    event_id = events.put_deployment_order(
        session,
        bus=(payload.get("channel") or {}).get("bus") or payload["bus"],
        detail=detail,
        detail_type=DEPLOYMENT_ORDERED,
        resources=[detail["modelPackageArn"]],
    )
    return {"reference": event_id, "event_id": event_id}
