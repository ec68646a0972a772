"""How far the outbox has come with what people had registered and created."""

from __future__ import annotations

from registry.models import GroupCreation, Registration

from ..choices import OutboxKind
from ..models import OutboxMessage


def order_of_registration(row: Registration) -> OutboxMessage | None:
    """Return the order that carries a registration."""
    return _last(OutboxKind.REGISTRATION, registration=row.number)


def order_of_creation(row: GroupCreation) -> OutboxMessage | None:
    """Return the order that carries the creation of a group."""
    return _last(OutboxKind.GROUP_CREATION, creation=row.number)


def _last(kind: OutboxKind, **payload: int) -> OutboxMessage | None:
    return OutboxMessage.objects.filter(kind=kind, payload=payload).order_by("-pk").first()
