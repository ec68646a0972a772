"""How the outbox is doing, account by account: what waits, for how long, what was given up, what lost its worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Left
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from registry.models import AwsAccount

from ..choices import OutboxState
from ..models import OutboxMessage


@dataclass(frozen=True)
class OutboxHealth:
    """The undelivered messages of one account: `pending` of which `waiting` merely wait, `stuck` without a worker."""

    account_id: str
    alias: str
    pending: int = 0
    waiting: int = 0
    failed: int = 0
    stuck: int = 0
    oldest_pending_at: datetime | None = None

    @property
    def oldest_pending_seconds(self) -> float | None:
        """How long the oldest pending message has been waiting."""
        return None if self.oldest_pending_at is None else (timezone.now() - self.oldest_pending_at).total_seconds()


def outbox_health(account: AwsAccount) -> OutboxHealth:
    """Return how the outbox of one account is doing; whoever sees the account may."""
    found = _by_account(OutboxMessage.objects.filter(lane__startswith=account.account_id))
    return found[0] if found else OutboxHealth(account.account_id, account.alias)


def account_outbox(actor: Actor, account_id: str) -> tuple[AwsAccount, OutboxHealth]:
    """Return an account with how its outbox is doing. Raises NotFound for one the actor does not see."""
    account = access.get(AwsAccount, actor, account_id=account_id)
    return account, outbox_health(account)


def outbox_by_account(actor: Actor) -> list[OutboxHealth]:
    """Return how it is doing in each account that has undelivered messages the actor may see."""
    return _by_account(OutboxMessage.objects.visible_to(actor))


def _by_account(messages: QuerySet[OutboxMessage]) -> list[OutboxHealth]:
    pending = Q(state=OutboxState.PENDING)
    rows = (
        messages.filter(state__in=(OutboxState.PENDING, OutboxState.FAILED))
        .annotate(where=Left("lane", 12))
        .order_by()
        .values("where")
        .annotate(
            pending=Count("pk", filter=pending),
            waiting=Count("pk", filter=pending & ~Q(waiting_for="")),
            failed=Count("pk", filter=Q(state=OutboxState.FAILED)),
            stuck=Count("pk", filter=OutboxMessage.objects.is_stuck()),
            oldest=Min("created_at", filter=pending),
        )
        .order_by("where")
    )
    found = list(rows)
    aliases = dict(
        AwsAccount.objects.filter(account_id__in=[row["where"] for row in found]).values_list("account_id", "alias")
    )
    return [
        OutboxHealth(
            row["where"],
            aliases.get(row["where"], row["where"] or "no account"),
            row["pending"],
            row["waiting"],
            row["failed"],
            row["stuck"],
            row["oldest"],
        )
        for row in found
    ]
