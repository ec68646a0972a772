"""Telling people: written down where something happens, in its transaction; a worker finds out whom it concerns.

`tell` is for what concerns those with a part in it or a role there (`services.recipients` says who), `notify` for what
concerns one person whom the caller names. Both write one row and nothing else, so a decision costs no more because many
may read of it (ADR 0015).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import uuid4

from django.db.models import Model
from django.db.models.functions import Coalesce
from django.utils import timezone

from portal.core import access, kept
from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import NotificationKind

from ..choices import FindingKind
from ..models import Notification, Occasion
from ..models.notification import LONGEST_KEY
from ..selectors.told import NAMES

LONGEST_TITLE = 300


def tell(kind: NotificationKind, *, key: str, about: Model, actor: Actor | None = None, **details: Any) -> None:
    """Write down that something happened which people are to be told of. Runs in the caller's operation.

    `key` says what happened to what, such as `request:12:expired`: the same key is told once, ever. Nobody is told who
    may not see `about`, and never the actor himself. `details` are JSON.
    """
    _write(kind, key, actor, NAMES[type(about)], about.pk, details)


_OF_FINDINGS = {
    FindingKind.REVIEW_OVERDUE: NotificationKind.REVIEW_DUE,
    FindingKind.BREAK_GLASS_USED: NotificationKind.BREAK_GLASS,
    FindingKind.WRITE_BACK_FAILED: NotificationKind.WRITE_BACK_GIVEN_UP,
    FindingKind.SHARE_DRIFT: NotificationKind.SHARE_DRIFT,
    FindingKind.SHARE_TO_UNKNOWN_ACCOUNT: NotificationKind.SHARE_DRIFT,
    FindingKind.SHARE_EXTERNAL_PRINCIPAL: NotificationKind.SHARE_DRIFT,
    FindingKind.APPROVE_PATH_OUTSIDE_HUB: NotificationKind.SHARE_DRIFT,
    FindingKind.INVITATION_EXPIRED: NotificationKind.SHARE_DRIFT,
}


def tell_of_findings(kind: FindingKind, ids: Collection[int]) -> None:
    """Write down that findings of one kind were opened, however many, in one row. Runs in the caller's operation."""
    if ids:
        news = _OF_FINDINGS.get(kind, NotificationKind.FINDING_OPENED)
        details = {"findings": sorted(ids), "finding_kind": kind.value}
        _write(news, f"findings:{uuid4().hex}", None, "finding", None, details)


def notify(
    *,
    kind: NotificationKind,
    person_ids: Collection[int],
    key: str,
    title: str,
    path: str,
    text: str = "",
    about: Model | None = None,
) -> None:
    """Tell these people something in the caller's own words. Runs in the caller's operation, or one of its own.

    `path` is the page to open, beginning with a slash; `key` says what happened, such as `pack:7:ready`, and the same
    key is told once. With `about`, a use case or version or whatever else is told of, only those who may see it are
    told. What each person wants of the kind is respected.
    """
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("A notification leads to a page of the portal.")
    with operation(Actor.system("notifications"), "tell people"):
        details = {"to": sorted(set(person_ids)), "title": title[:LONGEST_TITLE], "text": text, "path": path}
        _write(kind, key, None, NAMES[type(about)] if about else "", about.pk if about else None, details)


def mark_read(*, actor: Actor, notification_id: int) -> Notification:
    """Say that one has read a notification. Raises NotFound for one that is not one's own; twice changes nothing."""
    found = access.get(Notification, actor, pk=notification_id)
    if found.read_at is None:
        with operation(actor, "read a notification"):
            found.read_at = timezone.now()
            Notification.objects.filter(pk=found.pk, read_at=None).update(read_at=found.read_at)
    return found


def mark_unread(*, actor: Actor, notification_id: int) -> Notification:
    """Put a notification back among those that are unread. Raises NotFound for one that is not one's own."""
    found = access.get(Notification, actor, pk=notification_id)
    with operation(actor, "keep a notification as new"):
        found.read_at, found.is_quiet = None, False
        found.save(update_fields=["read_at", "is_quiet"])
    return found


def mark_all_read(*, actor: Actor, up_to: int | None = None) -> int:
    """Say that one has read everything, or everything up to one that was shown; returns how many that were.

    `up_to` is the newest number on the page, so that what came since is not taken for read.
    """
    with operation(actor, "read all notifications"):
        rows = Notification.objects.visible_to(actor).filter(read_at=None)
        if up_to is not None:
            rows = rows.filter(pk__lte=up_to)
        return rows.update(read_at=timezone.now())


def settle(about: Model, kinds: Collection[NotificationKind], *, except_for: Collection[int] = ()) -> int:
    """Take from the bells what has lost its meaning: what it asked for was done, or is over; returns how many.

    It stays listed. `except_for` are people for whom it still means something. Runs in the caller's operation.
    """
    return settle_all(type(about), [about.pk], kinds, except_for=except_for)


def settle_all(
    of: type[Model], keys: Collection[int], kinds: Collection[NotificationKind], *, except_for: Collection[int] = ()
) -> int:
    """Do what `settle` does, about several rows of one kind."""
    rows = Notification.objects.filter(
        about=NAMES[of], about_id__in=list(keys), kind__in=list(kinds), settled_at=None
    ).exclude(person__in=list(except_for))
    return rows.update(settled_at=(now := timezone.now()), read_at=Coalesce("read_at", now))


def _write(
    kind: NotificationKind, key: str, actor: Actor | None, about: str, about_id: int | None, details: dict[str, Any]
) -> None:
    if not 0 < len(key) <= LONGEST_KEY:
        raise ValueError(f"A notification's key has 1 to {LONGEST_KEY} characters.")
    row = Occasion(
        kind=kind,
        key=key,
        about=about,
        about_id=about_id,
        actor_id_copy=actor.user_id if actor else None,
        actor_name=actor.name if actor else "",
        details=details,
    )
    # One statement, and one that finds its key there already writes nothing.
    kept.insert(row, ignore_conflicts=True)
