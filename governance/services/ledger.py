"""Writing the ledger: stage records and the events that moved them. Only the lifecycle service calls this."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import F
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import correlation_id
from portal.core.vocabulary import Stage, Status, SubjectKind
from registry.models import AwsAccount, ModelVersion, UseCase
from registry.services.positions import announced

from ..lifecycle import Verb
from ..models import StageEvent, StageRecord, UseCaseStageRecord
from ..selectors.stage_table import expanded, rows

Subject = UseCase | ModelVersion
Record = StageRecord | UseCaseStageRecord


def records_of(subject: Subject, stage: Stage) -> list[Record]:
    """Return the records of a subject at a stage, locked."""
    if isinstance(subject, UseCase):
        return list(UseCaseStageRecord.objects.select_for_update().filter(use_case=subject, stage=stage))
    return list(StageRecord.objects.select_for_update().filter(version=subject, stage=stage).order_by("pk"))


def open_records(
    *,
    actor: Actor,
    subject: Subject,
    stage: Stage,
    accounts: Sequence[AwsAccount | None],
    verb: Verb,
    by: str = "",
) -> list[Record]:
    """Make the stage's records pending: insert what is missing, reopen what an earlier walk left."""
    existing = records_of(subject, stage)
    now = timezone.now()
    opened: list[Record] = []
    for record in existing:
        _set(record, verb, Status.PENDING, by or actor.name)
        opened.append(record)
    have = {getattr(record, "account_id", None) for record in existing}
    with announced(Verb.REGISTER):
        if isinstance(subject, UseCase):
            if not existing:
                opened.append(
                    UseCaseStageRecord.objects.create(
                        use_case=subject, stage=stage, audit_at=now, audit_user=by or actor.name
                    )
                )
        else:
            for account in accounts:
                if (account.pk if account else None) not in have:
                    opened.append(
                        StageRecord.objects.create(
                            version=subject,
                            stage=stage,
                            account=account,
                            audit_at=now,
                            audit_user=by or actor.name,
                        )
                    )
    return opened


def move_records(
    *, actor: Actor, records: Iterable[Record], verb: Verb, status: Status, only: Sequence[Status]
) -> list[tuple[Record, str]]:
    """Move those records that stand in one of `only`; returns each with the status it had."""
    moved: list[tuple[Record, str]] = []
    for record in records:
        if record.status in only:
            before = record.status
            _set(record, verb, status, actor.name)
            moved.append((record, before))
    return moved


def write(
    *,
    actor: Actor,
    subject: Subject,
    verb: Verb,
    moved: Iterable[tuple[Record, str]],
    reason: str = "",
    request_id: int | None = None,
    by: str = "",
) -> list[StageEvent]:
    """Append one event per moved record, with where the subject stands now and the table's row as it is now."""
    now = timezone.now()
    return [
        StageEvent.objects.create(
            kind=SubjectKind.USE_CASE if isinstance(subject, UseCase) else SubjectKind.MODEL_VERSION,
            use_case=subject if isinstance(subject, UseCase) else None,
            version=subject if isinstance(subject, ModelVersion) else None,
            record_id_copy=record.pk,
            verb=verb,
            stage=record.stage,
            from_status=before,
            status=record.status,
            position_stage=subject.stage,
            position_status=subject.status,
            account_id=getattr(record, "account_id", None),
            request_id_copy=request_id,
            actor=by or actor.name,
            reason=reason,
            correlation=correlation_id(),
            at=now,
            snapshot=_snapshot(record),
        )
        for record, before in moved
    ]


def _set(record: Record, verb: Verb, status: Status, who: str) -> None:
    with announced(verb):
        type(record).objects.filter(pk=record.pk).update(
            status=status, audit_at=timezone.now(), audit_user=who, revision=F("revision") + 1
        )
    record.refresh_from_db(fields=["status", "audit_at", "audit_user", "revision"])


def _snapshot(record: Record) -> dict[str, Any]:
    if isinstance(record, UseCaseStageRecord):
        use_case = record.use_case
        return {
            "use_case_id": use_case.public_id,
            "use_case_name": use_case.name,
            "stage": record.stage,
            "status": record.status,
            "risk_class": use_case.risk_class,
        }
    return {"rows": rows(expanded(StageRecord.objects.filter(pk=record.pk)))}
