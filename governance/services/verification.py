"""Verifying the audit trail against itself and against its signed anchors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jwt

from portal.core.actors import Actor
from portal.core.errors import NotFound
from portal.core.permissions import Act, require_anywhere

from ..models import AuditAnchor
from ..selectors import anchors, audit, audit_coverage
from ..selectors.audit import BATCH, Portion, Span
from . import signing
from .anchors import TYPE, Claims

# Anchors whose entries are read in one go.
_TOGETHER = 500


@dataclass(frozen=True)
class BadAnchor:
    """An anchor that is not as it was signed, or whose entries are not."""

    number: int
    words: str


@dataclass(frozen=True)
class Verification:
    """What a check found: how much it read, the first entry and the first anchor that are not as they were.

    `rows`, `chains` (those that begin in what was read) and `verified_to`, the highest entry read, count what was read
    behind anchor `since`. `anchor` is the newest anchor read and `anchored_to` the last entry it covers.
    `unguarded` says which guards of the database are not in force. `problem` is "" when all is as it was written and
    signed.
    """

    rows: int
    chains: int
    anchors: int
    since: int | None
    verified_to: int | None
    anchor: int | None
    anchored_to: int | None
    first_bad_sequence: int | None
    first_bad_anchor: int | None
    unguarded: tuple[str, ...]
    problem: str

    @property
    def is_intact(self) -> bool:
        return not self.problem


@dataclass(frozen=True)
class _Stored:
    """One anchor as the storage and the index have it; `claims` are None when they cannot be relied on."""

    number: int
    claims: Claims | None
    fault: str = ""


def verify(*, since: int | None = None, progress: Callable[[int], None] | None = None) -> Verification:
    """Check the trail and its anchors: all of them, or only what comes after anchor `since`, which is read too.

    Found are: an entry that was altered, put in, moved or removed, in the middle or at the end, alone or with its
    whole chain; an emptied table; a history written anew with hashes that fit; an anchor's file that was removed,
    replaced, exchanged for another or not signed by this portal; a missing or altered row of the index. Entries behind
    the newest anchor are covered by their chains alone. `progress` is told how many entries have been read so far.

    Raises NotFound when anchor `since` is in neither storage nor index, Unavailable when the storage does not answer.
    """
    stored = _stored(since)
    if since is not None and not any(each.number == since for each in stored):
        raise NotFound(f"There is no anchor {since}.")
    good = [each.claims for each in stored if each.claims]
    found = _Found(good, [BadAnchor(each.number, each.fault) for each in stored if each.fault])
    for portion in _portions(good, good[0].last + 1 if since is not None and stored[0].claims else audit.LOWEST):
        found.take(portion)
        if progress is not None:
            progress(found.rows)
    return found.result(since, len(stored))


@dataclass
class _Found:
    """What has been found so far, with the anchors that can be relied on."""

    good: list[Claims]
    bad_anchors: list[BadAnchor]
    bad_row: audit.BadRow | None = None
    rows: int = 0
    chains: int = 0
    highest: int | None = None

    def __post_init__(self) -> None:
        self.by_last = {each.last: each for each in self.good}

    def take(self, portion: Portion) -> None:
        self.rows += portion.rows
        self.chains += portion.chains
        self.highest = portion.highest or self.highest
        self.bad_row = self.bad_row or portion.bad
        claims = self.by_last.get(portion.span.last)
        if claims is not None and (fault := _difference(claims, portion)):
            self.bad_anchors.append(BadAnchor(claims.number, fault))
        first = self.good[0] if self.good else None
        if first is not None and first.number == 1 and portion.rows and portion.span.last < first.first:
            fault = f"Anchor 1 begins with entry {first.first}; {portion.rows} entries were put in before it."
            self.bad_anchors.append(BadAnchor(1, fault))

    def result(self, since: int | None, anchors: int) -> Verification:
        newest = self.good[-1] if self.good else None
        bad_anchor = min(self.bad_anchors, key=lambda each: each.number, default=None)
        unguarded = tuple(audit_coverage.gaps())
        return Verification(
            rows=self.rows,
            chains=self.chains,
            anchors=anchors,
            since=since,
            verified_to=self.highest,
            anchor=newest.number if newest else None,
            anchored_to=newest.last if newest else None,
            first_bad_sequence=self.bad_row.sequence if self.bad_row else None,
            first_bad_anchor=bad_anchor.number if bad_anchor else None,
            unguarded=unguarded,
            problem=" ".join([*(each.words for each in (self.bad_row, bad_anchor) if each), *unguarded]),
        )


def verified_for(actor: Actor, since: int | None = None) -> Verification:
    """Verify on behalf of somebody who may see the trail. Raises Forbidden, NotFound, Unavailable."""
    require_anywhere(actor, Act.SEE_AUDIT)
    return verify(since=since)


def entries_behind(since: int | None) -> int:
    """Return how many entries a check behind that anchor has to read."""
    base = AuditAnchor.objects.filter(number=since or 0).first()
    return audit.entries_from(base.last_sequence + 1 if base else audit.LOWEST)


def _portions(claims: list[Claims], position: int) -> Iterator[Portion]:
    """Yield the trail from that number on: each anchor's entries as one portion, and whatever no good anchor covers."""
    together: list[Span] = []
    for each in claims:
        if each.last < position:  # the anchor a check of recent entries begins behind
            continue
        if each.first > position:
            yield from audit.examine(together)
            together = []
            yield from audit.portions(position, each.first - 1)
        together.append(each.span)
        position = each.last + 1
        if len(together) >= _TOGETHER or each.last - together[0].first >= BATCH:
            yield from audit.examine(together)
            together = []
    yield from audit.examine(together)
    yield from audit.portions(position)


