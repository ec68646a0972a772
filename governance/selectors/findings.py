"""Findings as pages and API show them: the list, one of them with what happened to it, and who may own it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.vocabulary import Stage
from registry.models import Project, User
from registry.selectors.catalogue import HEAVY
from registry.selectors.scope import people_of

from ..choices import FindingState
from ..models import AuditEvent, Finding
from ..models.finding import GRAVITY, PLACE
from .timeline import Entry
from .words import actor_words, value_words

_MOST = 150
# What the services call their own doing says no more than the entry's title does.
_OWN_WORDS = {"take finding on", "assign finding", "change due date"}


def findings(actor: Actor) -> QuerySet[Any]:
    """Return the findings an actor may see: standing ones first, then accepted ones, the gravest of them first."""
    return (
        Finding.objects.visible_to(actor)
        .select_related("use_case", "group", "version__group", "account", "owner", "accepted_by")
        .defer(*(f"version__{name}" for name in HEAVY))
        .annotate(gravity=GRAVITY, closed=PLACE)
        .order_by("closed", "gravity", "-last_seen_at", "-pk")
    )


def finding(actor: Actor, pk: int) -> Finding:
    """Return one finding with its subjects. Raises NotFound."""
    access.get(Finding, actor, pk=pk)
    return findings(actor).get(pk=pk)


def overdue(rows: Any) -> Any:
    """Return those of the rows that stand past their due date."""
    return rows.overdue()


def owners(actor: Actor) -> QuerySet[User]:
    """Return the people who own a finding the actor may see, by name."""
    owning = Finding.objects.visible_to(actor).exclude(owner=None).values("owner")
    return User.objects.filter(pk__in=owning).order_by("display_name", "username")


def possible_owners(found: Finding) -> QuerySet[User]:
    """Return the active people who hold a role where a finding lies, by name: those it can be given to."""
    project = found.scope_project_id
    return people_of(Project.objects.none() if project is None else Project.objects.filter(pk=project))


def possible_owners_anywhere(actor: Actor) -> QuerySet[User]:
    """Return the active people who hold a role on a project the actor sees, by name: for findings of several."""
    return people_of(Project.objects.visible_to(actor))


def as_row(found: Finding) -> dict[str, Any]:
    """Return a finding as a row of the export, with what it is about by name; absent is None."""
    kind, name = about(found)
    return {
        "id": found.public_id,
        "kind": found.kind,
        "severity": found.severity,
        "state": found.state,
        "subject_kind": kind,
        "subject": name,
        "model_package_arn": found.version.arn if found.version else None,
        "stage": found.stage or None,
        "account": found.account.account_id if found.account else None,
        "summary": found.summary,
        "owner": found.owner.username if found.owner else None,
        "due_on": found.due_on,
        "overdue": found.is_overdue,
        "first_seen_at": found.first_seen_at.isoformat(),
        "last_seen_at": found.last_seen_at.isoformat(),
        "accepted_until": found.accepted_until,
        "accepted_by": found.accepted_by.username if found.accepted_by else None,
        "acceptance_reason": found.acceptance_reason or None,
        "closed_at": found.closed_at.isoformat() if found.closed_at else None,
        "closing_note": found.closing_note or None,
        "evidence": found.evidence,
    }


COLUMNS = (
    "id", "kind", "severity", "state", "subject_kind", "subject", "model_package_arn", "stage", "account", "summary",
    "owner", "due_on", "overdue", "first_seen_at", "last_seen_at", "accepted_until", "accepted_by",
    "acceptance_reason", "closed_at", "closing_note", "evidence",
)  # fmt: skip


def about(found: Finding) -> tuple[str | None, str | None]:
    """Return what kind of thing a finding is about, and its name; (None, None) for the portal itself."""
    if found.use_case is not None:
        return "use_case", found.use_case.public_id
    if found.version is not None:
        return "model_version", found.version.name
    if found.group is not None:
        return "model_group", found.group.name
    return ("account", found.account.account_id) if found.account is not None else (None, None)


def history(found: Finding) -> list[Entry]:
    """Return what happened to a finding the caller has seen, newest first, as its audit trail has it."""
    events = list(AuditEvent.objects.of_object(Finding._meta.db_table, found.pk)[:_MOST])
    ids = {pk for event in events if event.action == "update" for pk in event.changes.get("owner_id", ()) if pk}
    usernames = {event.actor.partition(":")[2] for event in events if event.actor}
    people = list(User.objects.filter(Q(pk__in=ids) | Q(username__in=usernames)))
    by_id = {person.pk: str(person) for person in people}
    by_name = {person.username: str(person) for person in people}
    entries = [_entry(event, by_id) for event in events]
    for entry in entries:
        entry.person = by_name.get(entry.person, entry.person)
    return entries


def _entry(event: AuditEvent, people: dict[int, str]) -> Entry:
    changes: dict[str, Any] = event.changes
    by_person = (event.actor or "").startswith("user:")
    reason = event.reason or ""
    entry = Entry(
        event.at,
        "Changed",
        person=actor_words(event.actor),
        text="" if reason in _OWN_WORDS or not by_person else reason,
        icon="pencil",
        tone="mute" if event.actor else "warn",
    )
    if event.action == "insert":
        entry.title, entry.icon, entry.tone, entry.text = "Opened", "flag", "bad", str(changes.get("summary", ""))
        if changes.get("stage"):
            entry.title = f"Opened for {Stage(changes['stage']).label}"
        return entry
    if "state" in changes:
        return _moved(entry, changes, by_person)
    if "owner_id" in changes:
        after = changes["owner_id"][1]
        entry.title = f"Assigned to {people.get(after, 'somebody')}" if after else "Assigned to nobody"
        entry.icon, entry.tone = "user", "busy"
    elif "due_on" in changes:
        entry.title, entry.icon = "Due date changed", "calendar-due"
        entry.changes = [_change("due", changes["due_on"])]
    elif "summary" in changes or "evidence" in changes:
        entry.title, entry.icon = "Seen again, not as before", "eye"
        entry.text = changes["summary"][1] if "summary" in changes else ""
    return entry


def _moved(entry: Entry, changes: dict[str, Any], by_person: bool) -> Entry:
    before, after = changes["state"]
    if after == FindingState.ACKNOWLEDGED:
        entry.title, entry.icon, entry.tone = "Taken on", "eye", "busy"
    elif after == FindingState.ACCEPTED:
        until = changes.get("accepted_until", [None, None])[1]
        entry.title, entry.icon, entry.tone = f"Accepted until {until}", "hand-stop", "wait"
        entry.text = changes.get("acceptance_reason", ["", ""])[1]
    elif after == FindingState.RESOLVED:
        entry.title = "Resolved" if by_person else "Resolved itself"
        entry.icon, entry.tone = "circle-check", "good"
        entry.text = changes.get("closing_note", ["", ""])[1]
    elif before == FindingState.ACCEPTED:
        entry.title = "Acceptance taken back" if by_person else "The acceptance ended, opened again"
        entry.icon, entry.tone = "refresh-alert", "warn"
    else:
        entry.title, entry.icon, entry.tone = "Opened again", "refresh-alert", "warn"
    return entry


def _change(name: str, pair: list[Any]) -> dict[str, Any]:
    return {"field": name.capitalize(), "before": value_words(pair[0]), "after": value_words(pair[1])}
