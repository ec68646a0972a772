"""Answers to POSTs that carry an Idempotency-Key: kept in the transaction of their effect, given again for a day.

Whoever did not hear the answer repeats the request with its key and is told what he missed; nothing is done twice. The
convention is that of the IETF draft "The Idempotency-Key HTTP Header Field".
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep

from django.conf import settings
from django.utils import timezone

from portal.core import sealing
from portal.core.actors import Actor
from portal.core.errors import DomainError, Forbidden
from portal.core.locks import try_until_commit

from ..models import IdempotentAnswer

PURPOSE = "idempotency"
# Seconds that a repeated request waits for the first one; a web process has few hands to wait with.
LONGEST_WAIT = 5.0
_PAUSE = 0.05
_BATCH = 5000
_LONGEST_PATH = 2000


class KeyReused(DomainError):
    """One key for two different requests."""

    code = "idempotency-key-reused"
    title = "This key belongs to another request"
    status = 422


class KeyInProgress(DomainError):
    """The first request with this key is still being carried out."""

    code = "idempotency-in-progress"
    title = "The first request is still running"
    status = 409
    retry_after = 2


@dataclass(frozen=True)
class KeyedRequest:
    """Whose request it is, its key, its address, and the SHA-256 of address and body."""

    actor: Actor
    key: str
    path: str
    fingerprint: str


@dataclass(frozen=True)
class KeptAnswer:
    """An answer as it was given: its status, the headers that belong to the effect, its bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


def answered(asked: KeyedRequest) -> KeptAnswer | None:
    """Take the request's key until the transaction ends; return what its request was answered, None for a new one.

    Belongs inside the transaction of the effect, before it. Waits some seconds for another request with the key.
    Raises KeyReused for another address or body, KeyInProgress when the other one takes longer, Forbidden for the
    system.
    """
    person = _person(asked.actor)
    deadline = monotonic() + LONGEST_WAIT
    while not try_until_commit(f"idempotency:{person}:{asked.key}"):
        if monotonic() > deadline:
            raise KeyInProgress(
                "A request with this Idempotency-Key is being carried out. Repeat yours in some seconds to be told"
                " its answer."
            )
        sleep(_PAUSE)
    row = IdempotentAnswer.objects.filter(person_id=person, key=asked.key).first()
    if row is None:
        return None
    if row.answered_at < timezone.now() - settings.PORTAL_IDEMPOTENCY:
        row.delete()
        return None
    if row.fingerprint != asked.fingerprint:
        other = "with another body or token" if row.path == asked.path[:_LONGEST_PATH] else f"to {row.path}"
        if asked.actor.bounds.projects is not None:
            # What it was may be more than a token that is held to some projects sees.
            other = "with another address, body or token"
        raise KeyReused(
            f"This Idempotency-Key was used for a request {other}. Nothing was done: send a fresh key with a new"
            " request, and the same body with a repeated one."
        )
    return KeptAnswer(row.status, row.headers, sealing.unseal(row.body, purpose=PURPOSE) if row.body else b"")


def keep(asked: KeyedRequest, answer: KeptAnswer) -> None:
    """Keep an answer to be given again; belongs inside the transaction that `answered` took the key in."""
    IdempotentAnswer.objects.create(
        person_id=_person(asked.actor),
        key=asked.key,
        path=asked.path[:_LONGEST_PATH],
        fingerprint=asked.fingerprint,
        status=answer.status,
        headers=answer.headers,
        body=sealing.seal(answer.body, purpose=PURPOSE) if answer.body else "",
        answered_at=timezone.now(),
    )


def prune() -> int:
    """Remove the answers that are not given again any more; returns how many there were."""
    removed = 0
    old = IdempotentAnswer.objects.filter(answered_at__lt=timezone.now() - settings.PORTAL_IDEMPOTENCY)
    while batch := list(old.values_list("pk", flat=True)[:_BATCH]):
        removed += IdempotentAnswer.objects.filter(pk__in=batch).delete()[0]
    return removed


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("Only people and service accounts send an Idempotency-Key.")
    return actor.user_id
