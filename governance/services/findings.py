"""Findings: opened, refreshed and resolved by facts; taken on, assigned, accepted and resolved by people.

Facts speak through `observe`, `clear`, `record` and `settle`, inside the operation of whoever learned them. People are
officers; the owner of a finding may take it on and resolve it too, but only officers say that one may stand.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, DateField, Value, When
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, may, require
from portal.core.vocabulary import NotificationKind, Stage
from registry.models import AwsAccount, User

from ..choices import FINDING_MOVES, FindingKind, FindingState, Severity
from ..models import Finding
from ..selectors.observed import Observation, Subject, key_of
from .notifications import tell, tell_of_findings

SEVERITY: dict[FindingKind, Severity] = {
    FindingKind.APPROVED_OUTSIDE: Severity.SERIOUS,
    FindingKind.REJECTED_OUTSIDE: Severity.SERIOUS,
    FindingKind.REVERTED: Severity.SERIOUS,
    FindingKind.LIFECYCLE_CHANGED: Severity.WARNING,
    FindingKind.WRITE_BACK_PENDING: Severity.WARNING,
    FindingKind.WRITE_BACK_FAILED: Severity.SERIOUS,
    FindingKind.CONTENT_CHANGED: Severity.SERIOUS,
    FindingKind.RUNNING_UNAPPROVED: Severity.CRITICAL,
    FindingKind.RUNNING_REJECTED: Severity.CRITICAL,
    FindingKind.APPROVED_NOT_DEPLOYED: Severity.WARNING,
    FindingKind.UNKNOWN_MODEL_RUNNING: Severity.CRITICAL,
    FindingKind.MISSING_IN_AWS: Severity.SERIOUS,
    FindingKind.USE_CASE_UNKNOWN: Severity.WARNING,
    FindingKind.GROUP_UNLINKED: Severity.WARNING,
    FindingKind.SHARE_DRIFT: Severity.SERIOUS,
    FindingKind.SHARE_TO_UNKNOWN_ACCOUNT: Severity.SERIOUS,
    FindingKind.SHARE_EXTERNAL_PRINCIPAL: Severity.CRITICAL,
    FindingKind.APPROVE_PATH_OUTSIDE_HUB: Severity.CRITICAL,
    FindingKind.INVITATION_PENDING: Severity.INFO,
    FindingKind.INVITATION_EXPIRED: Severity.WARNING,
    FindingKind.MONITOR_MISSING: Severity.WARNING,
    FindingKind.MONITOR_VIOLATIONS: Severity.SERIOUS,
    FindingKind.METRIC_BREACHED: Severity.SERIOUS,
    FindingKind.CARD_MISSING: Severity.WARNING,
    FindingKind.CARD_INVALID: Severity.WARNING,
    FindingKind.METADATA_INVALID: Severity.WARNING,
    FindingKind.ARTIFACT_UNREACHABLE: Severity.SERIOUS,
    FindingKind.NETWORK_ISOLATION_OFF: Severity.WARNING,
    FindingKind.REVIEW_OVERDUE: Severity.WARNING,
    FindingKind.BREAK_GLASS_USED: Severity.SERIOUS,
    FindingKind.EVIDENCE_ALTERED: Severity.CRITICAL,
    FindingKind.EVENT_UNREADABLE: Severity.INFO,
    FindingKind.REPORT_UNREADABLE: Severity.WARNING,
}
DAYS_UNTIL_DUE: dict[Severity, int | None] = {
    Severity.CRITICAL: 1,
    Severity.SERIOUS: 7,
    Severity.WARNING: 30,
    Severity.INFO: None,
}
LONGEST_ACCEPTANCE = timedelta(days=365)
LATEST_DUE = timedelta(days=365)
_BATCH = 1000
_UNACCEPTED: dict[str, Any] = {"accepted_until": None, "accepted_by": None, "acceptance_reason": ""}


def observe(
    kind: FindingKind,
    subject: Subject,
    summary: str,
    evidence: dict[str, Any] | None = None,
    *,
    stage: Stage | None = None,
    account: AwsAccount | None = None,
    mark: str = "",
) -> Finding:
    """Open a finding, or refresh the unresolved one of this kind and subject. Runs in the caller's operation.

    With `stage`, `account` or `mark` it stands once per place. An accepted one stays accepted.
    """
    seen = Observation(subject, summary, evidence or {}, stage=stage, account=account, mark=mark)
    record(kind, [seen], timezone.now())
    return Finding.objects.filter(kind=kind, subject_key=seen.key).latest("pk")


def clear(
    kind: FindingKind,
    subject: Subject,
    note: str,
    *,
    stage: Stage | None = None,
    account: AwsAccount | None = None,
    mark: str = "",
) -> None:
    """Resolve what is unresolved of this kind about this subject: reality agrees again.

    Runs in the caller's operation.
    """
    key = key_of(subject, stage=stage, account=account, mark=mark)
    _resolve(Finding.objects.unresolved().filter(kind=kind, subject_key=key), note, timezone.now())


def clear_all(kind: FindingKind, subjects: Collection[Subject], note: str) -> None:
    """Resolve what is unresolved of this kind about any of these subjects. Runs in the caller's operation."""
    keys = [key_of(subject) for subject in subjects]
    if keys:
        _resolve(Finding.objects.unresolved().filter(kind=kind, subject_key__in=keys), note, timezone.now())


