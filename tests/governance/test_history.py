"""How the past is kept: by triggers, one moment per transaction, refused to everybody else, and told by the trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from governance.migrations._history import KEPT, Watched
from governance.models import StageEvent, StageRecord
from governance.selectors.replay import replay
from portal.core.actors import Actor
from portal.core.errors import Forbidden
from portal.core.operations import operation
from registry.models import LineOfBusiness, ModelVersion
from tests.factories import group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import approve_once
from tests.refusals import as_replica, refused, sql

from .conftest import Place

SYSTEM_EYES = Actor.system("test")


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


@pytest.fixture
def lived(place: Place) -> ModelVersion:
    """A row in every table whose past is kept."""
    case = use_case(place.people, place.project)
    return version(group(place.project, place.people, case))


@pytest.mark.parametrize("watched", KEPT, ids=lambda watched: watched.table)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET valid_to = now()",
        "UPDATE {table} SET valid_from = valid_from - interval '1 day'",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "INSERT INTO {table} SELECT (t).* FROM (SELECT t FROM {table} t LIMIT 1) s",
    ],
)
def test_nobody_but_the_triggers_writes_the_past(watched: Watched, statement: str, lived: ModelVersion) -> None:
    assert rows(f"SELECT count(*) FROM {watched.history}")[0][0] > 0
    with refused("history_kept"):
        sql(statement.format(table=watched.history))
    with refused("history_kept"), as_replica():
        sql(statement.format(table=watched.history))


def test_what_a_transaction_thinks_better_of_was_never_so(place: Place) -> None:
    with operation(SYSTEM):
        line = LineOfBusiness.objects.create(name="First thought")
        LineOfBusiness.objects.filter(pk=line.pk).update(name="Second thought")
    assert names_of(line) == [("Second thought", True)]
    pk = line.pk
    line.delete()
    sql("INSERT INTO registry_lineofbusiness (id, name) VALUES (%s, 'Back again')", pk)
    line.pk = pk
    assert names_of(line) == [("Back again", True)]


def test_what_is_not_watched_writes_nothing(lived: ModelVersion) -> None:
    before = rows("SELECT count(*) FROM governance_history_modelversion")
    ModelVersion.objects.filter(pk=lived.pk).update(description="Clearer", purpose="The same", owner_name="")
    ModelVersion.objects.filter(pk=lived.pk).update(owner_name="")
    assert rows("SELECT count(*) FROM governance_history_modelversion") == before


@contextmanager
def unguarded(table: str) -> Iterator[None]:
    """What only the owner of a table can do: switch its triggers off."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.parametrize(
    ("table", "statement", "about"),
    [
        ("governance_stageevent", "UPDATE governance_stageevent SET status = 'rejected'", {"record", "step"}),
        ("governance_stageevent", "UPDATE governance_stageevent SET position_status = 'rejected'", {"position"}),
        ("governance_stageevent", "UPDATE governance_stageevent SET from_status = 'retired'", {"step"}),
        ("governance_stageevent", "DELETE FROM governance_stageevent", {"record", "position"}),
        ("governance_stagerecord", "UPDATE governance_stagerecord SET audit_user = 'somebody'", {"history"}),
        ("registry_modelversion", "UPDATE registry_modelversion SET owner_name = 'somebody'", {"history"}),
        ("registry_usecase", "UPDATE registry_usecase SET name = 'something'", {"history"}),
    ],
)
def test_replaying_names_what_was_tampered_with(
    table: str, statement: str, about: set[str], place: Place, lived: ModelVersion
) -> None:
    approve_once(place.people, lived)
    assert replay(SYSTEM_EYES).agrees
    with unguarded(table):
        sql(statement)
        told = replay(SYSTEM_EYES)
    assert not told.agrees
    assert {item.about for item in told.named} == about
    assert told.disagreements >= len(told.named)
    assert all(item.what and item.words for item in told.named)


def test_replaying_is_for_those_who_may_read_the_trail(place: Place) -> None:
    assert replay(place.people.auditor.actor).records == StageRecord.objects.count() + len(
        rows("SELECT 1 FROM governance_usecasestagerecord")
    )
    with pytest.raises(Forbidden):
        replay(place.people.scientist.actor)


def test_the_ledger_is_append_only(place: Place, lived: ModelVersion) -> None:
    assert StageEvent.objects.filter(version=lived).exists()
    for statement in ("UPDATE governance_stageevent SET actor = 'x'", "DELETE FROM governance_stageevent"):
        with refused("append_only"):
            sql(statement)
