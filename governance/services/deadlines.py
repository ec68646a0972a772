"""What time does to approval requests: overdue ones escalate, and those nobody decided expire."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import NotificationKind

from ..choices import RequestState
from ..lifecycle import Verb
from ..models import ApprovalRequest
from .closing import close
from .locking import lock_request, lock_subject
from .notifications import tell


def expire_due(*, actor: Actor, now: datetime | None = None) -> list[ApprovalRequest]:
    """Close the open requests nobody decided before they expired, each in a transaction of its own.

    The subject stays where it is and may be submitted again. `now` is the moment to judge by, by default this one.
    """
    moment = now or timezone.now()
    expired = []
    for request_id in list(ApprovalRequest.objects.expired(moment).values_list("pk", flat=True)):
        with operation(actor, "expire request"):
            lock_subject(ApprovalRequest.objects.get(pk=request_id))
            request = lock_request(request_id)
            # Somebody may have decided while this waited for the lock.
            if request.state == RequestState.OPEN:
                close(request, Verb.EXPIRE, RequestState.EXPIRED, "Nobody decided in time. It may be submitted again.")
                expired.append(request)
    return expired


def escalate_due(*, actor: Actor, now: datetime | None = None) -> list[ApprovalRequest]:
    """Mark the open requests past their due date as escalated, once each: from then on every officer sees them.

    Who may decide does not change. Those who may are told that it is overdue, and so is who asked; the others with a
    deciding role there that it is escalated, and ML admins later (`services.reminders`). `now` is the moment to judge
    by, by default this one.
    """
    moment = now or timezone.now()
    overdue = ApprovalRequest.objects.overdue(moment).filter(escalated_at=None)
    escalated = []
    for request_id in list(overdue.order_by("pk").values_list("pk", flat=True)):
        with operation(actor, "escalate overdue request"):
            request = lock_request(request_id)
            if request.state == RequestState.OPEN and request.escalated_at is None:
                request.escalated_at = moment
                request.save(update_fields=["escalated_at"])
                tell(NotificationKind.REQUEST_OVERDUE, key=f"request:{request.pk}:overdue", about=request)
                tell(NotificationKind.REQUEST_ESCALATED, key=f"request:{request.pk}:escalated", about=request)
                escalated.append(request)
    return escalated
