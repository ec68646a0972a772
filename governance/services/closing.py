"""Ending approval requests: when they are decided, taken back, or no longer about what was asked."""

from __future__ import annotations

from django.utils import timezone

from portal.core import kept
from portal.core.actors import Actor
from portal.core.jobs import enqueue_on_commit
from portal.core.vocabulary import NotificationKind
from registry.models import ModelVersion, UseCase
from registry.services.positions import announced

from ..lifecycle import RequestState, Verb
from ..models import ApprovalRequest
from .notifications import tell

_TOLD = {
    RequestState.APPROVED: NotificationKind.REQUEST_APPROVED,
    RequestState.REJECTED: NotificationKind.REQUEST_SENT_BACK,
    RequestState.CHANGES_REQUESTED: NotificationKind.REQUEST_SENT_BACK,
}


def close(request: ApprovalRequest, verb: Verb, state: RequestState, note: str, *, actor: Actor | None = None) -> None:
    """Move a locked open request into one of its final states, and tell those it concerns but the actor.

    What a pipeline's checks wrote about its version waited for this, and is attached after it. Runs in the caller's
    operation.
    """
    request.state = state
    request.waiting_roles = []
    request.closed_at = timezone.now()
    request.closing_note = note
    with announced(verb):
        kept.update(request, "state", "waiting_roles", "closed_at", "closing_note")
    kind = _TOLD.get(state, NotificationKind.REQUEST_LAPSED)
    tell(kind, key=f"request:{request.pk}:{state.value}", about=request, actor=actor)
    if request.version_id is not None:
        enqueue_on_commit("governance.attach_check_reports", version_id=request.version_id)


def outdate(subject: UseCase | ModelVersion, reason: str, *, actor: Actor | None = None) -> list[ApprovalRequest]:
    """Close a locked subject's open requests: what they ask about has changed. Runs in the caller's operation."""
    requests = list(ApprovalRequest.objects.select_for_update(no_key=True).open().about(subject))
    for request in requests:
        close(request, Verb.OUTDATE, RequestState.OUTDATED, reason, actor=actor)
    return requests
