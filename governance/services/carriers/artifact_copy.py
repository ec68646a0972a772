"""Carrying an artifact from a spoke's bucket to the hub's."""

from __future__ import annotations

from typing import Any

from registry.aws import s3
from registry.services import versions

from ...models import OutboxMessage
from .carrier import ACTOR, Carrier, session_of


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Copy the artifact byte for byte and prove it; one that is there already is left. Raises AwsError."""
    payload = message.payload
    result = s3.copy(
        session_of(payload["source_account_id"], payload["region"]),
        session_of(payload["target_account_id"], payload["region"]),
        payload["source_url"],
        payload["target_url"],
    )
    return {"url": result.url, "sha256": result.sha256}


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Write down where the hub keeps the artifact now."""
    if message.version is not None:
        versions.record_artifact_copy(actor=ACTOR, version=message.version, url=result["url"], sha256=result["sha256"])


CARRIER = Carrier(carry, delivered)
