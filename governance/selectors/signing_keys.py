"""The keys the portal signs with, as those who manage them see them."""

from __future__ import annotations

from django.db.models import QuerySet

from portal.core.actors import Actor
from portal.core.permissions import Act, require

from ..models import SigningKey


def signing_keys(actor: Actor) -> QuerySet[SigningKey]:
    """Return every key without its private half, newest first. Raises Forbidden for who may not manage them."""
    require(actor, Act.MANAGE_KEYS)
    return SigningKey.objects.defer("private_key").order_by("-pk")
