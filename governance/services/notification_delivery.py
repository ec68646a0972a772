"""Sending notifications out: at least once, by e-mail and by chat, each way in a task of its own.

A delivery is sent under an advisory lock, outside any transaction, so a killed worker leaves it pending and unlocked,
and the next one sends it, perhaps a second time: an e-mail keeps its Message-ID, by which mail programs know it again.
A receiver that asks for patience gets it, for everything that waits for him; one that says no is not asked again.
"""

from __future__ import annotations

import logging
import random
import smtplib
from datetime import datetime, timedelta
from enum import Enum, auto
from time import monotonic

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from portal.core import sealing, webhooks
from portal.core.actors import Actor
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import advisory_lock
from portal.core.operations import operation
from portal.core.vocabulary import ChatKind, NotificationChannel, NotificationState

from ..models import NotificationDelivery, NotificationSettings
from ..selectors.told import seen
from . import chat_messages
from .notification_mail import absolute, mail_of
from .telling import DELIVER

logger = logging.getLogger(__name__)

ACTOR = Actor.system("notifications")
PURPOSE = "chat webhooks"
MOST_ATTEMPTS = 10
LONGEST_SECONDS = 300
# Nobody is waited for longer, whatever he asks for.
LONGEST_WAIT = timedelta(hours=6)


class Step(Enum):
    """What came of one delivery: sent, over for good, put off, or put off with everything to the same receiver."""

    SENT = auto()
    OVER = auto()
    LATER = auto()
    RECEIVER_LATER = auto()


class _Refused(Exception):
    """This message will never be taken."""


class _NotNow(Exception):
    """It may be taken later; `whole_way` when nothing else would be taken now either, `seconds` what was asked for."""

    def __init__(self, message: str, *, seconds: float | None = None, whole_way: bool = False) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.whole_way = whole_way


def deliver_due(*, channel: NotificationChannel, limit: int = 200) -> int:
    """Send what is due by one way, oldest first; returns how many were sent. Only who slows down waits."""
    sent = 0
    deadline = monotonic() + LONGEST_SECONDS
    slowed: set[int] = set()
    due = NotificationDelivery.objects.due(channel, timezone.now()).values_list("pk", "person_id")
    connection = get_connection() if channel is NotificationChannel.EMAIL else None
    try:
        for pk, person_id in list(due[:limit]):
            if monotonic() > deadline:
                enqueue_on_commit(DELIVER, channel=channel.value)
                break
            if person_id in slowed:
                continue
            with advisory_lock(f"notification:{pk}") as held:
                step = _attempt(pk, connection) if held else Step.LATER
            sent += step is Step.SENT
            if step is Step.RECEIVER_LATER:
                slowed.add(person_id)
                if channel is NotificationChannel.EMAIL:
                    # There is one mail server for everybody.
                    break
    finally:
        if connection is not None:
            connection.close()
    return sent


def _attempt(pk: int, connection: BaseEmailBackend | None) -> Step:
    delivery = _begun(pk)
    if delivery is None:
        return Step.OVER
    if why := _pointless(delivery):
        return _end(delivery, NotificationState.DROPPED, why)
    try:
        _send(delivery, connection)
    except _Refused as error:
        return _end(delivery, NotificationState.FAILED, str(error))
    except _NotNow as error:
        return _put_off(delivery, error)
    except Exception as error:
        # Whatever it was, it is kept, shown and tried again.
        logger.exception("Notification delivery %s failed", pk)
        return _put_off(delivery, _NotNow(f"{type(error).__name__}: {error}"))
    return _end(delivery, NotificationState.DELIVERED, "")


def _begun(pk: int) -> NotificationDelivery | None:
    """Count an attempt before anything is sent, so that one that kills its worker every time ends, too."""
    with operation(ACTOR, "send a notification"):
        rows = NotificationDelivery.objects.select_for_update(of=("self",)).select_related("person", "notification")
        delivery = rows.get(pk=pk)
        if delivery.state != NotificationState.PENDING or delivery.next_attempt_at > timezone.now():
            return None
        delivery.attempts += 1
        # A worker that dies in the middle leaves this behind: the next one waits until a task can no longer run.
        delivery.next_attempt_at = timezone.now() + _wait(delivery.attempts)
        delivery.save(update_fields=["attempts", "next_attempt_at"])
        return delivery


def _pointless(delivery: NotificationDelivery) -> str:
    """Say why a delivery has lost its meaning since it was written, "" when it has not."""
    if not delivery.person.is_active:
        return "The person can no longer sign in."
    told = delivery.notification
    if told is None:
        return ""
    if told.settled_at is not None:
        return "It was over before it was sent."
    if told.about and told.about_id is not None and not seen(delivery.person.actor, told.about, [told.about_id]):
        return "What it is about can no longer be seen."
    return ""


