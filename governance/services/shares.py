"""Declaring RAM shares: what people want shared, changed, taken back; the outbox carries it out.

A spoke must never be able to approve: a permission that lets another account approve or delete takes an ML admin and a
reason, which the database asks for too.
"""

from __future__ import annotations

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import hold_until_commit
from portal.core.operations import operation
from registry.choices import DeclarationState
from registry.models import (
    AwsAccount,
    DeclaredShare,
    ModelGroup,
    PublicNumber,
    ResourceShare,
    ShareInvitation,
    SharePrincipal,
)
from registry.selectors import sharing
from registry.services import shares as registry_shares
from registry.sharing.posture import AccountPosture
from registry.sharing.template import template_text

from . import share_orders
from .share_rules import Terms, Wish, check, require_to_share

SYNC_SHARES = "governance.sync_shares_of_account"
SERIES = "SHR"


def declare(*, actor: Actor, wish: Wish, take_over: int | None = None) -> DeclaredShare:
    """Declare a share of model groups; a worker makes it in RAM and has its invitations accepted.

    With `take_over`, the number of a RAM share nobody declared, that one becomes the declared one instead of a new
    one, and is brought in line; every group it shares has to be the actor's to share. Raises NotFound, Forbidden,
    InvalidInput naming the fields, WrongState when a share of that name is declared already.
    """
    with operation(actor, _said(wish.reason, "declare share")):
        terms = check(actor, wish)
        hold_until_commit(f"declare-share:{terms.account.account_id}:{terms.region}")
        _refuse_name_taken(terms, None)
        share_arn = _taken_over(actor, take_over, terms)
        assert actor.user_id is not None
        declared = DeclaredShare(
            number=PublicNumber.take(SERIES),
            account=terms.account,
            region=terms.region,
            share_arn=share_arn,
            declared_by_id=actor.user_id,
        )
        _write(declared, terms)
        share_orders.order_share(declared)
        return declared


def edit(*, actor: Actor, number: int, revision: int, wish: Wish) -> DeclaredShare:
    """Change what a declared share shares, with whom or under which permission; RAM follows.

    Raises NotFound, Forbidden, StaleEdit when somebody changed it since `revision`, InvalidInput naming the fields,
    WrongState when it was withdrawn or the name is taken.
    """
    with operation(actor, _said(wish.reason, "edit share")):
        declared = _locked(actor, number, revision)
        terms = check(actor, wish, declared)
        hold_until_commit(f"declare-share:{terms.account.account_id}:{terms.region}")
        _refuse_name_taken(terms, declared)
        declared.revision += 1
        _write(declared, terms)
        share_orders.order_share(declared)
        return declared


def withdraw(*, actor: Actor, number: int, revision: int | None = None, reason: str = "") -> DeclaredShare:
    """Take a share back: RAM deletes it, and every account it let in loses access.

    Raises NotFound, Forbidden, StaleEdit, WrongState when it is withdrawn already.
    """
    with operation(actor, _said(reason, "withdraw share")):
        declared = _locked(actor, number, revision)
        declared.state = DeclarationState.WITHDRAWING
        declared.problem = ""
        declared.revision += 1
        declared.save(update_fields=["state", "problem", "revision", "changed_at"])
        share_orders.order_share(declared)
        return declared


def reapply(*, actor: Actor, number: int, reason: str = "") -> DeclaredShare:
    """Bring RAM in line with the declaration again: after somebody changed the share there, or an attempt failed.

    Raises NotFound, Forbidden, WrongState when nothing is left of it.
    """
    with operation(actor, _said(reason, "bring share in line")):
        declared = _locked(actor, number, None, also_over=True)
        if declared.state == DeclarationState.WITHDRAWN:
            raise WrongState(f"{declared.public_id} is withdrawn. Declare a share anew.")
        if not declared.is_over:
            declared.state = DeclarationState.DECLARED
        declared.problem = ""
        declared.save(update_fields=["state", "problem", "changed_at"])
        share_orders.order_share(declared)
        return declared