def record(
    kind: FindingKind,
    seen: Sequence[Observation],
    moment: datetime,
    *,
    retell: bool = True,
    skip_locked: bool = False,
) -> int:
    """Open a finding per observation that has none, refresh the others; returns how many were opened.

    Costs the same number of statements however many are seen. Two who see the same at once open one: the database
    keeps one unresolved finding per kind and key, and whoever comes second writes nothing. Runs in the caller's
    operation.
    """
    by_key = {observation.key: observation for observation in seen}
    rows = Finding.objects.unresolved().filter(kind=kind, subject_key__in=list(by_key)).order_by("pk")
    known = {row.subject_key: row for row in rows.select_for_update(skip_locked=skip_locked)}
    told: list[Finding] = []
    for key, finding in known.items():
        now = by_key[key]
        if retell and (finding.summary, finding.evidence) != (now.summary, now.evidence):
            finding.summary, finding.evidence, finding.last_seen_at = now.summary, now.evidence, moment
            _raise(finding, now, moment)
            told.append(finding)
    Finding.objects.bulk_update(told, ["summary", "evidence", "last_seen_at", "severity", "due_on"], batch_size=_BATCH)
    unchanged = {finding.pk for finding in known.values()} - {finding.pk for finding in told}
    Finding.objects.filter(pk__in=unchanged).update(last_seen_at=moment)
    severities = {key: observation.severity or SEVERITY[kind] for key, observation in by_key.items()}
    fresh = [
        Finding(
            kind=kind,
            severity=severities[key],
            subject_key=key,
            summary=by_key[key].summary,
            evidence=by_key[key].evidence,
            stage=by_key[key].stage or "",
            due_on=due_date(severities[key], moment),
            last_seen_at=moment,
            **by_key[key].links,
        )
        for key in sorted(by_key.keys() - known.keys())
    ]
    if not fresh:
        return 0
    same = Finding.objects.unresolved().filter(kind=kind, subject_key__in=[finding.subject_key for finding in fresh])
    before = set(same.values_list("pk", flat=True))
    Finding.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=_BATCH)
    opened = set(same.values_list("pk", flat=True)) - before
    tell_of_findings(kind, opened)
    return len(opened)


def settle(kind: FindingKind, candidates: Collection[int], agreed: Collection[str], note: str, moment: datetime) -> int:
    """Resolve those of the candidates whose key is among `agreed`, unless they were seen again since `moment`.

    Returns how many. Runs in the caller's operation.
    """
    rows = Finding.objects.unresolved().filter(kind=kind, pk__in=candidates, last_seen_at__lte=moment)
    return _resolve(rows.filter(subject_key__in=list(agreed)), note, moment)


def end_acceptances(moment: datetime) -> int:
    """Open again what was accepted until a day that has passed; returns how many. Runs in the caller's operation."""
    due = Case(
        *[When(severity=severity, then=Value(due_date(severity, moment))) for severity in Severity],
        output_field=DateField(),
    )
    ended = Finding.objects.filter(state=FindingState.ACCEPTED, accepted_until__lt=moment.date())
    return ended.update(state=FindingState.OPEN, due_on=due, **_UNACCEPTED)


def due_date(severity: Severity, moment: datetime) -> date | None:
    """Return by when a finding of this severity is due that is opened at this moment; None is not pressing."""
    days = DAYS_UNTIL_DUE[severity]
    return None if days is None else moment.date() + timedelta(days=days)


