"""The daily digest: once a day, at an hour of each person's own, what waits for him, what is due and what happened.

A day is the person's own, by his time zone: an hour that the clocks leave out is the next one there is, and one that
they go through twice comes once, for a day has one digest.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from portal.core.vocabulary import NotificationChannel
from registry.models import User

from ..choices import FindingKind
from ..models import ApprovalRequest, Finding, Notification, NotificationDelivery, NotificationSettings
from ..selectors.told import path_of, seen
from ..selectors.told_words import day_words
from .telling import DELIVER

ACTOR = Actor.system("notifications")
MOST_LINES = 20
# Somebody whose portal slept longer gets no digest of that day any more: the next one has everything.
_LATE = timedelta(hours=12)
_FIRST, _LONGEST = timedelta(days=1), timedelta(days=7)


def send_due(*, now: datetime | None = None) -> int:
    """Write the digests of everybody whose hour has come today; returns how many. None is without words."""
    moment = now or timezone.now()
    if not settings.PORTAL_EMAIL_IS_ON:
        return 0
    written = 0
    people = User.objects.people().filter(is_active=True).exclude(email="").select_related("notification_settings")
    for person in people.order_by("pk").iterator(chunk_size=500):
        wanted = getattr(person, "notification_settings", None) or NotificationSettings(person=person)
        if wanted.is_digest_on and (day := due_day(wanted, moment)) is not None:
            written += _write(person, day, moment)
    return written


def due_day(wanted: NotificationSettings, now: datetime) -> date | None:
    """Return the person's own day whose digest is due now, None when there is none."""
    zone = zone_of(wanted.time_zone)
    today = now.astimezone(zone).date()
    if wanted.last_digest_on is not None and wanted.last_digest_on >= today:
        return None
    hour = datetime.combine(today, time(wanted.digest_hour), tzinfo=zone).astimezone(UTC)
    return today if hour <= now < hour + _LATE else None


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name; UTC for one that this machine no longer knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def content_of(person: User, *, since: datetime, now: datetime) -> dict[str, Any] | None:
    """Return what the digest of a person says, of what happened after `since`; None when there is nothing to say."""
    actor = person.actor
    requests = ApprovalRequest.objects.visible_to(actor).awaiting(actor).order_by("due_at", "pk")
    waiting = list(requests.select_related("use_case", "version__group", "requester").defer("facts"))
    soon = (now + settings.PORTAL_REMINDER).date()
    findings = list(
        Finding.objects.visible_to(actor).standing().filter(owner=person, due_on__lte=soon).order_by("due_on", "pk")
    )
    happened = Notification.objects.filter(
        person=person, in_digest=True, settled_at=None, created_at__gt=since, created_at__lte=now
    ).order_by("-happened_at", "-pk")
    sections = [
        _section("Waiting for your decision", [_waiting(request, now) for request in waiting]),
        _section("Findings of yours that are due", [_due(row) for row in findings]),
        _section("What happened", [_told(row) for row in _still_seen(actor, list(happened))]),
    ]
    sections = [section for section in sections if section["lines"]]
    if not sections:
        return None
    overdue = sum(request.due_at < now for request in waiting)
    subject = _subject(len(waiting), overdue, len(findings))
    return {"subject": subject, "sections": sections, "until": now.isoformat()}


def _write(person: User, day: date, now: datetime) -> bool:
    with operation(ACTOR, "write a daily digest"):
        NotificationSettings.objects.get_or_create(person=person)
        wanted = NotificationSettings.objects.select_for_update().get(person=person)
        if due_day(wanted, now) != day:
            return False
        last = NotificationDelivery.objects.filter(person=person).exclude(digest_on=None).order_by("-pk").first()
        since = max(datetime.fromisoformat(last.content["until"]), now - _LONGEST) if last else now - _FIRST
        content = content_of(person, since=since, now=now)
        wanted.last_digest_on = day
        wanted.save(update_fields=["last_digest_on"])
        if content is None:
            return False
        try:
            with transaction.atomic():
                NotificationDelivery.objects.create(
                    person=person, channel=NotificationChannel.EMAIL, digest_on=day, content=content
                )
        except IntegrityError:
            # Who flies west meets the same day again.
            return False
        enqueue_on_commit(DELIVER, channel=NotificationChannel.EMAIL.value)
        return True


def _subject(waiting: int, overdue: int, due: int) -> str:
    parts = []
    if waiting:
        late = f", {overdue} overdue" if overdue else ""
        parts.append(f"{waiting} {'request waits' if waiting == 1 else 'requests wait'} for you{late}")
    if due:
        parts.append(f"{due} {'finding is' if due == 1 else 'findings are'} due")
    return f"Your day: {'; '.join(parts)}" if parts else "Your day: what happened"


def _section(title: str, lines: list[dict[str, str]]) -> dict[str, Any]:
    return {"title": title, "lines": lines[:MOST_LINES], "more": max(len(lines) - MOST_LINES, 0)}


def _waiting(request: ApprovalRequest, now: datetime) -> dict[str, str]:
    late = "overdue since" if request.due_at < now else "due"
    note = f"{request.public_id}, asked by {request.requester}, {late} {day_words(request.due_at)}"
    return {"title": f"{request.subject} in {request.get_stage_display()}", "note": note, "path": path_of(request)}


def _due(finding: Finding) -> dict[str, str]:
    due = f", due {day_words(finding.due_on)}" if finding.due_on else ""
    title = f"{FindingKind(finding.kind).label}: {finding.summary}"[:300]
    return {"title": title, "note": f"{finding.public_id}{due}", "path": path_of(finding)}


def _told(row: Notification) -> dict[str, str]:
    return {"title": row.title, "note": row.text[:300], "path": row.path or reverse("governance:notification_list")}


def _still_seen(actor: Actor, rows: list[Notification]) -> list[Notification]:
    """Leave out what is about something that the person can no longer see."""
    asked: dict[str, list[int]] = {}
    for row in rows:
        if row.about and row.about_id is not None:
            asked.setdefault(row.about, []).append(row.about_id)
    visible = {about: seen(actor, about, ids) for about, ids in asked.items()}
    return [row for row in rows if row.about_id is None or row.about_id in visible[row.about]]
