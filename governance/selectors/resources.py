"""What the REST API reads of governance: rows an actor may see, with everything their representation needs.

Every function costs the same number of queries however many rows are read.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from portal.core.actors import Actor
from portal.core.permissions import Act, require_anywhere
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase

from ..lifecycle import STAGES
from ..models import (
    ApprovalRequest,
    AuditEvent,
    Decision,
    OutboxMessage,
    PastStageRow,
    PolicyVersion,
    StageEvent,
)
from . import policy as policies
from .as_of import past_row, tier_then
from .inbox import waits_for_roles_of
from .stage_table import as_row, stage_table

QUEUES = ("mine", "role", "overdue", "decided", "asked")


def stage_records(actor: Actor) -> QuerySet[Any]:
    """Return the rows of the stage governance table, one per record and use case; `row_key` tells those apart."""
    return (
        stage_table(actor)
        .annotate(row_key=Coalesce(F("row_use_case_number"), 0))
        .prefetch_related("version__use_cases")
        .defer("version__described", "version__card", "version__metadata", "version__containers")
    )


def stage_record_row(record: Any) -> dict[str, Any]:
    """Return one row of `stage_records`: the fifteen attributes, what identifies it, and the tier policies look at.

    Of a row as of a moment the same, as it was.
    """
    if isinstance(record, PastStageRow):
        tier, row = tier_then(record), past_row(record)
    else:
        tier, row = policies.tier_of(record.version), as_row(record)
    return {**row, "risk_tier": tier.value.value, "risk_tier_source": tier.source}


def stage_record(actor: Actor, record_id: int) -> dict[str, Any] | None:
    """Return one record as a row, that of its first use case."""
    record = stage_records(actor).filter(pk=record_id).first()
    return None if record is None else stage_record_row(record)


def approval_requests(actor: Actor) -> QuerySet[ApprovalRequest]:
    """Return the approval requests an actor sees."""
    return (
        ApprovalRequest.objects.visible_to(actor)
        .select_related("requester", "registrant", "modifier", "policy", "use_case", "version__group")
        .prefetch_related("decisions__decider", "decisions__on_behalf_of")
        .defer("facts", "version__described", "version__card", "version__metadata", "version__containers")
    )


def in_queue(requests: QuerySet[ApprovalRequest], actor: Actor, queue: str) -> QuerySet[ApprovalRequest]:
    """Return those of the requests in one of QUEUES.

    `mine`: open, and this actor may give a decision they wait for. `role`: open and waiting for a role he holds,
    also where separation of duties keeps him from deciding. `overdue`: open past their due date. `decided`: he has
    decided on them. `asked`: he asked for them.
    """
    if queue == "mine":
        return requests.filter(pk__in=ApprovalRequest.objects.awaiting(actor).values("pk"))
    if queue == "role":
        return requests.filter(waits_for_roles_of(actor), pk__in=ApprovalRequest.objects.open().values("pk"))
    if queue == "overdue":
        return requests.filter(pk__in=ApprovalRequest.objects.overdue().values("pk"))
    if queue == "asked":
        return requests.filter(requester_id=actor.user_id)
    own = Decision.objects.filter(request=OuterRef("pk"), decider_id=actor.user_id)
    return requests.filter(Exists(own))


def open_request_of(subject: UseCase | ModelVersion, stage: str) -> ApprovalRequest | None:
    """Return the request that waits for a subject at a stage."""
    return ApprovalRequest.objects.open().about(subject).filter(stage=stage).prefetch_related("decisions").first()


def stages_to_ask_for(subject: UseCase | ModelVersion) -> tuple[Stage, ...]:
    """Return the stages this kind of subject walks."""
    return STAGES[policies.kind_of(subject)]


def events_of(subject: UseCase | ModelVersion) -> QuerySet[StageEvent]:
    """Return the moves of a subject the caller has seen."""
    return StageEvent.objects.all().about(subject).select_related("account")


def outbox(actor: Actor) -> QuerySet[OutboxMessage]:
    """Return the outbox messages an actor sees."""
    return OutboxMessage.objects.visible_to(actor).select_related("version__group").defer("payload")


def policy_versions(actor: Actor) -> QuerySet[PolicyVersion]:
    """Return the policies an actor sees, with their rules."""
    return PolicyVersion.objects.visible_to(actor).prefetch_related("rules")


def audit_events(actor: Actor) -> QuerySet[AuditEvent]:
    """Return the audit trail. Raises Forbidden for who may not see it: an empty trail would be untrue."""
    require_anywhere(actor, Act.SEE_AUDIT)
    return AuditEvent.objects.visible_to(actor)
