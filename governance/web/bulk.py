"""What can be done with several rows of governance's lists; each goes through the service that a single one does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms

from portal.core.actors import Actor
from portal.core.bulk_actions import BulkAction
from portal.core.permissions import Act
from registry.choices import ParkedEventState
from registry.models import ParkedEvent

from ..choices import FindingState, OutboxState, RequestState
from ..models import ApprovalRequest, Finding, OutboxMessage
from ..selectors import findings as finding_selectors
from ..services import bulk_approval, findings, outbox, parked_events
from .finding_forms import AssignForm, DueForm
from .wording import waiting_words

# Each replay asks AWS, one after another.
_MOST_REPLAYS = 20


class WhyForm(forms.Form):
    """A reason that holds for all of them."""

    reason = forms.CharField(label="Why", max_length=20_000, widget=forms.Textarea(attrs={"rows": 3}))


class CommentForm(forms.Form):
    """What whoever approves looked at; it stands in the history of each."""

    comment = forms.CharField(
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What you looked at. It stands in the history of each of them.",
    )


def _assign_form(data: Any = None, *, actor: Actor) -> AssignForm:
    return AssignForm(data, people=finding_selectors.possible_owners_anywhere(actor))


def _same_for_all(form: type[forms.Form]) -> Callable[..., forms.Form]:
    """Return what makes a form that is the same whoever acts."""
    return lambda data=None, **_: form(data)


def _acknowledge(actor: Actor, row: Finding, given: Mapping[str, Any]) -> str:
    findings.acknowledge(actor=actor, finding_id=row.pk)
    return ""


def _cannot_acknowledge(actor: Actor, row: Finding) -> str:
    return "" if FindingState.ACKNOWLEDGED in findings.moves_from(row.state) else f"It is {row.state} already."


def _assign(actor: Actor, row: Finding, given: Mapping[str, Any]) -> str:
    findings.assign(actor=actor, finding_id=row.pk, owner=given["owner"], reason=given["reason"])
    return ""


def _is_resolved(actor: Actor, row: Finding) -> str:
    return "It is resolved." if row.state == FindingState.RESOLVED else ""


def _set_due(actor: Actor, row: Finding, given: Mapping[str, Any]) -> str:
    findings.set_due(actor=actor, finding_id=row.pk, due_on=given["due_on"], reason=given["reason"])
    return ""


def _is_not_due(actor: Actor, row: Finding) -> str:
    return "" if row.is_standing else f"It is {row.state}; only what still stands is due."


FINDING_ACTIONS = (
    BulkAction(
        name="acknowledge",
        label="Take on",
        title="Take these findings on?",
        icon="user-check",
        act=Act.HANDLE_FINDINGS,
        carry_out=_acknowledge,
        refusal=_cannot_acknowledge,
        effects=("It is acknowledged, and yours.",),
    ),
    BulkAction(
        name="assign",
        label="Assign",
        title="Who deals with these?",
        icon="user-plus",
        act=Act.HANDLE_FINDINGS,
        carry_out=_assign,
        refusal=_is_resolved,
        form=_assign_form,
        effects=("Its owner may take it on and resolve it. Whoever cannot see it is refused as its owner.",),
    ),
    BulkAction(
        name="due",
        label="Set due date",
        title="By when are these to be dealt with?",
        icon="calendar-due",
        act=Act.HANDLE_FINDINGS,
        carry_out=_set_due,
        refusal=_is_not_due,
        form=_same_for_all(DueForm),
    ),
)


def _retry(actor: Actor, row: OutboxMessage, given: Mapping[str, Any]) -> str:
    outbox.retry(actor=actor, message_id=row.pk)
    return ""


def _was_not_given_up(actor: Actor, row: OutboxMessage) -> str:
    if row.state == OutboxState.FAILED:
        return ""
    return "It is tried by itself already." if row.state == OutboxState.PENDING else f"It is {row.state}."


OUTBOX_ACTIONS = (
    BulkAction(
        name="retry",
        label="Try again",
        title="Try these again now?",
        icon="refresh",
        act=Act.RETRY_OUTBOX,
        carry_out=_retry,
        refusal=_was_not_given_up,
        effects=("A worker gives it its next attempt now, and as many after it as a new one has.",),
    ),
)


def _replay(actor: Actor, row: ParkedEvent, given: Mapping[str, Any]) -> str:
    event = parked_events.replay(actor=actor, event_id=row.pk)
    return (
        "" if event.state == ParkedEventState.REPLAYED else f"It could not be taken in and stays. {event.error[:200]}"
    )


def _was_replayed(actor: Actor, row: ParkedEvent) -> str:
    return "It was taken in already." if row.state == ParkedEventState.REPLAYED else ""


def _dismiss(actor: Actor, row: ParkedEvent, given: Mapping[str, Any]) -> str:
    parked_events.dismiss(actor=actor, event_id=row.pk, reason=given["reason"])
    return ""


def _is_settled(actor: Actor, row: ParkedEvent) -> str:
    return "" if row.state == ParkedEventState.PARKED else f"It is {row.state}."


EVENT_ACTIONS = (
    BulkAction(
        name="replay",
        label="Take in anew",
        title="Take these events in anew?",
        icon="rotate-2",
        act=Act.HANDLE_EVENTS,
        carry_out=_replay,
        refusal=_was_replayed,
        most=_MOST_REPLAYS,
        effects=("AWS is asked about its version. What still cannot be taken in stays here with the new error.",),
    ),
    BulkAction(
        name="dismiss",
        label="Dismiss",
        title="Dismiss these events?",
        icon="x",
        act=Act.HANDLE_EVENTS,
        carry_out=_dismiss,
        refusal=_is_settled,
        form=_same_for_all(WhyForm),
        effects=("It stays here with these words and your name.",),
    ),
)


def _approve(actor: Actor, row: ApprovalRequest, given: Mapping[str, Any]) -> str:
    decision = bulk_approval.approve_among_many(actor=actor, request_id=row.pk, comment=given["comment"])
    request = decision.request
    return (
        "" if request.state != RequestState.OPEN else f"your approval is recorded; it is still {waiting_words(request)}"
    )


APPROVAL_ACTIONS = (
    BulkAction(
        name="approve",
        label="Approve",
        title="Approve these requests?",
        icon="checks",
        carry_out=_approve,
        refusal=bulk_approval.bulk_refusal,
        form=_same_for_all(CommentForm),
        effects=(
            "Your approval is recorded with your comment.",
            "Where it is the last that is missing, the version or use case moves on, and AWS is told.",
            "What is of high or unknown risk is never approved together with others.",
        ),
    ),
)
