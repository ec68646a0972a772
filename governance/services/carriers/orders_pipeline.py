"""Ordering by starting a SageMaker pipeline: exactly once, since AWS knows the message's token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.aws import pipelines

from ...models import OutboxMessage
from ...selectors.channels import ORDER_WORDS
from .carrier import session_of

LITERAL = "="


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Start the pipeline with the parameters its channel names; returns the execution's ARN. Raises AwsError."""
    payload = message.payload
    channel, detail = payload["channel"], payload["detail"]
    execution_arn = pipelines.start_execution(
        session_of(payload["account_id"], payload["region"]),
        pipeline=channel["pipeline"],
        display_name=pipelines.display_name(
            detail["modelPackageGroupName"][:40],
            str(detail["modelPackageVersion"]),
            detail["stage"],
            str(message.token)[:8],
        ),
        description=message.summary[:1000],
        parameters=filled(channel["parameters"], {**detail, "orderId": str(message.token)}),
        client_token=str(message.token),
    )
    return {"reference": execution_arn, "execution_arn": execution_arn}


def filled(parameters: Mapping[str, str], detail: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters' values: what an order has under each word, or the text behind a leading `=`."""
    values: dict[str, str] = {}
    for name, word in parameters.items():
        value = word.removeprefix(LITERAL) if word.startswith(LITERAL) else detail.get(ORDER_WORDS[word])
        values[name] = "" if value is None else str(value)
    return values
