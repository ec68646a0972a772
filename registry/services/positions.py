"""The one writer of `stage` and `status` on use cases and versions; the lifecycle service is its only caller.

The guard trigger refuses a move whose verb was not announced to the transaction, so this module is also the
only place that announces one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models
from django.db.models import F

from portal.core.vocabulary import Stage, Status

from ..models import ModelVersion, UseCase


@contextmanager
def announced(verb: str) -> Iterator[None]:
    """Tell the guard trigger which move of the lifecycle table is being made inside the block."""
    _announce(verb)
    yield
    _announce("")


def enter(row: models.Model) -> None:
    """Insert a row that begins its lifecycle; its ledger entry must follow in the same transaction."""
    with announced("register"):
        row.save(force_insert=True)


def place(subject: UseCase | ModelVersion, *, verb: str, stage: Stage, status: Status) -> None:
    """Move a subject, which the caller has locked, one step along the lifecycle table.

    Raises IntegrityError (lifecycle_guard) for a move the table does not have.
    """
    with announced(verb):
        type(subject)._default_manager.filter(pk=subject.pk).update(
            stage=stage, status=status, revision=F("revision") + 1
        )
    subject.refresh_from_db(fields=["stage", "status", "revision"])


def _announce(verb: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.verb', %s, true)", [verb])
