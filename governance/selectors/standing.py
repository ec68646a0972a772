"""Where one subject stands: its stages, its records, its requests. The subject has been found visible before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.vocabulary import Stage, Status
from registry.models import ModelGroup, ModelVersion, UseCase

from ..choices import MetricKind, OutboxState, Severity
from ..lifecycle import STAGES
from ..models import (
    ApprovalRequest,
    Finding,
    MetricReport,
    OutboxMessage,
    PolicyVersion,
    StageRecord,
    UseCaseStageRecord,
)
from . import policy as policies
from .stage_table import expanded

Subject = UseCase | ModelVersion


def steps(subject: Subject, policy: PolicyVersion | None = None) -> list[dict[str, Any]]:
    """Return the stages of a subject for the stepper: done, current with its status, still to come, not on the path."""
    kind = policies.kind_of(subject)
    stages = STAGES[kind]
    path = policies.path_of(policy or policies.in_force(), kind)
    if subject.stage == Stage.RETIRED:
        return [{"stage": stage, "state": "skipped" if stage not in path else "todo"} for stage in stages] + [
            {"stage": Stage.RETIRED, "state": "current", "status": subject.status}
        ]
    here = stages.index(Stage(subject.stage))
    shown: list[dict[str, Any]] = []
    for index, stage in enumerate(stages):
        if index == here:
            shown.append({"stage": stage, "state": "current", "status": subject.status})
        elif stage not in path:
            shown.append({"stage": stage, "state": "skipped"})
        else:
            shown.append({"stage": stage, "state": "done" if index < here else "todo"})
    return shown


def requests_about(subject: Subject) -> list[ApprovalRequest]:
    """Return every request about a subject, newest first, with its decisions."""
    found = (
        ApprovalRequest.objects.about(subject)
        .select_related("requester", "policy", "use_case__project", "version__group__project")
        .prefetch_related("decisions__decider", "decisions__on_behalf_of")
        .order_by("-pk")
    )
    return list(found)


def open_request_about(subject: Subject) -> ApprovalRequest | None:
    """Return the request that waits about a subject where it stands, with its decisions; None without one."""
    found = ApprovalRequest.objects.about(subject).open().select_related("requester", "policy", "use_case__project")
    return found.prefetch_related("decisions__decider", "decisions__on_behalf_of").order_by("-pk").first()


def records_of_use_case(use_case: UseCase) -> list[UseCaseStageRecord]:
    """Return a use case's records in the order of the stages."""
    order = [str(stage) for stage in Stage]
    found = UseCaseStageRecord.objects.filter(use_case=use_case)
    return sorted(found, key=lambda record: order.index(record.stage))


def rows_of_version(actor: Actor, version: ModelVersion) -> list[Any]:
    """Return a version's rows of the governance table, latest stage first: one per record and use case."""
    order = [str(stage) for stage in Stage]
    found = expanded(StageRecord.objects.visible_to(actor).filter(version=version), actor)
    return sorted(found, key=lambda record: (-order.index(record.stage), record.pk, record.row_use_case_number or 0))


def standing_findings(actor: Actor, subject: Subject | ModelGroup) -> QuerySet[Any]:
    """Return the open and acknowledged findings about a subject, the gravest first."""
    gravity = Case(
        *[When(severity=severity, then=Value(index)) for index, severity in enumerate(reversed(Severity))],
        output_field=IntegerField(),
    )
    rows = Finding.objects.visible_to(actor).standing().select_related("owner").annotate(gravity=gravity)
    if isinstance(subject, UseCase):
        rows = rows.filter(use_case=subject)
    elif isinstance(subject, ModelVersion):
        rows = rows.filter(version=subject)
    else:
        rows = rows.filter(group=subject)
    return rows.order_by("gravity", "first_seen_at", "pk")


def messages_of(version: ModelVersion, limit: int = 20) -> list[OutboxMessage]:
    """Return what the outbox did and will do for a version, newest first, orders with how they went out."""
    rows = OutboxMessage.objects.filter(version=version).select_related("deployment_order__deployment")
    return list(rows.order_by("-id")[:limit])


def messages_of_request(request: ApprovalRequest) -> list[OutboxMessage]:
    """Return what a request's decisions ordered in AWS, in the order it is carried out."""
    return list(OutboxMessage.objects.filter(request_id_copy=request.pk).order_by("id"))


def is_under_way(messages: list[OutboxMessage]) -> bool:
    """Whether something is still to be carried out, and soon: what has waited for minutes may wait for days."""
    patient = timezone.now() - timedelta(minutes=10)
    return any(
        message.state == OutboxState.PENDING and (message.waiting_since is None or message.waiting_since > patient)
        for message in messages
    )


def last_write_back(version: ModelVersion) -> OutboxMessage | None:
    """Return the last word the portal had for SageMaker about a version."""
    return OutboxMessage.objects.filter(version=version, kind="write_back").order_by("-id").first()


def records_of_version(version: ModelVersion, stage: Stage | None = None) -> list[StageRecord]:
    """Return a version's records of one stage, or of all, one per account."""
    rows = StageRecord.objects.filter(version=version).select_related("account").order_by("pk")
    return list(rows if stage is None else rows.filter(stage=stage))


def reports_of(version: ModelVersion, kind: MetricKind, limit: int = 30) -> list[MetricReport]:
    """Return the reports of metrics that came in for a version, the latest measured first."""
    rows = MetricReport.objects.filter(record__version=version, kind=kind).select_related("record__account")
    return list(rows.order_by("-captured_at", "-pk")[:limit])


def is_earlier_there(version: ModelVersion, stage: Stage) -> bool:
    """Whether a version was approved for a stage before and could be rolled back to there."""
    wanted = Status.SUPERSEDED if stage is Stage.PRODUCTION else Status.APPROVED
    standing = StageRecord.objects.filter(version=version, stage=stage, status=wanted, outdated_at=None)
    return version.stage != Stage.RETIRED and version.missing_since is None and standing.exists()


def deployed_beside(version: ModelVersion) -> list[StageRecord]:
    """Return the production records of the group's other versions that run now."""
    return list(
        StageRecord.objects.filter(version__group_id=version.group_id, stage=Stage.PRODUCTION, status=Status.DEPLOYED)
        .exclude(version=version)
        .select_related("version__group", "account")
    )


def outdated_approvals(subject: Subject) -> list[StageRecord] | list[UseCaseStageRecord]:
    """Return the records whose standing approval was given for something else than the subject is now."""
    if isinstance(subject, UseCase):
        return list(UseCaseStageRecord.objects.filter(use_case=subject, outdated_at__isnull=False).order_by("pk"))
    return list(StageRecord.objects.filter(version=subject, outdated_at__isnull=False).order_by("pk"))


def is_outdated_here(subject: Subject) -> bool:
    """Whether the approval a subject stands on where it is now would be asked for anew."""
    if subject.status not in (Status.APPROVED, Status.DEPLOYED):
        return False
    return any(record.stage == subject.stage for record in outdated_approvals(subject))


def approved_groups(group_ids: Collection[int]) -> list[str]:
    """Return the names of those model groups with a version whose approval stands, by name."""
    standing = StageRecord.objects.filter(
        version__group_id=OuterRef("pk"), status__in=policies.STANDING, outdated_at=None
    ).exclude(approved_digest="")
    found = ModelGroup.objects.filter(Exists(standing), pk__in=list(group_ids))
    return list(found.order_by("name", "pk").values_list("name", flat=True))
