"""Telling people what happened: from each occasion a notification for everybody it concerns, and what is sent out.

One occasion is told in one transaction, so a worker that is killed has told everybody or nobody of it, and the next one
does it again. The database keeps one notification per person and key.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from portal.core.vocabulary import NotificationChannel, NotificationKind, NotificationState
from registry.models import User

from ..choices import FindingKind, Severity
from ..models import ApprovalRequest, Finding, Notification, NotificationDelivery, NotificationSettings, Occasion
from ..selectors.told import seen, subject_of
from ..selectors.told_choices import Ways, ways
from ..selectors.told_words import Told, of_findings, words
from .notifications import settle, settle_all
from .recipients import People, concerned, deciders

logger = logging.getLogger(__name__)

ACTOR = Actor.system("notifications")
DELIVER = "governance.deliver_notifications"
# Who hears of it later than that reads it in the list; an old e-mail only frightens.
STALE = timedelta(days=1)
# And older than that nobody wants to hear of it at all: a history that was taken in is no news.
NO_NEWS = timedelta(days=14)
MOST_ATTEMPTS = 8
LONGEST_SECONDS = 120
WAITING = (
    NotificationKind.REQUEST_WAITS,
    NotificationKind.REQUEST_DUE_SOON,
    NotificationKind.REQUEST_OVERDUE,
    NotificationKind.REQUEST_ESCALATED,
)
# After these nobody waits for a decision any more.
CLOSING = (
    NotificationKind.REQUEST_APPROVED,
    NotificationKind.REQUEST_SENT_BACK,
    NotificationKind.REQUEST_LAPSED,
)
# After these it is for somebody to rework it and ask again.
REWORK = (NotificationKind.REQUEST_SENT_BACK, NotificationKind.REQUEST_LAPSED)
# Those concern whoever owns what a finding is about; the others everybody with a role on its project alike.
_BY_OWNER = (NotificationKind.REVIEW_DUE, NotificationKind.BREAK_GLASS)
_MINOR = (Severity.INFO, Severity.WARNING)


@dataclass(frozen=True)
class Message:
    """What one person is told: under which key, in which words, about which row; `count` things at once."""

    person: User
    key: str
    told: Told
    about: str
    about_id: int | None
    count: int = 1
    is_minor: bool = False


def tell_due(*, now: datetime | None = None, limit: int = 500) -> int:
    """Tell people of what they have not been told of yet, the oldest first; returns how many occasions were told.

    An occasion that cannot be told is tried again with growing waits and holds up no other.
    """
    moment = now or timezone.now()
    deadline = monotonic() + LONGEST_SECONDS
    told = 0
    for pk in list(Occasion.objects.untold(moment).values_list("pk", flat=True)[:limit]):
        if monotonic() > deadline:
            break
        try:
            told += _tell(pk, moment)
        except Exception as error:
            # Whatever it was, the others are told, and this one is tried again.
            logger.exception("Nobody was told of occasion %s", pk)
            _put_off(pk, moment, error)
    return told


def _tell(pk: int, now: datetime) -> bool:
    with operation(ACTOR, "tell people"):
        # Another worker that tells of it already is left to it.
        occasion = Occasion.objects.select_for_update(skip_locked=True).filter(pk=pk, told_at=None).first()
        if occasion is None:
            return False
        if now - occasion.happened_at <= NO_NEWS:
            _write(occasion, _messages(occasion), now)
        occasion.told_at = now
        occasion.save(update_fields=["told_at"])
        return True


def _put_off(pk: int, now: datetime, error: Exception) -> None:
    with operation(ACTOR, "tell people later"):
        occasion = Occasion.objects.select_for_update().get(pk=pk)
        occasion.attempts += 1
        occasion.problem = f"{type(error).__name__}: {error}"[:2000].replace("\0", "")
        occasion.next_attempt_at = now + timedelta(seconds=min(30 * 2**occasion.attempts, 3600))
        if occasion.attempts >= MOST_ATTEMPTS:
            occasion.told_at = now
        occasion.save(update_fields=["attempts", "problem", "next_attempt_at", "told_at"])


def _messages(occasion: Occasion) -> list[Message]:
    if "findings" in occasion.details:
        return _of_findings(occasion)
    row = subject_of(occasion.about, occasion.about_id)
    if occasion.about and row is None:
        return []
    _settle(occasion, row)
    found = []
    for person in _may_see(occasion, concerned(occasion, row), occasion.about, [occasion.about_id or 0]):
        told = words(occasion, row, person.pk)
        found.append(Message(person, occasion.key, told, occasion.about, occasion.about_id))
    return found


def _may_see(occasion: Occasion, people: People, about: str, ids: Iterable[int]) -> Iterable[User]:
    """Yield those of the people who did not do it themselves and may see one of the rows."""
    for pk, person in people.items():
        if pk != occasion.actor_id_copy and (not about or seen(person.actor, about, list(ids))):
            yield person


def _settle(occasion: Occasion, row: Any) -> None:
    kind = NotificationKind(occasion.kind)
    if kind in CLOSING:
        settle(row, WAITING)
    elif kind is NotificationKind.REQUEST_WAITS and row is not None:
        # Asked anew: what came of the requests before it calls for nothing any more.
        earlier = ApprovalRequest.objects.about(row.subject).filter(pk__lt=row.pk).values_list("pk", flat=True)
        settle_all(ApprovalRequest, list(earlier), REWORK)
    elif kind is NotificationKind.REQUEST_PROGRESS:
        # Those who may still decide are still waited for; the one who has spoken is not.
        waited_for = deciders(row)
        settle(row, WAITING, except_for=list(waited_for))


def _of_findings(occasion: Occasion) -> list[Message]:
    """Tell everybody of those among the findings that are his to act on and that he may see, all at once."""
    rows = Finding.objects.filter(pk__in=occasion.details["findings"]).select_related(
        "use_case", "version__group", "group", "account"
    )
    findings = {row.pk: row for row in rows.order_by("pk") if row.is_standing}
    theirs: dict[int, set[int]] = {}
    people: People = {}
    asked: dict[tuple[int | None, ...], People] = {}
    for pk, finding in findings.items():
        place: tuple[int | None, ...] = (finding.scope_project_id,)
        if occasion.kind in _BY_OWNER:
            place += (finding.use_case_id, finding.version_id)
        if place not in asked:
            asked[place] = concerned(occasion, finding)
        for person_id, person in asked[place].items():
            people[person_id] = person
            theirs.setdefault(person_id, set()).add(pk)
    kind = FindingKind(occasion.details["finding_kind"])
    found = []
    for person in people.values():
        if person.pk == occasion.actor_id_copy:
            continue
        his = sorted(seen(person.actor, "finding", theirs[person.pk]))
        if his:
            found.append(_batch(occasion, person, kind, [findings[pk] for pk in his]))
    return found


def _batch(occasion: Occasion, person: User, kind: FindingKind, his: list[Finding]) -> Message:
    is_minor = occasion.kind == NotificationKind.FINDING_OPENED and all(row.severity in _MINOR for row in his)
    only = his[0].pk if len(his) == 1 else None
    # A sync that finds a thousand of a kind in an hour rings once.
    key = f"findings:{kind.value}:{occasion.happened_at:%Y-%m-%dT%H}{':minor' if is_minor else ''}"
    about = "finding" if only else ""
    return Message(person, key, of_findings(kind, his, len(his)), about, only, len(his), is_minor)


def _write(occasion: Occasion, messages: list[Message], now: datetime) -> None:
    if not messages:
        return
    wanted = NotificationSettings.objects.in_bulk([one.person.pk for one in messages], field_name="person_id")
    keys = {one.key for one in messages}
    known = {
        (row.person_id, row.key): row
        for row in Notification.objects.select_for_update().filter(
            key__in=keys, person__in=[one.person for one in messages]
        )
    }
    kind = NotificationKind(occasion.kind)
    fresh: list[Notification] = []
    out: list[NotificationDelivery] = []
    for one in messages:
        if (one.person.pk, one.key) in known:
            _add(known[one.person.pk, one.key], one, occasion)
            continue
        chosen = wanted.get(one.person.pk)
        way = ways(chosen, kind)
        row = _row(occasion, one, way)
        fresh.append(row)
        if now - occasion.happened_at <= STALE and not one.is_minor:
            out += _deliveries(row, way, one.person, chosen)
    Notification.objects.bulk_create(fresh)
    NotificationDelivery.objects.bulk_create(out)
    for channel in {delivery.channel for delivery in out}:
        enqueue_on_commit(DELIVER, channel=str(channel))


def _row(occasion: Occasion, one: Message, way: Ways) -> Notification:
    return Notification(
        person=one.person,
        occasion=occasion,
        kind=occasion.kind,
        key=one.key,
        title=one.told.title,
        text=one.told.text,
        path=one.told.path,
        about=one.about,
        about_id=one.about_id,
        count=one.count,
        is_quiet=one.is_minor or not way.bell,
        in_digest=one.is_minor or way.digest,
        happened_at=occasion.happened_at,
    )


def _deliveries(
    row: Notification, way: Ways, person: User, chosen: NotificationSettings | None
) -> list[NotificationDelivery]:
    if way.digest:
        return []
    channels = []
    if way.email and person.email and settings.PORTAL_EMAIL_IS_ON:
        channels.append(NotificationChannel.EMAIL)
    if way.chat and chosen is not None and chosen.chat_kind:
        channels.append(NotificationChannel.CHAT)
    return [
        NotificationDelivery(person=person, notification=row, channel=channel, state=NotificationState.PENDING)
        for channel in channels
    ]


def _add(row: Notification, one: Message, occasion: Occasion) -> None:
    """Add findings to what a person was told within the same hour already: it rings again, and is not sent again."""
    if row.occasion_id == occasion.pk or not one.key.startswith("findings:"):
        return
    row.count += one.count
    told = of_findings(FindingKind(occasion.details["finding_kind"]), [], row.count)
    row.title, row.text, row.path = told.title, told.text, told.path
    row.about, row.about_id, row.read_at, row.occasion = "", None, None, occasion
    row.save(update_fields=["count", "title", "text", "path", "about", "about_id", "read_at", "occasion"])
