"""Time travel: whatever happened in between, the table as of a moment is what it was then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from governance.migrations._history import KEPT
from governance.models import StageEvent
from governance.selectors.as_of import past_row, past_rows, stage_table_as_of
from governance.selectors.replay import replay
from governance.selectors.stage_table import as_row, stage_table
from portal.core.actors import Actor
from registry.models import LineOfBusiness
from registry.services import organisation
from tests.factories.people import SYSTEM
from tests.governance.walking import Walk
from tests.refusals import sql

Rows = list[dict[str, Any]]
EVERYTHING = Actor.system("test")
STEPS = 60


def clock() -> datetime:
    """Return what time it is by the database, a moment after whatever was written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]  # a row of the driver is untyped


def live() -> Rows:
    """Return the table of today, without what no past row has."""
    return [
        {**as_row(record), "revision": None, "outdated_at": record.outdated_at} for record in stage_table(EVERYTHING)
    ]


def as_of(moment: datetime) -> Rows:
    """Return the table as of a moment, read both ways, which must say the same."""
    rows = stage_table_as_of(EVERYTHING, moment)
    found = [past_row(row) for row in rows]
    assert found == list(past_rows(rows))
    return [{**row, "outdated_at": past.outdated_at} for row, past in zip(found, rows, strict=True)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_table_as_of_any_moment_is_what_it_was_then(committed_db: str, seed: int) -> None:
    walk = Walk(seed)
    before_anything = clock()
    seen: list[tuple[datetime, Rows]] = []
    for _ in range(STEPS):
        walk.step()
        seen.append((clock(), live()))
    assert len(walk.done) > 8, walk.done
    assert len({len(rows) for _, rows in seen}) > 3, "little has happened"
    assert any(row["attributes"] or row["outdated_at"] for _, rows in seen for row in rows)
    for moment, rows in seen:
        assert as_of(moment) == rows
    assert as_of(before_anything) == []
    assert as_of(clock()) == live()
    told = replay(EVERYTHING)
    assert told.agrees, told.named
    assert told.entries == StageEvent.objects.count() > 10


def rows(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Return the rows of one query."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters) or None)
        return cursor.fetchall()


def names_of(line: LineOfBusiness) -> list[tuple[str, bool]]:
    """Return every name a line of business has had, each with whether it still has it."""
    return rows(
        "SELECT name, valid_to = 'infinity' FROM governance_history_lineofbusiness WHERE id = %s ORDER BY valid_from",
        line.pk,
    )


@pytest.mark.parametrize("seed", [4, 5])
def test_the_audit_trail_tells_the_same_past(committed_db: str, seed: int) -> None:
    """What the migration fills in for rows older than the triggers is what the triggers would have written."""
    walk = Walk(seed)
    walk.go(40)
    for watched in KEPT:
        order = f"{', '.join(('id', *watched.columns))} FROM {{}} ORDER BY id, valid_from"
        kept = rows(f"SELECT valid_to = 'infinity', {order}".format(watched.history))
        told = rows(f"SELECT valid_to = 'infinity', {order}".format(f"({watched.told_by_the_trail()}) t"))
        assert kept == told, watched.table
        assert kept


def test_one_transaction_is_one_moment(committed_db: str) -> None:
    Walk(6).go(30)
    union = " UNION ALL ".join(f'SELECT "transaction", valid_from FROM {watched.history}' for watched in KEPT)
    assert rows(f"SELECT t.transaction FROM ({union}) t GROUP BY 1 HAVING count(DISTINCT valid_from) > 1") == []
    overlaps = [
        watched.table
        for watched in KEPT
        if rows(
            f"SELECT 1 FROM {watched.history} a JOIN {watched.history} b ON b.id = a.id AND b.valid_from > a.valid_from"
            " AND b.valid_from < a.valid_to"
        )
    ]
    assert overlaps == []


def test_who_waited_for_a_lock_comes_after_who_held_it(committed_db: str) -> None:
    line = organisation.create_line_of_business(actor=SYSTEM, name="At first")
    other = organisation.create_line_of_business(actor=SYSTEM, name="Another")
    rename = "UPDATE registry_lineofbusiness SET name = %s WHERE id = %s"
    with psycopg.connect(committed_db) as early:
        early.execute(rename, ["Early", other.pk])  # its moment is now
        with transaction.atomic():
            sql(rename, "Held the lock", line.pk)
        early.execute(rename, ["Waited", line.pk])
    assert names_of(line) == [("At first", False), ("Held the lock", False), ("Waited", True)]
    assert rows(
        "SELECT bool_and(valid_from < valid_to) FROM governance_history_lineofbusiness WHERE id = %s", line.pk
    ) == [(True,)]


@pytest.mark.parametrize("claim", ["2001-01-01 00:00:00+00", "2999-01-01 00:00:00+00"])
def test_nobody_dates_a_change_back_or_ahead(committed_db: str, claim: str) -> None:
    line = organisation.create_line_of_business(actor=SYSTEM, name="Honest")
    with transaction.atomic():
        sql("SELECT set_config('app.history_moment', %s, false)", claim)
        sql("UPDATE registry_lineofbusiness SET name = 'Dated' WHERE id = %s", line.pk)
    assert rows(
        "SELECT abs(extract(epoch FROM clock_timestamp() - valid_from)) < 60 FROM governance_history_lineofbusiness"
        " WHERE id = %s",
        line.pk,
    ) == [(True,), (True,)]
