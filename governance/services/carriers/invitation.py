"""Carrying an acceptance to RAM: in the account that was invited to a declared share."""

from __future__ import annotations

from typing import Any

from portal.core.jobs import enqueue_on_commit
from registry.aws import ram
from registry.models import AwsAccount, DeclaredShare
from registry.services.shares import ASSOCIATED, EXPIRED, PENDING, THERE

from ...models import OutboxMessage
from ...selectors.sharing import share_key
from .carrier import Carrier, Hopeless, NotYet, session_of
from .share import PATIENCE, SYNC_SHARES

_SECONDS = 10


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Accept the invitation to a declared share, or say that none is needed. Raises AwsError, NotYet, Hopeless.

    Inside an organisation that shares, RAM lets the account in without one. Source: GetResourceShareAssociations,
    GetResourceShareInvitations, AcceptResourceShareInvitation.
    """
    declared = DeclaredShare.objects.select_related("account").get(pk=message.payload["declared_share"])
    account = AwsAccount.objects.get(account_id=message.payload["account_id"])
    if declared.is_over or not declared.accounts.filter(pk=account.pk).exists():
        return {"note": "Nothing to accept: the account is not in the share any more."}
    if not account.is_enabled:
        raise Hopeless(f"{account} is disabled, and so untouched. Enable it and try again.")
    if not declared.share_arn:
        raise NotYet(f"the share {declared.public_id} to be made", seconds=_SECONDS)
    owner = session_of(declared.account.account_id, declared.region)
    members = ram.list_share_associations(owner, association_type="PRINCIPAL", share_arns=[declared.share_arn])
    statuses = {one.status for one in members if one.entity == account.account_id}
    spoke = session_of(account.account_id, declared.region)
    received = [one for one in ram.list_invitations(spoke) if one.sender == declared.account.account_id]
    invitations = [one for one in received if one.share_arn == declared.share_arn]
    pending = [one for one in invitations if one.status == PENDING]
    for invitation in pending:
        ram.accept_invitation(spoke, invitation.arn, client_token=str(message.token))
    if pending:
        return {"note": "The invitation was accepted."}
    if ASSOCIATED in statuses:
        accepted = any(one.status == "ACCEPTED" for one in invitations)
        return {"note": "It was accepted before." if accepted else "No invitation was needed inside the organisation."}
    newest = max(invitations, key=lambda one: str(one.invited_at), default=None)
    is_over = newest is not None and newest.status in (EXPIRED, "REJECTED") and not statuses & THERE
    if is_over and not OutboxMessage.objects.undelivered_of(share_key(declared)).exists():
        raise Hopeless(f"The invitation of {account} cannot be accepted any more. Invite the account again.")
    raise NotYet(f"the invitation of {account} to {declared.public_id}", seconds=_SECONDS)


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Have both ends read again: the share is in place once everybody has accepted."""
    declared = DeclaredShare.objects.select_related("account").get(pk=message.payload["declared_share"])
    for account_id in (declared.account.account_id, message.payload["account_id"]):
        enqueue_on_commit(SYNC_SHARES, account_id=account_id, requested_by="outbox")


CARRIER = Carrier(carry, delivered, patience=PATIENCE)
