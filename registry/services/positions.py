"""The one writer of `stage` and `status` on use cases and versions; the lifecycle service is its only caller.

The guard trigger refuses a move whose verb was not announced to the transaction, so this module is also the
only place that announces one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, models

from portal.core import bulk
from portal.core.vocabulary import Stage, Status

from ..models import ModelVersion, UseCase

_announced: ContextVar[str] = ContextVar("announced", default="")


@contextmanager
def announced(verb: str) -> Iterator[None]:
    """Tell the guard trigger which move of the lifecycle table is being made inside the block.

    Blocks of the same move nest into one; a block of another move inside puts the outer one back when it ends.
    """
    outer = _announced.get()
    if outer == verb:
        yield
        return
    token = _announced.set(verb)
    try:
        _announce(verb)
        yield
        _announce(outer)
    finally:
        _announced.reset(token)


def enter(row: models.Model) -> None:
    """Insert a row that begins its lifecycle; its ledger entry must follow in the same transaction."""
    with announced("register"):
        row.save(force_insert=True)


def enter_all(rows: Sequence[models.Model]) -> None:
    """Insert rows of one kind that begin their lifecycle; their ledger entries must follow in the same transaction."""
    if rows:
        with announced("register"):
            bulk.insert(rows)


def place(subject: UseCase | ModelVersion, *, verb: str, stage: Stage, status: Status) -> None:
    """Move a subject, which the caller has locked, one step along the lifecycle table.

    Raises IntegrityError (lifecycle_guard) for a move the table does not have.
    """
    table, outer = connection.ops.quote_name(subject._meta.db_table), _announced.get()
    with connection.cursor() as cursor:
        # Announced before the guard looks at the row and taken back after it, all in one statement.
        cursor.execute(
            f"UPDATE {table} AS t SET stage = %s, status = %s, revision = t.revision + 1"  # noqa: S608 - a model's table
            " FROM (SELECT set_config('app.verb', %s, true)) AS said WHERE t.id = %s"
            " RETURNING set_config('app.verb', %s, true)",
            [stage.value, status.value, verb, subject.pk, outer],
        )
    # The row is locked, so what was written is what stands.
    subject.stage, subject.status = stage, status
    subject.revision += 1


def _announce(verb: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.verb', %s, true)", [verb])
