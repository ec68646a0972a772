"""What a declared share has the outbox do: bring RAM in line with it, accept its invitations."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from registry.models import AwsAccount, DeclaredShare

from ..choices import OutboxKind, OutboxState
from ..models import OutboxMessage
from ..selectors.sharing import share_key
from . import outbox


def invitation_key(declared: DeclaredShare, account: AwsAccount) -> str:
    """Return the ordering key of one account's acceptance; it must not wait behind the share that waits for it."""
    return f"share:{declared.public_id}:{account.account_id}"


def order_share(declared: DeclaredShare, *, reinvite: Iterable[AwsAccount] = ()) -> OutboxMessage:
    """Order that RAM be brought in line with a declaration, and that everybody let in accepts.

    What is carried out is the declaration as it stands then, so an earlier order that failed has another try. Accounts
    in `reinvite` are taken out first, so that RAM invites them again. Runs in the caller's operation.
    """
    again = sorted(account.account_id for account in reinvite)
    _revive(share_key(declared))
    group = declared.groups.order_by("pk").first()
    verb = "Withdraw" if declared.is_over else "Bring RAM in line with"
    message = outbox.put(
        kind=OutboxKind.SHARE,
        ordering_key=share_key(declared),
        payload={"declared_share": declared.pk, "reinvite": again},
        summary=f"{verb} the share {declared}" + (f", inviting {', '.join(again)} again" if again else ""),
        group=group,
        account=declared.account,
    )
    if not declared.is_over:
        order_acceptances(declared, declared.accounts.all())
    return message


def order_acceptances(declared: DeclaredShare, accounts: Iterable[AwsAccount]) -> list[OutboxMessage]:
    """Order that these accounts accept their invitation to a share, if they need one; a disabled one is untouched.

    One that is ordered already is not ordered twice. Runs in the caller's operation.
    """
    group = declared.groups.order_by("pk").first()
    made = []
    for account in accounts:
        key = invitation_key(declared, account)
        _revive(key)
        if not account.is_enabled or OutboxMessage.objects.undelivered_of(key).exists():
            continue
        made.append(
            outbox.put(
                kind=OutboxKind.INVITATION,
                ordering_key=key,
                payload={"declared_share": declared.pk, "account_id": account.account_id},
                summary=f"Have {account} accept the share {declared}",
                group=group,
                account=account,
            )
        )
    return made


def _revive(key: str) -> None:
    """Give what was given up another try: what comes behind it would wait for ever, and it asks for the same."""
    for message in OutboxMessage.objects.undelivered_of(key).filter(state=OutboxState.FAILED):
        message.state = OutboxState.PENDING
        message.attempts = 0
        message.waiting_for = ""
        message.waiting_since = None
        message.progress = {}
        message.next_attempt_at = timezone.now()
        message.save(update_fields=["state", "attempts", "waiting_for", "waiting_since", "progress", "next_attempt_at"])