def _send(delivery: NotificationDelivery, connection: BaseEmailBackend | None) -> None:
    if delivery.channel == NotificationChannel.EMAIL:
        assert connection is not None
        _send_mail(delivery, connection)
    else:
        _send_chat(delivery)


def _send_mail(delivery: NotificationDelivery, connection: BaseEmailBackend) -> None:
    if not delivery.person.email:
        raise _Refused("There is no e-mail address any more.")
    try:
        connection.send_messages([mail_of(delivery)])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        said = f"The mail server refuses {delivery.person.email}: {_said(error)}"
        if all(code >= 500 for code in codes):
            raise _Refused(said) from error
        raise _NotNow(said) from error
    except smtplib.SMTPDataError as error:
        if error.smtp_code >= 500:
            raise _Refused(f"The mail server refuses the message: {_said(error)}") from error
        raise _NotNow(f"The mail server takes no message now: {_said(error)}") from error
    except (smtplib.SMTPException, OSError) as error:
        connection.close()
        raise _NotNow(f"The mail server cannot be reached: {_said(error)}", whole_way=True) from error


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300].replace("\0", "")


def _send_chat(delivery: NotificationDelivery) -> None:
    wanted = NotificationSettings.objects.filter(person_id=delivery.person_id).first()
    if wanted is None or not wanted.chat_kind:
        raise _Refused("There is no chat any more.")
    told = delivery.notification
    assert told is not None
    try:
        post(wanted, title=told.title, text=told.text, path=told.path)
    except webhooks.WebhookFailed as error:
        if not error.retryable:
            raise _Refused(str(error)) from error
        raise _NotNow(str(error), seconds=error.retry_after, whole_way=True) from error
    except sealing.Unreadable as error:
        raise _NotNow(error.detail) from error


def post(wanted: NotificationSettings, *, title: str, text: str, path: str) -> None:
    """Send a message to a person's chat. Raises WebhookFailed, AddressRefused, sealing.Unreadable."""
    url = sealing.unseal(wanted.chat_url, purpose=PURPOSE).decode()
    body = chat_messages.body(ChatKind(wanted.chat_kind), title=title, text=text, url=absolute(path))
    webhooks.post(url, body=body)


def _end(delivery: NotificationDelivery, state: NotificationState, said: str) -> Step:
    with operation(ACTOR, "a notification is sent" if state == NotificationState.DELIVERED else "a notification ends"):
        delivery.state, delivery.last_error, delivery.ended_at = state, said[:2000], timezone.now()
        delivery.save(update_fields=["state", "last_error", "ended_at"])
        if state != NotificationState.DROPPED:
            _say(delivery, said)
    return Step.SENT if state == NotificationState.DELIVERED else Step.OVER


def _put_off(delivery: NotificationDelivery, error: _NotNow) -> Step:
    if delivery.attempts >= MOST_ATTEMPTS:
        _end(delivery, NotificationState.FAILED, f"Given up after {delivery.attempts} attempts. {error}")
        return Step.RECEIVER_LATER if error.whole_way else Step.OVER
    now = timezone.now()
    wait = _wait(delivery.attempts)
    if error.seconds is not None:
        wait = max(wait, min(timedelta(seconds=error.seconds), LONGEST_WAIT))
    with operation(ACTOR, "a notification waits"):
        delivery.last_error, delivery.next_attempt_at = str(error)[:2000], now + wait
        delivery.save(update_fields=["last_error", "next_attempt_at"])
        _say(delivery, str(error))
        if error.whole_way:
            _hold_back(delivery, now + wait)
    return Step.RECEIVER_LATER if error.whole_way else Step.LATER


def _hold_back(delivery: NotificationDelivery, until: datetime) -> None:
    """Leave a receiver alone that asked for it: what else waits for him is due no sooner."""
    rows = NotificationDelivery.objects.filter(state=NotificationState.PENDING, channel=delivery.channel)
    if delivery.channel == NotificationChannel.CHAT:
        rows = rows.filter(person_id=delivery.person_id)
    rows.filter(next_attempt_at__lt=until).update(next_attempt_at=until)


def _say(delivery: NotificationDelivery, said: str) -> None:
    """Keep with a person's chat what it answered last; his settings show it."""
    if delivery.channel == NotificationChannel.CHAT:
        rows = NotificationSettings.objects.filter(person_id=delivery.person_id).exclude(chat_problem=said[:2000])
        rows.update(chat_problem=said[:2000])


def _wait(attempt: int) -> timedelta:
    """Return how long to wait after the n-th attempt: 30 s doubling to an hour, with some jitter."""
    seconds = min(30.0 * 2 ** (attempt - 1), 3600.0)
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311 - jitter, not a secret
