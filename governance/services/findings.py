"""Findings: opened, refreshed and resolved by facts; acknowledged, accepted and resolved by people."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act
from registry.models import AwsAccount, ModelGroup, ModelVersion, UseCase

from ..choices import FindingKind, FindingState, Severity
from ..models import Finding

SEVERITY: dict[FindingKind, Severity] = {
    FindingKind.USE_CASE_UNKNOWN: Severity.WARNING,
    FindingKind.GROUP_UNLINKED: Severity.WARNING,
    FindingKind.CARD_MISSING: Severity.WARNING,
    FindingKind.CARD_INVALID: Severity.WARNING,
    FindingKind.METADATA_INVALID: Severity.WARNING,
    FindingKind.CONTENT_CHANGED: Severity.SERIOUS,
    FindingKind.MISSING_IN_AWS: Severity.SERIOUS,
    FindingKind.WRITE_BACK_FAILED: Severity.SERIOUS,
    FindingKind.EVENT_UNREADABLE: Severity.INFO,
}

Subject = UseCase | ModelVersion | ModelGroup | AwsAccount


def observe(kind: FindingKind, subject: Subject, summary: str, evidence: dict[str, Any] | None = None) -> Finding:
    """Open a finding, or refresh the one that stands for this kind and subject. Runs in the caller's operation."""
    now = timezone.now()
    finding, is_new = Finding.objects.get_or_create(
        kind=kind,
        subject_key=_key(subject),
        state__in=(FindingState.OPEN, FindingState.ACKNOWLEDGED),
        defaults={
            "state": FindingState.OPEN,
            "severity": SEVERITY[kind],
            "summary": summary,
            "evidence": evidence or {},
            "last_seen_at": now,
            **_links(subject),
        },
    )
    if not is_new:
        finding.summary, finding.evidence, finding.last_seen_at = summary, evidence or {}, now
        finding.save(update_fields=["summary", "evidence", "last_seen_at"])
    return finding


def clear(kind: FindingKind, subject: Subject, note: str) -> None:
    """Resolve what stands of this kind about this subject: reality agrees again. Runs in the caller's operation."""
    Finding.objects.standing().filter(kind=kind, subject_key=_key(subject)).update(
        state=FindingState.RESOLVED, closed_at=timezone.now(), closing_note=note
    )


def acknowledge(*, actor: Actor, finding_id: int) -> Finding:
    """Take a finding on. Raises NotFound, Forbidden, WrongState unless it is open."""
    with operation(actor, "acknowledge finding"):
        finding = access.for_update(Finding, actor, Act.HANDLE_FINDINGS, pk=finding_id)
        if finding.state != FindingState.OPEN:
            raise WrongState(f"{finding.public_id} is {finding.state}; only an open finding can be taken on.")
        finding.state = FindingState.ACKNOWLEDGED
        finding.owner_id = actor.user_id
        finding.save(update_fields=["state", "owner"])
        return finding


def resolve(*, actor: Actor, finding_id: int, note: str) -> Finding:
    """Close a finding by hand, saying why; it opens again when reality still disagrees.

    Raises NotFound, Forbidden, InvalidInput without a note, WrongState when it is closed.
    """
    if not note.strip():
        raise InvalidInput("Say what was done about it.", errors={"note": ["A resolution needs a note."]})
    with operation(actor, note):
        finding = access.for_update(Finding, actor, Act.HANDLE_FINDINGS, pk=finding_id)
        if finding.state not in (FindingState.OPEN, FindingState.ACKNOWLEDGED):
            raise WrongState(f"{finding.public_id} is {finding.state} already.")
        finding.state, finding.closed_at, finding.closing_note = (
            FindingState.RESOLVED,
            timezone.now(),
            note.strip(),
        )
        finding.save(update_fields=["state", "closed_at", "closing_note"])
        return finding


def _key(subject: Subject) -> str:
    return f"{subject._meta.model_name}:{subject.pk}"


def _links(subject: Subject) -> dict[str, models.Model | None]:
    if isinstance(subject, UseCase):
        return {"use_case": subject}
    if isinstance(subject, ModelVersion):
        return {"version": subject, "account": subject.group.account}
    if isinstance(subject, ModelGroup):
        return {"group": subject, "account": subject.account}
    return {"account": subject}
