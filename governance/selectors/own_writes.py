"""Which events are echoes: what SageMaker says after the portal itself has written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from registry.aws.records import RegistryEvent

from ..choices import OutboxKind
from ..models import OutboxMessage

# What a write-back may touch; an event that names more, or nothing, is not only ours.
WRITTEN = frozenset({"ModelApprovalStatus", "ApprovalDescription", "ModelLifeCycle"})
# The clocks of AWS and of the portal's machines may differ.
_CLOCKS = timedelta(minutes=2)
_NEWEST = 200


def echoes(events: Iterable[RegistryEvent]) -> set[str]:
    """Return the message ids of those events that tell of the portal's own write-backs and of nothing else.

    An echo names no field but those a write-back sets, repeats the values of one that was attempted, and its
    LastModifiedTime lies between its order and its delivery. It is still a hint like any other: somebody's change may
    hide behind it, so its version is read again unless what is stored is as new.
    """
    candidates = [
        event
        for event in events
        if event.modified_at and event.updated_fields and WRITTEN.issuperset(event.updated_fields)
    ]
    if not candidates:
        return set()
    attempted = OutboxMessage.objects.filter(
        kind=OutboxKind.WRITE_BACK,
        version__arn__in={event.model_package_arn for event in candidates},
        started_at__isnull=False,
    ).order_by("-pk")
    writes: dict[str, list[tuple[dict[str, Any], datetime, datetime]]] = {}
    now = timezone.now()
    for payload, began, delivered in attempted.values_list("payload", "created_at", "delivered_at")[:_NEWEST]:
        writes.setdefault(str(payload.get("model_package_arn")), []).append((payload, began, delivered or now))
    return {
        event.message_id
        for event in candidates
        if any(_repeats(event, *write) for write in writes.get(event.model_package_arn, ()))
    }


def _repeats(event: RegistryEvent, payload: dict[str, Any], began: datetime, ended: datetime) -> bool:
    claims = event.claims
    return (
        event.modified_at is not None
        and began - _CLOCKS <= event.modified_at <= ended + _CLOCKS
        and claims.approval_status == payload.get("approval_status")
        and claims.stage == payload.get("stage")
        and claims.stage_status == payload.get("stage_status")
    )
