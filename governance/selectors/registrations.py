"""How far the outbox has come with what people had registered and created."""

from __future__ import annotations

from registry.models import GroupCreation, Registration
from registry.services.group_creations import arn_of

from ..choices import OutboxKind
from ..models import OutboxMessage


def key_of_registration(row: Registration) -> str:
    """Return the ordering key of a registration's order: its own, so that none holds up what others register."""
    return f"registration:{row.public_id}"


def key_of_creation(row: GroupCreation) -> str:
    """Return the ordering key of the order that creates a group, the same for every try at it."""
    return f"group:{arn_of(row)}"


def order_of_registration(row: Registration) -> OutboxMessage | None:
    """Return the order that carries a registration."""
    return _last(OutboxKind.REGISTRATION, key_of_registration(row), registration=row.number)


def order_of_creation(row: GroupCreation) -> OutboxMessage | None:
    """Return the order that carries the creation of a group."""
    return _last(OutboxKind.GROUP_CREATION, key_of_creation(row), creation=row.number)


def _last(kind: OutboxKind, key: str, **payload: int) -> OutboxMessage | None:
    return OutboxMessage.objects.filter(ordering_key=key, kind=kind, payload=payload).order_by("-pk").first()
