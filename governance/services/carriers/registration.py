"""Carrying a registration to SageMaker: CreateModelPackage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from registry.aws import sagemaker
from registry.aws.errors import AwsNotFound
from registry.aws.session import AwsSession
from registry.models import Registration
from registry.services import registrations
from registry.sync import run

from ...models import OutboxMessage
from .. import runs, sync
from .carrier import ACTOR, Carrier, Hopeless, NotYet, session_of


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Register the version once, however often this is asked, and take it in.

    The registration's token makes a repeated request the same request. Where an answer was lost, the version is looked
    for by the registration's own metadata first, for AWS does not say how long it remembers a token. Raises AwsError,
    NotYet while AWS does not show the new version, Hopeless when it answers with another one than before.
    """
    payload = message.payload
    row = Registration.objects.select_related("group__account").get(number=payload["registration"])
    group = row.group
    session = session_of(group.account.account_id, group.region)
    arn = row.arn or (message.attempts > 1 and _made_before(session, row)) or ""
    if not arn:
        arn = sagemaker.create_version(session, group=group.arn, request=row.payload, client_token=str(row.token))
    if row.arn not in ("", arn):
        raise Hopeless(f"{row.public_id} was registered as {row.arn} before, and AWS answers {arn} now.")
    registrations.note_arn(actor=ACTOR, number=row.number, arn=arn)
    change = run.take_in_version(
        actor=sync.ACTOR, account=group.account, session=session, arn=arn, listeners=sync.LISTENERS
    )
    if change is None:
        # Described as absent: AWS is not consistent at once.
        raise NotYet(f"AWS to show {arn}", seconds=2)
    return {"arn": arn}


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Mark the registration as done."""
    runs.registered(actor=ACTOR, registration=registrations.finish(number=message.payload["registration"]))


def given_up(message: OutboxMessage, error: str) -> None:
    """Mark the registration as failed."""
    registrations.fail(number=message.payload["registration"], error=error)


def _made_before(session: AwsSession, row: Registration) -> str:
    """Return the ARN of the version an earlier attempt made, "" when there is none.

    Source: ListModelPackages by creation time, DescribeModelPackage of what is younger than the registration.
    """
    since = row.requested_at - registrations.CLOCKS
    for summary in sagemaker.list_versions(session, row.group.arn, created_after=since):
        try:
            record = sagemaker.describe_version(session, summary.arn)
        except AwsNotFound:
            continue
        if registrations.is_of(record, row):
            return record.arn
    return ""


CARRIER = Carrier(carry, delivered, given_up, patience=timedelta(minutes=30))
