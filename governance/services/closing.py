"""Ending approval requests: when they are decided, taken back, or no longer about what was asked."""

from __future__ import annotations

from django.utils import timezone

from registry.models import ModelVersion, UseCase
from registry.services.positions import announced

from ..lifecycle import RequestState, Verb
from ..models import ApprovalRequest


def close(request: ApprovalRequest, verb: Verb, state: RequestState, note: str) -> None:
    """Move a locked open request into one of its final states. Runs in the caller's operation."""
    request.state = state
    request.waiting_roles = []
    request.closed_at = timezone.now()
    request.closing_note = note
    with announced(verb):
        request.save(update_fields=["state", "waiting_roles", "closed_at", "closing_note"])


def outdate(subject: UseCase | ModelVersion, reason: str) -> list[ApprovalRequest]:
    """Close a locked subject's open requests: what they ask about has changed. Runs in the caller's operation."""
    requests = list(ApprovalRequest.objects.select_for_update(no_key=True).open().about(subject))
    for request in requests:
        close(request, Verb.OUTDATE, RequestState.OUTDATED, reason)
    return requests
