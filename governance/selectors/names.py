"""What people are called who are kept by their sign-in names: in records, moves and the audit trail."""

from __future__ import annotations

from collections.abc import Iterable

from registry.models import User

from .words import actor_words


def names_of(actors: Iterable[str | None]) -> dict[str | None, str]:
    """Return each actor as people call him: `user:model.owner` and `model.owner` both read "Morgan Owner". One query.

    Somebody who is no longer known keeps his sign-in name; `system:sync` reads "the portal (sync)".
    """
    words = {actor: actor_words(actor) if not actor or ":" in actor else actor for actor in set(actors)}
    people = {user.username: str(user) for user in User.objects.filter(username__in=set(words.values()))}
    return {actor: people.get(said, said) for actor, said in words.items()}
