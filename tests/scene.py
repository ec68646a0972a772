"""A set-up many tests share: built once in a transaction that is never committed, each test in a savepoint of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def undone() -> Iterator[None]:
    """Run the block and undo everything it wrote; nests."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def settle() -> None:
    """Have the database check now what it would check at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def fingerprint() -> tuple[object, ...]:
    """Return what changes whenever anything governed changes: counts of every trail, and every position."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (SELECT count(*) FROM governance_auditevent), (SELECT count(*) FROM governance_stageevent),
                      (SELECT count(*) FROM governance_decision), (SELECT count(*) FROM governance_outboxmessage),
                      (SELECT count(*) FROM governance_metricreport), (SELECT count(*) FROM governance_finding),
                      (SELECT string_agg(id || stage || status || revision, ',' ORDER BY id) FROM registry_modelversion),
                      (SELECT string_agg(id || stage || status || revision, ',' ORDER BY id) FROM registry_usecase),
                      (SELECT string_agg(id || status || revision, ',' ORDER BY id) FROM governance_stagerecord),
                      (SELECT string_agg(id || status || revision, ',' ORDER BY id) FROM governance_usecasestagerecord),
                      (SELECT string_agg(id || state || waiting_roles::text, ',' ORDER BY id)
                         FROM governance_approvalrequest),
                      (SELECT string_agg(id || state || mode, ',' ORDER BY id) FROM registry_deployment),
                      (SELECT string_agg(concat(id, state, owner_id, due_on), ',' ORDER BY id) FROM governance_finding)"""
        )
        row = cursor.fetchone()
    assert row is not None
    return row
