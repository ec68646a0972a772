"""Every way around the services is refused by the database, by the name of what refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.utils import timezone

from governance.choices import MetricKind, Verdict
from governance.models import (
    ApprovalRequest,
    AuditEvent,
    Decision,
    MetricReport,
    PolicyRule,
    PolicyVersion,
    StageEvent,
    StageRecord,
    UseCaseStageRecord,
)
from governance.services import approvals, metrics
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.choices import AskedState, CardStatus
from registry.models import AwsAccount, ModelCard, ModelCardEdit, ModelVersion, UseCase
from registry.services import positions
from tests.factories import Cast, group, use_case, version
from tests.matrices.bypass import APPEND_ONLY, FIXED, KEPT, Attempt, attempts, changes
from tests.refusals import as_replica, refused, sql
from tests.scene import fingerprint, settle, undone

from .conftest import Place

pytestmark = pytest.mark.django_db
ATTEMPTS = attempts()
Rows = dict[str, models.Model]
MODELS: dict[str, type[models.Model]] = {model._meta.db_table: model for model in apps.get_models()}


@pytest.fixture(scope="module")
def shared_rows(shared_place: Place, django_db_blocker: Any) -> Iterator[Rows]:
    """One row of each guarded table at its beginning, and the subjects behind them."""
    with django_db_blocker.unblock(), undone():
        people = shared_place.people
        subject = version(group(shared_place.project, people))
        case = use_case(people, shared_place.project, RiskClass.HIGH)
        record = StageRecord.objects.get(version=subject)
        metrics.report(
            actor=people.engineer.actor, record_id=record.pk, kind=MetricKind.VALIDATION, metrics={"auc": 0.8}
        )
        approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=subject.pk)
        cards = _card_written_by(people)
        settle()
        yield {
            "registry_usecase": case,
            "registry_modelversion": subject,
            "governance_stagerecord": record,
            "governance_usecasestagerecord": UseCaseStageRecord.objects.get(use_case=case),
            "governance_approvalrequest": ApprovalRequest.objects.get(version=subject),
            **cards,
        }


def _card_written_by(people: Cast) -> Rows:
    now = timezone.now()
    card = ModelCard.objects.create(
        account=AwsAccount.objects.earliest("pk"),
        region="us-east-1",
        name="churn",
        arn="arn:aws:sagemaker:us-east-1:111111111111:model-card/churn",
        number=1,
        status=CardStatus.PENDING_REVIEW,
        aws_created_at=now,
        read_at=now,
    )
    written = card.versions.create(number=1, status=card.status, content={}, written_by=people.scientist, read_at=now)
    return {"registry_modelcardversion": written, "registry_modelcardedit": _asked(card, people.owner, "Archived")}


def _asked(card: ModelCard, person: Any, status: str) -> ModelCardEdit:
    return card.edits.create(
        account=card.account,
        region=card.region,
        name=card.name,
        status=status,
        expected_number=card.number,
        requested_by=person,
        state=AskedState.DONE,
    )


@pytest.fixture
def rows(shared_rows: Rows, db: None) -> Rows:
    return {table: type(row)._default_manager.get(pk=row.pk) for table, row in shared_rows.items()}


def _cloned(row: Any, table: str) -> Any:
    """A second row of the table that breaks no unique constraint."""
    clone = copy.copy(row)
    clone._state = models.base.ModelState()
    clone.pk = None
    for name, value in {
        "registry_usecase": {"number": 99_999, "risk_class": RiskClass.UNCLASSIFIED},
        "registry_modelversion": {"arn": f"{getattr(row, 'arn', '')}-copy"},
    }.get(table, {}).items():
        setattr(clone, name, value)
    return clone


def _insert(table: str, row: Any, column: str, value: str) -> int:
    fresh = {"id": 987_654, column: value, "number": 99_999, "arn": "arn:copy"}
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(t, to_jsonb(t) || %s::jsonb)).* FROM {table} t"
            " WHERE id = %s",
            [json.dumps(fresh), row.pk],
        )
        return cursor.rowcount


def _save(row: Any, attempt: Attempt, **options: Any) -> None:
    setattr(row, attempt.column, attempt.value)
    row.save(**options)


def _made(row: Any, attempt: Attempt) -> Any:
    clone = _cloned(row, attempt.table)
    setattr(clone, attempt.column, attempt.value)
    return clone


def _bulk_update(row: Any, attempt: Attempt) -> None:
    setattr(row, attempt.column, attempt.value)
    type(row)._default_manager.bulk_update([row], [attempt.column])


def _replica(call: Callable[[], object]) -> None:
    with as_replica():
        call()


def _sql_update(row: Any, attempt: Attempt) -> None:
    sql(f"UPDATE {attempt.table} SET {attempt.column} = %s WHERE id = %s", attempt.value, row.pk)


PATHS: dict[str, Callable[[Any, Attempt], object]] = {
    "queryset_update": lambda row, a: type(row)._default_manager.filter(pk=row.pk).update(**{a.column: a.value}),
    "save": _save,
    "save_update_fields": lambda row, a: _save(row, a, update_fields=[a.column]),
    "bulk_update": _bulk_update,
    "sql_update": _sql_update,
    "sql_update_as_replica": lambda row, a: _replica(lambda: _sql_update(row, a)),
    "sql_upsert": lambda row, a: sql(
        f"INSERT INTO {a.table} SELECT * FROM {a.table} WHERE id = %s"
        f" ON CONFLICT (id) DO UPDATE SET {a.column} = '{a.value}'",
        row.pk,
    ),
    "sql_merge": lambda row, a: sql(
        f"MERGE INTO {a.table} t USING (SELECT %s::bigint AS id) s ON t.id = s.id"
        f" WHEN MATCHED THEN UPDATE SET {a.column} = '{a.value}'",
        row.pk,
    ),
    "create": lambda row, a: _made(row, a).save(force_insert=True),
    "bulk_create": lambda row, a: type(row)._default_manager.bulk_create([_made(row, a)]),
    "sql_insert": lambda row, a: _insert(a.table, row, a.column, a.value),
    "sql_insert_as_replica": lambda row, a: _replica(lambda: _insert(a.table, row, a.column, a.value)),
}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.id)
def test_nothing_moves_but_through_the_lifecycle_service(attempt: Attempt, rows: Rows) -> None:
    before = fingerprint()
    with refused(attempt.refused_by):
        PATHS[attempt.path](rows[attempt.table], attempt)
    assert fingerprint() == before


def test_every_path_and_every_guarded_table_is_tried() -> None:
    assert {attempt.path for attempt in ATTEMPTS} == set(PATHS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'lifecycle_guard' AND tgenabled = 'A'"
        )
        assert {row[0] for row in cursor.fetchall()} == {attempt.table for attempt in ATTEMPTS}


def test_every_guard_fires_whatever_the_replication_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgenabled <> 'A' ORDER BY 1, 2"
        )
        assert cursor.fetchall() == [], "triggers that session_replication_role = replica steps around"


@pytest.mark.parametrize("table", ["registry_usecase", "registry_modelversion"])
def test_an_announced_legal_move_without_a_ledger_entry_is_refused_at_commit(table: str, rows: Rows) -> None:
    subject: Any = rows[table]
    with refused("ledger_agrees"):
        positions.place(subject, verb="approve", stage=Stage(subject.stage), status=Status.APPROVED)
        settle()


@pytest.mark.parametrize("table", ["registry_usecase", "registry_modelversion"])
def test_a_subject_registered_without_a_ledger_is_refused_at_commit(table: str, rows: Rows) -> None:
    clone = _cloned(rows[table], table)
    with refused("ledger_agrees"):
        positions.enter(clone)
        settle()


@pytest.mark.parametrize("attempt", changes(), ids=lambda attempt: attempt.id)
def test_what_is_written_once_is_changed_by_no_path(attempt: Attempt, rows: Rows) -> None:
    before = fingerprint()
    with refused(attempt.refused_by):
        PATHS[attempt.path](rows[attempt.table], attempt)
    assert fingerprint() == before


def test_nobody_approves_the_card_he_wrote_by_any_path(people: Cast, rows: Rows) -> None:
    card = rows["registry_modelcardversion"].card  # type: ignore[attr-defined]
    with refused("card_not_approved_by_author"):
        _asked(card, people.scientist, "Approved")
    with refused("card_not_approved_by_author"), as_replica():
        _asked(card, people.scientist, "Approved")
    assert _asked(card, people.owner, "Approved").pk


def test_what_was_written_to_a_card_stays_so(rows: Rows) -> None:
    with refused("card_edit_fixed"):
        ModelCardEdit.objects.filter(pk=rows["registry_modelcardedit"].pk).update(state=AskedState.PENDING)


@pytest.mark.parametrize("table", sorted(set(KEPT)))
def test_announcing_another_verb_does_not_help(table: str, rows: Rows) -> None:
    column = "state" if table == "governance_approvalrequest" else "status"
    for verb in ("advance", "deploy", "register", "nonsense"):
        with refused("lifecycle_guard"), positions.announced(verb):
            sql(f"UPDATE {table} SET {column} = 'approved', closed_at = now() WHERE id = %s", rows[table].pk) if (
                column == "state"
            ) else sql(f"UPDATE {table} SET {column} = 'approved' WHERE id = %s", rows[table].pk)


def test_a_move_that_does_not_count_the_revision_is_refused(rows: Rows) -> None:
    subject = rows["registry_modelversion"]
    with pytest.raises(OperationalError, match="stale revision"), transaction.atomic(), positions.announced("approve"):
        sql("UPDATE registry_modelversion SET status = 'approved' WHERE id = %s", subject.pk)


def test_the_announcement_ends_with_its_transaction(rows: Rows) -> None:
    with undone():
        sql("SELECT set_config('app.verb', 'approve', true)")
    with refused("lifecycle_guard"):
        sql(
            "UPDATE governance_stagerecord SET status = 'approved', revision = revision + 1 WHERE id = %s",
            rows["governance_stagerecord"].pk,
        )


# --- what was written stays written


def _decided(people: Cast, rows: Rows) -> None:
    approvals.decide(
        actor=people.owner.actor, request_id=rows["governance_approvalrequest"].pk, verdict=Verdict.APPROVE
    )
    settle()


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("replica", [False, True], ids=["plain", "replica"])
def test_history_is_append_only(table: str, replica: bool, people: Cast, rows: Rows) -> None:
    _decided(people, rows)
    key = MODELS[table]._meta.pk.column  # type: ignore[union-attr]
    assert sql(f"SELECT 1 FROM {table}") > 0
    for statement in (
        f"UPDATE {table} SET {key} = {key}",
        f"DELETE FROM {table}",
        # With the tables that refer to it, for without them PostgreSQL refuses by itself.
        f"TRUNCATE {table} CASCADE",
    ):
        with refused("append_only"):
            if replica:
                _replica(lambda statement=statement: sql(statement))  # type: ignore[misc]
            else:
                sql(statement)


@pytest.mark.parametrize("model", [StageEvent, Decision, MetricReport, AuditEvent])
def test_history_is_append_only_for_the_orm(model: type[models.Model], people: Cast, rows: Rows) -> None:
    _decided(people, rows)
    row = model._default_manager.order_by("pk").last()
    assert row is not None
    for call in (row.save, row.delete, lambda: model._default_manager.all().delete()):
        with refused("append_only"):
            call()
    with refused("append_only"):
        model._default_manager.bulk_update([row], [model._meta.concrete_fields[-1].name])


@pytest.mark.parametrize("table", [*KEPT, *FIXED])
def test_what_has_a_ledger_is_never_removed(table: str, people: Cast, rows: Rows) -> None:
    _decided(people, rows)
    for replica in (False, True):
        with refused("history_kept"):
            if replica:
                _replica(lambda: sql(f"DELETE FROM {table} WHERE id = %s", rows[table].pk))
            else:
                sql(f"DELETE FROM {table} WHERE id = %s", rows[table].pk)


def test_no_governed_table_can_be_truncated_unseen() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audit' ORDER BY 1",
        )
        governed = [row[0] for row in cursor.fetchall()]
    assert len(governed) > 30
    for table in governed:
        with pytest.raises(IntegrityError, match=r"are not removed|append-only"), transaction.atomic():
            sql(f"TRUNCATE {table} CASCADE")


# --- what was asked stays asked, what was published stays published

PINNED = (
    ("requester_id", "id + 1"),
    ("registrant_id", "1"),
    ("requirements", "'{}'::jsonb"),
    ("digest", "'v1:0'"),
    ("policy_id", "policy_id + 100"),
    ("to_stage", "'retired'"),
    ("tier", "'unknown'"),
    ("due_at", "now()"),
    ("expires_at", "now()"),
    ("note", "'other'"),
)


@pytest.mark.parametrize(("column", "value"), PINNED, ids=[column for column, _ in PINNED])
def test_a_request_is_pinned_to_what_was_asked(column: str, value: str, rows: Rows) -> None:
    with refused("request_pinned"):
        sql(
            f"UPDATE governance_approvalrequest SET {column} = {value} WHERE id = %s",
            rows["governance_approvalrequest"].pk,
        )


def test_a_closed_request_does_not_change_at_all(people: Cast, rows: Rows) -> None:
    _decided(people, rows)
    for change in ("closing_note = 'other'", "closed_at = now()", "waiting_roles = '{model_owner}'", "note = 'x'"):
        with refused("request_pinned"):
            sql(
                f"UPDATE governance_approvalrequest SET {change} WHERE id = %s",
                rows["governance_approvalrequest"].pk,
            )


@pytest.fixture
def draft(db: None) -> PolicyVersion:
    return PolicyVersion.objects.create(number=3, model_path=[], use_case_path=[])


def test_a_published_policy_is_frozen(draft: PolicyVersion) -> None:
    policy = PolicyVersion.objects.get(number=1)
    rule = policy.rules.all()[0]
    fields = {"kind": rule.kind, "stage": rule.stage, "tier": "unknown"}
    loose = PolicyRule.objects.create(policy=draft, **fields)
    for call in (
        lambda: PolicyVersion.objects.filter(pk=policy.pk).update(note="softer"),
        lambda: PolicyVersion.objects.filter(pk=policy.pk).update(state="draft"),
        lambda: PolicyVersion.objects.filter(pk=policy.pk).update(on_outside_approval="adopt"),
        lambda: PolicyVersion.objects.filter(pk=policy.pk).update(on_outside_rejection="adopt"),
        lambda: sql("DELETE FROM governance_policyversion WHERE id = %s", policy.pk),
        lambda: PolicyRule.objects.filter(pk=rule.pk).update(approvals=[]),
        lambda: PolicyRule.objects.filter(pk=rule.pk).update(policy=draft),
        lambda: PolicyRule.objects.filter(pk=rule.pk).delete(),
        lambda: PolicyRule.objects.create(policy=policy, **fields),
        lambda: PolicyRule.objects.filter(pk=loose.pk).update(policy=policy),
    ):
        with refused("policy_frozen"):
            call()
        with refused("policy_frozen"), as_replica():
            call()


def test_a_draft_is_free_until_it_is_published(draft: PolicyVersion) -> None:
    PolicyRule.objects.create(policy=draft, kind="use_case", stage="poc", tier="low")
    PolicyVersion.objects.filter(pk=draft.pk).update(note="better", state="published")
    with refused("policy_frozen"):
        PolicyRule.objects.filter(policy=draft).update(approvals=[])


def test_a_policy_is_born_a_draft(db: None) -> None:
    for call in (
        lambda: PolicyVersion.objects.create(number=4, state="published", model_path=[], use_case_path=[]),
        lambda: PolicyVersion.objects.bulk_create(
            [PolicyVersion(number=4, state="published", model_path=[], use_case_path=[])]
        ),
    ):
        with refused("policy_born_draft"):
            call()
        with refused("policy_born_draft"), as_replica():
            call()


def test_the_subjects_of_the_scene_did_not_move(rows: Rows) -> None:
    case, subject = rows["registry_usecase"], rows["registry_modelversion"]
    assert isinstance(case, UseCase)
    assert isinstance(subject, ModelVersion)
    assert (case.stage, case.status, subject.stage, subject.status) == ("poc", "pending", "development", "pending")