def acknowledge(*, actor: Actor, finding_id: int) -> Finding:
    """Take a finding on: whoever does owns it. Raises NotFound, Forbidden, WrongState unless it is open."""
    with operation(actor, "take finding on"):
        finding = _locked(actor, finding_id, owner_may=True)
        _move(finding, FindingState.ACKNOWLEDGED, "Only an open finding can be taken on.")
        finding.owner_id = actor.user_id
        finding.save(update_fields=["state", "owner"])
        return finding


def assign(*, actor: Actor, finding_id: int, owner: User | None, reason: str = "") -> Finding:
    """Give a finding to somebody who can see it, or (None) to nobody.

    Raises NotFound, Forbidden, InvalidInput for a person who cannot see it, WrongState when it is resolved.
    """
    with operation(actor, reason.strip() or "assign finding"):
        finding = _locked(actor, finding_id)
        _refuse_resolved(finding)
        if owner is not None and owner.is_service:
            raise InvalidInput(
                "Only a person owns a finding.",
                errors={"owner": [f"{owner} is a service account, which owns nothing."]},
            )
        if owner is not None and not (
            owner.is_active and Finding.objects.visible_to(owner.actor).filter(pk=finding.pk).exists()
        ):
            raise InvalidInput(
                "Nobody can own what he cannot see.", errors={"owner": [f"{owner} cannot see this finding."]}
            )
        finding.owner = owner
        finding.save(update_fields=["owner"])
        if owner is not None:
            key = f"finding:{finding.pk}:assigned:{timezone.now().isoformat()}"
            tell(NotificationKind.FINDING_ASSIGNED, key=key, about=finding, actor=actor, owner=owner.pk)
        return finding


def set_due(*, actor: Actor, finding_id: int, due_on: date | None, reason: str = "") -> Finding:
    """Change by when a finding is to be dealt with; None is no date.

    Raises NotFound, Forbidden, InvalidInput for a day that has passed or lies more than a year ahead, WrongState
    unless it stands.
    """
    with operation(actor, reason.strip() or "change due date"):
        finding = _locked(actor, finding_id)
        if not finding.is_standing:
            raise WrongState(f"{finding.public_id} is {finding.state}; only what still stands is due.")
        if due_on is not None:
            _refuse_day("due_on", due_on, LATEST_DUE)
        finding.due_on = due_on
        finding.save(update_fields=["due_on"])
        return finding


def accept(*, actor: Actor, finding_id: int, reason: str, until: date) -> Finding:
    """Say that a disagreement may stand until the end of a day; after it the finding opens again by itself.

    While accepted it is seen on but asks for nothing, and it resolves itself when reality agrees. Raises NotFound,
    Forbidden unless the actor is an officer, InvalidInput without a reason or for a day that has passed or lies more
    than a year ahead, WrongState unless it stands.
    """
    reason = reason.strip()
    with operation(actor, reason or "accept finding"):
        finding = _locked(actor, finding_id)
        if actor.user_id is None:
            raise Forbidden("A disagreement is accepted by a person.")
        _refuse_own_override(actor, finding)
        if not finding.is_standing:
            raise WrongState(f"{finding.public_id} is {finding.state}; only what still stands can be accepted.")
        if not reason:
            raise InvalidInput("Say why it may stand.", errors={"reason": ["An acceptance needs its reason."]})
        _refuse_day("until", until, LONGEST_ACCEPTANCE)
        _move(finding, FindingState.ACCEPTED, "")
        finding.accepted_until, finding.accepted_by_id, finding.acceptance_reason = until, actor.user_id, reason
        finding.save(update_fields=["state", "accepted_until", "accepted_by", "acceptance_reason"])
        return finding


