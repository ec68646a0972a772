"""What the database itself keeps: content that never changes, rows that stay, editions in their order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, models
from django.utils import timezone

from governance.models import AuditEvent, Evidence
from governance.services import evidence
from portal.core.vocabulary import EvidenceKind
from registry.models import ModelVersion, UseCase
from tests.factories import Cast
from tests.refusals import as_replica, refused, sql
from tests.scene import settle

pytestmark = pytest.mark.django_db
Attach = Callable[..., Evidence]

STILL_OPEN = {"superseded_at", "withdrawn_at", "withdrawn_by_id", "withdrawn_by_name", "withdrawal_reason"}
CONTENT = sorted({field.column for field in Evidence._meta.concrete_fields} - STILL_OPEN)


def another(row: Evidence, column: str) -> Any:
    """Return some other value a column could hold."""
    field = next(field for field in Evidence._meta.concrete_fields if field.column == column)
    if isinstance(field, models.UUIDField):
        return uuid4()
    if isinstance(field, models.DateTimeField):
        return timezone.now() - timedelta(days=400)
    if isinstance(field, models.ForeignKey | models.BigAutoField):
        return 987_654
    if isinstance(field, models.IntegerField):
        return row.size + 1
    return "f" * 64 if column == "sha256" else "changed"


def _update(row: Evidence, column: str, value: Any) -> None:
    Evidence.objects.filter(pk=row.pk).update(**{column: value})


def _save(row: Evidence, column: str, value: Any) -> None:
    setattr(row, column, value)
    row.save(force_update=True)


def _bulk_update(row: Evidence, column: str, value: Any) -> None:
    setattr(row, column, value)
    field = next(field.name for field in Evidence._meta.concrete_fields if field.column == column)
    Evidence.objects.bulk_update([row], [field])


def _sql(row: Evidence, column: str, value: Any) -> None:
    sql(f"UPDATE governance_evidence SET {column} = %s WHERE id = %s", value, row.pk)


def _sql_as_replica(row: Evidence, column: str, value: Any) -> None:
    with as_replica():
        _sql(row, column, value)


WAYS = {"update": _update, "save": _save, "bulk_update": _bulk_update, "sql": _sql, "replica": _sql_as_replica}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("column", [column for column in CONTENT if column != "id"])
def test_no_way_leads_to_other_content(column: str, way: str, attach: Attach, subject: UseCase) -> None:
    row = attach(subject)
    with refused(by="evidence_pinned"):
        WAYS[way](row, column, another(row, column))


@pytest.mark.parametrize("column", sorted(STILL_OPEN))
def test_what_happened_cannot_be_taken_back(column: str, attach: Attach, subject: UseCase, people: Cast) -> None:
    first = attach(subject)
    attach(subject, supersedes=first.pk)
    evidence.withdraw(actor=people.owner.actor, evidence_id=first.pk, reason="Wrong.")
    for value in (None, another(first, column)) if column.endswith(("_at", "_id")) else ("", "other"):
        with refused(by="evidence_pinned"):
            _sql(first, column, value)


@pytest.mark.parametrize("replica", [False, True])
def test_rows_stay(replica: bool, attach: Attach, subject: UseCase) -> None:
    row = attach(subject)
    settle()
    statements = ["DELETE FROM governance_evidence", "TRUNCATE governance_evidence"]
    for statement in statements:
        with refused(by="history_kept"):
            if replica:
                with as_replica():
                    sql(statement)
            else:
                sql(statement)
    with refused(by="history_kept"):
        row.delete()
    with refused(by="history_kept"):
        Evidence.objects.all().delete()


def fields(**values: Any) -> dict[str, Any]:
    return {
        "kind": EvidenceKind.BIAS_REPORT,
        "title": "t",
        "source": "upload",
        "filename": "f.pdf",
        "content_type": "application/pdf",
        "size": 1,
        "sha256": "0" * 64,
        "storage_name": f"ab/{uuid4().hex}",
        "author_name": "a",
        **values,
    }


@pytest.mark.parametrize(
    ("values", "by"),
    [
        ({"use_case": None}, "evidence_one_subject"),
        ({"sha256": ""}, "evidence_pinned_by_source"),
        ({"sha256": "F" * 64}, "evidence_pinned_by_source"),
        ({"storage_name": ""}, "evidence_pinned_by_source"),
        ({"s3_uri": "s3://b/k"}, "evidence_pinned_by_source"),
        ({"source": "s3", "sha256": "", "storage_name": "", "s3_uri": "s3://b/k"}, "evidence_pinned_by_source"),
        ({"source": "other"}, "evidence_pinned_by_source"),
        ({"size": 0}, "evidence_not_empty"),
        ({"edition": 0}, "evidence_not_empty"),
        ({"edition": 2}, "evidence_edition_follows"),
        ({"superseded_at": timezone.now()}, "evidence_edition_follows"),
        ({"withdrawn_at": timezone.now()}, "evidence_edition_follows"),
        ({"withdrawal_reason": "no time"}, "evidence_withdrawn_with_reason"),
    ],
)
def test_no_row_begins_as_it_must_not(values: dict[str, Any], by: str, subject: UseCase) -> None:
    with refused(by=by):
        Evidence.objects.create(**{"use_case": subject, **fields(), **values})


def test_about_two_things(subject: UseCase, model: ModelVersion) -> None:
    with refused(by="evidence_one_subject"):
        Evidence.objects.create(use_case=subject, version=model, **fields())


def test_editions_follow_one_another(attach: Attach, subject: UseCase, model: ModelVersion) -> None:
    first = attach(subject)
    common = {"series": first.series, "edition": 2}
    with refused(by="evidence_one_latest_edition"):
        Evidence.objects.create(use_case=subject, **fields(**common))
    Evidence.objects.filter(pk=first.pk).update(superseded_at=timezone.now())
    with refused(by="evidence_edition_follows"):
        Evidence.objects.create(version=model, **fields(**common))
    with refused(by="evidence_edition_follows"):
        Evidence.objects.create(use_case=subject, **fields(**common, kind=EvidenceKind.OTHER))
    with refused(by="evidence_edition_follows"):
        Evidence.objects.create(use_case=subject, **fields(series=first.series, edition=3))
    with refused(by="evidence_edition_once"):
        Evidence.objects.create(use_case=subject, **fields(series=first.series, edition=1))
    Evidence.objects.create(use_case=subject, **fields(**common))


def test_one_file_belongs_to_one_row(attach: Attach, subject: UseCase) -> None:
    row = attach(subject)
    with refused(by="evidence_one_row_per_file"):
        Evidence.objects.create(use_case=subject, **fields(storage_name=row.storage_name))


def test_every_change_is_in_the_trail(attach: Attach, subject: UseCase, people: Cast) -> None:
    row = attach(subject)
    evidence.withdraw(actor=people.owner.actor, evidence_id=row.pk, reason="Another data set.")
    trail = AuditEvent.objects.filter(table="governance_evidence", object_id=str(row.pk)).order_by("sequence")
    assert [event.action for event in trail] == ["insert", "update"]
    last = trail[1]
    assert (last.actor, last.reason) == (f"user:{people.owner.username}", "Another data set.")
    assert set(last.changes) == {"withdrawn_at", "withdrawn_by_id", "withdrawn_by_name", "withdrawal_reason"}


def test_the_guards_fire_whatever_the_session_says() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'governance_evidence'::regclass AND NOT tgisinternal"
        )
        found = dict(cursor.fetchall())
    assert set(found) == {"audit", "not_truncated", "history_kept", "evidence_pinned", "evidence_edition_follows"}
    assert set(found.values()) == {"A"}
