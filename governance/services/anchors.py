"""Anchors: what the audit trail holds is signed every few minutes and kept outside the database.

A chain cannot show that its end, or all of it, is gone, and whoever owns the tables can write a history anew with
hashes that fit. Each anchor covers the entries since the one before it and names that one by its hash, so the newest
anchor vouches for all of them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import WrongState
from portal.core.locks import advisory_lock
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere

from ..models import AuditAnchor
from ..selectors import anchors, audit
from . import signing

logger = logging.getLogger(__name__)

TYPE = "anchor+jwt"
_LOCK = "audit anchors"
# How long one anchor waits for transactions that are still writing the trail; the next one tries again.
PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.05


class AnchorConflict(WrongState):
    """The storage holds an anchor that does not continue the index: the database or the storage is not what it was."""

    code = "anchor-conflict"
    title = "The anchors do not fit the database"


@dataclass(frozen=True)
class Claims:
    """What an anchor says: entries `first` to `last` are `rows`, begin `chains` chains, and have this digest.

    `previous` is the SHA-256 of the file of the anchor before it, "" for the first. The totals count from the first
    entry of the trail. `iat` is when it was signed, in seconds since 1970, `iss` the portal that did.
    """

    number: int
    previous: str
    first: int
    last: int
    rows: int
    chains: int
    total_rows: int
    total_chains: int
    digest: str
    iat: int
    iss: str

    @classmethod
    def of(cls, claims: dict[str, Any]) -> Claims:
        """Return the claims of a token whose signature holds. Raises signing.BadSignature when they are no anchor's."""
        try:
            values: dict[str, Any] = {name: kind(claims[name]) for name, kind in _KINDS.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise signing.BadSignature("It is signed, but says nothing an anchor says.") from error
        return cls(**values)

    @property
    def span(self) -> audit.Span:
        """The entries it covers."""
        return audit.Span(self.first, self.last)


_KINDS: dict[str, type[int | str]] = {
    **dict.fromkeys(("number", "first", "last", "rows", "chains", "total_rows", "total_chains", "iat"), int),
    **dict.fromkeys(("previous", "digest", "iss"), str),
}


def anchor(*, actor: Actor, patience: float = PATIENCE_SECONDS) -> AuditAnchor | None:
    """Sign what the trail gained since the last anchor, and return the newest anchor; None when there is none to make.

    There is none when the trail has not grown, when somebody else is at it, and when a transaction went on writing
    for longer than `patience` seconds. Belongs outside any transaction: a file cannot be taken back. Killed at any
    moment it leaves nothing wrong: a file that is stored but not listed is listed by the next call. Raises Forbidden,
    Unavailable when the storage does not answer, AnchorConflict.
    """
    require_anywhere(actor, Act.SEE_AUDIT)
    with advisory_lock(_LOCK) as held:
        if not held:
            return None
        made = _list_what_is_stored(actor)
        settled = _settled(patience)
        while settled is not None and (more := _anchor_next(actor, settled)) is not None:
            made = more
        return made


def newest() -> AuditAnchor | None:
    """Return the anchor the next one continues."""
    return AuditAnchor.objects.order_by("-number").first()


def _list_what_is_stored(actor: Actor) -> AuditAnchor | None:
    """List the anchors that a killed worker, or a database set back to an earlier day, left only in the storage."""
    listed, last = None, newest()
    for number in anchors.stored_numbers():
        if last is not None and number <= last.number:
            continue
        text = anchors.read(number) or ""
        try:
            claims = Claims.of(signing.verify(text, typ=TYPE))
        except signing.BadSignature as refusal:
            raise _conflict(number, refusal.detail) from refusal
        expected = (last.number + 1, last.file_sha256, last.last_sequence + 1) if last else (1, "", claims.first)
        if (number, claims.number, claims.previous, claims.first) != (expected[0], *expected):
            raise _conflict(number, "It does not continue the last anchor of the index.")
        listed = last = _list(actor, claims, text)
    return listed


def _conflict(number: int, why: str) -> AnchorConflict:
    return AnchorConflict(
        f"The storage holds anchor {number}, which the index does not have, and it cannot be listed. {why} No further"
        " anchor is made until this is understood: run verify_audit, and see docs/operations.md."
    )


def _settled(patience: float) -> int | None:
    """Return an entry's number such that no entry up to it can still appear; None when that takes too long.

    Numbers are given out before transactions commit, and these commit in any order. Whoever holds a number at or below
    the highest one visible took it before that one became visible, and has held a lock on the table since before he
    took it: once everybody who holds such a lock now has ended, nobody is left who could.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(sequence) FROM governance_auditevent")
        row = cursor.fetchone()
        if row is None or row[0] is None:
            return None
        writing = _writers(cursor)
        deadline = time.monotonic() + patience
        while writing and (writing := writing & _writers(cursor)):
            if time.monotonic() > deadline:
                logger.warning("No audit anchor: a transaction has been writing for %.0f s.", patience)
                return None
            time.sleep(_POLL_SECONDS)
    return int(row[0])


def _writers(cursor: Any) -> set[str]:
    """Return the transactions of others that have written the trail, or are about to."""
    cursor.execute(
        """SELECT virtualtransaction FROM pg_locks
            WHERE locktype = 'relation' AND relation = 'governance_auditevent'::regclass AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND mode = 'RowExclusiveLock' AND pid IS DISTINCT FROM pg_backend_pid()"""
    )
    return {row[0] for row in cursor.fetchall()}


def _anchor_next(actor: Actor, settled: int) -> AuditAnchor | None:
    """Make the anchor of the next entries, BATCH of them at most, none behind `settled`."""
    last = newest()
    first = last.last_sequence + 1 if last else _first_entry()
    end = audit.end_of_batch(first, settled)
    if end is None or not _is_worth_an_anchor(first, end):
        return None
    [found] = audit.examine([audit.Span(first, end)])
    claims = Claims(
        number=last.number + 1 if last else 1,
        previous=last.file_sha256 if last else "",
        first=first,
        last=end,
        rows=found.rows,
        chains=found.chains,
        total_rows=found.rows + (last.total_rows if last else 0),
        total_chains=found.chains + (last.total_chains if last else 0),
        digest=found.digest,
        iat=int(timezone.now().timestamp()),
        iss=settings.PORTAL_PUBLIC_URL,
    )
    text = signing.sign(asdict(claims), typ=TYPE)
    _store(claims.number, text)
    return _list(actor, claims, text)


def _first_entry() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(sequence), 1) FROM governance_auditevent")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _is_worth_an_anchor(first: int, last: int) -> bool:
    """Whether there is more than the entries of earlier anchors: else each anchor would be the cause of the next."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT 1 FROM governance_auditevent
                               WHERE sequence BETWEEN %s AND %s AND "table" <> %s)""",
            [first, last, AuditAnchor._meta.db_table],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _store(number: int, text: str) -> None:
    name = anchors.file_name(number)
    with anchors.reaching_storage() as storage:
        try:
            saved = "" if storage.exists(name) else storage.save(name, ContentFile(text.encode()))
        except FileExistsError:
            saved = ""
    if saved != name:
        raise _conflict(number, "It was stored meanwhile.")


def _list(actor: Actor, claims: Claims, text: str) -> AuditAnchor:
    with operation(actor, "anchor the audit trail"):
        return AuditAnchor.objects.create(
            number=claims.number,
            first_sequence=claims.first,
            last_sequence=claims.last,
            rows=claims.rows,
            chains=claims.chains,
            total_rows=claims.total_rows,
            total_chains=claims.total_chains,
            digest=claims.digest,
            file_sha256=anchors.file_hash(text),
            signed_at=datetime.fromtimestamp(claims.iat, UTC),
        )
