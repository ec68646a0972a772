"""Telling whoever is bound to what the registry holds that it changed, in the same transaction.

Registry knows nothing of governance (ARCHITECTURE section 1), yet a decision is bound to what registry's services
write. The one listener is named at start-up by governance's app; nothing listens to model signals.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from portal.core.actors import Actor

from ..models import ModelGroup, UseCase


class Listener(Protocol):
    """Hears of a locked row that was changed; `fields` are the names of what changed."""

    def __call__(self, *, actor: Actor, what: UseCase | ModelGroup, fields: Collection[str], why: str) -> None: ...


_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have a listener told of every change from now on; naming it twice is naming it once."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(*, actor: Actor, what: UseCase | ModelGroup, fields: Collection[str], why: str) -> None:
    """Tell every listener, inside the caller's operation: what a listener refuses undoes the change too."""
    for listener in _listeners:
        listener(actor=actor, what=what, fields=fields, why=why)
