"""API tokens with their terms: how long they hold, what they are held to, when they were used."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput
from portal.core.operations import operation
from portal.core.permissions import Act, require
from registry.models import ApiToken, Project, ServiceAccount
from registry.services import tokens

from ..models import TokenTerms
from ..models.token_terms import FASTEST
from ..selectors.tokens import own_tokens

LONGEST_DAYS, USUAL_DAYS = 366, 30
LONGEST_NAME = 100
# Who uses a token a thousand times an hour is written down a dozen times.
USE_STEP = timedelta(minutes=5)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class ReadOnlyToken(Forbidden):
    """A token that may only read was used to change something."""

    code = "read-only-token"
    title = "This token may only read"


@dataclass(frozen=True)
class _Wish:
    name: str
    days: int | None
    is_read_only: bool
    projects: Collection[Project] | None = None
    rate: int | None = None


def issue(
    *, actor: Actor, name: str, days: int | None = None, is_read_only: bool, projects: Collection[Project] | None = None
) -> tuple[ApiToken, str]:
    """Give the actor a token with a name, for so many days; returns its row and the text that is shown this once.

    Without days it holds as long as the token it is made with, or for `USUAL_DAYS`.
    It is held to the `projects`, None for all of his. Made by means of another token, it has at most what that one
    has. Raises Forbidden for the system, for service accounts and for a token that may only read, InvalidInput naming
    the fields, TooManyTokens.
    """
    _refuse_readers(actor)
    wish = _Wish(name, days, is_read_only, projects)
    _refuse(_problems(actor, wish, actor))
    with operation(actor, "issue API token"):
        token, text = tokens.issue(actor=actor, name=wish.name, lifetime=_lifetime(actor, wish.days))
        _write_terms(actor, token, wish)
        return token, text


def issue_for(
    *,
    actor: Actor,
    account: ServiceAccount,
    name: str,
    days: int | None = None,
    is_read_only: bool,
    projects: Collection[Project] | None = None,
    rate: int | None = None,
) -> tuple[ApiToken, str]:
    """Give a service account a token; returns its row and the text, which the actor is shown this once.

    `rate` is in requests a minute, None for the usual one. Made by means of a token, it ends no later than that one.
    Raises NotFound, Forbidden for whoever does not manage access everywhere, WrongState when the account is switched
    off or retired, InvalidInput naming the fields, TooManyTokens.
    """
    _refuse_readers(actor)
    require(actor, Act.MANAGE_ACCESS)
    wish = _Wish(name, days, is_read_only, projects, rate)
    problems = _problems(actor, wish, account.user.actor)
    if wish.rate is not None and not 1 <= wish.rate <= FASTEST:
        problems["rate"] = [f"1 to {FASTEST:,} requests a minute."]
    _refuse(problems)
    with operation(actor, "issue API token of a service account"):
        lifetime = _lifetime(actor, wish.days)
        token, text = tokens.issue_for(actor=actor, account=account, name=wish.name, lifetime=lifetime)
        _write_terms(actor, token, wish)
        return token, text


def with_terms(*, actor: Actor, name: str) -> tuple[ApiToken, str]:
    """Give the actor a token as signing in to the API does: for some hours, with every right of his.

    Raises Forbidden for the system, TooManyTokens.
    """
    with operation(actor, "issue API token"):
        token, text = tokens.issue(actor=actor, name=name)
        TokenTerms.objects.create(token=token, made_by=actor.name)
        return token, text


def revoke_all(*, actor: Actor) -> int:
    """Take every token of the actor's back that he sees: one held to projects, those held within them."""
    return tokens.revoke_all(actor=actor, token_keys=own_tokens(actor).values_list("token_key", flat=True))


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


def _refuse_readers(actor: Actor) -> None:
    if actor.bounds.is_read_only:
        raise ReadOnlyToken("A token that may only read makes no other one.")


def _refuse(problems: dict[str, list[str]]) -> None:
    if problems:
        raise InvalidInput("This token cannot be made.", errors=problems)


def _problems(actor: Actor, wish: _Wish, holder: Actor) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not wish.name.strip():
        found["name"] = ["Give it a name to recognise it by."]
    elif len(wish.name.strip()) > LONGEST_NAME or "\0" in wish.name:
        found["name"] = [f"A name has at most {LONGEST_NAME} characters."]
    until = actor.bounds.until
    if wish.days is not None and not 1 <= wish.days <= LONGEST_DAYS:
        found["days"] = [f"A token holds for 1 to {LONGEST_DAYS} days."]
    elif wish.days is not None and until is not None and timezone.now() + timedelta(days=wish.days) > until:
        found["days"] = [
            f"Made with a token, it ends no later than that one, {until:%Y-%m-%d %H:%M} UTC. Leave this out."
        ]
    if problem := _scope_problem(actor, wish, holder):
        found["projects"] = [problem]
    return found


def _lifetime(actor: Actor, days: int | None) -> timedelta:
    if days is None and actor.bounds.until is not None:
        return actor.bounds.until - timezone.now()
    return timedelta(days=USUAL_DAYS if days is None else days)


def _scope_problem(actor: Actor, wish: _Wish, holder: Actor) -> str:
    if wish.projects is None:
        within = actor.bounds.projects is None or holder is not actor
        return "" if within else "This token is held to some projects: name them, or fewer."
    if not wish.projects:
        return "Name at least one project, or leave this out."
    if strange := sorted(project.key for project in wish.projects if not holder.roles_on(project.pk)):
        return f"{holder.name} holds no role on {', '.join(strange)}."
    return ""


def _write_terms(actor: Actor, token: ApiToken, wish: _Wish) -> None:
    TokenTerms.objects.create(
        token=token,
        is_read_only=wish.is_read_only,
        project_ids=None if wish.projects is None else sorted({project.pk for project in wish.projects}),
        rate=wish.rate,
        made_by=actor.name,
    )
