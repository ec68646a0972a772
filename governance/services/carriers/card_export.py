"""Carrying the order of a model card's PDF to SageMaker, and waiting until it is written.

Source: CreateModelCardExportJob, DescribeModelCardExportJob.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from registry.aws import cards
from registry.aws.errors import AwsConflict
from registry.choices import AskedState
from registry.models import ModelCardExport

from ...models import OutboxMessage
from .carrier import Carrier, Hopeless, NotYet, remember, session_of

# SageMaker takes seconds; what has not come after this will not.
PATIENCE = timedelta(hours=1)
_LONGEST_JOB = 63


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Have the job made once, however often this is asked, and say where its PDF is.

    A job that failed is forgotten, so that whoever tries again has a new one made. Raises AwsError, NotYet while
    SageMaker writes, Hopeless with SageMaker's reason.
    """
    export = _export(message)
    card = export.card
    session = session_of(card.account.account_id, card.region)
    arn = message.progress.get("job")
    if not arn:
        job = _job(export, message.progress.get("failed", 0))
        try:
            arn = cards.export_card(session, name=card.name, number=export.number, job=job, path=export.path)
        except AwsConflict:
            # An earlier attempt whose answer was lost made it: nobody else knows the name.
            arn = f"{card.arn}/export-job/{job}"
        remember(message, job=arn)
    found = cards.describe_export(session, arn)
    if found.state == "InProgress":
        raise NotYet("SageMaker to write the PDF", seconds=3)
    if found.state != "Completed" or not found.url:
        remember(message, job="", failed=message.progress.get("failed", 0) + 1)
        raise Hopeless(f"SageMaker could not write the PDF: {found.reason or 'it gives no reason'}")
    return {"job": arn, "url": found.url}


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Write down where the PDF is."""
    export = _export(message)
    export.state, export.error, export.finished_at = AskedState.DONE, "", datetime.now(UTC)
    export.job_arn, export.url = result.get("job", ""), result.get("url", "")
    export.save(update_fields=["state", "error", "finished_at", "job_arn", "url"])


def given_up(message: OutboxMessage, error: str) -> None:
    """Write down why there is none."""
    export = _export(message)
    export.state, export.error, export.finished_at = AskedState.FAILED, error, datetime.now(UTC)
    export.save(update_fields=["state", "error", "finished_at"])


def _export(message: OutboxMessage) -> ModelCardExport:
    return ModelCardExport.objects.select_related("card__account").get(pk=message.payload["export"])


def _job(export: ModelCardExport, failed: int) -> str:
    end = f"-{export.number}-{export.token.hex[:12]}-{failed}"
    return export.card.name[: _LONGEST_JOB - len(end)].rstrip("-") + end


CARRIER = Carrier(carry, delivered, given_up, patience=PATIENCE)
