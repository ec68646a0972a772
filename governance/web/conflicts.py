"""When a decision comes too late: what happened meanwhile, what was typed, and what can be done now."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from portal.core.actors import Actor
from portal.core.errors import WrongState
from portal.core.permissions import Act, may
from portal.core.vocabulary import Stage
from registry.models import UseCase

from ..choices import RequestState, Verdict
from ..models import ApprovalRequest
from ..selectors import inbox, standing
from ..selectors.binding import moved_since
from ..services import approvals
from .wording import difference_lines, name_of, request_url, url_of, waiting_words

_SAID = {Verdict.APPROVE: "approved", Verdict.REJECT: "rejected", Verdict.REQUEST_CHANGES: "asked for changes to"}
# States that a decision itself leads to, or leaves.
_DECIDED = (RequestState.OPEN, RequestState.APPROVED, RequestState.REJECTED, RequestState.CHANGES_REQUESTED)


def said_before(actor: Actor, asked: ApprovalRequest, verdict: str) -> str:
    """Say that this very decision of this person is recorded already, "" when it is not: a second click, that is."""
    mine = next((word for word in asked.decisions.all() if word.decider_id == actor.user_id), None)
    if mine is None or mine.verdict != verdict or asked.state not in _DECIDED:
        return ""
    name, stage = name_of(asked.subject), Stage(asked.stage).label
    return f"You have {_SAID[Verdict(verdict)]} {name} in {stage} already. It is recorded once."


def conflict(actor: Actor, asked: ApprovalRequest, refusal: WrongState, verdict: str, comment: str) -> dict[str, Any]:
    """Return what the page of a refused decision shows; `asked` has been read afresh."""
    subject = asked.subject
    decisions = list(asked.decisions.all())
    latest = max(decisions, key=lambda one: one.decided_at, default=None)
    about = standing.requests_about(subject)
    anew = next((one for one in about if one.state == RequestState.OPEN and one.pk != asked.pk), None)
    onwards = inbox.neighbours(actor, asked.pk)[1]
    may_submit = may(actor, Act.SUBMIT, subject.scope_project_id) and not approvals.submission_refusal(actor, subject)
    kind, key = ("use_case", subject.number) if isinstance(subject, UseCase) else ("version", subject.pk)
    return {
        "title": _title(asked, refusal, latest, actor),
        "detail": refusal.detail,
        "asked": asked,
        "asked_url": request_url(asked),
        "subject": subject,
        "subject_name": name_of(subject),
        "subject_url": url_of(subject),
        "is_use_case": isinstance(subject, UseCase),
        "is_open": asked.state == RequestState.OPEN,
        "waiting": waiting_words(asked),
        "decisions": decisions,
        "moved": difference_lines(moved_since(asked)),
        "verdict": Verdict(verdict) if verdict in set(Verdict) else None,
        "typed": comment,
        "anew": anew,
        "anew_url": request_url(anew) if anew else "",
        "next_url": reverse("governance:request", args=[onwards]) if onwards else "",
        "submit_url": reverse(f"governance:{kind}_submit", args=[key]) if may_submit else "",
        "breadcrumbs": [
            {"label": "Approvals", "url": reverse("governance:queue")},
            {"label": asked.public_id, "url": request_url(asked)},
            {"label": "Decided meanwhile", "url": ""},
        ],
    }


def _title(asked: ApprovalRequest, refusal: WrongState, latest: Any, actor: Actor) -> str:
    if isinstance(refusal, approvals.AlreadyDecided):
        return f"You have decided on {asked.public_id} before"
    if latest is not None and asked.state in (
        RequestState.APPROVED,
        RequestState.REJECTED,
        RequestState.CHANGES_REQUESTED,
    ):
        said = f"{_SAID[Verdict(latest.verdict)]} {name_of(asked.subject)}"
        return f"You have {said} already" if latest.decider_id == actor.user_id else f"{latest.decider} {said} first"
    return refusal.title
