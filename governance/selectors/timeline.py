"""What happened to a subject, newest first, one entry per operation: moves, requests, decisions, reports, edits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.core.vocabulary import Stage
from registry.models import (
    DeclaredShare,
    GroupCreation,
    ModelGroup,
    ModelVersion,
    Project,
    UseCase,
    UseCaseDocument,
    User,
)

from ..choices import EvidenceKind, RequestState, Verdict
from ..lifecycle import Verb
from ..models import ApprovalRequest, AuditEvent, Evidence, MetricReport, StageEvent, StageRecord
from .attribute_changes import COLUMN, attribute_changes
from .words import actor_words, field_words, value_words

# A page shows so many; the audit trail has all of them.
_MOST = 150
# Told by the ledger, or of no interest to a reader.
_QUIET = {
    "stage", "status", "revision", "seen_at", "content_digest", "described", "aws_modified_at", "modifier_arn",
    "risk_classified_at", "risk_classified_by_id", "hub_artifact_copied_at", "artifact_etag", "card_status",
    "written_at", "author_id", "aws_approval_description", "(written at)", COLUMN,
}  # fmt: skip


@dataclass
class Entry:
    """One thing that happened; `request_id` links it to its approval request."""

    at: datetime
    title: str
    person: str = ""
    role: str = ""
    text: str = ""
    icon: str = "point"
    tone: str = "mute"
    request_id: int | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)


def history(subject: UseCase | ModelVersion) -> list[Entry]:
    """Return the history of a use case or version, newest first."""
    moves = _moves(subject)
    entries = [*_asked_and_decided(subject, moves), *(entry for entry in moves.values() if entry is not None)]
    entries += _evidence(subject)
    if isinstance(subject, UseCase):
        chains = [f"registry_usecase:{subject.pk}"]
        chains += [f"registry_usecasedocument:{pk}" for pk in subject.documents.values_list("pk", flat=True)]
        entries += _edits(chains, "Edited the use case")
        entries += _reviews(subject)
    else:
        entries += _reports(subject)
        entries += _edits([f"registry_modelversion:{subject.pk}"], "SageMaker's description changed")
        records = StageRecord.objects.filter(version=subject).values_list("pk", flat=True)
        entries += _edits([f"governance_stagerecord:{pk}" for pk in records], "Edited the attributes of a stage record")
    return _named(entries)


def history_of_group(group: ModelGroup) -> list[Entry]:
    """Return who claimed and edited a model group, newest first."""
    entries = _edits([f"registry_modelgroup:{group.pk}"], "Edited the model group")
    creation = GroupCreation.objects.filter(group=group).select_related("requested_by").first()
    if creation is not None:
        person = actor_words(f"user:{creation.requested_by.username}")
        title = f"{creation.public_id} asked for the group"
        asked = Entry(creation.requested_at, title, person=person, text=creation.reason, icon="plus", tone="live")
        entries.append(asked)
    return _named(entries)


def history_of_share(share: DeclaredShare) -> list[Entry]:
    """Return who declared, changed and withdrew a share, and how far RAM was with it, newest first."""
    declared = Entry(
        share.declared_at,
        "Declared",
        person=actor_words(f"user:{share.declared_by.username}"),
        icon="share-3",
        tone="live",
    )
    return _named([*_edits([f"registry_declaredshare:{share.pk}"], "Share changed"), declared])


def _moves(subject: UseCase | ModelVersion) -> dict[tuple[str, int | None], Entry]:
    """Return one entry per operation that moved records, by its correlation and request."""
    groups: dict[tuple[str, str], list[StageEvent]] = defaultdict(list)
    events = StageEvent.objects.about(subject).select_related("account").order_by("-id")[:_MOST]
    for event in reversed(list(events)):
        groups[event.correlation or str(event.pk), event.actor].append(event)
    moves = [_move(members) for members in groups.values()]
    return {(key, move.request_id): move for (key, _), move in zip(groups, moves, strict=True)}


_VERBS: dict[str, tuple[str, str, str]] = {
    Verb.REGISTER: ("Registered", "plus", "live"),
    Verb.APPROVE: ("Approved", "circle-check", "good"),
    Verb.ADVANCE: ("Entered", "arrow-narrow-right", "live"),
    Verb.REJECT: ("Rejected", "circle-x", "bad"),
    Verb.RESUBMIT: ("Taken up again", "refresh", "live"),
    Verb.DEPLOY: ("Deployed", "rocket", "live"),
    Verb.SUPERSEDE: ("Superseded", "replace", "mute"),
    Verb.ROLLBACK: ("Rolled back to it", "history", "warn"),
    Verb.RENEW: ("Approved anew", "circle-check", "good"),
    Verb.PROHIBIT: ("Found unacceptable, its approval gone", "ban", "bad"),
    Verb.RETIRE: ("Retired", "archive", "mute"),
}


def _move(events: list[StageEvent]) -> Entry:
    phrases: list[str] = []
    for verb in dict.fromkeys(event.verb for event in events):
        members = [event for event in events if event.verb == verb]
        stages = ", ".join(dict.fromkeys(Stage(event.stage).label for event in members))
        accounts = ", ".join(dict.fromkeys(event.account.alias for event in members if event.account))
        word = _VERBS[verb][0]
        joint = " " if verb == Verb.ADVANCE else " in "
        said = word if verb == Verb.RETIRE else f"{word}{joint}{stages}"
        if verb == Verb.REJECT and len(members) > 1:
            said = f"{word} in {Stage(members[0].stage).label}"
        phrases.append(said + (f" ({accounts})" if accounts else ""))
    first, last = events[0], events[-1]
    if any(event.verb == Verb.REJECT and event.stage != event.position_stage for event in events):
        phrases.append(f"sent back to {Stage(last.position_stage).label}")
    title = ", ".join(phrase if index == 0 else phrase[:1].lower() + phrase[1:] for index, phrase in enumerate(phrases))
    _, icon, tone = _VERBS[first.verb]
    return Entry(
        at=last.at,
        title=title,
        person=first.actor,
        text=next((event.reason for event in events if event.reason), ""),
        icon=icon,
        tone=tone,
        request_id=next((event.request_id_copy for event in events if event.request_id_copy), None),
    )


_VERDICTS = {
    Verdict.APPROVE: ("approved", "circle-check", "good"),
    Verdict.REJECT: ("rejected", "circle-x", "bad"),
    Verdict.REQUEST_CHANGES: ("asked for changes", "edit", "warn"),
}
_CLOSED = {
    RequestState.WITHDRAWN: ("withdrawn", "arrow-back-up", "mute"),
    RequestState.EXPIRED: ("expired", "clock-off", "mute"),
    RequestState.OUTDATED: ("became outdated", "refresh-alert", "warn"),
}


def _asked_and_decided(subject: UseCase | ModelVersion, moves: dict[tuple[str, int | None], Entry]) -> Iterable[Entry]:
    requests = ApprovalRequest.objects.about(subject).select_related("requester").prefetch_related("decisions")
    by_request = {request_id: (key, entry) for key, entry in moves.items() for request_id in [key[1]] if request_id}
    for request in requests:
        yield Entry(
            request.created_at,
            f"Asked for approval in {Stage(request.stage).label}",
            person=request.requester.username,
            text=request.note,
            icon="send",
            tone="wait",
            request_id=request.pk,
        )
        for decision in request.decisions.all():
            words, icon, tone = _VERDICTS[Verdict(decision.verdict)]
            title = f"{request.public_id} {words}"
            moved = by_request.get(request.pk)
            # The decision that moved the subject and the move are one operation and one entry.
            if moved is not None and moved[1].person == decision.decider_name:
                title = moved[1].title
                moves.pop(moved[0], None)
            yield Entry(
                decision.decided_at,
                title,
                person=decision.decider_name,
                role=decision.role,
                text=decision.comment,
                icon=icon,
                tone=tone,
                request_id=request.pk,
            )
        if request.state in _CLOSED and request.closed_at is not None:
            words, icon, tone = _CLOSED[RequestState(request.state)]
            yield Entry(
                request.closed_at,
                f"{request.public_id} {words}",
                text=request.closing_note,
                icon=icon,
                tone=tone,
                request_id=request.pk,
            )


def _reports(version: ModelVersion) -> Iterable[Entry]:
    reports = MetricReport.objects.filter(record__version=version).select_related("record").order_by("-pk")[:_MOST]
    for report in reports:
        count = len(report.metrics)
        yield Entry(
            report.reported_at,
            f"{count} {report.kind} metric{'s' if count != 1 else ''} reported in {Stage(report.record.stage).label}",
            person=report.reported_by,
            text=report.source or report.endpoint,
            icon="chart-line",
            tone="busy",
        )


def _evidence(subject: UseCase | ModelVersion) -> Iterable[Entry]:
    rows = Evidence.objects.about(subject).select_related("author", "withdrawn_by").order_by("-pk")[:_MOST]
    for row in rows:
        edition = f", edition {row.edition}" if row.edition > 1 else ""
        title = f"Attached {row.public_id}{edition}: {EvidenceKind(row.kind).label.lower()}"
        by = actor_words(f"{'user' if row.author_id else 'system'}:{row.author_name}")
        yield Entry(row.added_at, title, person=by, text=row.title, icon="paperclip", tone="live")
        if row.withdrawn_at is not None:
            by = actor_words(f"{'user' if row.withdrawn_by_id else 'system'}:{row.withdrawn_by_name}")
            words = f"Withdrew {row.public_id}: {row.title}"
            yield Entry(row.withdrawn_at, words, person=by, text=row.withdrawal_reason, icon="circle-x", tone="warn")


def _reviews(use_case: UseCase) -> Iterable[Entry]:
    for row in use_case.reviews.select_related("reviewer").order_by("-pk")[:_MOST]:
        yield Entry(
            row.recorded_at,
            f"Reviewed on {row.reviewed_on}; the next review is due on {row.next_review_on}",
            person=row.reviewer.username,
            text=row.note,
            icon="calendar",
            tone="good",
        )


def _edits(chains: list[str], title: str) -> list[Entry]:
    events = AuditEvent.objects.filter(chain__in=chains).order_by("-sequence")[:_MOST]
    by_operation: dict[tuple[int, str | None], list[AuditEvent]] = defaultdict(list)
    for event in events:
        by_operation[event.transaction, event.actor].append(event)
    names, noted = _referred(events), attribute_changes(events)
    documents = {event.object_id for event in events if event.table == "registry_usecasedocument"}
    kinds = {str(pk): kind for pk, kind in UseCaseDocument.objects.filter(pk__in=documents).values_list("pk", "kind")}
    entries = []
    for members in by_operation.values():
        changes = [
            {
                "field": field_words(kinds.get(event.object_id, name) if name == "text" else name),
                "before": _said(names, name, pair[0]),
                "after": _said(names, name, pair[1]),
            }
            for event in reversed(members)
            for name, pair in _pairs(event)
        ]
        changes += [line for event in reversed(members) for line in noted.get(event.sequence, ())]
        wrote = [
            field_words(kinds.get(event.object_id, "document")) for event in reversed(members) if _is_new_text(event)
        ]
        if changes or wrote:
            last = members[0]
            entries.append(
                Entry(
                    last.at,
                    _edit_title(members, title),
                    person=actor_words(last.actor),
                    text=f"{', '.join(wrote)}." if wrote else _edit_reason(last.reason or ""),
                    icon="pencil",
                    tone="mute" if last.actor else "warn",
                    changes=changes,
                )
            )
    return entries


def _said(names: dict[tuple[str, Any], str], name: str, value: Any) -> str | None:
    # A JSON column's value is a list or an object: it refers to nobody, and cannot be looked up.
    referred = None if isinstance(value, dict | list) else names.get((name, value))
    return referred or value_words(_short(value))


def _edit_title(members: list[AuditEvent], title: str) -> str:
    names = {name for event in members for name, _ in _pairs(event)}
    if "risk_class" in names:
        return "Risk classified"
    if any(event.table.endswith("document") for event in members):
        return "Wrote governance documents"
    if "project_id" in names:
        return "Claimed for a project"
    if names and names <= {"hub_artifact_url", "hub_artifact_sha256"}:
        return "Artifact copied to the hub"
    return title


def _edit_reason(reason: str) -> str:
    """The services' own names for an edit say no more than its title; what a person wrote does."""
    own = (
        "edit use case", "edit model group", "plan the next review", "record a review", "register use case",
        "write governance documents", "sync", "full sync",
        "fill in attributes of a stage record",
    )  # fmt: skip
    return "" if reason in own or reason.startswith("deliver outbox message") else reason


