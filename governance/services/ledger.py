"""Writing the ledger: stage records and the events that moved them. Only the lifecycle service calls this."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from portal.core import bulk, kept
from portal.core.actors import Actor
from portal.core.operations import correlation_id
from portal.core.vocabulary import Stage, Status, SubjectKind
from registry.models import AwsAccount, ModelVersion, UseCase
from registry.services.positions import announced

from ..lifecycle import Verb
from ..models import StageEvent, StageRecord, UseCaseStageRecord

Subject = UseCase | ModelVersion
Record = StageRecord | UseCaseStageRecord
_RECORDS_OF_VERSION = kept.Kept(
    lambda version_id: (
        StageRecord.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account")
        .filter(version=version_id)
        .order_by("pk")
    ),
    int,
)
# Up to so many rows are written one by one.
_FEW = 3


def records_of(subject: Subject, stage: Stage, known: Sequence[Record] | None = None) -> list[Record]:
    """Return the records of a subject at a stage, locked; out of all of them, `known`, where the caller holds them."""
    if known is not None:
        return [record for record in known if record.stage == stage]
    if isinstance(subject, UseCase):
        return list(UseCaseStageRecord.objects.select_for_update(no_key=True).filter(use_case=subject, stage=stage))
    return list(StageRecord.objects.select_for_update(no_key=True).filter(version=subject, stage=stage).order_by("pk"))


def all_records(subject: Subject) -> list[Record]:
    """Return the records of a subject at every stage, locked."""
    if isinstance(subject, UseCase):
        return list(UseCaseStageRecord.objects.select_for_update(no_key=True).filter(use_case=subject).order_by("pk"))
    return list(records_of_version(subject))


def records_of_version(version: ModelVersion) -> list[StageRecord]:
    """Return the records of a version at every stage, locked, with their accounts and in the order of their keys."""
    return _RECORDS_OF_VERSION.all(version.pk)


def begin(*, actor: Actor, records: Sequence[StageRecord]) -> None:
    """Insert the first records of versions that were just taken in, each with its event, in two statements."""
    now = timezone.now()
    for record in records:
        record.audit_at = now
    if records:
        with announced(Verb.REGISTER):
            bulk.insert(records)
        bulk.insert(
            [_event(record.version, Verb.REGISTER, record, "", by=record.audit_user, now=now) for record in records]
        )


def open_records(
    *,
    actor: Actor,
    subject: Subject,
    stage: Stage,
    accounts: Sequence[AwsAccount | None],
    verb: Verb,
    by: str = "",
    known: Sequence[Record] | None = None,
) -> list[tuple[Record, str]]:
    """Make the stage's records pending: insert what is missing, reopen what an earlier walk left.

    Records of accounts that no longer serve the stage stay as they are. `known` are the subject's records at every
    stage where the caller holds them. Returns each with the status it had.
    """
    wanted: dict[int | None, AwsAccount | None] = {
        account.pk if account else None: account for account in ([None] if isinstance(subject, UseCase) else accounts)
    }
    existing = {getattr(record, "account_id", None): record for record in records_of(subject, stage, known)}
    reopened = [record for key, record in existing.items() if key in wanted]
    opened: list[tuple[Record, str]] = [(record, record.status) for record in reopened]
    _set(reopened, verb, Status.PENDING, by or actor.name, "")
    now = timezone.now()
    missing = [account for key, account in wanted.items() if key not in existing]
    if missing:
        with announced(Verb.REGISTER):
            for account in missing:
                values = {"stage": stage, "audit_at": now, "audit_user": by or actor.name}
                record: Record = (
                    UseCaseStageRecord(use_case=subject, **values)
                    if isinstance(subject, UseCase)
                    else StageRecord(version=subject, account=account, **values)
                )
                opened.append((kept.insert(record), ""))
    return opened


def move_records(
    *,
    actor: Actor,
    records: Iterable[Record],
    verb: Verb,
    status: Status,
    only: Sequence[Status],
    digest: str | None = None,
) -> list[tuple[Record, str]]:
    """Move those records that stand in one of `only`, bound to `digest` if given; returns each with its old status."""
    moved = [(record, record.status) for record in records if record.status in only]
    _set([record for record, _ in moved], verb, status, actor.name, digest)
    return moved


def bind(records: Sequence[Record], digest: str) -> None:
    """Write down for which digest the approval of these records was given, "" when it is gone; it is not outdated."""
    if records:
        type(records[0]).objects.filter(pk__in=[record.pk for record in records]).update(
            approved_digest=digest, outdated_at=None
        )
        for record in records:
            record.approved_digest, record.outdated_at = digest, None


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
    """Append one event per moved record, with where the subject stands now."""
    now = timezone.now()
    events = [
        _event(subject, verb, record, before, by=by or actor.name, now=now, reason=reason, request_id=request_id)
        for record, before in moved
    ]
    if len(events) > _FEW:
        return StageEvent.objects.bulk_create(events)
    return [kept.insert(event) for event in events]


def _event(
    subject: Subject,
    verb: Verb,
    record: Record,
    before: str,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    request_id: int | None = None,
) -> StageEvent:
    return StageEvent(
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
        actor=by,
        reason=reason,
        correlation=correlation_id(),
        at=now,
    )


def _set(records: Sequence[Record], verb: Verb, status: Status, who: str, digest: str | None = None) -> None:
    if not records:
        return
    values: dict[str, Any] = {"status": status, "audit_at": timezone.now(), "audit_user": who}
    if digest is not None:
        values |= {"approved_digest": digest, "outdated_at": None}
    # The rows are locked, so what is written is what stands.
    for record in records:
        for name, value in values.items():
            setattr(record, name, value)
        record.revision += 1
    with announced(verb):
        if len(records) > _FEW:
            type(records[0]).objects.filter(pk__in=[record.pk for record in records]).update(
                **values, revision=F("revision") + 1
            )
            return
        for record in records:
            kept.update(record, *values, "revision")
