"""Verifying the audit trail in itself: every entry's hash, and its link to the entry before it in the same chain.

What the trail cannot show of itself, a removed end or a history written anew, the anchors show: see
`governance.services.verification`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

# Read and judged together: enough to be fast, little enough to say how far a check has come.
BATCH = 100_000
LOWEST = -(2**63)

# One pass in the database, with the function that the trigger writes hashes with. An entry is bad when its content
# does not give its hash, when it does not name the hash of the entry before it, or when it is filed under a chain that
# is not its own. `starts` are the first numbers of the spans asked about; each span is counted and digested. The
# contents are judged where they are read (OFFSET 0 keeps it so), by several processes, and only hashes are sorted.
_EXAMINE = """
WITH part AS (
  SELECT sequence, chain, hash, previous_hash,
         hash IS DISTINCT FROM governance_audit_digest(
           previous_hash, chain, at, transaction, database_user, actor, reason, correlation, "table", object_id, action,
           changes) AS is_altered,
         chain <> "table" || ':' || object_id AS is_misfiled
    FROM governance_auditevent WHERE sequence >= %(first)s AND sequence <= %(last)s OFFSET 0
), linked AS (
  SELECT *, lag(hash) OVER chained AS before, row_number() OVER chained = 1 AS is_first FROM part
  WINDOW chained AS (PARTITION BY chain ORDER BY sequence)
), judged AS (
  SELECT sequence, chain, hash, previous_hash,
         CASE WHEN is_altered THEN 'content'
              WHEN previous_hash IS DISTINCT FROM CASE WHEN is_first THEN (
                     SELECT earlier.hash FROM governance_auditevent earlier
                      WHERE earlier.chain = linked.chain AND earlier.sequence < %(first)s
                      ORDER BY earlier.sequence DESC LIMIT 1) ELSE before END THEN 'link'
              WHEN is_misfiled THEN 'chain' END AS fault
    FROM linked OFFSET 0
)
SELECT width_bucket(sequence, %(starts)s::bigint[]) - 1 AS span,
       count(*), count(*) FILTER (WHERE previous_hash IS NULL), max(sequence),
       encode(sha256(string_agg(int8send(sequence) || hash, ''::bytea ORDER BY sequence)), 'hex'),
       min(sequence) FILTER (WHERE fault IS NOT NULL),
       (array_agg(ARRAY[chain, fault] ORDER BY sequence) FILTER (WHERE fault IS NOT NULL))[1:1]
  FROM judged GROUP BY span ORDER BY span
"""
_FAULTS = {
    "content": "its content does not give the hash that was written with it: it was changed afterwards",
    "link": "it does not continue the row before it: a row of this chain was removed, inserted or replaced",
    "chain": "it is filed under the chain of another object",
}


@dataclass(frozen=True)
class BadRow:
    """An entry that is not as it was written."""

    sequence: int
    chain: str
    fault: str

    @property
    def words(self) -> str:
        """What is wrong, naming the entry."""
        return f"Row {self.sequence} of {self.chain}: {_FAULTS[self.fault]}."


@dataclass(frozen=True)
class Span:
    """The entries numbered `first` to `last`, both included, whether or not each of the numbers was used."""

    first: int
    last: int


@dataclass(frozen=True)
class Portion:
    """What the trail holds in a span: entries, chains that begin there, the digest that an anchor signs, a bad entry.

    `digest` is "" for a span without entries, and `highest` None.
    """

    span: Span
    rows: int = 0
    chains: int = 0
    highest: int | None = None
    digest: str = ""
    bad: BadRow | None = None


@dataclass(frozen=True)
class Verification:
    """What a pass over the trail found. `problem` is "" when every row is as it was written."""

    rows: int
    chains: int
    first_bad_sequence: int | None
    problem: str

    @property
    def is_intact(self) -> bool:
        return self.first_bad_sequence is None


def verify() -> Verification:
    """Check every row of the audit trail and name the first bad one.

    A removed end of a chain leaves no trace in the chain itself and is not found by this.
    """
    rows = chains = 0
    bad: BadRow | None = None
    for portion in portions(LOWEST):
        rows, chains, bad = rows + portion.rows, chains + portion.chains, bad or portion.bad
    return Verification(rows, chains, bad.sequence if bad else None, bad.words if bad else "")


def examine(spans: Sequence[Span]) -> list[Portion]:
    """Return what the trail holds in each of these spans, which follow one another in order."""
    if not spans:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        # Room to sort a batch of hashes without writing them to disk; handing hashes over is cheap beside making them.
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL parallel_tuple_cost = 0; SET LOCAL jit = off")
        cursor.execute(
            _EXAMINE, {"first": spans[0].first, "last": spans[-1].last, "starts": [span.first for span in spans]}
        )
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    return [_portion(span, found.get(index)) for index, span in enumerate(spans)]


def _portion(span: Span, found: tuple[int, int, int, str, int | None, list[list[str]] | None] | None) -> Portion:
    if found is None:
        return Portion(span)
    rows, chains, highest, digest, bad, why = found
    return Portion(
        span, rows, chains, highest, digest, BadRow(bad, *why[0]) if bad is not None and why is not None else None
    )


def portions(first: int, limit: int | None = None) -> Iterator[Portion]:
    """Yield the trail from that number on, up to `limit` or its end, in portions of BATCH entries."""
    while (last := end_of_batch(first, limit)) is not None:
        yield from examine([Span(first, last)])
        first = last + 1


def end_of_batch(first: int, limit: int | None = None) -> int | None:
    """Return the number of the last of BATCH entries from that number on, none behind `limit`; None without any."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT max(sequence) FROM (SELECT sequence FROM governance_auditevent
                WHERE sequence >= %s AND (%s::bigint IS NULL OR sequence <= %s) ORDER BY sequence LIMIT %s) batch""",
            [first, limit, limit, BATCH],
        )
        row = cursor.fetchone()
    return None if row is None or row[0] is None else int(row[0])


def entries_from(first: int) -> int:
    """Return how many entries the trail has from that number on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM governance_auditevent WHERE sequence >= %s", [first])
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])
