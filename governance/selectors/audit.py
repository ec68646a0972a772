"""Verifying the audit trail: every row's hash, and its link to the row before it in the same chain."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from portal.core.actors import Actor
from portal.core.permissions import Act, require_anywhere

# One pass in the database, with the function that the trigger writes hashes with. A row is bad when its content does
# not give its hash, when it does not name the hash of the row before it, or when it is filed under a chain that is
# not its own.
_CHECK = """
WITH linked AS (
  SELECT sequence, chain, "table", object_id, hash, previous_hash,
         lag(hash) OVER (PARTITION BY chain ORDER BY sequence) AS before,
         governance_audit_digest(previous_hash, chain, at, transaction, database_user, actor, reason, correlation,
                                 "table", object_id, action, changes) AS wanted
    FROM governance_auditevent
), judged AS (
  SELECT sequence, chain,
         CASE WHEN hash IS DISTINCT FROM wanted THEN 'content'
              WHEN previous_hash IS DISTINCT FROM before THEN 'link'
              WHEN chain <> "table" || ':' || object_id THEN 'chain' END AS fault
    FROM linked
)
SELECT (SELECT count(*) FROM judged), (SELECT count(DISTINCT chain) FROM judged), bad.sequence, bad.chain, bad.fault
  FROM (SELECT 1) AS always
  LEFT JOIN (SELECT sequence, chain, fault FROM judged WHERE fault IS NOT NULL ORDER BY sequence LIMIT 1) AS bad
    ON true
"""
_FAULTS = {
    "content": "its content does not give the hash that was written with it: it was changed afterwards",
    "link": "it does not continue the row before it: a row of this chain was removed, inserted or replaced",
    "chain": "it is filed under the chain of another object",
}


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

    A removed tail of a chain leaves no trace in the chain itself and is not found by this.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHECK)
        found = cursor.fetchone()
    assert found is not None
    rows, chains, sequence, chain, fault = found
    problem = "" if sequence is None else f"Row {sequence} of {chain}: {_FAULTS[fault]}."
    return Verification(rows=rows, chains=chains, first_bad_sequence=sequence, problem=problem)


def verified_for(actor: Actor) -> Verification:
    """Verify on behalf of somebody who may see the trail. Raises Forbidden."""
    require_anywhere(actor, Act.SEE_AUDIT)
    return verify()
