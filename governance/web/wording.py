"""Sentences that several pages say the same way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse

from registry.models import ModelVersion, UseCase

from ..choices import RequestState
from ..models import ApprovalRequest
from ..policies.engine import waiting_for
from ..policies.facts import ApprovalNeed, Check, Outcome, Requirements
from ..selectors.binding import FieldDifference
from ..selectors.words import content_words, value_words
from ..services import approvals


def needs_words(needs: Sequence[ApprovalNeed]) -> str:
    """Say who must approve: "2 governance officers and a model owner"."""
    parts = [
        f"{need.count} {_lower(need.role.label)}s" if need.count > 1 else f"1 {_lower(need.role.label)}"
        for need in needs
    ]
    return " and ".join(parts) or "nobody"


def waiting_words(request: ApprovalRequest) -> str:
    """Say who a request waits for: "waiting for a governance officer (1 of 2)"; what it is once closed."""
    if request.state != RequestState.OPEN:
        return RequestState(request.state).replace("_", " ")
    return waiting_for(Requirements.from_json(request.requirements).approvals, approvals.missing_approvals(request))


_OUTCOMES = {Outcome.OVERRIDDEN: "waived"}


def check_lines(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Return the checks of a policy as the checklist component takes them."""
    return [
        {
            "key": check.key,
            "state": _OUTCOMES.get(check.outcome, check.outcome.value),
            "label": check.label,
            "detail": check.detail,
        }
        for check in checks
    ]


def difference_lines(changes: Iterable[FieldDifference]) -> list[dict[str, Any]]:
    """Return what differs as the difference component takes it: fields in plain words, their paths as a note."""
    return [
        {
            "field": content_words(change.field),
            "before": value_words(change.before),
            "after": value_words(change.after),
            "note": change.field if "." in change.field or "[" in change.field else "",
        }
        for change in changes
    ]


def name_of(subject: UseCase | ModelVersion) -> str:
    """Name a subject as people do: "UC-0001 Credit risk scoring", "credit-risk/3"."""
    return str(subject)


def url_of(subject: UseCase | ModelVersion) -> str:
    """Return the address of a subject's page."""
    if isinstance(subject, UseCase):
        return reverse("registry:use_case", args=[subject.number])
    return reverse("registry:version", args=[subject.pk])


def request_url(request: ApprovalRequest) -> str:
    """Return the address of a request's page."""
    return reverse("governance:request", args=[request.pk])


def timeline_of(entries: Sequence[Any]) -> list[dict[str, Any]]:
    """Return history entries as the timeline component takes them."""
    return [
        {
            "at": entry.at,
            "title": entry.title,
            "person": entry.person,
            "role": entry.role,
            "text": entry.text,
            "icon": entry.icon,
            "tone": entry.tone,
            "url": reverse("governance:request", args=[entry.request_id]) if entry.request_id else "",
            "changes": entry.changes,
        }
        for entry in entries
    ]


def _lower(label: str) -> str:
    return label if label.startswith("ML") else label.lower()
