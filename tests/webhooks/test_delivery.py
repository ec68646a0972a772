"""Delivery to a real receiver that fails, stays silent, asks for patience, is gone, and comes back."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.models import Notification, Webhook, WebhookAttempt, WebhookDelivery
from governance.services import telling, webhook_delivery, webhook_spread, webhooks
from governance.services.webhook_standing import PATIENCE, Patience
from portal.core.errors import WrongState
from portal.core.webhooks import Limits
from tests.factories import use_case
from tests.receiver import Receiver, listening

from .conftest import IMPATIENT, ONCE, QUICK, Place, is_signed, names, send, send_all, send_once, states, told

pytestmark = pytest.mark.django_db


def test_what_is_taken_is_signed_by_the_written_rule_and_sent_once(place: Place, receiver: Receiver) -> None:
    made = place.webhook(receiver.url)
    place.withdraw(place.submit())
    assert send() == 2
    assert names(receiver) == ["approval.requested", "approval.withdrawn"]
    assert all(is_signed(taken, made.secret) for taken in receiver.taken)
    assert len({taken.headers["webhook-id"] for taken in receiver.taken}) == 2
    assert receiver.taken[0].headers["content-type"] == "application/json"
    assert states(made.webhook) == ["delivered", "delivered"]
    assert send() == 0
    assert len(receiver.taken) == 2
    attempt = WebhookAttempt.objects.first()
    assert attempt is not None
    assert (attempt.http_status, attempt.error, attempt.number) == (200, "", 1)
    assert attempt.ended_at is not None
    assert attempt.duration_ms is not None


def test_a_later_event_waits_for_the_earlier_one_of_its_subject_and_for_no_other(
    place: Place, receiver: Receiver
) -> None:
    made = place.webhook(receiver.url)
    place.withdraw(place.submit())
    receiver.answer(500, b"out of luck")
    receiver.answer(500, b"again")
    assert send_once() == 0
    assert names(receiver) == ["approval.requested"], "what comes behind it waits"
    assert send_once() == 0
    other = use_case(place.people, place.project)
    WebhookDelivery.objects.update(next_attempt_at=timezone.now())
    send_all()
    came = [(told(taken)["type"], told(taken)["data"]["subject"]["id"]) for taken in receiver.taken]
    assert came.count(("approval.requested", place.version.pk)) == 3
    assert [name for name, subject in came if subject == place.version.pk][-2:] == [
        "approval.requested",
        "approval.withdrawn",
    ]
    assert [name for name, subject in came if subject == other.public_id] == [
        "use_case.registered",
        "use_case.risk_changed",
    ]
    requested = [taken for taken in receiver.taken if told(taken)["type"] == "approval.requested"]
    assert len({taken.headers["webhook-id"] for taken in requested}) == 1
    assert len({taken.body for taken in requested}) == 1, "the same bytes at every attempt"
    assert all(is_signed(taken, made.secret) for taken in receiver.taken)
    first = WebhookDelivery.objects.filter(webhook=made.webhook).order_by("pk")[0]
    tries = [(row.http_status, row.answer) for row in first.tries.order_by("pk")]
    assert tries == [(500, "out of luck"), (500, "again"), (200, "")]


def test_a_receiver_that_stays_silent_misses_nothing_when_it_is_back(place: Place, receiver: Receiver) -> None:
    made = place.webhook(receiver.url)
    place.withdraw(place.submit())
    use_case(place.people, place.project)
    for _ in range(2):
        receiver.answer(200, seconds=1.2)
    send_all()
    assert states(made.webhook) == ["delivered"] * 4
    first = WebhookDelivery.objects.filter(webhook=made.webhook).order_by("pk")[0]
    lost, taken = first.tries.order_by("pk")
    assert (lost.http_status, taken.http_status) == (None, 200)
    assert "no answer within 0.8 seconds" in lost.error
    assert lost.duration_ms >= 800
    made.webhook.refresh_from_db()
    assert (made.webhook.failures, made.webhook.failing_since, made.webhook.quiet_until) == (0, None, None)


def test_a_receiver_that_asks_for_patience_gets_it(place: Place, receiver: Receiver) -> None:
    made = place.webhook(receiver.url)
    place.submit()
    receiver.answer(429, **{"Retry-After": "4"})
    now = timezone.now()
    send()
    made.webhook.refresh_from_db()
    assert made.webhook.quiet_until is not None
    assert timedelta(seconds=3.5) < made.webhook.quiet_until - now < timedelta(seconds=60)
    Webhook.objects.update(quiet_until=now + timedelta(hours=1))
    assert send() == 0
    assert len(receiver.taken) == 1
    Webhook.objects.update(quiet_until=now)
    WebhookDelivery.objects.update(next_attempt_at=now)
    assert send() == 1


def test_one_that_is_gone_is_disabled_at_once_and_admins_are_told(place: Place, receiver: Receiver) -> None:
    made = place.webhook(receiver.url)
    place.withdraw(place.submit())
    receiver.answer(410)
    send()
    assert send_once() == 0
    made.webhook.refresh_from_db()
    assert (made.webhook.state, made.webhook.ended_by) == ("disabled", "gone")
    assert "gone for good" in made.webhook.disabled_reason
    assert len(receiver.taken) == 1
    telling.tell_due()
    rows = Notification.objects.filter(kind="webhook_disabled")
    assert {row.person for row in rows} == {place.people.admin}
    assert "is disabled" in rows[0].title
    assert rows[0].path == f"/webhooks/{made.webhook.pk}/"
    # Nothing is written down for it, nothing that waited is lost, and nothing is sent until it is enabled.
    place.submit()
    assert send() == 0
    assert states(made.webhook) == ["pending", "pending"]
    webhooks.enable(actor=place.people.admin.actor, webhook_id=made.webhook.pk)
    assert send() == 2
    assert names(receiver) == ["approval.requested", "approval.requested", "approval.withdrawn"]


def test_one_that_takes_nothing_for_too_long_is_disabled_before_anything_is_given_up(
    place: Place, receiver: Receiver
) -> None:
    made = place.webhook(receiver.url)
    place.submit()
    for _ in range(3):
        receiver.answer(500)
    for _ in range(2):
        assert send_once() == 0
    Webhook.objects.update(failing_since=timezone.now() - ONCE.disable_after)
    assert send_once() == 0
    made.webhook.refresh_from_db()
    assert (made.webhook.state, made.webhook.ended_by) == ("disabled", "failing")
    assert "Nothing was taken since" in made.webhook.disabled_reason
    assert states(made.webhook) == ["pending"]
    telling.tell_due()
    assert Notification.objects.filter(kind="webhook_disabled", person=place.people.admin).count() == 1
    with pytest.raises(WrongState, match="Enable it first"):
        webhooks.redeliver(
            actor=place.people.admin.actor,
            webhook_id=made.webhook.pk,
            delivery_id=WebhookDelivery.objects.get(webhook=made.webhook).pk,
        )


def test_what_is_refused_for_days_is_given_up_and_lets_the_next_one_go(place: Place, receiver: Receiver) -> None:
    made = place.webhook(receiver.url)
    place.withdraw(place.submit())
    receiver.answer(400, b"no such field")
    assert send_once() == 0
    WebhookDelivery.objects.filter(attempts=1).update(tried_since=timezone.now() - IMPATIENT.give_up_after)
    receiver.answer(422)
    assert send_once() == 1
    assert states(made.webhook) == ["failed", "delivered"]
    first = WebhookDelivery.objects.get(webhook=made.webhook, state="failed")
    assert first.last_status == 422
    webhooks.redeliver(actor=place.people.admin.actor, webhook_id=made.webhook.pk, delivery_id=first.pk)
    assert send() == 1
    assert receiver.taken[-1].body == receiver.taken[0].body
    assert receiver.taken[-1].headers["webhook-id"] == receiver.taken[0].headers["webhook-id"]
    assert states(made.webhook) == ["delivered", "delivered"]


def test_a_slow_receiver_delays_nobody_else(place: Place, receiver: Receiver) -> None:
    with listening() as slow:
        late = place.webhook(slow.url)
        made = place.webhook(receiver.url)
        for number in range(6):
            use_case(place.people, place.project, name=f"Case {number}")
        for _ in range(4):
            slow.answer(200, seconds=1.5)
        webhook_spread.spread_due()
        webhook_delivery.send_due(patience=IMPATIENT, limits=Limits(connect=1, read=5, total=5))
        assert states(made.webhook) == states(late.webhook) == ["delivered"] * 12
        of_late = WebhookAttempt.objects.filter(delivery__webhook=late.webhook)
        of_made = WebhookAttempt.objects.filter(delivery__webhook=made.webhook)
        answered = min(of_late.values_list("ended_at", flat=True))
        assert max(of_made.values_list("ended_at", flat=True)) < answered, "the slow one still thought about its first"


def test_a_webhook_that_is_removed_while_it_is_sent_to_leaves_nothing(place: Place, receiver: Receiver) -> None:
    made = place.webhook(receiver.url)
    place.submit()
    webhook_spread.spread_due()
    (sending,) = webhook_delivery._begin([])
    webhooks.remove(actor=place.people.admin.actor, webhook_id=made.webhook.pk)
    outcome = webhook_delivery.attempt(sending, QUICK)
    assert webhook_delivery._end([(sending, outcome)], IMPATIENT) == 1
    assert not WebhookDelivery.objects.exists()
    assert not WebhookAttempt.objects.exists()


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 5), (2, 15), (3, 45), (4, 135), (8, 10935), (9, 21600), (500, 21600)]
)
def test_the_waits_grow_and_have_an_end(attempt: int, seconds: int) -> None:
    assert PATIENCE.wait_before(attempt) == timedelta(seconds=seconds)


def test_waits_differ_by_chance(place: Place, receiver: Receiver) -> None:
    made = place.webhook(receiver.url)
    for _ in range(5):
        place.withdraw(place.submit())
    patience = Patience(first=timedelta(seconds=100), factor=1.0)
    waits = set()
    for _ in range(4):
        receiver.answer(400)
        now = timezone.now()
        WebhookDelivery.objects.update(next_attempt_at=now)
        webhook_spread.spread_due()
        webhook_delivery.send_due(patience=patience, limits=QUICK)
        first = WebhookDelivery.objects.filter(webhook=made.webhook).order_by("pk")[0]
        waits.add(first.next_attempt_at - now)
    assert len(waits) == 4
    assert all(timedelta(seconds=79) < wait < timedelta(seconds=121) for wait in waits)


REFUSED = {
    "private": ("http://10.0.0.7/hook", "not a public address"),
    "metadata": ("http://169.254.169.254/latest/", "credentials"),
    "IPv6 metadata": ("http://[fd00:ec2::254]/", "credentials"),
    "decimal loopback": ("http://2130706433/", "not a public address"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_sent_into_the_own_network(place: Place, settings: Any, name: str, receiver: Receiver) -> None:
    url, words = REFUSED[name]
    made = place.webhook(receiver.url)
    # As if it had been saved while the setting still allowed it.
    Webhook.objects.filter(pk=made.webhook.pk).update(url=url)
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    place.submit()
    send_once()
    delivery = WebhookDelivery.objects.get(webhook=made.webhook)
    assert delivery.state == "pending"
    assert words in delivery.last_error
    assert delivery.last_status is None
    assert receiver.taken == []


def test_a_name_that_leads_inside_only_when_it_is_sent_to_is_refused(
    place: Place, settings: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    made = place.webhook("https://hooks.example.org/x")
    place.submit()
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)
    send()
    delivery = WebhookDelivery.objects.get(webhook=made.webhook)
    assert "not a public address" in delivery.last_error
    assert receiver.taken == []


def test_a_redirect_is_not_followed(place: Place, receiver: Receiver) -> None:
    with listening() as inside:
        made = place.webhook(receiver.url)
        place.submit()
        receiver.answer(307, Location=inside.url)
        send_once()
        delivery = WebhookDelivery.objects.get(webhook=made.webhook)
        assert (delivery.state, delivery.last_status) == ("pending", 307)
        assert "redirects are not followed" in delivery.last_error
        assert inside.taken == []
