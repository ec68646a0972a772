"""A person's API tokens with their terms: how long they hold, whether they may change anything, when they were used."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput
from portal.core.operations import operation
from registry.models import ApiToken
from registry.services import tokens

from ..models import TokenTerms

LONGEST_DAYS = 366
LONGEST_NAME = 100
# Who uses a token a thousand times an hour is written down a dozen times.
USE_STEP = timedelta(minutes=5)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class ReadOnlyToken(Forbidden):
    """A token that may only read was used to change something."""

    code = "read-only-token"
    title = "This token may only read"


def issue(*, actor: Actor, name: str, days: int, is_read_only: bool) -> tuple[ApiToken, str]:
    """Give the actor a token with a name, for so many days; returns its row and the text that is shown this once.

    Raises Forbidden for the system, InvalidInput naming the fields, TooManyTokens.
    """
    name = name.strip()
    errors: dict[str, list[str]] = {}
    if not name:
        errors["name"] = ["Give it a name to recognise it by."]
    elif len(name) > LONGEST_NAME or "\0" in name:
        errors["name"] = [f"A name has at most {LONGEST_NAME} characters."]
    if not 1 <= days <= LONGEST_DAYS:
        errors["days"] = [f"A token holds for 1 to {LONGEST_DAYS} days."]
    if errors:
        raise InvalidInput("This token cannot be made.", errors=errors)
    with operation(actor, "issue API token"):
        token, text = tokens.issue(actor=actor, name=name, lifetime=timedelta(days=days))
        TokenTerms.objects.create(token=token, is_read_only=is_read_only)
        return token, text


def with_terms(*, actor: Actor, name: str) -> tuple[ApiToken, str]:
    """Give the actor a token as signing in to the API does: for some hours, with every right of his.

    Raises Forbidden for the system, TooManyTokens.
    """
    with operation(actor, "issue API token"):
        token, text = tokens.issue(actor=actor, name=name)
        TokenTerms.objects.create(token=token)
        return token, text


def used(token: ApiToken, method: str, *, revokes_itself: bool = False) -> None:
    """Say that a token, as `selectors.tokens.presented` gave it, is used for a request.

    That it was used is written down every five minutes at most. One that may only read may still be revoked by itself.
    Raises ReadOnlyToken when it may only read and the request writes.
    """
    terms: TokenTerms | None = getattr(token, "terms", None)
    if terms is None:
        return
    if terms.is_read_only and not revokes_itself and method.upper() not in _READING:
        raise ReadOnlyToken("This token may only read. Make another one for what changes something.")
    now = timezone.now()
    if terms.last_used_at is None or now - terms.last_used_at >= USE_STEP:
        before = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_STEP)
        TokenTerms.objects.filter(before, pk=terms.pk).update(last_used_at=now)
