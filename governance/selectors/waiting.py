"""How much waits for somebody: the numbers beside the navigation of every page, in one question."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.actors import Actor
from portal.core.counting import count_together
from registry.choices import ParkedEventState
from registry.models import ParkedEvent

from ..choices import OutboxState
from ..models import ApprovalRequest, Finding, Notification, OutboxMessage

# Beside a word of the navigation more than two digits say nothing more, and counting on would cost every page.
MOST = 100


@dataclass(frozen=True)
class Waiting:
    """How much waits for somebody, MOST standing for more: decisions, findings, parked events, messages given up, and
    what rings his bell."""

    decisions: int = 0
    findings: int = 0
    parked: int = 0
    failed: int = 0
    unread: int = 0


def waiting_for(actor: Actor) -> Waiting:
    """Count what waits for this actor; who does not operate sees no parked event, and of the outbox his own part."""
    return Waiting(
        **count_together(
            MOST,
            decisions=ApprovalRequest.objects.visible_to(actor).awaiting(actor),
            findings=Finding.objects.visible_to(actor).standing(),
            parked=ParkedEvent.objects.visible_to(actor).filter(state=ParkedEventState.PARKED),
            failed=OutboxMessage.objects.visible_to(actor).filter(state=OutboxState.FAILED),
            unread=Notification.objects.visible_to(actor).unread(),
        )
    )
