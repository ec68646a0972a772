"""Whether the ledger still tells how everything came to stand where it stands, and the past ends in the present.

Three questions, each one query: does the last entry of every record, and of every subject, say what the row says; does
every entry begin where the one before it ended; and is the table as of now, from the history, the table of today.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from portal.core.actors import Actor
from portal.core.permissions import Act, require_anywhere

# No more are named; how many there are is counted.
MOST = 50

_RECORDS = """
WITH last AS (
  SELECT DISTINCT ON (kind, record_id_copy) kind, record_id_copy, status FROM governance_stageevent
   ORDER BY kind, record_id_copy, id DESC
), standing AS (
  SELECT 'model_version' AS kind, id, status FROM governance_stagerecord
  UNION ALL SELECT 'use_case', id, status FROM governance_usecasestagerecord
)
SELECT coalesce(s.kind, l.kind) || ' record ' || coalesce(s.id, l.record_id_copy), l.status, s.status
  FROM standing s FULL JOIN last l ON l.record_id_copy = s.id AND l.kind = s.kind
 WHERE l.status IS DISTINCT FROM s.status
"""
_POSITIONS = """
WITH last AS (
  SELECT DISTINCT ON (kind, coalesce(version_id, use_case_id)) kind, coalesce(version_id, use_case_id) AS subject,
         position_stage || '/' || position_status AS position
    FROM governance_stageevent ORDER BY kind, coalesce(version_id, use_case_id), id DESC
), standing AS (
  SELECT 'model_version' AS kind, id, stage || '/' || status AS position FROM registry_modelversion
  UNION ALL SELECT 'use_case', id, stage || '/' || status FROM registry_usecase
)
SELECT s.kind || ' ' || s.id, l.position, s.position
  FROM standing s LEFT JOIN last l ON l.subject = s.id AND l.kind = s.kind
 WHERE l.position IS DISTINCT FROM s.position
"""
_STEPS = """
SELECT kind || ' record ' || record_id_copy || ', entry ' || id, before, from_status
  FROM (SELECT id, kind, record_id_copy, from_status,
               coalesce(lag(status) OVER (PARTITION BY kind, record_id_copy ORDER BY id), '') AS before
          FROM governance_stageevent) e
 WHERE before IS DISTINCT FROM from_status
"""
# What the stage table of today is made of, against the open rows of its history.
_PAST = """
SELECT 'stage record ' || coalesce(r.id, h.id), h.said, r.said
  FROM (SELECT id, concat_ws(', ', version_id, stage, account_id, status, audit_at, audit_user,
                             validation_metrics, monitoring_metrics) AS said FROM governance_stagerecord) r
  FULL JOIN (SELECT id, concat_ws(', ', version_id, stage, account_id, status, audit_at, audit_user,
                                  validation_metrics, monitoring_metrics) AS said
               FROM governance_history_stagerecord WHERE valid_to = 'infinity') h ON h.id = r.id
 WHERE r.said IS DISTINCT FROM h.said
UNION ALL
SELECT 'model version ' || coalesce(v.id, h.id), h.said, v.said
  FROM (SELECT id, concat_ws(', ', arn, group_id, number, owner_name, line_of_business, risk_rating, stage, status)
               AS said FROM registry_modelversion) v
  FULL JOIN (SELECT id, concat_ws(', ', arn, group_id, number, owner_name, line_of_business, risk_rating, stage, status)
                    AS said FROM governance_history_modelversion WHERE valid_to = 'infinity') h ON h.id = v.id
 WHERE v.said IS DISTINCT FROM h.said
UNION ALL
SELECT 'use case ' || coalesce(u.id, h.id), h.said, u.said
  FROM (SELECT id, concat_ws(', ', number, name, stage, status, risk_class, project_id) AS said
          FROM registry_usecase) u
  FULL JOIN (SELECT id, concat_ws(', ', number, name, stage, status, risk_class, project_id) AS said
               FROM governance_history_usecase WHERE valid_to = 'infinity') h ON h.id = u.id
 WHERE u.said IS DISTINCT FROM h.said
"""
_QUESTIONS = (
    ("record", "its last ledger entry says {recorded}, it is {stands}", _RECORDS),
    ("position", "the ledger says it stands at {recorded}, it stands at {stands}", _POSITIONS),
    ("step", "the entry before it left {recorded}, it begins at {stands}", _STEPS),
    ("history", "its history ends with ({recorded}), it is ({stands})", _PAST),
)


@dataclass(frozen=True)
class Disagreement:
    """One place where ledger or history and the present differ; `about` names the kind of question."""

    about: str
    what: str
    words: str


@dataclass(frozen=True)
class Replay:
    """What replaying the ledger found. `disagreements` counts all of them, `named` are the first ones."""

    entries: int
    records: int
    disagreements: int
    named: tuple[Disagreement, ...]

    @property
    def agrees(self) -> bool:
        """Whether the ledger replays to the current state and the history ends in it."""
        return self.disagreements == 0


def replay(actor: Actor) -> Replay:
    """Replay the whole ledger and compare; five queries, however long it is. Raises Forbidden."""
    require_anywhere(actor, Act.SEE_AUDIT)
    named: list[Disagreement] = []
    count = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM governance_stageevent), (SELECT count(*) FROM governance_stagerecord)"
            " + (SELECT count(*) FROM governance_usecasestagerecord)"
        )
        entries, records = cursor.fetchone() or (0, 0)
        for about, words, question in _QUESTIONS:
            cursor.execute(f"SELECT *, count(*) OVER () FROM ({question}) q LIMIT {MOST}")  # noqa: S608 - our own text
            found = cursor.fetchall()
            count += found[0][3] if found else 0
            named += [
                Disagreement(about, what, words.format(recorded=recorded or "nothing", stands=stands or "nothing"))
                for what, recorded, stands, _ in found
            ]
    return Replay(entries, records, count, tuple(named[:MOST]))
