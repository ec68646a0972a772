"""Reading what belongs into an audit pack, as the database has it: rows as JSON text, entries with what was hashed.

Belongs inside one snapshot, so that rows, entries and anchors are those of one moment.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from registry.models import AwsAccount, User

from ..models import AuditAnchor
from .pack_parts import PARTS
from .pack_scope import Chosen, Wanted

# Columns that never leave the portal: secrets, and what would let somebody act.
_SECRET = frozenset({"password", "token", "token_digest", "secret", "external_id"})
_FETCH = 2000


@dataclass(frozen=True)
class Entry:
    """One entry of the trail: `content` is exactly the text that was hashed behind `previous` (both hexadecimal)."""

    sequence: int
    chain: str
    previous: str | None
    hash: str
    content: str


@dataclass(frozen=True)
class Anchored:
    """Which entries one signed anchor covers."""

    number: int
    first: int
    last: int
    rows: int


@dataclass
class Head:
    """The last entry of a chain, and how many there are."""

    entries: int = 0
    last: int = 0
    hash: str = ""


@dataclass(frozen=True)
class Moment:
    """The newest entry a snapshot sees (None in an empty trail), and when it was taken."""

    entry: int | None
    at: datetime


@dataclass
class Watch:
    """How a table is in the trail: its key, columns whose change alone is no entry, columns that are not copied."""

    key: str = "id"
    quiet: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


def moment() -> Moment:
    """Return as of when this snapshot is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(sequence), transaction_timestamp() FROM governance_auditevent")
        row = cursor.fetchone()
    assert row is not None
    return Moment(row[0], row[1])


def table_of(name: str) -> str:
    """Return the table behind a part of the pack."""
    return PARTS[name]._meta.db_table


def rows_of(name: str, ids: list[int]) -> list[str]:
    """Return the rows of a part as JSON texts with their columns' own names, in the order of their numbers."""
    return _as_json(PARTS[name], ids, _SECRET)


def people(ids: Iterable[int]) -> list[str]:
    """Return people as JSON texts: number, user name and display name, nothing else of them."""
    found = User.objects.filter(pk__in=set(ids)).order_by("pk")
    return _built(found.values_list("pk", "username", "display_name"), ("id", "username", "display_name"))


def accounts(ids: Iterable[int]) -> list[str]:
    """Return AWS accounts as JSON texts: number, twelve digits and alias."""
    found = AwsAccount.objects.filter(pk__in=set(ids)).order_by("pk")
    return _built(found.values_list("pk", "account_id", "alias"), ("id", "account_id", "alias"))


def person_columns(name: str) -> list[str]:
    """Return the columns of a part that name a person."""
    return _columns_to(PARTS[name], User)


def account_columns(name: str) -> list[str]:
    """Return the columns of a part that name an AWS account."""
    return _columns_to(PARTS[name], AwsAccount)


def watches() -> dict[str, Watch]:
    """Return how each table is in the trail, as its trigger says."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname::text, encode(t.tgargs, 'escape') FROM pg_trigger t
                 JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc f ON f.oid = t.tgfoid
                WHERE f.proname = 'governance_audit_row' ORDER BY 1"""
        )
        found = cursor.fetchall()
    read = {}
    for table, arguments in found:
        key, quiet, hidden = (*arguments.split("\\000"), "", "", "")[:3]
        read[table] = Watch(key or "id", [c for c in quiet.split(",") if c], [c for c in hidden.split(",") if c])
    return read


def chains_of(chosen: Chosen) -> list[str]:
    """Return the chains of the chosen rows, by name."""
    chains = [f"{table_of(name)}:{pk}" for name, ids in chosen.ids.items() for pk in ids]
    return sorted([*chains, *(f"{table_of('version_use_cases')}:{link}" for link in chosen.ended_links)])


# Whole chains of what was chosen, and of a period of the whole portal every entry that was written in it.
_WHERE = """
 WHERE sequence IN (SELECT e.sequence FROM unnest(%(chains)s::text[]) c(chain)
                      JOIN governance_auditevent e ON e.chain = c.chain
                     UNION
                    SELECT e.sequence FROM governance_auditevent e
                     WHERE %(all)s AND e.at >= %(since)s AND e.at < %(until)s)
"""
_COUNT = f"SELECT count(*) FROM governance_auditevent {_WHERE}"  # noqa: S608 - constants
_ENTRIES = f"""
SELECT sequence, chain, encode(previous_hash, 'hex'), encode(hash, 'hex'),
       jsonb_build_array(chain, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), transaction,
                         database_user, actor, reason, correlation, "table", object_id, action, changes)::text
  FROM governance_auditevent {_WHERE} ORDER BY sequence
"""  # noqa: S608 - constants


def count_entries(chosen: Chosen, wanted: Wanted) -> int:
    """Return how many entries of the trail a pack would hold."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, _which(chosen, wanted))
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def entries(chosen: Chosen, wanted: Wanted) -> Iterator[Entry]:
    """Yield the entries of the trail that concern a pack, in their order."""
    # A cursor of the server's own, so that no more than a few thousand entries are in memory at once.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_ENTRIES, _which(chosen, wanted))
        while batch := cursor.fetchmany(_FETCH):
            for sequence, chain, previous, digest, content in batch:
                yield Entry(sequence, chain, previous, digest, content)


def covering(sequences: list[int]) -> list[Anchored]:
    """Return the anchors that cover any of these entries, which are in order, and the newest anchor of all."""
    index = AuditAnchor.objects.order_by("number").values_list("number", "first_sequence", "last_sequence", "rows")
    found = [Anchored(*row) for row in index.iterator(_FETCH)]
    newest = found[-1].number if found else 0
    return [each for each in found if each.number == newest or _holds_any(each, sequences)]


def hashes(span: Anchored) -> Iterator[tuple[int, str]]:
    """Yield number and hash (hexadecimal) of every entry an anchor covers, in order."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            """SELECT sequence, encode(hash, 'hex') FROM governance_auditevent
                WHERE sequence BETWEEN %s AND %s ORDER BY sequence""",
            [span.first, span.last],
        )
        while batch := cursor.fetchmany(_FETCH):
            yield from batch


def _holds_any(span: Anchored, sequences: list[int]) -> bool:
    at = bisect.bisect_left(sequences, span.first)
    return at < len(sequences) and sequences[at] <= span.last


def _which(chosen: Chosen, wanted: Wanted) -> dict[str, Any]:
    return {
        "chains": chains_of(chosen),
        "all": wanted.is_everything,
        "since": wanted.since if wanted.is_everything else None,
        "until": wanted.until if wanted.is_everything else None,
    }


def _as_json(model: type[Model], ids: list[int], without: frozenset[str]) -> list[str]:
    meta = model._meta
    left_out = sorted(without & {column.column for column in meta.concrete_fields if column.column})
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT (to_jsonb(t) - %s::text[])::text FROM "{meta.db_table}" t WHERE id = ANY(%s) ORDER BY id',  # noqa: S608 - a model's own name
            [left_out, ids],
        )
        return [text for (text,) in cursor.fetchall()]


def _built(rows: Any, names: tuple[str, ...]) -> list[str]:
    return [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows.iterator()]


def _columns_to(model: type[Model], target: type[Model]) -> list[str]:
    return [
        str(column.column)
        for column in model._meta.concrete_fields
        if column.is_relation and column.related_model is target and column.column
    ]