def accept(*, actor: Actor, number: int) -> list[AwsAccount]:
    """Have every account with a pending invitation to this share accept it; returns those that will.

    Raises NotFound, Forbidden, WrongState when no invitation waits, or only for accounts that are disabled.
    """
    with operation(actor, "accept invitations to a share"):
        declared = _locked(actor, number, None)
        waiting = [one.receiver for one in _pending(declared)]
        wanted = {account.pk: account for account in declared.accounts.all()}
        accounts = [account for account in waiting if account.pk in wanted]
        if not accounts:
            raise WrongState(_nothing_waits(declared))
        disabled = [account for account in accounts if not account.is_enabled]
        if len(disabled) == len(accounts):
            raise WrongState(f"{', '.join(map(str, disabled))}: disabled, and so untouched. Enable it first.")
        share_orders.order_acceptances(declared, accounts)
        return [account for account in accounts if account.is_enabled]


def reinvite(*, actor: Actor, number: int, account_id: str) -> DeclaredShare:
    """Have RAM invite an account again whose invitation expired, was turned down, or got lost.

    The account is taken out of the share and put in again: RAM has no other way. Raises NotFound, Forbidden,
    InvalidInput for an account the share is not with, WrongState for one that has accepted.
    """
    with operation(actor, "invite an account again"):
        declared = _locked(actor, number, None)
        account = next((one for one in declared.accounts.all() if one.account_id == account_id), None)
        if account is None:
            raise InvalidInput(
                "Nobody can be invited again who is not in the share.",
                errors={"account": [f"{declared.public_id} is not declared with that account."]},
            )
        if not account.is_enabled:
            raise WrongState(f"{account} is disabled, so nobody could accept for it. Enable it first.")
        member = SharePrincipal.objects.filter(share__arn=declared.share_arn, principal=account_id).first()
        if member is not None and member.status == registry_shares.ASSOCIATED:
            raise WrongState(f"{account} is in the share already; it needs no invitation.")
        share_orders.order_share(declared, reinvite=[account])
        return declared


def preview(*, actor: Actor, wish: Wish, number: int | None = None) -> tuple[Terms, tuple[AccountPosture, ...]]:
    """Return what a wish comes to, and what each account could do under it; nothing is written.

    Raises what `declare` or, with `number`, `edit` would refuse.
    """
    before = sharing.declared_share(actor, number) if number is not None else None
    terms = check(actor, wish, before)
    return terms, sharing.Postures(terms.groups).planned(terms.verbs, terms.principals, terms.account.account_id)


def request_sync(*, actor: Actor, number: int) -> DeclaredShare:
    """Have a worker read now what RAM says of a share. Raises NotFound, Forbidden."""
    declared = sharing.declared_share(actor, number)
    require_to_share(actor, declared.groups.all())
    for account in (declared.account, *declared.accounts.all()):
        if account.is_enabled:
            enqueue_on_commit(SYNC_SHARES, account_id=account.account_id, requested_by=actor.name)
    return declared


def require_editable(actor: Actor, declared: DeclaredShare) -> None:
    """Raise Forbidden or WrongState unless the actor may change this share now."""
    require_to_share(actor, declared.groups.all())
    _refuse_over(declared)


def wish_of(declared: DeclaredShare) -> Wish:
    """Return the wish that a declaration fulfils, to be changed."""
    return Wish(
        name=declared.name,
        groups=[group.pk for group in declared.groups.all()],
        accounts=[account.account_id for account in declared.accounts.all()],
        organisation_principals=declared.organisation_principals,
        permission_arn=declared.permission_arn,
        custom_name=declared.custom_name,
        custom_template=template_of(declared) or None,
        allows_external=declared.allows_external,
        reason=declared.reason,
    )


def template_of(declared: DeclaredShare) -> str:
    """Return the policy template of a declaration's own permission, "" when it uses one of RAM's."""
    return template_text(declared.custom_actions) if declared.custom_name else ""


