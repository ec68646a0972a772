"""Keeping decisions bound to what they were about: when the content moves, they no longer hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.models import ModelGroup, ModelVersion, UseCase

from ..choices import FindingKind, RequestState
from ..lifecycle import Verb
from ..models import ApprovalRequest, StageRecord, UseCaseStageRecord
from ..selectors.binding import digest_against, digest_of
from . import findings, lifecycle
from .closing import close
from .locking import lock_use_case

Subject = UseCase | ModelVersion
Record = StageRecord | UseCaseStageRecord


def subject_changed(*, actor: Actor, subject: Subject, why: str) -> None:
    """Outdate what was asked or approved about a subject if it is no longer what it was; `why` is for people.

    Open requests are closed, standing approvals marked outdated - or valid again, when the content is back to what
    was approved, and then use cases that waited for it go on - and a finding says so. Runs in the caller's operation,
    on a locked subject.
    """
    # Use cases stand before requests in the order of locks.
    waiting = [subject] if isinstance(subject, UseCase) else [lock_use_case(pk) for pk in _served(subject)]
    if _follow(actor, subject, why):
        for use_case in waiting:
            lifecycle.advance_use_case_if_ready(actor=actor, use_case=use_case)


def _follow(actor: Actor, subject: Subject, why: str) -> bool:
    """Do so for one subject; returns whether an approval is valid again and none is outdated any more."""
    outdated = [request for request in _open_requests(Q(**_about(subject))) if _outdate(actor, request, subject, why)]
    moved, restored = _judge(subject, _standing_records(subject))
    if outdated or moved:
        _report(subject, outdated, why)
        return False
    if restored and not any(record.outdated_at for record in _standing_records(subject)):
        findings.clear(FindingKind.CONTENT_CHANGED, subject, "It is again what was approved.")
        return True
    return False


def _served(version: ModelVersion) -> list[int]:
    return list(version.use_cases.order_by("pk").values_list("pk", flat=True))


def registry_changed(
    *,
    actor: Actor,
    what: UseCase | ModelGroup,
    fields: Collection[str],
    why: str,
) -> None:
    """Follow a change of a use case or a group to every subject it is part of; registry's services tell of it.

    A use case found unacceptable after POC goes back there at once.
    """
    if isinstance(what, ModelGroup):
        for version in _bound_versions(Q(group=what)).select_for_update(of=("self",), no_key=True):
            subject_changed(actor=actor, subject=version, why=why)
        return
    if what.risk_class == RiskClass.UNACCEPTABLE and what.stage not in (Stage.POC, Stage.RETIRED):
        lifecycle.prohibit(actor=actor, use_case=what, reason=why)
    subject_changed(actor=actor, subject=what, why=why)
    if "risk_class" in fields:
        # Versions stand before use cases in the order of locks, so they are not locked here: whoever decides on one
        # holds this use case, and its requests and records are locked.
        for version in _bound_versions(Q(use_cases=what)):
            _follow(actor, version, f"The risk class of {what.public_id} changed.")
        lifecycle.advance_use_case_if_ready(actor=actor, use_case=what)


def _bound_versions(condition: Q) -> QuerySet[ModelVersion]:
    bound = Q(pk__in=ApprovalRequest.objects.open().filter(version__isnull=False).values("version_id")) | Q(
        pk__in=StageRecord.objects.exclude(approved_digest="").values("version_id")
    )
    return (
        ModelVersion.objects.filter(condition)
        .filter(bound)
        .exclude(stage=Stage.RETIRED)
        .select_related("group__account", "group__project")
        .order_by("pk")
    )


def _about(subject: Subject) -> dict[str, Subject]:
    return {"use_case" if isinstance(subject, UseCase) else "version": subject}


def _open_requests(condition: Q) -> Iterable[ApprovalRequest]:
    return list(
        ApprovalRequest.objects.open().filter(condition).select_for_update(of=("self",), no_key=True).order_by("pk")
    )


def _outdate(actor: Actor, request: ApprovalRequest, subject: Subject, why: str) -> bool:
    if request.digest == digest_of(subject, Stage(request.stage)):
        return False
    close(request, Verb.OUTDATE, RequestState.OUTDATED, why, actor=actor)
    return True


def _standing_records(subject: Subject) -> list[Record]:
    standing = (Status.APPROVED, Status.DEPLOYED, Status.SUPERSEDED)
    model = UseCaseStageRecord if isinstance(subject, UseCase) else StageRecord
    records = model.objects.filter(**_about(subject), status__in=standing).exclude(approved_digest="")
    return list(records.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _judge(subject: Subject, records: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """Mark each approval outdated or valid again; returns those that became one and those that became the other."""
    moved: list[Record] = []
    restored: list[Record] = []
    for record in records:
        is_same = digest_against(subject, Stage(record.stage), record.approved_digest) == record.approved_digest
        if is_same == (record.outdated_at is None):
            continue
        record.outdated_at = None if is_same else timezone.now()
        record.save(update_fields=["outdated_at"])
        (restored if is_same else moved).append(record)
    return moved, restored


def _report(subject: Subject, outdated: Iterable[ApprovalRequest], why: str) -> None:
    approved = [Stage(record.stage) for record in _standing_records(subject) if record.outdated_at]
    name = subject.name if isinstance(subject, ModelVersion) else subject.public_id
    stages = ", ".join(stage.label for stage in dict.fromkeys(approved))
    findings.observe(
        FindingKind.CONTENT_CHANGED,
        subject,
        f"{name} is no longer what was "
        + (f"approved in {stages}. {why}" if approved else f"submitted for approval. {why}"),
        {
            "digests": {stage.value: digest_of(subject, stage) for stage in dict.fromkeys(approved)},
            "outdated_requests": [request.public_id for request in outdated],
            "approved_stages": [stage.value for stage in dict.fromkeys(approved)],
        },
    )
