"""Carrying the creation of a model group to the hub: CreateModelPackageGroup, PutModelPackageGroupPolicy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from registry.aws import sagemaker
from registry.aws.errors import AwsConflict, AwsNotFound
from registry.aws.records import GroupRecord
from registry.aws.session import AwsSession
from registry.models import GroupCreation
from registry.services import group_creations

from ...models import OutboxMessage
from .. import intake
from .carrier import ACTOR, Carrier, Hopeless, NotYet, session_of

# RAM and SageMaker show a new group some seconds after it was made.
_SHOWN_AFTER = 2.0


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Create the group once, however often this is asked, and give it its policy.

    CreateModelPackageGroup knows no token, so the group is looked at first: one that carries the creation's tag is the
    work of an earlier attempt. Raises AwsError, NotYet while AWS does not show the group, Hopeless when somebody else's
    group has the name.
    """
    row = GroupCreation.objects.select_related("account").get(number=message.payload["creation"])
    session = session_of(row.account.account_id, row.region)
    found = _described(session, row.name)
    if found is None:
        try:
            arn = sagemaker.create_group(
                session,
                name=row.name,
                description=row.description,
                tags={**row.tags, group_creations.TAG: str(row.token)},
            )
        except AwsConflict:
            # Made meanwhile, by an earlier attempt of ours whose request was still on its way or by somebody else.
            found = _described(session, row.name)
            if found is None:
                raise
        else:
            found = _described(session, arn)
            if found is None:
                raise NotYet(f"AWS to show the group {row.name}", seconds=_SHOWN_AFTER)
    _require_ours(session, row, found)
    if found.status in ("Pending", "InProgress"):
        raise NotYet(f"AWS to complete the group {row.name}", seconds=_SHOWN_AFTER)
    if found.status == "Failed":
        raise Hopeless(f"AWS could not complete the group {row.name}. Delete it there, or choose another name.")
    if row.policy and sagemaker.get_group_policy(session, row.name) != row.policy:
        sagemaker.put_group_policy(session, row.name, row.policy)
    return {"group": found}


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Take the group in as what was asked for."""
    group = group_creations.finish(actor=ACTOR, number=message.payload["creation"], record=result["group"])
    intake.absorb_group(ACTOR, group)


def given_up(message: OutboxMessage, error: str) -> None:
    """Mark the creation as failed."""
    group_creations.fail(number=message.payload["creation"], error=error)


def _described(session: AwsSession, name_or_arn: str) -> GroupRecord | None:
    try:
        return sagemaker.describe_group(session, name_or_arn)
    except AwsNotFound:
        return None


def _require_ours(session: AwsSession, row: GroupCreation, found: GroupRecord) -> None:
    if sagemaker.group_tags(session, found.arn).get(group_creations.TAG) != str(row.token):
        raise Hopeless(
            f"{row.account} has a group {row.name} in {row.region} that {row.public_id} did not make."
            " Claim that one after the next sync, or choose another name."
        )


CARRIER = Carrier(carry, delivered, given_up, patience=timedelta(minutes=30))
