"""What goes into an audit pack: records and entries read in one snapshot, anchors and evidence copied after it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings

from portal.core.actors import Actor
from portal.core.errors import Unavailable, WrongState

from ...choices import EvidenceSource
from ...models import Evidence
from ...selectors import anchors as anchor_files
from ...selectors import audit_trail, pack_checks, pack_records, pack_scope
from ...selectors.pack_parts import PARTS
from ...selectors.pack_records import Anchored, Head, Moment
from ...selectors.pack_scope import Chosen, Wanted
from .. import evidence_checks, evidence_store
from ..evidence_files import safe_name
from .archive import Archive, json_rows
from .store import PIECE

logger = logging.getLogger(__name__)

_ACTOR = Actor.system("packs")
MOST_ROWS = 100_000
MOST_ENTRIES = 300_000
MOST_HASHES = 3_000_000
# Large, and in its own file of the pack: the document and the lists for people do without.
_HEAVY = frozenset({"described", "card", "metadata", "metric_sources", "drift_baselines", "payload", "progress"})

Rows = dict[int, dict[str, Any]]


class PackTooLarge(WrongState):
    """There is more than one pack may hold."""

    code = "pack-too-large"
    title = "That is too much for one pack"


@dataclass
class Read:
    """What one snapshot gave: the rows of each part by number, who is meant, and how the trail stands."""

    wanted: Wanted
    chosen: Chosen
    moment: Moment
    rows: dict[str, Rows] = field(default_factory=dict)
    people: dict[int, str] = field(default_factory=dict)
    usernames: dict[str, str] = field(default_factory=dict)
    accounts: dict[int, str] = field(default_factory=dict)
    checks: dict[int, list[dict[str, str]]] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)
    sequences: list[int] = field(default_factory=list)
    anchors: list[Anchored] = field(default_factory=list)
    anchors_with_hashes: list[int] = field(default_factory=list)
    verified: str = ""
    evidence: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)

    def leave_out(self, what: str, why: str) -> None:
        """Name what could not be put into the pack."""
        self.left_out.append({"what": what, "why": why})


def refuse_too_much(rows: int, entries: int) -> None:
    """Raise PackTooLarge for more than one pack may hold."""
    for found, most, words in ((rows, MOST_ROWS, "records"), (entries, MOST_ENTRIES, "entries of the audit trail")):
        if found > most:
            raise PackTooLarge(
                f"There are {found:,} {words}, and one pack may hold {most:,}. Choose a shorter period, a project or a"
                " single use case."
            )


def read(actor: Actor, wanted: Wanted, archive: Archive) -> Read:
    """Write data/ and chain/ as of one moment and return what they hold. Belongs inside a snapshot.

    Only what the actor may see is read; what exists beyond that is counted and named. Raises PackTooLarge.
    """
    chosen = pack_scope.choose(actor, wanted)
    refuse_too_much(chosen.rows, pack_records.count_entries(chosen, wanted))
    found = Read(wanted, chosen, pack_records.moment())
    people: set[int] = set()
    accounts: set[int] = set()
    for name in PARTS:
        texts = pack_records.rows_of(name, chosen.ids[name])
        archive.put_pieces(f"data/{name}.json", json_rows(texts))
        rows = {row["id"]: row for row in map(_light, texts)}
        found.rows[name] = rows
        people |= _named(rows, pack_records.person_columns(name))
        accounts |= _named(rows, pack_records.account_columns(name))
    named, owners = pack_records.people(people), pack_records.accounts(accounts)
    archive.put_pieces("data/people.json", json_rows(named))
    archive.put_pieces("data/accounts.json", json_rows(owners))
    for row in map(json.loads, named):
        found.people[row["id"]] = found.usernames[row["username"]] = row["display_name"] or row["username"]
    found.accounts = {row["id"]: f"{row['alias']} ({row['account_id']})" for row in map(json.loads, owners)}
    if chosen.hidden_versions:
        found.leave_out(
            f"{chosen.hidden_versions} model versions",
            "They serve it, but whoever asked for the pack may not see them.",
        )
    found.checks = pack_checks.checks_of(chosen.ids["approval_requests"], found.moment.at)
    found.verified = _verified()
    _trail(found, archive)
    return found


def _trail(found: Read, archive: Archive) -> None:
    found.heads = {chain: Head() for chain in pack_records.chains_of(found.chosen)}
    archive.put_pieces("chain/entries.jsonl", _entry_lines(found))
    heads = {chain: {"entries": head.entries, "hash": head.hash} for chain, head in found.heads.items()}
    archive.put("chain/heads.json", _pretty(heads))
    watches = pack_records.watches()
    tables = {}
    for name in PARTS:
        table = pack_records.table_of(name)
        watch = watches[table]
        tables[name] = {"table": table, "key": watch.key, "quiet": watch.quiet, "hidden": watch.hidden}
    archive.put("chain/tables.json", _pretty(tables))
    found.anchors = pack_records.covering(found.sequences)
    archive.put_pieces("chain/hashes.txt", _hash_lines(found))


def _entry_lines(found: Read) -> Iterator[bytes]:
    for entry in pack_records.entries(found.chosen, found.wanted):
        found.sequences.append(entry.sequence)
        head = found.heads.get(entry.chain)
        if head is not None:
            head.entries, head.last, head.hash = head.entries + 1, entry.sequence, entry.hash
        line = {
            "sequence": entry.sequence,
            "previous": entry.previous,
            "hash": entry.hash,
            "content": entry.content,
        }
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _hash_lines(found: Read) -> Iterator[bytes]:
    budget = MOST_HASHES
    for anchor in found.anchors:
        budget -= anchor.rows
        if budget < 0:
            found.leave_out(
                f"The hashes that anchor {anchor.number} covers",
                f"A pack holds {MOST_HASHES:,} of them. Choose a shorter period to have every entry anchored in it.",
            )
            continue
        found.anchors_with_hashes.append(anchor.number)
        for number, digest in pack_records.hashes(anchor):
            yield f"{number} {digest}\n".encode()


def _verified() -> str:
    """Say how far the trail has been verified, as the page of the audit trail does."""
    standing = audit_trail.standing(_ACTOR)
    if standing.broken is not None:
        return f"A check found the trail not as it was written: {standing.broken.problem}"
    last = standing.last
    if last is None or last.finished_at is None:
        return "The portal has not verified its audit trail yet."
    if last.state != "sound":
        return f"The last check of the whole trail could not be carried out: {last.problem}"
    by = str(last.requested_by) if last.requested_by else "the nightly check"
    return f"Verified to entry {last.verified_to or 0:,} on {moment_words(last.finished_at)}, asked for by {by}."


def add_anchors(found: Read, archive: Archive) -> None:
    """Copy the signed anchors that cover the entries. Raises Unavailable when their storage does not answer."""
    for anchor in list(found.anchors):
        text = anchor_files.read(anchor.number)
        if text is None:
            found.anchors.remove(anchor)
            found.leave_out(f"Anchor {anchor.number}", "Its file is not in the storage of the anchors.")
            continue
        archive.put(f"chain/anchors/{anchor_files.file_name(anchor.number)}", text)
    present = {anchor.number for anchor in found.anchors}
    found.anchors_with_hashes = [number for number in found.anchors_with_hashes if number in present]


def copy_evidence(found: Read, archive: Archive, progress: Callable[[int, int], None]) -> None:
    """Copy the files that were attached, each compared with its hash first; what cannot be copied is named with why.

    Objects in S3 stay where they are: S3 is asked whether they are still what was pinned. Raises Unavailable.
    """
    left = int(settings.PORTAL_PACK_EVIDENCE_MAX_BYTES)
    numbers = found.chosen.ids["evidence"]
    rows = (
        Evidence.objects.filter(pk__in=numbers).select_related("account", "use_case", "version__group").order_by("pk")
    )
    for index, row in enumerate(rows.defer("version__described", "version__card").iterator(200)):
        progress(index, len(numbers))
        told = {"id": row.public_id, "path": None, "state": "here", "why": ""}
        found.evidence.append(told)
        if row.source == EvidenceSource.S3:
            told["state"], told["why"] = _in_s3(row)
        elif row.size > left:
            most = settings.PORTAL_PACK_EVIDENCE_MAX_BYTES // (1024 * 1024)
            told.update(state="too_large", why=f"A pack holds {most:,} MB of evidence, and it does not fit any more.")
            found.leave_out(f"{row.public_id} {row.title}", told["why"])
        else:
            told.update(_copied(row, archive))
            left -= row.size
        if told["state"] in ("altered", "lost", "unknown"):
            found.leave_out(f"{row.public_id} {row.title}", told["why"])


def _copied(row: Evidence, archive: Archive) -> dict[str, Any]:
    """Copy one file; what is altered or lost opens a finding and is named.

    A store that does not answer is no reason to leave evidence out. Raises Unavailable.
    """
    path = f"evidence/{row.public_id}{_suffix(row.filename)}"
    try:
        _, file = evidence_checks.open_for_download(actor=_ACTOR, evidence_id=row.pk)
    except evidence_store.EvidenceAltered as wrong:
        return {"state": "altered", "why": wrong.detail}
    except evidence_store.EvidenceLost as wrong:
        return {"state": "lost", "why": wrong.detail}
    with file:
        archive.put_pieces(path, iter(lambda: file.read(PIECE), b""))
    return {"path": path}


def _in_s3(row: Evidence) -> tuple[str, str]:
    try:
        evidence_checks.check_one(actor=_ACTOR, evidence_id=row.pk)
    except (evidence_store.EvidenceAltered, evidence_store.EvidenceLost) as wrong:
        return ("altered" if isinstance(wrong, evidence_store.EvidenceAltered) else "lost"), wrong.detail
    except Unavailable as wrong:
        return "unknown", f"It lies in S3, which could not be asked: {wrong.detail}"
    return "in_s3", f"It lies in S3, which says it is what was pinned: {row.s3_uri}"


def _suffix(filename: str) -> str:
    """Return the harmless end of a file's name: what it is, without anything its author chose but letters."""
    suffix = PurePosixPath(safe_name(filename)).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 10 else ""


def _light(text: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(text)
    return {name: value for name, value in row.items() if name not in _HEAVY}


def _named(rows: Rows, columns: list[str]) -> set[int]:
    return {row[column] for row in rows.values() for column in columns if row.get(column) is not None}


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def moment_words(moment: datetime) -> str:
    """Say a moment: "21 November 2026, 13:05:12 UTC"."""
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M:%S} UTC"
