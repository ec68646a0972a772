"""Running a sync with governance listening: the sync reads, intake makes it part of the record."""

from __future__ import annotations

import logging

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere
from registry.models import AwsAccount, ModelGroup, SyncRun
from registry.sync import run

from . import intake

logger = logging.getLogger(__name__)

ACTOR = Actor.system("sync")
LISTENERS = run.Listeners(
    on_version=intake.absorb_version, on_version_missing=intake.absorb_missing, on_group=intake.absorb_group
)


def request_sync(*, actor: Actor, account_id: str) -> AwsAccount:
    """Have a worker sync an account now. Raises NotFound, Forbidden, WrongState for a disabled account."""
    account = access.get(AwsAccount, actor, account_id=account_id)
    require_anywhere(actor, Act.SYNC_ACCOUNTS)
    if not account.is_enabled:
        raise WrongState(f"{account} is disabled. Enable it before syncing.")
    enqueue_on_commit("governance.sync_account", account_id=account.account_id, requested_by=actor.name)
    return account


def sync_account(*, account_id: str, requested_by: str) -> list[SyncRun]:
    """Make a full pass over every region of an account; a pass that is already running is left alone."""
    account = AwsAccount.objects.enabled().filter(account_id=account_id).first()
    if account is None:
        raise InvalidInput(f"There is no enabled account {account_id}.")
    runs = []
    for region in account.regions:
        try:
            runs.append(
                run.full_pass(
                    actor=ACTOR,
                    account=account,
                    region=region,
                    requested_by=requested_by,
                    listeners=LISTENERS,
                )
            )
        except run.AlreadyRunning as already:
            logger.info("%s", already)
    return runs


def reconcile_group(*, group_id: int) -> None:
    """Look again at the findings about one group; what people changed may have settled them."""
    with operation(ACTOR, "group changed"):
        group = ModelGroup.objects.select_for_update().filter(pk=group_id).first()
        if group is not None:
            intake.absorb_group(ACTOR, group)