def reopen(*, actor: Actor, finding_id: int, reason: str) -> Finding:
    """Take an acceptance or a resolution back, with a new due date.

    Raises NotFound, Forbidden, InvalidInput without a reason, WrongState unless it is accepted or resolved, or while
    a newer finding about the same stands.
    """
    reason = reason.strip()
    with operation(actor, reason or "reopen finding"):
        finding = _locked(actor, finding_id)
        if finding.is_standing:
            raise WrongState(f"{finding.public_id} is {finding.state}; there is nothing to take back.")
        if not reason:
            raise InvalidInput("Say why it is opened again.", errors={"reason": ["Reopening needs its reason."]})
        same = Finding.objects.unresolved().filter(kind=finding.kind, subject_key=finding.subject_key)
        newer = same.exclude(pk=finding.pk).first()
        if newer is not None:
            raise WrongState(f"{newer.public_id} is about the same and still open.")
        _move(finding, FindingState.OPEN, "")
        finding.due_on = due_date(Severity(finding.severity), timezone.now())
        for name, nothing in {**_UNACCEPTED, "closed_at": None, "closing_note": ""}.items():
            setattr(finding, name, nothing)
        finding.save(update_fields=["state", "due_on", "closed_at", "closing_note", *_UNACCEPTED])
        return finding


def resolve(*, actor: Actor, finding_id: int, note: str) -> Finding:
    """Close a finding by hand, saying what was done; it opens again when reality still disagrees.

    Raises NotFound, Forbidden, InvalidInput without a note, WrongState when it is closed.
    """
    note = note.strip()
    with operation(actor, note or "resolve finding"):
        finding = _locked(actor, finding_id, owner_may=True)
        _refuse_own_override(actor, finding)
        _refuse_resolved(finding)
        if not note:
            raise InvalidInput("Say what was done about it.", errors={"note": ["A resolution needs a note."]})
        _move(finding, FindingState.RESOLVED, "")
        for name, nothing in _UNACCEPTED.items():
            setattr(finding, name, nothing)
        finding.closed_at, finding.closing_note = timezone.now(), note
        finding.save(update_fields=["state", "closed_at", "closing_note", *_UNACCEPTED])
        return finding


def may_work_on(actor: Actor, finding: Finding) -> bool:
    """Whether this actor may take a finding on and resolve it: an officer, or its owner."""
    owns = actor.user_id is not None and finding.owner_id == actor.user_id
    return owns or may(actor, Act.HANDLE_FINDINGS, finding.scope_project_id)


def moves_from(state: str) -> frozenset[str]:
    """Return the states a finding in this one can come to."""
    return frozenset(str(target) for source, target in FINDING_MOVES if source == state)


def _locked(actor: Actor, finding_id: int, *, owner_may: bool = False) -> Finding:
    seen = access.get(Finding, actor, pk=finding_id)
    finding: Finding = Finding.objects.select_for_update(of=("self",)).get(pk=seen.pk)
    if not (owner_may and may_work_on(actor, finding)):
        require(actor, Act.HANDLE_FINDINGS, finding.scope_project_id)
    return finding


def _move(finding: Finding, state: FindingState, otherwise: str) -> None:
    if state not in moves_from(finding.state):
        raise WrongState(f"{finding.public_id} is {finding.state}. {otherwise}".strip())
    finding.state = state


def _refuse_resolved(finding: Finding) -> None:
    if finding.state == FindingState.RESOLVED:
        raise WrongState(f"{finding.public_id} is resolved already. Reopen it if that did not hold.")


def _refuse_own_override(actor: Actor, finding: Finding) -> None:
    """Whoever broke the glass does not say himself that it was all right."""
    by = finding.evidence.get("granted_by_id") if isinstance(finding.evidence, dict) else None
    if finding.kind == FindingKind.BREAK_GLASS_USED and actor.user_id is not None and by == actor.user_id:
        raise Forbidden("You broke the glass yourself. Somebody else must look at it.")


def _refuse_day(name: str, day: date, longest: timedelta) -> None:
    today = timezone.localdate()
    if day < today:
        raise InvalidInput("That day has passed.", errors={name: ["Choose today or a later day."]})
    if day > today + longest:
        latest = today + longest
        raise InvalidInput("That is too far ahead.", errors={name: [f"Choose a day no later than {latest}."]})


def _raise(finding: Finding, now: Observation, moment: datetime) -> None:
    """Raise a finding to a graver severity it is seen with; it is due the sooner for it."""
    order = list(Severity)
    if now.severity is None or order.index(now.severity) <= order.index(Severity(finding.severity)):
        return
    finding.severity = now.severity
    due = due_date(now.severity, moment)
    if due is not None and finding.state != FindingState.ACCEPTED:
        finding.due_on = due if finding.due_on is None else min(finding.due_on, due)


def _resolve(rows: Any, note: str, moment: datetime) -> int:
    done: int = rows.update(state=FindingState.RESOLVED, closed_at=moment, closing_note=note, **_UNACCEPTED)
    return done
