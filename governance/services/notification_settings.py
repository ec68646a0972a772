"""What each person wants to be told of, and how: his own settings, which nobody else reads or changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse

from portal.core import sealing, webhooks
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import ChatKind, NotificationKind

from ..models import NotificationSettings
from ..selectors.notifications import zones
from ..selectors.told_choices import KINDS, WAYS
from . import notification_delivery
from .notification_delivery import PURPOSE


def save(
    *,
    actor: Actor,
    revision: int,
    choices: Mapping[str, Mapping[str, bool]],
    is_digest_on: bool,
    digest_hour: int,
    time_zone: str,
) -> NotificationSettings:
    """Save by what ways one is told of each kind, and when the daily digest comes.

    `choices` has, per kind, the ways of `selectors.told_choices.WAYS`; a kind that is left out stays as it was, and
    what is as usual is not kept, so that it follows when the usual changes. Raises Forbidden for the system and for a
    token that is held to some projects, StaleEdit when one saved in another window meanwhile, InvalidInput naming the
    fields.
    """
    errors: dict[str, list[str]] = {}
    if time_zone not in zones():
        errors["time_zone"] = ["There is no such time zone."]
    if not 0 <= digest_hour <= 23:
        errors["digest_hour"] = ["Give an hour from 0 to 23."]
    unknown = sorted(set(choices) - {kind.value for kind in KINDS})
    if unknown:
        errors["choices"] = [f"There is no kind of notification called {', '.join(unknown)[:200]}."]
    if errors:
        raise InvalidInput("Some fields need your attention.", errors=errors)
    with operation(actor, "change notification settings"):
        row = _locked(actor)
        if row.revision != revision:
            raise StaleEdit("You saved these in another window meanwhile. Reload the page and repeat your change.")
        row.choices = _different(row.choices, choices)
        row.is_digest_on, row.digest_hour, row.time_zone = is_digest_on, digest_hour, time_zone
        row.revision += 1
        row.save(update_fields=["choices", "is_digest_on", "digest_hour", "time_zone", "revision"])
        return row


def set_chat(*, actor: Actor, kind: ChatKind, url: str, revision: int | None = None) -> NotificationSettings:
    """Have oneself written to in Slack or Teams, by the incoming webhook at this address; it is stored encrypted.

    Nothing is sent yet. Raises Forbidden for the system and for a token that is held to some projects, InvalidInput for
    an address nothing may be sent to, StaleEdit.
    """
    url = url.strip()
    try:
        webhooks.check_url(url)
    except webhooks.AddressRefused as refusal:
        raise InvalidInput("Nothing can be sent to this address.", errors={"url": [str(refusal)]}) from None
    with operation(actor, "set a chat for notifications"):
        row = _locked(actor, revision)
        row.chat_kind, row.chat_url = kind, sealing.seal(url.encode(), purpose=PURPOSE)
        row.chat_host, row.chat_problem = (urlsplit(url).hostname or "")[:255], ""
        row.revision += 1
        row.save(update_fields=["chat_kind", "chat_url", "chat_host", "chat_problem", "revision"])
        return row


def remove_chat(*, actor: Actor, revision: int | None = None) -> NotificationSettings:
    """Be written to in the chat no more; its address is forgotten.

    Raises Forbidden for the system and for a token that is held to some projects, WrongState, StaleEdit.
    """
    with operation(actor, "remove the chat for notifications"):
        row = _locked(actor, revision)
        if not row.chat_kind:
            raise WrongState("There is no chat to remove.")
        row.chat_kind = row.chat_url = row.chat_host = row.chat_problem = ""
        row.revision += 1
        row.save(update_fields=["chat_kind", "chat_url", "chat_host", "chat_problem", "revision"])
        return row


def test_chat(*, actor: Actor) -> str:
    """Send oneself a message by the chat now; returns "" when it was taken, else what was answered.

    What was answered is kept with the settings. Raises Forbidden for the system and for a token that is held to some
    projects, WrongState without a chat.
    """
    row = NotificationSettings.objects.filter(person_id=_person(actor)).first()
    if row is None or not row.chat_kind:
        raise WrongState("Set a chat first.")
    problem = ""
    try:
        notification_delivery.post(
            row,
            title="This is a test",
            text="Notifications of the Model Governance Portal will come here.",
            path=reverse("governance:notify"),
        )
    except webhooks.WebhookFailed as error:
        problem = str(error)
    except sealing.Unreadable as error:
        problem = error.detail
    with operation(actor, "try the chat for notifications"):
        NotificationSettings.objects.filter(pk=row.pk, chat_url=row.chat_url).update(chat_problem=problem[:2000])
    return problem


def encrypt_anew(*, actor: Actor) -> int:
    """Encrypt the addresses of chats with the newest secret; returns how many.

    Raises Forbidden, sealing.Unreadable when no configured secret opens one of them: nothing is changed then.
    """
    with operation(actor, "encrypt the addresses of chats anew"):
        require(actor, Act.MANAGE_KEYS)
        rows = list(NotificationSettings.objects.exclude(chat_url="").select_for_update().order_by("pk"))
        for row in rows:
            row.chat_url = sealing.seal(sealing.unseal(row.chat_url, purpose=PURPOSE), purpose=PURPOSE)
            row.save(update_fields=["chat_url"])
        return len(rows)


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("Only a person is told of things.")
    if actor.bounds.projects is not None:
        # A chat of its choosing would be told of everything the person is told of.
        raise Forbidden("What you are told of is of every project: a token that is held to some does not change it.")
    return actor.user_id


def _locked(actor: Actor, revision: int | None = None) -> NotificationSettings:
    NotificationSettings.objects.get_or_create(person_id=_person(actor))
    row = NotificationSettings.objects.select_for_update().get(person_id=actor.user_id)
    if revision is not None and row.revision != revision:
        raise StaleEdit("You changed your settings in another window. Read them again and repeat.")
    return row


def _different(former: Any, choices: Mapping[str, Mapping[str, bool]]) -> dict[str, dict[str, bool]]:
    """Return what differs from the usual, of what was chosen now and, for kinds left out, before."""
    kept: dict[str, dict[str, bool]] = {
        kind: dict(former[kind]) for kind in former if kind not in choices and isinstance(former[kind], Mapping)
    }
    for kind, chosen in choices.items():
        usual = KINDS[NotificationKind(kind)].usual
        wanted = replace(usual, **{name: bool(chosen[name]) for name in WAYS if name in chosen})
        if wanted != usual:
            kept[kind] = asdict(wanted)
    return kept
