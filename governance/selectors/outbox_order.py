"""Whose turn it is among the undelivered messages of one version; pure, so every order can be tried (ADR 0012)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..choices import OutboxKind, OutboxState
from ..models import OutboxMessage

APPROVED = "Approved"
DEPLOY = "deploy"
# A request whose sender died or heard no answer can still arrive that long after its attempt began: four times the
# read timeout of 20 s, with the waits in between.
FLIGHT = timedelta(minutes=2)


@dataclass(frozen=True)
class Entry:
    """What the order needs to know of one undelivered message.

    `word` is a write-back's approval status ("" for other kinds), `action` that of a deployment order. `digest` is
    of the content it is about, "" when it does not say; `place` the deployment an order is about. `in_doubt`: an
    attempt may still arrive at AWS; `is_waiting`: nothing is wrong, what it is meant for has not come yet.
    """

    pk: int
    is_failed: bool = False
    is_due: bool = True
    in_doubt: bool = False
    is_waiting: bool = False
    word: str = ""
    action: str = ""
    digest: str = ""
    place: str = ""

    @property
    def withdraws(self) -> bool:
        """Whether it is a word that takes approval away: a rejection, a retirement, back to pending."""
        return bool(self.word) and self.word != APPROVED

    @property
    def gives(self) -> bool:
        """Whether it lets a version be used: an approval, or the order to deploy it."""
        return self.word == APPROVED or self.action == DEPLOY

    @property
    def takes(self) -> bool:
        """Whether it stops a version from being used: such a word, or the order to remove what runs."""
        return self.withdraws or (bool(self.action) and self.action != DEPLOY)


@dataclass(frozen=True)
class Turn:
    """What to do now: close what was superseded (by which word), look where a write may have landed, carry one out."""

    superseded: dict[int, int] = field(default_factory=dict)
    look: int | None = None
    carry: int | None = None


def entry_of(message: OutboxMessage, now: datetime) -> Entry:
    """Read a message as an entry of the order."""
    payload = message.payload
    is_word = message.kind == OutboxKind.WRITE_BACK
    is_order = message.kind == OutboxKind.DEPLOYMENT_ORDER
    detail = payload.get("detail") or {} if is_order else {}
    expected = payload.get("expected") or {} if is_word else {}
    return Entry(
        pk=message.pk,
        is_failed=message.state == OutboxState.FAILED,
        is_due=message.next_attempt_at <= now,
        in_doubt=message.in_doubt and message.started_at is not None and now - message.started_at < FLIGHT,
        is_waiting=bool(message.waiting_for),
        word=str(payload.get("approval_status") or "") if is_word else "",
        action=str(detail.get("action") or "") if is_order else "",
        place=str(detail.get("deploymentId") or "") if is_order else "",
        digest=str(expected.get("content_digest") or detail.get("contentDigest") or ""),
    )


def supersedes(word: Entry, earlier: Entry) -> bool:
    """Whether a later word takes the place of an earlier message that was not carried out.

    A word that takes approval away supersedes every earlier word and order to deploy; an approval supersedes earlier
    approvals of other bytes, and the orders to deploy those. Orders to remove are never superseded.
    """
    if not word.word or word.pk <= earlier.pk or not (earlier.word or earlier.action == DEPLOY):
        return False
    is_about_other_bytes = "" not in (word.digest, earlier.digest) and word.digest != earlier.digest
    return word.withdraws or (is_about_other_bytes and earlier.gives)


def turn(entries: Sequence[Entry]) -> Turn:
    """Decide what happens next, given all undelivered messages of one ordering key from the oldest on.

    They are carried out in their order. One that was given up, or is not due, holds back those behind it, but not what
    takes a version out of use; an order that waits for its pipeline holds back only those about the same deployment.
    A superseded write that may still arrive at AWS is looked after before the word that
    supersedes it is written: should it land later, it would be the last word.
    """
    superseded: dict[int, int] = {}
    is_held = False
    waiting: set[str] = set()
    for entry in entries:
        later = [word.pk for word in entries if supersedes(word, entry)]
        if later and entry.word and entry.in_doubt:
            return Turn(superseded, look=entry.pk)
        if later:
            superseded[entry.pk] = later[-1]
            continue
        if entry.action and not entry.takes and entry.place in waiting:
            continue
        if entry.action and entry.is_waiting and not entry.is_failed and not entry.is_due:
            waiting.add(entry.place)
        elif entry.is_failed or not entry.is_due:
            is_held = True
        elif not is_held or entry.takes:
            return Turn(superseded, carry=entry.pk)
        else:
            break
    return Turn(superseded)
