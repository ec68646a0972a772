"""Sending: at least once whatever dies, with patience for receivers that ask for it, and never into the own network."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from governance.models import Notification, NotificationDelivery, NotificationSettings
from governance.services import approvals, chat_messages, notification_delivery, notification_settings, telling
from governance.services.notifications import notify
from portal.core import sealing
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, WrongState
from portal.core.vocabulary import ChatKind, NotificationChannel, NotificationKind, NotificationState
from registry.models import User
from registry.services import people as people_services
from tests.factories.people import SYSTEM
from tests.receiver import Receiver, listening

from .conftest import Place

pytestmark = pytest.mark.django_db

EMAIL, CHAT = NotificationChannel.EMAIL, NotificationChannel.CHAT


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with listening() as found:
        yield found


@pytest.fixture
def chatting(place: Place, receiver: Receiver) -> User:
    """The auditor, who is written to in Slack."""
    notification_settings.set_chat(actor=place.people.auditor.actor, kind=ChatKind.SLACK, url=receiver.url)
    return place.people.auditor


def news(*people: User, key: str = "pack:1:ready", title: str = "Your pack is ready") -> None:
    notify(
        kind=NotificationKind.PACK_READY,
        person_ids=[person.pk for person in people],
        key=key,
        title=title,
        text="It holds 3 files.",
        path="/packs/1/",
    )
    telling.tell_due()


def due_again(**condition: Any) -> None:
    NotificationDelivery.objects.filter(**condition).update(next_attempt_at=timezone.now())


def states(channel: NotificationChannel) -> list[tuple[str, int]]:
    rows = NotificationDelivery.objects.filter(channel=channel).order_by("pk")
    return [(row.state, row.attempts) for row in rows]


def test_an_email_says_it_in_text_and_html_with_the_portals_address(place: Place, settings: Any) -> None:
    settings.PORTAL_PUBLIC_URL = "https://portal.example.org"
    news(place.people.auditor, title="<b>Pack</b>\nBcc: all@example.org")
    assert notification_delivery.deliver_due(channel=EMAIL) == 1
    (sent,) = mail.outbox
    assert sent.to == ["somebody@example.org"]
    assert sent.subject == "<b>Pack</b> Bcc: all@example.org"
    assert "https://portal.example.org/packs/1/" in sent.body
    assert "https://portal.example.org/notifications/settings/" in sent.body
    html = str(sent.alternatives[0][0])
    assert "&lt;b&gt;Pack&lt;/b&gt;" in html
    delivery = NotificationDelivery.objects.get(channel=EMAIL)
    assert sent.extra_headers["Message-ID"] == f"<notification-{delivery.pk}@portal.example.org>"
    assert notification_delivery.deliver_due(channel=EMAIL) == 0, "what is sent is sent once"


def test_without_an_address_or_a_server_no_email_is_made(place: Place, settings: Any) -> None:
    User.objects.filter(pk=place.people.auditor.pk).update(email="")
    news(place.people.auditor)
    settings.PORTAL_EMAIL_IS_ON = False
    news(place.people.officer, key="another")
    assert Notification.objects.count() == 2
    assert not NotificationDelivery.objects.exists()


class Down(EmailBackend):
    error: Exception = OSError("Connection refused")

    def send_messages(self, messages: Any) -> int:
        raise type(self).error


def test_a_mail_server_that_is_down_costs_one_attempt_and_nothing_is_lost(
    place: Place, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    news(place.people.auditor, place.people.officer)
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    assert notification_delivery.deliver_due(channel=EMAIL) == 0
    assert states(EMAIL) == [("pending", 1), ("pending", 0)]
    assert notification_delivery.deliver_due(channel=EMAIL) == 0, "the second waits for the server as well"
    assert states(EMAIL) == [("pending", 1), ("pending", 0)]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    due_again()
    assert notification_delivery.deliver_due(channel=EMAIL) == 2
    assert len(mail.outbox) == 2


def test_an_address_the_server_refuses_is_given_up_and_shown(
    place: Place, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    news(place.people.auditor)
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    refusal = smtplib.SMTPRecipientsRefused({"somebody@example.org": (550, b"No such user")})
    monkeypatch.setattr(Down, "error", refusal)
    notification_delivery.deliver_due(channel=EMAIL)
    delivery = NotificationDelivery.objects.get(channel=EMAIL)
    assert delivery.state == NotificationState.FAILED
    assert "No such user" in delivery.last_error


def test_slack_gets_blocks_in_which_nothing_is_interpreted(chatting: User, receiver: Receiver) -> None:
    news(chatting, title="<!channel> *now* <https://evil.example|click>")
    assert notification_delivery.deliver_due(channel=CHAT) == 1
    (taken,) = receiver.taken
    body = json.loads(taken.body)
    text = body["blocks"][0]["text"]["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt;" in text
    assert "/packs/1/|" in text
    assert NotificationDelivery.objects.get(channel=CHAT).state == NotificationState.DELIVERED


def test_teams_gets_an_adaptive_card_of_plain_runs() -> None:
    card = json.loads(
        chat_messages.body(ChatKind.TEAMS, title="[x](y)", text="**bold**", url="https://p.example/a", lines=[])
    )
    (attachment,) = card["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [part["type"] for part in attachment["content"]["body"]] == ["RichTextBlock"] * 2
    assert attachment["content"]["actions"][0]["url"] == "https://p.example/a"


def test_a_throttled_chat_is_left_alone_as_long_as_it_asks_and_then_has_everything(
    chatting: User, receiver: Receiver
) -> None:
    news(chatting, key="one")
    news(chatting, key="two")
    receiver.answer(429, **{"Retry-After": "600"})
    assert notification_delivery.deliver_due(channel=CHAT) == 0
    assert len(receiver.taken) == 1, "what else waits for it is not tried"
    waits = NotificationDelivery.objects.filter(channel=CHAT).order_by("pk")
    assert all(row.next_attempt_at > timezone.now() + timedelta(seconds=590) for row in waits)
    assert "429" in NotificationSettings.objects.get(person=chatting).chat_problem
    due_again()
    assert notification_delivery.deliver_due(channel=CHAT) == 2
    assert NotificationSettings.objects.get(person=chatting).chat_problem == ""


def test_a_chat_that_comes_back_gets_what_it_missed_and_one_that_is_gone_is_not_asked_again(
    chatting: User, receiver: Receiver
) -> None:
    news(chatting, key="one")
    receiver.answer(503)
    notification_delivery.deliver_due(channel=CHAT)
    assert states(CHAT) == [("pending", 1)]
    due_again()
    receiver.answer(404, b"no_service")
    notification_delivery.deliver_due(channel=CHAT)
    assert states(CHAT) == [("failed", 2)]
    assert "no_service" in NotificationSettings.objects.get(person=chatting).chat_problem
    due_again()
    assert notification_delivery.deliver_due(channel=CHAT) == 0
    assert len(receiver.taken) == 2


def test_what_never_arrives_is_given_up_after_its_attempts(chatting: User, receiver: Receiver) -> None:
    news(chatting)
    for _ in range(notification_delivery.MOST_ATTEMPTS):
        receiver.answer(500)
        due_again()
        notification_delivery.deliver_due(channel=CHAT)
    delivery = NotificationDelivery.objects.get(channel=CHAT)
    assert (delivery.state, delivery.attempts) == ("failed", notification_delivery.MOST_ATTEMPTS)
    assert delivery.last_error.startswith("Given up after 10 attempts.")


def test_a_worker_that_dies_behind_the_answer_sends_it_again_and_loses_nothing(
    chatting: User, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    news(chatting)
    with monkeypatch.context() as patch:
        patch.setattr(notification_delivery, "_end", die)
        with pytest.raises(Killed):
            notification_delivery.deliver_due(channel=CHAT)
    assert states(CHAT) == [("pending", 1)], "the attempt was counted before it was made"
    due_again()
    assert notification_delivery.deliver_due(channel=CHAT) == 1
    assert len(receiver.taken) == 2


def test_what_lost_its_meaning_before_it_was_sent_is_dropped(place: Place, receiver: Receiver) -> None:
    people, request = place.people, place.submit()
    telling.tell_due()
    approvals.withdraw(actor=people.scientist.actor, request_id=request.pk)
    telling.tell_due()
    notification_delivery.deliver_due(channel=EMAIL)
    assert [sent.subject.split()[-1] for sent in mail.outbox] == ["withdrawn"]
    dropped = NotificationDelivery.objects.get(state=NotificationState.DROPPED)
    assert dropped.notification is not None
    assert dropped.notification.kind == NotificationKind.REQUEST_WAITS


def test_who_may_no_longer_see_it_or_sign_in_is_not_written_to(place: Place) -> None:
    place.submit()
    telling.tell_due()
    owner = place.people.owner
    for role in owner.actor.roles_on(place.project.pk):
        people_services.revoke(actor=SYSTEM, role=role, to=owner, project=place.project)
    notification_delivery.deliver_due(channel=EMAIL)
    assert states(EMAIL) == [("dropped", 1)]
    assert not mail.outbox


def test_what_is_a_day_old_is_listed_and_not_sent(place: Place) -> None:
    request = place.submit()
    telling.tell_due(now=timezone.now() + timedelta(days=1, minutes=1))
    assert Notification.objects.filter(about_id=request.pk).exists()
    assert not NotificationDelivery.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://10.0.0.7/x",
        "https://2130706433/x",
        "http://hooks.slack.com/x",
        "ftp://hooks.slack.com/x",
        "https://user:secret@hooks.slack.com/x",
        "https://hooks.slack.com/\x00",
        "nonsense",
        "https://" + "a" * 3000,
    ],
)
def test_an_address_nothing_may_be_sent_to_is_refused_beside_its_field(place: Place, settings: Any, url: str) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(InvalidInput) as refused:
        notification_settings.set_chat(actor=place.people.owner.actor, kind=ChatKind.SLACK, url=url)
    assert set(refused.value.errors) == {"url"}


def test_a_name_that_leads_inside_is_refused_when_it_is_sent(chatting: User, receiver: Receiver, settings: Any) -> None:
    news(chatting)
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    notification_delivery.deliver_due(channel=CHAT)
    assert states(CHAT) == [("failed", 1)]
    assert not receiver.taken


def test_the_address_is_encrypted_and_can_be_encrypted_anew(chatting: User, receiver: Receiver, settings: Any) -> None:
    row = NotificationSettings.objects.get(person=chatting)
    assert receiver.url not in row.chat_url
    assert row.chat_host == "127.0.0.1"
    former = settings.SECRET_KEY
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["n" * 40, former]
    assert notification_settings.encrypt_anew(actor=Actor.system("test")) == 1
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["n" * 40]
    row.refresh_from_db()
    assert sealing.unseal(row.chat_url, purpose=notification_delivery.PURPOSE).decode() == receiver.url
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["x" * 40]
    assert "encrypted with a key" in notification_settings.test_chat(actor=chatting.actor)


def test_a_test_is_sent_at_once_and_says_what_was_answered(place: Place, chatting: User, receiver: Receiver) -> None:
    assert notification_settings.test_chat(actor=chatting.actor) == ""
    receiver.answer(400, b"invalid_payload")
    assert "invalid_payload" in notification_settings.test_chat(actor=chatting.actor)
    notification_settings.remove_chat(actor=chatting.actor)
    for refused in (notification_settings.test_chat, notification_settings.remove_chat):
        with pytest.raises(WrongState):
            refused(actor=chatting.actor)
    with pytest.raises(Forbidden):
        notification_settings.remove_chat(actor=SYSTEM)
