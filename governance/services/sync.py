"""Running a sync with governance listening: the sync reads, intake makes it part of the record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere
from registry.models import AwsAccount, ModelGroup, SyncRun
from registry.sync import run

from . import intake, readings

logger = logging.getLogger(__name__)

ACTOR = Actor.system("sync")
LISTENERS = run.Listeners(
    on_versions=intake.absorb_versions,
    on_versions_missing=intake.absorb_missing,
    on_group=intake.absorb_group,
    after_pass=intake.absorb_rest,
)


def request_sync(*, actor: Actor, account_id: str) -> AwsAccount:
    """Have a worker sync an account now. Raises NotFound, Forbidden, WrongState for a disabled account."""
    account = access.get(AwsAccount, actor, account_id=account_id)
    require_anywhere(actor, Act.SYNC_ACCOUNTS)
    if not account.is_enabled:
        raise WrongState(f"{account} is disabled. Enable it before syncing.")
    enqueue_on_commit("governance.sync_account", account_id=account.account_id, requested_by=actor.name)
    enqueue_on_commit("governance.sync_shares_of_account", account_id=account.account_id, requested_by=actor.name)
    readings.request_readings(account_id=account.account_id, requested_by=actor.name)
    return account


def sync_account(*, account_id: str, requested_by: str) -> list[SyncRun]:
    """Make a full pass over every region of an account; a pass that is already running is left alone.

    Raises InvalidInput for an account that is not there or disabled.
    """
    return _everywhere(account_id, requested_by, [run.full_pass])


def sync_changes(*, account_id: str) -> list[SyncRun]:
    """Take in what was modified in every region of an account since its last pass; without one, make a full pass.

    A region in which a pass is under way is left alone: the next time is soon. Raises InvalidInput for an account that
    is not there or disabled.
    """
    return _everywhere(account_id, "schedule", [run.incremental_pass, run.full_pass])


def _everywhere(account_id: str, requested_by: str, passes: Sequence[Callable[..., SyncRun | None]]) -> list[SyncRun]:
    """Make in each region the first of the passes that can be made there."""
    account = AwsAccount.objects.enabled().filter(account_id=account_id).first()
    if account is None:
        raise InvalidInput(f"There is no enabled account {account_id}.")
    runs = []
    for region in account.regions:
        account.refresh_from_db(fields=["is_enabled"])
        if not account.is_enabled:
            break
        try:
            for make in passes:
                made = make(actor=ACTOR, account=account, region=region, requested_by=requested_by, listeners=LISTENERS)
                if made is not None:
                    runs.append(made)
                    break
        except run.AlreadyRunning as already:
            logger.info("%s", already)
    return runs


def reconcile_group(*, group_id: int) -> None:
    """Look again at the findings about one group; what people changed may have settled them."""
    with operation(ACTOR, "group changed"):
        group = ModelGroup.objects.select_for_update(no_key=True).filter(pk=group_id).first()
        if group is not None:
            intake.absorb_group(ACTOR, group)
    if group is not None:
        intake.take_use_cases_along(ACTOR, [group])
