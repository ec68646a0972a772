"""Reading what RAM says of shares, and saying how far each declared one is: a pass of its own, every five minutes."""

from __future__ import annotations

import logging
from collections.abc import Callable

from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.locks import advisory_lock
from portal.core.operations import operation
from registry.aws.session import AwsSession
from registry.choices import AccountPurpose, DeclarationState, SyncKind
from registry.models import AwsAccount, DeclaredShare, SyncRun
from registry.selectors import sharing
from registry.services import ram_permissions, shares

from ..selectors.sharing import RULES
from . import review
from .readings import one_pass

logger = logging.getLogger(__name__)

ACTOR = Actor.system("sync")
Step = Callable[[AwsAccount, AwsSession], object]


def sync_shares(*, account_id: str, requested_by: str) -> list[SyncRun]:
    """Read a hub's permissions, shares and resource policies, and any account's invitations, in each of its regions.

    Afterwards declared shares say how far they are, and the findings about sharing what is so now. A pass that is
    running already is left alone. Raises InvalidInput for an account that is unknown or disabled.
    """
    account = AwsAccount.objects.enabled().filter(account_id=account_id).first()
    if account is None:
        raise InvalidInput(f"There is no enabled account {account_id}.")
    runs = []
    for region in account.regions:
        with advisory_lock(f"sync-shares:{account.account_id}:{region}") as held:
            if held:
                runs.append(_pass(account, region, requested_by))
            else:
                logger.info("The shares of %s in %s are being read already.", account.account_id, region)
    settle(account)
    review.review_kinds(actor=ACTOR, kinds=list(RULES))
    return runs


def settle(account: AwsAccount) -> None:
    """Say of every declared share of an account whether it is in place, from what RAM was last seen to say."""
    rows = DeclaredShare.objects.wanted().filter(account=account).exclude(state=DeclarationState.DECLARED)
    declared = list(rows.select_related("account").prefetch_related("groups", "accounts"))
    reported = sharing.reported(declared)
    for one in declared:
        found = reported.get(one.share_arn)
        if found is None or sharing.drift(one, found):
            continue
        state = DeclarationState.IN_PLACE if sharing.in_ram(found).is_settled else DeclarationState.APPLYING
        if state == one.state or (one.state == DeclarationState.FAILING and state == DeclarationState.APPLYING):
            continue
        with operation(ACTOR, f"{one.public_id} as RAM has it"):
            # Not `changed_at`: nobody changed what is declared.
            DeclaredShare.objects.filter(pk=one.pk, revision=one.revision, state=one.state).update(
                state=state, problem=""
            )


def _pass(account: AwsAccount, region: str, requested_by: str) -> SyncRun:
    # A spoke's role may see the invitations it received, and nothing of what others share.
    is_hub = AccountPurpose.HUB in account.purposes
    steps: tuple[Step, ...] = (_permissions, _owned, _invitations, _policies) if is_hub else (_invitations,)
    asked = [lambda session, _, step=step: step(account, session) for step in steps]
    return one_pass(account, region, SyncKind.SHARES, requested_by, asked)


def _permissions(account: AwsAccount, session: AwsSession) -> None:
    ram_permissions.refresh_permissions(actor=ACTOR, account=account, session=session)


def _owned(account: AwsAccount, session: AwsSession) -> None:
    shares.refresh_owned(actor=ACTOR, account=account, session=session)


def _invitations(account: AwsAccount, session: AwsSession) -> None:
    shares.refresh_invitations(actor=ACTOR, account=account, session=session)


def _policies(account: AwsAccount, session: AwsSession) -> None:
    ram_permissions.refresh_policies(actor=ACTOR, account=account, session=session)
