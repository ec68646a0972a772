"""Verifying the trail: sound as it was written; the first bad row is named when it was tampered with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from governance.models import AuditEvent
from governance.selectors import audit

from .world import World


@contextmanager
def tampering() -> Iterator[None]:
    """Take the guards off the trail, as somebody who owns the table can."""
    with connection.cursor() as cursor:
        # What the test wrote must be settled before the table itself may be changed.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_auditevent DISABLE TRIGGER USER")
        yield
        cursor.execute("ALTER TABLE governance_auditevent ENABLE TRIGGER USER")


def _of(world: World) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(table="registry_usecase", object_id=str(world.draft.pk)).order_by("sequence"))


def test_a_sound_trail(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    found = audit.verify()
    assert found.is_intact
    assert found.problem == ""
    assert found.rows == AuditEvent.objects.count() > 100
    assert found.chains == AuditEvent.objects.values("chain").distinct().count()
    answer = world.api("auditor").get("audit-events/verify/")
    assert answer["first_bad_sequence"] is None
    assert answer["rows"] >= found.rows
    call_command("verify_audit")
    assert f"{found.chains} chains" in capsys.readouterr().out


TAMPERINGS = {
    "another actor": ("UPDATE governance_auditevent SET actor = 'user:somebody.else' WHERE sequence = %s", 1, 1),
    "another time": ("UPDATE governance_auditevent SET at = at - interval '1 day' WHERE sequence = %s", 1, 1),
    "other changes": ("UPDATE governance_auditevent SET changes = '{}' WHERE sequence = %s", 0, 0),
    "another reason": ("UPDATE governance_auditevent SET reason = NULL WHERE sequence = %s", 2, 2),
    "a row removed": ("DELETE FROM governance_auditevent WHERE sequence = %s", 1, 2),
    "the first row removed": ("DELETE FROM governance_auditevent WHERE sequence = %s", 0, 1),
    "a hash replaced": ("UPDATE governance_auditevent SET hash = sha256('x') WHERE sequence = %s", 1, 1),
    "another chain": ("UPDATE governance_auditevent SET chain = 'registry_usecase:0' WHERE sequence = %s", 2, 2),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_and_named(world: World, name: str) -> None:
    statement, changed, bad = TAMPERINGS[name]
    rows = _of(world)
    with tampering(), connection.cursor() as cursor:
        cursor.execute(statement, [rows[changed].sequence])
    found = audit.verify()
    assert found.first_bad_sequence == rows[bad].sequence
    assert str(rows[bad].sequence) in found.problem
    assert world.api("auditor").get("audit-events/verify/")["first_bad_sequence"] == rows[bad].sequence
    with pytest.raises(CommandError, match=str(rows[bad].sequence)):
        call_command("verify_audit")


def test_a_row_hashed_anew_breaks_its_chain(world: World) -> None:
    rows = _of(world)
    with tampering(), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE governance_auditevent SET actor = 'user:other', hash = governance_audit_digest(previous_hash, chain, at,
               transaction, database_user, 'user:other', reason, correlation, "table", object_id, action, changes)
               WHERE sequence = %s""",
            [rows[1].sequence],
        )
    assert audit.verify().first_bad_sequence == rows[2].sequence


def test_the_first_bad_row_of_several_is_named(world: World) -> None:
    rows = _of(world)
    with tampering(), connection.cursor() as cursor:
        for row in reversed(rows):
            cursor.execute("UPDATE governance_auditevent SET actor = 'user:x' WHERE sequence = %s", [row.sequence])
    assert audit.verify().first_bad_sequence == rows[0].sequence