def _said(reason: str, otherwise: str) -> str:
    """Return a reason as the audit trail can keep it."""
    return reason.replace("\x00", "").strip()[:2000] or otherwise


def _locked(actor: Actor, number: int, revision: int | None, *, also_over: bool = False) -> DeclaredShare:
    seen = access.get(DeclaredShare, actor, number=number)
    declared = DeclaredShare.objects.select_for_update(of=("self",)).select_related("account").get(pk=seen.pk)
    require_to_share(actor, ModelGroup.objects.filter(declared_shares=declared))
    if revision is not None and declared.revision != revision:
        raise StaleEdit("Somebody changed this share since you opened it. Reload and make your change again.")
    if not also_over:
        _refuse_over(declared)
    return declared


def _refuse_over(declared: DeclaredShare) -> None:
    if declared.is_over:
        raise WrongState(f"{declared.public_id} is {declared.state}; nothing of it changes any more.")


def _write(declared: DeclaredShare, terms: Terms) -> None:
    declared.name = terms.name
    declared.organisation_principals = list(terms.organisation_principals)
    declared.allows_external = terms.allows_external
    if declared.custom_name != terms.custom_name:
        declared.custom_permission_arn = ""
    declared.permission_arn, declared.custom_name = terms.permission_arn, terms.custom_name
    declared.custom_actions = list(terms.actions) if terms.custom_name else []
    declared.actions, declared.verbs = list(terms.actions), list(terms.verbs)
    declared.reason = terms.reason
    declared.state, declared.problem = DeclarationState.DECLARED, ""
    declared.changed_at = timezone.now()
    declared.save()
    declared.groups.set(terms.groups)
    declared.accounts.set(terms.accounts)


def _refuse_name_taken(terms: Terms, declared: DeclaredShare | None) -> None:
    rows = DeclaredShare.objects.exclude(state=DeclarationState.WITHDRAWN)
    same = rows.filter(account=terms.account, region=terms.region, name=terms.name)
    other = same.exclude(pk=declared.pk if declared else None).first()
    if other is not None:
        raise WrongState(f"{other.public_id} is called {other.name} already. Change it, or choose another name.")


def _taken_over(actor: Actor, pk: int | None, terms: Terms) -> str:
    """Return the ARN of the RAM share that becomes the declared one, "" for a new one."""
    if pk is None:
        return ""
    found: ResourceShare | None = sharing.undeclared(actor).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise NotFound("There is no such share in RAM that nobody has declared.")
    if (found.account_id, found.region) != (terms.account.pk, terms.region):
        raise InvalidInput(
            "This cannot be shared as it stands.",
            errors={"groups": [f"{found.name} is a share of {found.account} in {found.region}."]},
        )
    # Whatever else it shares is taken out, so that has to be the actor's to share too; groups the portal does not know
    # are nobody's yet.
    require_to_share(actor, ModelGroup.objects.filter(shares=found))
    if found.unknown_resources:
        require_to_share(actor, ())
    if any(":model-package-group/" not in arn for arn in found.unknown_resources):
        raise WrongState(f"{found.name} shares other things than model groups too, so the portal leaves it alone.")
    if found.is_from_policy:
        raise WrongState(
            f"RAM made {found.name} of a resource policy and changes with it. Take the policy off the group instead."
        )
    return str(found.arn)


def _pending(declared: DeclaredShare) -> list[ShareInvitation]:
    return [one for one in sharing.invitations_of(declared.share_arn) if one.status == registry_shares.PENDING]


def _nothing_waits(declared: DeclaredShare) -> str:
    if any(one.status == registry_shares.EXPIRED for one in sharing.invitations_of(declared.share_arn)):
        return f"No invitation to {declared.public_id} can be accepted any more: invite the account again."
    return f"No invitation to {declared.public_id} waits; inside an organisation none is needed."


__all__ = [
    "Terms",
    "Wish",
    "accept",
    "declare",
    "edit",
    "preview",
    "reapply",
    "reinvite",
    "request_sync",
    "require_editable",
    "template_of",
    "wish_of",
    "withdraw",
]
