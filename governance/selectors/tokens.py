"""API tokens: whose is one, as a call presents it; whose there are, as people look at them."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from portal.core.actors import Actor, Bounds
from portal.core.database import prepared
from registry.access import grants_from
from registry.models import ApiToken, User

from ..models import TokenTerms

_PRESENTED = "SELECT * FROM governance_token_presented(%s::text)"
# What each row is made of, in the order of its model's own fields.
_TOKEN = ("digest", "token_key", "user_id", "created", "expiry", "name")
_TERMS = ("id", "token_id", "is_read_only", "project_ids", "rate", "last_used_at")
_USER = ("id", "username", "first_name", "last_name", "email", "is_active", "display_name", "is_service")


def presented(digest: str) -> ApiToken | None:
    """Return the token with this hash, with its `terms`, and its `user` whose actor has what the token leaves him.

    One question to the database: token, terms, user and grants. None without such a token; whether it has ended, and
    whether its user is active, is for the caller to ask.
    """
    with prepared(), connection.cursor() as cursor:
        cursor.execute(_PRESENTED, [digest])
        row = cursor.fetchone()
    if row is None or row[0] is None:
        return None
    kept, key, name, created, expiry, terms_id, is_read_only, project_ids, rate, last_used_at, user_id = row[:11]
    using = connection.alias
    token = ApiToken.from_db(using, _TOKEN, (kept, key, user_id, created, expiry, name))
    terms = None
    if terms_id is not None:
        terms = TokenTerms.from_db(using, _TERMS, (terms_id, kept, is_read_only, project_ids, rate, last_used_at))
    # Also that there are none is known now, and not asked again.
    ApiToken._meta.get_field("terms").set_cached_value(token, terms)
    token.user = user = User.from_db(using, _USER, row[10:-1])
    projects = None if project_ids is None else frozenset(project_ids)
    grants = grants_from(row[-1], is_service=user.is_service)
    held = grants if projects is None else grants.within(projects)
    user.actor = Actor(
        name=user.username,
        user_id=user.pk,
        load_grants=lambda: held,
        is_service=user.is_service,
        bounds=Bounds(is_token=True, is_read_only=bool(is_read_only), projects=projects, until=expiry),
    )
    return token


def own_tokens(actor: Actor) -> QuerySet[Any]:
    """Return the actor's tokens with their terms, newest first; one held to projects sees those within its own."""
    return _seen(ApiToken.objects.filter(user_id=actor.user_id), actor)


def tokens_of(actor: Actor, account: User) -> QuerySet[Any]:
    """Return the tokens of a service account that the actor has been found to see, newest first."""
    return _seen(ApiToken.objects.filter(user=account, user__is_service=True), actor)


def _seen(rows: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    if actor.is_system:
        rows = rows.none()
    if actor.bounds.projects is not None:
        rows = rows.filter(Q(terms__project_ids__contained_by=sorted(actor.bounds.projects)))
    return rows.select_related("terms").order_by("-created", "token_key")