def _pairs(event: AuditEvent) -> list[tuple[str, list[Any]]]:
    # Of a stage record the ledger tells all but the attributes people added.
    if event.action == "update" and event.table != StageRecord._meta.db_table:
        return [(name, pair) for name, pair in event.changes.items() if name not in _QUIET and isinstance(pair, list)]
    return []


def _is_new_text(event: AuditEvent) -> bool:
    return event.action == "insert" and event.table == "registry_usecasedocument"


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else None
    return f"{text[:200]}…" if text is not None and len(text) > 200 else value


def _referred(events: Iterable[AuditEvent]) -> dict[tuple[str, Any], str]:
    """Return the names behind the ids of people and projects that changed."""
    ids: dict[str, set[Any]] = defaultdict(set)
    for event in events:
        for name, pair in _pairs(event):
            if name in ("owner_id", "model_owner_id", "registered_by_id", "project_id"):
                ids["project" if name == "project_id" else "user"].update(value for value in pair if value)
    users = {user.pk: str(user) for user in User.objects.filter(pk__in=ids["user"])} if ids["user"] else {}
    projects = dict(Project.objects.filter(pk__in=ids["project"]).values_list("pk", "name")) if ids["project"] else {}
    return {
        (name, pk): text
        for names, found in ((("owner_id", "model_owner_id", "registered_by_id"), users), (("project_id",), projects))
        for name in names
        for pk, text in found.items()
    }


def _named(entries: list[Entry]) -> list[Entry]:
    """Put people's names for their user names, newest first."""
    people = {
        user.username: str(user)
        for user in User.objects.filter(username__in={entry.person for entry in entries if entry.person})
    }
    for entry in entries:
        entry.person = people.get(entry.person, entry.person)
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:_MOST]
