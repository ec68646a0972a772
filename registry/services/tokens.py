"""API tokens: given to a person who has shown who he is, taken back by him or by an ML admin."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, NotFound, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..models import ApiToken, ServiceAccount, User
from . import service_accounts


class TooManyTokens(WrongState):
    """A person holds a bounded number of tokens."""

    code = "too-many-tokens"
    title = "Too many tokens"


def issue(*, actor: Actor, name: str = "", lifetime: timedelta | None = None) -> tuple[ApiToken, str]:
    """Give the actor a token; returns its row and the text that is shown this once and never stored.

    It holds as long as is usual, or for `lifetime`.
    His expired tokens are cleared away. When he holds as many as are allowed, the oldest one without a name makes
    room; named ones are never revoked by this. Raises Forbidden for the system and for a service account, whose tokens
    ML admins make, TooManyTokens.
    """
    if actor.user_id is None or actor.is_service:
        raise Forbidden("Only a person makes tokens; for a service account an ML admin does.")
    with operation(actor, "issue API token"):
        return _issued(actor.user_id, name, lifetime or cast("timedelta", settings.REST_KNOX["TOKEN_TTL"]))


def issue_for(*, actor: Actor, account: ServiceAccount, name: str, lifetime: timedelta) -> tuple[ApiToken, str]:
    """Give a service account a token; returns its row and the text, which the actor is shown this once.

    Because he could speak for the account with it, he decides on nothing the account does. Raises NotFound, Forbidden
    for whoever does not manage access everywhere, WrongState when it is switched off or retired, TooManyTokens.
    """
    with operation(actor, "issue API token of a service account"):
        return _issued(service_accounts.keep(actor=actor, account=account).user_id, name, lifetime)


def _issued(user_id: int, name: str, lifetime: timedelta) -> tuple[ApiToken, str]:
    holder = User.objects.select_for_update().get(pk=user_id)
    tokens = ApiToken.objects.filter(user=holder)
    tokens.filter(expiry__lt=timezone.now()).delete()
    limit = settings.REST_KNOX["TOKEN_LIMIT_PER_USER"]
    excess = tokens.count() - limit + 1
    if excess > 0:
        spare = list(tokens.filter(name="").order_by("created")[:excess])
        if len(spare) < excess:
            raise TooManyTokens(f"There are {limit} tokens with a name already. Revoke one that is no longer used.")
        for token in spare:
            token.delete()
    return ApiToken.objects.create(user=holder, expiry=lifetime, name=name.strip())


def revoke(*, actor: Actor, token_key: str) -> None:
    """Take one of the actor's own tokens back, at once. Raises NotFound for one that is not his."""
    with operation(actor, "revoke API token"):
        deleted, _ = ApiToken.objects.filter(user_id=actor.user_id, token_key=token_key).delete()
        if not deleted:
            raise NotFound("There is no such token.")


def revoke_all(*, actor: Actor, token_keys: Collection[str]) -> int:
    """Take several of the actor's own tokens back, at once; returns how many there were."""
    with operation(actor, "revoke API tokens"):
        deleted, _ = ApiToken.objects.filter(user_id=actor.user_id, token_key__in=token_keys).delete()
        return deleted


def revoke_for(*, actor: Actor, account: ServiceAccount, token_key: str) -> None:
    """Take a token of a service account back, at once. Raises NotFound, Forbidden as for making one."""
    with operation(actor, "revoke API token of a service account"):
        access.get(ServiceAccount, actor, pk=account.pk)
        require(actor, Act.MANAGE_ACCESS)
        deleted, _ = ApiToken.objects.filter(user_id=account.user_id, token_key=token_key).delete()
        if not deleted:
            raise NotFound("There is no such token.")


def take_back(*, actor: Actor, token_key: str) -> None:
    """Take anybody's token back, at once, as when it has leaked or its holder has left.

    Raises Forbidden for whoever does not manage people and roles everywhere, NotFound.
    """
    require(actor, Act.MANAGE_ACCESS)
    with operation(actor, "revoke somebody's API token"):
        deleted, _ = ApiToken.objects.filter(token_key=token_key).delete()
        if not deleted:
            raise NotFound("There is no such token.")
