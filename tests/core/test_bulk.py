"""Many rows at once are the same rows as one by one: every kind of column, every trigger, every refusal."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from governance.models import AuditEvent
from portal.core import bulk
from portal.core.actors import Actor
from portal.core.operations import operation
from registry.models import AwsAccount, ModelGroup, ModelVersion
from registry.services import positions
from tests import factories

pytestmark = pytest.mark.django_db

NASTY = 'tab\t newline\n back\\slash "quotes" \\N {curly} é 漢 \\. end'


def accounts(count: int, first: int = 0) -> list[AwsAccount]:
    return [
        AwsAccount(
            account_id=f"{first + number:012d}",
            alias=NASTY[:63],
            purposes=["qa", "production"],
            regions=["eu-west-1", NASTY[:30]],
            artifact_buckets=[],
            checked_at=timezone.now(),
            check_error=NASTY,
        )
        for number in range(count)
    ]


def plain(row: AwsAccount) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.parametrize("count", [0, 1, 8, 9, 300])
def test_rows_arrive_as_they_were_with_their_keys_and_audit_entries(count: int) -> None:
    rows = accounts(count)
    with operation(Actor.system("test"), "many at once"):
        bulk.insert(rows)
    stored = {row.pk: row for row in AwsAccount.objects.filter(pk__in=[row.pk for row in rows])}
    assert len(stored) == count
    assert [plain(stored[row.pk]) for row in rows] == [plain(row) for row in rows]
    trail = AuditEvent.objects.filter(table="registry_awsaccount", object_id__in=[str(pk) for pk in stored])
    assert trail.filter(action="insert", actor="system:test", reason="many at once").count() == count
    if rows:
        rows[0].save()  # a row that was inserted is updated next, not inserted again
        assert not rows[0]._state.adding


def test_json_null_and_nothing_stay_what_they_are() -> None:
    group = factories.group(factories.project())
    rows = [
        ModelVersion(
            arn=f"arn:aws:sagemaker:us-east-1:111111111111:model-package/{group.name}/{number}",
            group=group, number=number, aws_status="Completed", aws_approval_status="PendingManualApproval",
            aws_created_at=timezone.now(), aws_modified_at=timezone.now(), seen_at=timezone.now(),
            card=None if number % 2 else {"deep": [1, None, {"a": NASTY}]}, described={"text": NASTY},
        )
        for number in range(1, 21)
    ]  # fmt: skip
    with transaction.atomic():
        positions.enter_all(rows)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM registry_modelversion WHERE card IS NULL AND id = ANY(%s)",
                [[row.pk for row in rows]],
            )
            assert cursor.fetchone() == (10,)
        assert ModelVersion.objects.get(pk=rows[1].pk).card == {"deep": [1, None, {"a": NASTY}]}
        transaction.set_rollback(True)


def test_what_the_database_refuses_is_refused_whole() -> None:
    rows = accounts(20, first=500)
    rows[13].account_id = rows[2].account_id
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(rows)
    assert not AwsAccount.objects.filter(account_id=rows[0].account_id).exists()


def test_a_guard_refuses_rows_that_come_many_at_once_too() -> None:
    """Versions enter a lifecycle only where the service announces it."""
    group = factories.group(factories.project())
    rows = [
        ModelVersion(
            arn=f"arn:aws:sagemaker:us-east-1:111111111111:model-package/{group.name}/{number}",
            group=ModelGroup(pk=group.pk), number=number, aws_status="", aws_approval_status="",
            aws_created_at=timezone.now(), aws_modified_at=timezone.now(), seen_at=timezone.now(),
        )
        for number in range(1, 21)
    ]  # fmt: skip
    with pytest.raises(IntegrityError, match="only through the lifecycle service"), transaction.atomic():
        bulk.insert(rows)
