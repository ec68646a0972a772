"""Carrying a decision to SageMaker: UpdateModelPackage, for the version as it was decided on and no other.

UpdateModelPackage takes no expected version. What stands in AWS is read right before the write and compared with what
the portal knew when it was decided; what somebody changes between that look and the write is overwritten, and seen by
the next look at it. The ClientToken is the message's in every attempt, so whichever of them arrives, arrives once.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from portal.core.jobs import enqueue_on_commit
from registry.aws import sagemaker
from registry.aws.arns import is_portal
from registry.aws.errors import AwsError, AwsNotFound
from registry.aws.records import LifeCycle, VersionRecord
from registry.aws.session import SESSION_NAME, AwsSession
from registry.models import AwsAccount, ModelGroup
from registry.services import digests, versions, written

from ...models import OutboxMessage
from ...selectors.outbox_order import APPROVED, entry_of, supersedes
from .. import intake
from .carrier import ACTOR, Carrier, Hopeless, Overtaken, session_of

logger = logging.getLogger(__name__)

TAKE_IN = "governance.take_in_version"


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Set approval status, description and lifecycle, unless SageMaker says so already.

    Raises AwsError; Hopeless when approval is to be written onto a content that was not decided on, or onto another
    version under the same ARN; Overtaken when a later word supersedes this one. Source: DescribeModelPackage,
    UpdateModelPackage.
    """
    payload = message.payload
    session = session_of(payload["account_id"], payload["region"])
    arn = payload["model_package_arn"]
    before = _described(session, arn)
    if says(before, payload):
        # An earlier attempt got through and its worker died before saying so.
        return {"record": before}
    note = _foreign_change(message, before)
    if is_overtaken(message):
        raise Overtaken
    sagemaker.update_version(
        session,
        arn,
        client_token=str(message.token),
        approval_status=payload["approval_status"],
        approval_description=payload["approval_description"],
        life_cycle=_wanted(payload),
    )
    return _written(session, arn, payload, before, note)


def says(record: VersionRecord, payload: dict[str, Any]) -> bool:
    """Whether a version says in AWS, word by word, what is to be written."""
    return (
        record.approval_status == payload["approval_status"]
        and record.approval_description == payload["approval_description"]
        and record.life_cycle == _wanted(payload)
    )


def landed(message: OutboxMessage) -> bool:
    """Whether AWS says what this message writes. Raises AwsError. Source: DescribeModelPackage."""
    payload = message.payload
    session = session_of(payload["account_id"], payload["region"])
    return says(sagemaker.describe_version(session, payload["model_package_arn"]), payload)


def is_overtaken(message: OutboxMessage) -> bool:
    """Whether a later word of the same version was decided meanwhile that takes the place of this one."""
    now = timezone.now()
    this = entry_of(message, now)
    later = OutboxMessage.objects.undelivered().filter(ordering_key=message.ordering_key, pk__gt=message.pk)
    return any(supersedes(entry_of(other, now), this) for other in later)


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Let the version say what was written: as AWS tells it already, or as it was sent."""
    version = message.version
    if version is None:
        return
    record = result.get("record")
    try:
        # The write is done whatever comes of this; the next event or pass brings the same.
        with transaction.atomic():
            if isinstance(record, VersionRecord):
                group = ModelGroup.objects.select_for_update(of=("self",), no_key=True).select_related("account")
                change = versions.take_in(actor=ACTOR, group=group.get(pk=version.group_id), record=record)
                intake.absorb_version(ACTOR, change)
            else:
                payload = message.payload
                written.note_written(
                    actor=ACTOR,
                    version=version,
                    approval_status=payload["approval_status"],
                    approval_description=payload["approval_description"],
                    life_cycle=_wanted(payload),
                )
    except (DatabaseError, ValueError, TypeError):
        logger.exception("What was written to %s was not taken in", version.arn)


def given_up(message: OutboxMessage, error: str) -> None:
    """Have the version read anew: what stopped the write may have changed what stands approved."""
    if message.version_id is not None:
        enqueue_on_commit(TAKE_IN, version_id=message.version_id)


def _written(
    session: AwsSession, arn: str, payload: dict[str, Any], before: VersionRecord, note: str
) -> dict[str, Any]:
    """Read back what was written; reads follow writes with a delay, and until one shows it, what was written counts."""
    try:
        after = sagemaker.describe_version(session, arn)
    except AwsError as error:
        logger.warning("%s was written, but could not be read again: %s", arn, error)
        return {"note": note}
    if _time(after) <= _time(before):
        return {"note": note}
    if not says(after, payload):
        note = f"{note} {_who(after)} changed it again right after it was written.".strip()
    return {"note": note, "record": after}


def _foreign_change(message: OutboxMessage, record: VersionRecord) -> str:
    """Return what somebody else changed since the decision, "" when nobody did.

    Raises Hopeless when it must not be written any more.
    """
    expected = message.payload.get("expected")
    if not expected:
        return ""
    if record.created_at is not None and record.created_at != datetime.fromisoformat(expected["created_at"]):
        raise Hopeless(
            f"AWS has another version under this ARN, made at {record.created_at:%Y-%m-%d %H:%M} UTC:"
            " the one that was decided on was deleted. Nothing was written."
        )
    digest = digests.digest(digests.content(record))
    if digest != expected["content_digest"] and message.payload["approval_status"] == APPROVED:
        raise Hopeless(
            f"{_who(record)} changed its content in AWS at {_time(record):%Y-%m-%d %H:%M} UTC, and the approval was"
            " given for what it was before. Nothing was written. Have it approved anew as it is now."
        )
    if _time(record) == datetime.fromisoformat(expected["modified_at"]) or _is_ours(record, message):
        return ""
    life_cycle = record.life_cycle or LifeCycle("none", "none")
    return (
        f"{_who(record)} changed it in AWS at {_time(record):%Y-%m-%d %H:%M} UTC, after the decision; before this"
        f" write it said {record.approval_status or 'nothing'}, {life_cycle.stage} / {life_cycle.status}."
        + (
            " Its content is what was decided on."
            if digest == expected["content_digest"]
            else " Its content moved, too."
        )
    )


def _is_ours(record: VersionRecord, message: OutboxMessage) -> bool:
    """Whether the portal itself changed a version last: an earlier message of the same version."""
    by = record.last_modified_by
    if by is None:
        return False
    account: AwsAccount | None = message.version.group.account if message.version else None
    role = account.role_arn if account else ""
    return is_portal(by.arn, by.source_identity, role=role, session_name=SESSION_NAME)


def _described(session: AwsSession, arn: str) -> VersionRecord:
    try:
        return sagemaker.describe_version(session, arn)
    except AwsNotFound as error:
        raise Hopeless(f"The version is gone from AWS, or hidden from the portal's role. {error}") from error


def _wanted(payload: dict[str, Any]) -> LifeCycle:
    return LifeCycle(payload["stage"], payload["stage_status"], payload["stage_description"])


def _time(record: VersionRecord) -> datetime:
    return record.last_modified_at or record.created_at or timezone.now()


def _who(record: VersionRecord) -> str:
    by = record.last_modified_by
    return (by.arn or by.user_profile or by.principal_id) if by else "Somebody"


CARRIER = Carrier(carry, delivered, given_up, landed=landed)