def _difference(claims: Claims, portion: Portion) -> str:
    """Return what is no longer as this anchor signed it, "" when all is."""
    covers = f"Anchor {claims.number} covers entries {claims.first} to {claims.last}"
    if portion.span != claims.span or portion.rows != claims.rows:
        missing = claims.rows - portion.rows
        how = f"{missing} of them missing" if missing > 0 else f"{-missing} of them put in since"
        return f"{covers} and counted {claims.rows}; now there are {portion.rows}, {how}."
    if portion.digest != claims.digest or portion.chains != claims.chains:
        return f"{covers}; what is there now is not what it signed: history was written anew."
    return ""


def _stored(since: int | None) -> list[_Stored]:
    """Return the anchors from `since` on, each judged by its signature, its neighbours and its row of the index."""
    begin = since or 1
    listed = {row.number: row for row in AuditAnchor.objects.filter(number__gte=begin)}
    known = sorted({number for number in anchors.stored_numbers() if number >= begin} | set(listed))
    judged: list[_Stored] = []
    following: Claims | None = None
    # From the newest back: what a good anchor names by its hash is as it was, whatever became of the key it was
    # signed with.
    for number in reversed(known):
        each = _judged(number, following, listed.get(number), is_newest=number == known[-1])
        following = each.claims
        judged.append(each)
    judged.reverse()
    gaps = [
        _Stored(before + 1, None, f"Anchor {before + 1} is missing, in the storage and in the index.")
        for before, number in zip([begin - 1, *known], known, strict=False)
        if number != before + 1
    ]
    return sorted([*judged, *gaps], key=lambda each: each.number)


def _judged(number: int, following: Claims | None, row: AuditAnchor | None, *, is_newest: bool) -> _Stored:
    text = anchors.read(number)
    if text is None:
        return _Stored(number, None, f"Anchor {number} is missing in the storage.")
    file_hash = anchors.file_hash(text)
    is_next = following is not None and following.number == number + 1
    is_named = following is not None and is_next and following.previous == file_hash
    try:
        claims = Claims.of(_claims(text, is_named=is_named))
    except signing.BadSignature as refusal:
        return _Stored(number, None, f"Anchor {number} in the storage cannot be relied on. {refusal.detail}")
    if claims.number != number:
        return _Stored(number, None, f"Where anchor {number} should be, the storage has anchor {claims.number}.")
    if following is not None and is_next and (not is_named or following.first != claims.last + 1):
        return _Stored(number, None, f"Anchor {number} is not the one that anchor {following.number} continues.")
    # The newest may have been stored by a worker that was killed before it listed it; the next anchoring does.
    if row is None and not is_newest:
        return _Stored(number, claims, f"Anchor {number} is stored, but missing in the index.")
    if row is not None and not _agree(row, claims, file_hash):
        return _Stored(number, claims, f"The index does not say of anchor {number} what its file says.")
    return _Stored(number, claims)


def _claims(text: str, *, is_named: bool) -> dict[str, Any]:
    """Return the claims of a file whose signature holds, or whose key was revoked after a good anchor named it.

    Raises signing.BadSignature.
    """
    try:
        return signing.verify(text, typ=TYPE)
    except signing.RevokedKey:
        if not is_named:
            raise
    claims: dict[str, Any] = jwt.decode(text, options={"verify_signature": False})
    return claims


def _agree(row: AuditAnchor, claims: Claims, file_hash: str) -> bool:
    indexed = (
        *(row.first_sequence, row.last_sequence, row.rows, row.chains, row.total_rows, row.total_chains),
        *(row.digest, row.file_sha256, int(row.signed_at.timestamp())),
    )
    signed = (
        *(claims.first, claims.last, claims.rows, claims.chains, claims.total_rows, claims.total_chains),
        *(claims.digest, file_hash, claims.iat),
    )
    return indexed == signed
