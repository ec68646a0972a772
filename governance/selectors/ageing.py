"""How old open requests are against their due dates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from portal.core.actors import Actor

from ..choices import Due
from ..lifecycle import RequestState
from ..models import ApprovalRequest

_FROM_TO: dict[Due, tuple[timedelta | None, timedelta | None]] = {
    Due.LONG_OVERDUE: (None, -timedelta(days=7)),
    Due.OVERDUE: (-timedelta(days=7), timedelta()),
    Due.TODAY: (timedelta(), timedelta(days=1)),
    Due.SOON: (timedelta(days=1), timedelta(days=3)),
    Due.LATER: (timedelta(days=3), None),
}
OVERDUE = (Due.LONG_OVERDUE, Due.OVERDUE)


def due_when(due: Due, now: datetime | None = None) -> Q:
    """Return the filter for open requests that stand so to their due date."""
    moment = now or timezone.now()
    begin, end = _FROM_TO[due]
    found = Q(state=RequestState.OPEN)
    if begin is not None:
        found &= Q(due_at__gte=moment + begin)
    return found & Q(due_at__lt=moment + end) if end is not None else found


def counts(actor: Actor, where: Q, now: datetime | None = None) -> dict[Due, int]:
    """Return how many open requests under a condition stand how to their due date. One query."""
    moment = now or timezone.now()
    rows: Any = ApprovalRequest.objects.visible_to(actor).open().filter(where)
    found = rows.aggregate(**{due.value: Count("pk", filter=due_when(due, moment)) for due in Due})
    return {due: found[due.value] for due in Due}
