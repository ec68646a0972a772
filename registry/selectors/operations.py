"""Accounts, sync runs and shares as the operations pages show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from portal.core import access
from portal.core.actors import Actor

from ..choices import SyncKind
from ..models import AccountPreflight, AwsAccount, ResourceShare, ShareInvitation, SyncRun
from .sync_health import is_routine


def accounts(actor: Actor) -> QuerySet[AwsAccount]:
    """Return the accounts an actor may see, by their id."""
    return AwsAccount.objects.visible_to(actor).order_by("account_id")


def account(actor: Actor, account_id: str) -> AwsAccount:
    """Return one account by its twelve digits. Raises NotFound."""
    return access.get(AwsAccount, actor, account_id=account_id)


def preflights(of: AwsAccount) -> list[AccountPreflight]:
    """Return what is known of the portal's permissions in each of an account's regions, in their order."""
    known = {row.region: row for row in AccountPreflight.objects.filter(account=of)}
    return [known[region] for region in of.regions if region in known]


def sync_runs(actor: Actor) -> QuerySet[Any]:
    """Return the sync runs an actor may see, newest first."""
    return SyncRun.objects.visible_to(actor).select_related("account").order_by("-started_at", "-pk")


def telling_runs(actor: Actor, of: AwsAccount) -> QuerySet[Any]:
    """Return the sync runs of one account without the searches that found nothing, newest first."""
    return sync_runs(actor).filter(account=of).exclude(is_routine())


def is_syncing(actor: Actor, of: AwsAccount, since: datetime | None = None) -> bool:
    """Whether a full pass over the account runs, or one asked for at `since` has not ended yet."""
    runs = SyncRun.objects.visible_to(actor).filter(account=of, kind=SyncKind.FULL)
    if runs.filter(finished_at=None).exists():
        return True
    return since is not None and not runs.filter(finished_at__gte=since).exists()


def shares(actor: Actor) -> QuerySet[Any]:
    """Return the RAM shares an actor may see, by name."""
    return (
        ResourceShare.objects.visible_to(actor)
        .select_related("account")
        .prefetch_related("groups")
        .order_by("name", "pk")
    )


def invitations_by_share(arns: list[str]) -> dict[str, list[ShareInvitation]]:
    """Return the invitations the portal's accounts received for these shares."""
    found: dict[str, list[ShareInvitation]] = {}
    for invitation in ShareInvitation.objects.filter(share_arn__in=arns).select_related("receiver"):
        found.setdefault(invitation.share_arn, []).append(invitation)
    return found


def aliases(account_ids: set[str]) -> dict[str, str]:
    """Return the aliases of the accounts among these ids that the portal knows."""
    return dict(AwsAccount.objects.filter(account_id__in=account_ids).values_list("account_id", "alias"))
