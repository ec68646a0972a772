"""The daily digest: once a day of each person's own, whatever the clocks do, and never with nothing in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from governance.choices import FindingKind
from governance.models import Finding, Notification, NotificationDelivery, NotificationSettings
from governance.services import daily_digest, findings, notification_delivery, notification_settings, telling
from governance.services.notifications import notify
from portal.core.errors import Forbidden, InvalidInput, StaleEdit
from portal.core.operations import operation
from portal.core.vocabulary import NotificationChannel, NotificationKind
from registry.models import User
from registry.services import people as people_services
from tests.factories.people import SYSTEM

from .conftest import Place

# Zone, hour, and pairs of a UTC moment with the day whose digest is due then (None: not now).
CLOCKS: list[tuple[str, int, list[tuple[str, str | None]]]] = [
    ("UTC", 8, [("2026-11-21T07:59", None), ("2026-11-21T08:00", "2026-11-21"), ("2026-11-21T20:00", None)]),
    # The day begins earlier in Tokyo and later in Los Angeles.
    ("Asia/Tokyo", 8, [("2026-11-20T22:59", None), ("2026-11-20T23:00", "2026-11-21")]),
    ("America/Los_Angeles", 8, [("2026-11-21T15:59", None), ("2026-11-21T16:00", "2026-11-21")]),
    ("Pacific/Kiritimati", 0, [("2026-11-20T10:00", "2026-11-21")]),
    ("Asia/Kathmandu", 8, [("2026-11-21T02:14", None), ("2026-11-21T02:15", "2026-11-21")]),
    # 2 o'clock does not exist on 29 March 2026 in Berlin: it is the moment at which it is 3.
    ("Europe/Berlin", 2, [("2026-03-29T00:59", None), ("2026-03-29T01:00", "2026-03-29")]),
    # 2 o'clock comes twice on 25 October: the first one counts.
    ("Europe/Berlin", 2, [("2026-10-24T23:59", None), ("2026-10-25T00:00", "2026-10-25")]),
    # The same hour is another one in UTC in summer.
    ("Europe/Berlin", 8, [("2026-07-01T05:59", None), ("2026-07-01T06:00", "2026-07-01")]),
    # Late in the evening the day ends before the hour is half a day old.
    ("UTC", 23, [("2026-11-21T22:59", None), ("2026-11-21T23:59", "2026-11-21"), ("2026-11-22T00:01", None)]),
    ("Nowhere/Gone", 8, [("2026-11-21T08:00", "2026-11-21")]),
]


@pytest.mark.parametrize(("zone", "hour", "moments"), CLOCKS, ids=lambda value: str(value)[:30])
def test_the_hour_is_the_persons_own(zone: str, hour: int, moments: list[tuple[str, str | None]]) -> None:
    wanted = NotificationSettings(time_zone=zone, digest_hour=hour)
    for at, day in moments:
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        assert daily_digest.due_day(wanted, moment) == (date.fromisoformat(day) if day else None), at


def test_an_hour_that_comes_twice_has_one_digest() -> None:
    wanted = NotificationSettings(time_zone="Europe/Berlin", digest_hour=2, last_digest_on=date(2026, 10, 25))
    for minutes in range(0, 180, 15):
        assert daily_digest.due_day(wanted, datetime(2026, 10, 25, 0, minutes % 60, tzinfo=UTC)) is None


def morning(days: int = 1) -> datetime:
    return (timezone.now() + timedelta(days=days)).replace(hour=8, minute=5, second=0, microsecond=0)


def only(person: User) -> None:
    User.objects.exclude(pk=person.pk).update(email="")


@pytest.mark.django_db
def test_it_says_what_waits_what_is_due_and_what_happened(place: Place, settings: Any) -> None:
    settings.PORTAL_PUBLIC_URL = "https://portal.example.org"
    people, request = place.people, place.submit()
    only(people.owner)
    with operation(SYSTEM):
        found = findings.observe(FindingKind.RUNNING_REJECTED, place.version, "It runs.")
        Finding.objects.filter(pk=found.pk).update(owner=people.owner)
        # The owner is told of it as of anybody's; only what he keeps for the digest is in it.
        notify(kind=NotificationKind.FINDING_DUE, person_ids=[people.owner.pk], key="k", title="Due", path="/x/")
    telling.tell_due()
    now = max(morning(), request.due_at.replace(hour=8, minute=5) + timedelta(days=7))
    NotificationSettings.objects.update_or_create(person=people.owner)
    Notification.objects.update(created_at=now - timedelta(hours=1))
    NotificationDelivery.objects.all().delete()
    assert daily_digest.send_due(now=now) == 1
    assert daily_digest.send_due(now=now + timedelta(minutes=5)) == 0
    notification_delivery.deliver_due(channel=NotificationChannel.EMAIL)
    (sent,) = mail.outbox
    assert sent.subject == "Your day: 1 request waits for you, 1 overdue; 1 finding is due"
    for words in (
        "WAITING FOR YOUR DECISION",
        request.public_id,
        f"https://portal.example.org/approvals/{request.public_id}/",
        "FINDINGS OF YOURS THAT ARE DUE",
        found.public_id,
        "WHAT HAPPENED",
        "https://portal.example.org/x/",
    ):
        assert words in sent.body, words
    assert daily_digest.send_due(now=now + timedelta(days=1)) == 1
    tomorrow = NotificationDelivery.objects.order_by("-pk")[0].content
    assert [section["title"] for section in tomorrow["sections"]] == [
        "Waiting for your decision",
        "Findings of yours that are due",
    ], "what happened is told once"


@pytest.mark.django_db
def test_an_empty_one_is_not_sent_and_who_wants_none_gets_none(place: Place) -> None:
    only(place.people.owner)
    assert daily_digest.send_due(now=morning()) == 0
    assert NotificationSettings.objects.get(person=place.people.owner).last_digest_on == morning().date()
    place.submit()
    assert daily_digest.send_due(now=morning()) == 0, "that day's digest would have been empty"
    actor = place.people.owner.actor
    notification_settings.save(actor=actor, revision=1, choices={}, is_digest_on=False, digest_hour=8, time_zone="UTC")
    assert daily_digest.send_due(now=morning(2)) == 0
    notification_settings.save(actor=actor, revision=2, choices={}, is_digest_on=True, digest_hour=8, time_zone="UTC")
    assert daily_digest.send_due(now=morning(2)) == 1


@pytest.mark.django_db
def test_what_one_may_no_longer_see_is_in_no_digest(place: Place) -> None:
    owner = place.people.owner
    only(owner)
    notify(
        kind=NotificationKind.FINDING_DUE,
        person_ids=[owner.pk],
        key="secret",
        title="A secret",
        path="/x/",
        about=place.version,
    )
    telling.tell_due()
    assert Notification.objects.get(key="secret").in_digest
    for role in owner.actor.roles_on(place.project.pk):
        people_services.revoke(actor=SYSTEM, role=role, to=owner, project=place.project)
    assert daily_digest.content_of(User.objects.get(pk=owner.pk), since=morning(-2), now=morning()) is None


@pytest.mark.django_db
def test_choices_change_the_ways_and_keep_only_what_differs(place: Place) -> None:
    owner = place.people.owner
    waits = NotificationKind.REQUEST_WAITS.value
    usual = {"bell": True, "email": True, "chat": True, "digest": False}
    chosen = {waits: {**usual, "digest": True}, "pack_ready": usual}
    row = notification_settings.save(
        actor=owner.actor, revision=1, choices=chosen, is_digest_on=True, digest_hour=9, time_zone="Europe/Berlin"
    )
    assert row.choices == {waits: {**usual, "digest": True}}
    place.submit()
    telling.tell_due()
    told = Notification.objects.get(person=owner)
    assert (told.in_digest, told.is_quiet) == (True, False)
    assert not NotificationDelivery.objects.exists()
    silent = {waits: {"bell": False, "email": False, "chat": False, "digest": False}}
    row = notification_settings.save(
        actor=owner.actor, revision=2, choices=silent, is_digest_on=True, digest_hour=9, time_zone="UTC"
    )
    notify(kind=NotificationKind.REQUEST_WAITS, person_ids=[owner.pk], key="again", title="Again", path="/")
    telling.tell_due()
    assert Notification.objects.get(key="again").is_quiet
    assert not NotificationDelivery.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"digest_hour": 24}, "digest_hour"),
        ({"digest_hour": -1}, "digest_hour"),
        ({"choices": {"nonsense": {"bell": True}}}, "choices"),
    ],
)
def test_nonsense_is_refused_by_name_and_saves_nothing(place: Place, changes: dict[str, Any], field: str) -> None:
    sound = {"revision": 1, "choices": {}, "is_digest_on": True, "digest_hour": 8, "time_zone": "UTC"}
    with pytest.raises(InvalidInput) as refused:
        notification_settings.save(actor=place.people.owner.actor, **{**sound, **changes})
    assert set(refused.value.errors) == {field}
    assert not NotificationSettings.objects.exists()
    with pytest.raises(StaleEdit):
        notification_settings.save(actor=place.people.owner.actor, **{**sound, "revision": 7})
    with pytest.raises(Forbidden):
        notification_settings.save(actor=SYSTEM, **sound)
