"""Service accounts: made, changed and retired by ML admins. They decide nothing (docs/adr/0016-service-accounts.md)."""

from __future__ import annotations

import re
from collections.abc import Collection

from django.db.models import F
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import SERVICE_ROLES, Act, require

from ..choices import Role
from ..models import ApiToken, Project, ServiceAccount, ServiceKeeper, User
from ..selectors.people import held_roles
from . import people

# A role on a project, or (None) everywhere.
Given = tuple[Role, Project | None]
LONGEST_NAME, LONGEST_PURPOSE = 64, 2000
_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{1,{LONGEST_NAME - 1}}}")
_ROLES_IN_WORDS = ", ".join(role.label for role in Role if role in SERVICE_ROLES)


def create(
    *, actor: Actor, name: str, purpose: str, responsible: User, roles: Collection[Given] = ()
) -> ServiceAccount:
    """Make a service account with its roles; it works once an ML admin has made a token for it.

    `name` is what it is called everywhere, like a sign-in name. Raises Forbidden for whoever does not manage access
    everywhere, InvalidInput naming the fields.
    """
    require(actor, Act.MANAGE_ACCESS)
    name = name.strip()
    problems = _problems(purpose=purpose, responsible=responsible, roles=roles)
    if not _NAME.fullmatch(name):
        problems["name"] = [
            f"2 to {LONGEST_NAME} small letters, digits, dots, dashes and underscores; a letter or digit comes first."
        ]
    elif User.objects.filter(username__iexact=name).exists():
        problems["name"] = ["Somebody is called this already."]
    if problems:
        raise InvalidInput("This service account cannot be made.", errors=problems)
    with operation(actor, "make service account"):
        user = User(username=name, is_service=True)
        user.set_unusable_password()
        user.save(force_insert=True)
        account = ServiceAccount.objects.create(
            user=user, purpose=purpose.strip(), responsible=responsible, made_by=actor.name
        )
        _hold(actor, user, roles)
        return account


def edit(
    *,
    actor: Actor,
    account_id: int,
    revision: int,
    purpose: str | None = None,
    responsible: User | None = None,
    is_active: bool | None = None,
    roles: Collection[Given] | None = None,
) -> ServiceAccount:
    """Change what is given; what is left out stays. One that is switched off loses its tokens at once, for good.

    Whoever answered for it before stays barred from deciding on what it did. Raises NotFound, Forbidden, StaleEdit when
    somebody changed it since `revision`, WrongState once it is retired, InvalidInput naming the fields.
    """
    with operation(actor, "change service account"):
        account = _locked(actor, account_id)
        if account.revision != revision:
            raise StaleEdit("Somebody changed this service account since you read it. Read it again.")
        problems = _problems(purpose=purpose, responsible=responsible, roles=roles or ())
        if problems:
            raise InvalidInput("This service account cannot be changed so.", errors=problems)
        if purpose is not None:
            account.purpose = purpose.strip()
        if responsible is not None:
            account.responsible = responsible
        if roles is not None:
            _hold(actor, account.user, roles)
        if is_active is not None and is_active != account.user.is_active:
            _switch(account.user, is_active)
        account.revision = F("revision") + 1
        account.save(update_fields=["purpose", "responsible", "revision"])
        account.refresh_from_db(fields=["revision"])
        return account


def retire(*, actor: Actor, account_id: int, reason: str) -> ServiceAccount:
    """Retire an account for good: its tokens and roles are gone at once, what it did stays its own.

    Raises NotFound, Forbidden, InvalidInput without a reason, WrongState when it is retired already.
    """
    if not reason.strip():
        raise InvalidInput("Say why it is retired.", errors={"reason": ["Say why."]})
    with operation(actor, reason.strip()):
        account = _locked(actor, account_id)
        _hold(actor, account.user, ())
        _switch(account.user, False)
        account.retired_at, account.retired_by = timezone.now(), actor.name
        account.revision += 1
        account.save(update_fields=["retired_at", "retired_by", "revision"])
        return account


def keep(*, actor: Actor, account: ServiceAccount) -> ServiceAccount:
    """Lock an account of which the actor is about to be shown a token, and write down that he can speak for it.

    Belongs inside an operation. Raises NotFound, Forbidden for whoever does not manage access everywhere, WrongState
    when it is retired or switched off.
    """
    found = _locked(actor, account.pk)
    if not found.user.is_active:
        raise WrongState(f"{found} is switched off. Switch it on first.")
    if actor.user_id is None:
        raise Forbidden("Only a person makes tokens for service accounts.")
    ServiceKeeper.objects.get_or_create(account=found.user, person_id=actor.user_id)
    return found


def _locked(actor: Actor, account_id: int) -> ServiceAccount:
    """Return the account under its lock. Raises NotFound, Forbidden, WrongState when it is retired."""
    seen = access.get(ServiceAccount, actor, pk=account_id)
    require(actor, Act.MANAGE_ACCESS)
    account = ServiceAccount.objects.select_for_update(of=("self",)).select_related("user").get(pk=seen.pk)
    if account.retired_at is not None:
        raise WrongState(f"{account} is retired and stays so. Make another one.")
    return account


def _problems(*, purpose: str | None, responsible: User | None, roles: Collection[Given]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if purpose is not None and (not purpose.strip() or "\0" in purpose):
        found["purpose"] = ["Say what it is for."]
    elif purpose is not None and len(purpose) > LONGEST_PURPOSE:
        found["purpose"] = [f"At most {LONGEST_PURPOSE} characters."]
    if responsible is not None and (responsible.is_service or not responsible.is_active):
        found["responsible"] = ["Somebody who can sign in must answer for it."]
    if refused := sorted({role.label for role, _ in roles if role not in SERVICE_ROLES}):
        found["roles"] = [f"A service account decides nothing: {_ROLES_IN_WORDS}, not {', '.join(refused)}."]
    return found


def _hold(actor: Actor, user: User, roles: Collection[Given]) -> None:
    """Give the roles that are missing, and take away those that are too many."""
    wanted = {(role, project.pk if project else None): (role, project) for role, project in roles}
    held = {(one.role, one.project.pk if one.project else None): (one.role, one.project) for one in held_roles(user)}
    for key in wanted.keys() - held.keys():
        role, project = wanted[key]
        people.grant(actor=actor, role=role, to=user, project=project)
    for key in held.keys() - wanted.keys():
        role, project = held[key]
        people.revoke(actor=actor, role=role, to=user, project=project)


def _switch(user: User, is_active: bool) -> None:
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    if not is_active:
        ApiToken.objects.filter(user=user).delete()
