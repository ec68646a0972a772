"""Notifications as their pages show them: one's own list, how many ring, what each wants, and what did not arrive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.core.access import visible
from portal.core.actors import Actor
from portal.core.vocabulary import NotificationState
from registry.models import AwsIdentity, User

from ..models import Delegation, Notification, NotificationDelivery, NotificationSettings
from .told import ABOUT, seen
from .told_choices import GROUPS, Kind, Ways, ways

# A bell that says more says no more.
MOST_COUNTED = 100
# What stands in place of the words about something one may no longer see.
CONCEALED = "You may no longer see what this was about."
_LATEST = 8
_FAILURES = timedelta(days=7)


def notifications(actor: Actor) -> QuerySet[Any]:
    """Return what the actor was told, newest first."""
    return Notification.objects.visible_to(actor).order_by("-happened_at", "-pk")


def unread_count(actor: Actor) -> int:
    """Return how many ring the actor's bell, MOST_COUNTED for that many or more: one query on an index of just them."""
    return Notification.objects.visible_to(actor).unread().order_by()[:MOST_COUNTED].count()


def latest(actor: Actor) -> list[Notification]:
    """Return what the bell shows when it is opened: the newest, those that ring first."""
    rows = notifications(actor).filter(is_quiet=False)
    ringing = list(rows.filter(read_at=None)[:_LATEST])
    read = list(rows.exclude(read_at=None)[: _LATEST - len(ringing)]) if len(ringing) < _LATEST else []
    return ringing + read


def concealed(actor: Actor, rows: Iterable[Notification]) -> set[int]:
    """Return the keys of those rows that are about something the actor may no longer see; a query per kind of thing."""
    asked: dict[str, dict[int, list[int]]] = {}
    for row in rows:
        if row.about and row.about_id is not None:
            asked.setdefault(row.about, {}).setdefault(row.about_id, []).append(row.pk)
    gone: set[int] = set()
    for about, ids in asked.items():
        for pk in ids.keys() - seen(actor, about, list(ids)):
            gone.update(ids[pk])
    return gone


def still_seen(actor: Actor, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the rows that are about nothing, or about something the actor may still see."""
    known = Q(about="") | Q(about_id=None)
    for about, model in ABOUT.items():
        # Without the joins and orders of a list: only the keys are asked for.
        known |= Q(about=about, about_id__in=visible(model, actor).order_by().values("pk"))
    return rows.filter(known)


def settings_of(actor: Actor) -> NotificationSettings:
    """Return what the actor wants, as it is for everybody where he has not said."""
    assert actor.user_id is not None
    found = NotificationSettings.objects.filter(person_id=actor.user_id).first()
    return found or NotificationSettings(person_id=actor.user_id)


@dataclass(frozen=True)
class Choice:
    """One row of what people choose: the kind, and how the person is told of it now."""

    kind: Kind
    ways: Ways


def choices_of(settings: NotificationSettings) -> list[tuple[str, list[Choice]]]:
    """Return every kind of notification with how a person is told of it, in groups with a name."""
    return [(name, [Choice(kind, ways(settings, kind.kind)) for kind in kinds]) for name, kinds in GROUPS]


def failures(actor: Actor) -> list[NotificationDelivery]:
    """Return what could not be sent to the actor in the last week, newest first."""
    rows = NotificationDelivery.objects.visible_to(actor).filter(
        state=NotificationState.FAILED, ended_at__gte=timezone.now() - _FAILURES
    )
    return list(rows.select_related("notification").order_by("-pk")[:_LATEST])


@cache
def zones() -> tuple[str, ...]:
    """Return the time zones a person can choose, UTC first, by their names."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


def person(actor: Actor) -> User:
    """Return the person an actor is."""
    return User.objects.get(pk=actor.user_id)


def identities(actor: Actor) -> list[AwsIdentity]:
    """Return the AWS principals that are the same person."""
    assert actor.user_id is not None
    return list(AwsIdentity.objects.filter(user_id=actor.user_id).order_by("arn"))


def delegations(actor: Actor) -> list[Delegation]:
    """Return the delegations to and from the actor that are in force or to come, the next to end first."""
    rows = Delegation.objects.visible_to(actor).filter(revoked_at=None, ends_on__gte=timezone.now().date())
    own = rows.filter(delegator_id=actor.user_id) | rows.filter(delegate_id=actor.user_id)
    return list(own.select_related("delegator", "delegate", "project").order_by("ends_on", "pk"))
