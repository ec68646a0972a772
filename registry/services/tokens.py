"""API tokens: given to a person who has shown who he is, taken back by him or by an ML admin."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import Forbidden, NotFound, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..models import ApiToken, User


class TooManyTokens(WrongState):
    """A person holds a bounded number of tokens."""

    code = "too-many-tokens"
    title = "Too many tokens"


def issue(*, actor: Actor, name: str = "", lifetime: timedelta | None = None) -> tuple[ApiToken, str]:
    """Give the actor a token; returns its row and the text that is shown this once and never stored.

    It holds as long as is usual, or for `lifetime`.
    His expired tokens are cleared away. When he holds as many as are allowed, the oldest one without a name makes
    room; named ones are never revoked by this. Raises Forbidden for the system, TooManyTokens.
    """
    if actor.user_id is None:
        raise Forbidden("Only a person holds tokens.")
    with operation(actor, "issue API token"):
        person = User.objects.select_for_update().get(pk=actor.user_id)
        tokens = ApiToken.objects.filter(user=person)
        tokens.filter(expiry__lt=timezone.now()).delete()
        limit = settings.REST_KNOX["TOKEN_LIMIT_PER_USER"]
        excess = tokens.count() - limit + 1
        if excess > 0:
            spare = list(tokens.filter(name="").order_by("created")[:excess])
            if len(spare) < excess:
                raise TooManyTokens(f"You hold {limit} tokens with a name. Revoke one that is no longer used.")
            for token in spare:
                token.delete()
        expiry = settings.REST_KNOX["TOKEN_TTL"] if lifetime is None else lifetime
        return ApiToken.objects.create(user=person, expiry=expiry, name=name.strip())


def revoke(*, actor: Actor, token_key: str) -> None:
    """Take one of the actor's own tokens back, at once. Raises NotFound for one that is not his."""
    with operation(actor, "revoke API token"):
        deleted, _ = ApiToken.objects.filter(user_id=actor.user_id, token_key=token_key).delete()
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
