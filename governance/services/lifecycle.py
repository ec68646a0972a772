"""The lifecycle: the only writer of stages. Every function runs in the caller's operation on locked subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.core import kept
from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.vocabulary import Stage, Status
from registry.choices import DeploymentMode
from registry.models import AwsAccount, ModelVersion, UseCase
from registry.services import deployments as registry_deployments
from registry.services import positions

from ..choices import FindingKind
from ..lifecycle import MODEL_STAGES, USE_CASE_STAGES, Verb, stages_back_to
from ..models import ApprovalRequest, StageRecord
from ..policies.rules import use_case_blockers
from ..selectors import policy as policies
from ..selectors import standing
from ..selectors.binding import digest_of
from . import deployment_orders, findings, in_production, ledger, review, write_back
from .closing import outdate

Subject = UseCase | ModelVersion
Record = ledger.Record
_SERVING = kept.Kept(AwsAccount.objects.serving, str)
# Where the metrics of a version come from that nobody tested yet.
CARD = "model card and metadata"


@dataclass(frozen=True)
class Arrival:
    """A version that was just taken in: `registrant` is the person or AWS session that registered it, `metrics` are
    those its card and metadata report."""

    version: ModelVersion
    registrant: str
    metrics: dict[str, Any] | None


def begin_versions(*, actor: Actor, arrivals: Sequence[Arrival]) -> None:
    """Open the ledgers of versions that were just taken in: development, pending.

    The same number of statements however many arrive.
    """
    stage = MODEL_STAGES[0]
    records = [
        StageRecord(
            version=arrival.version,
            stage=stage,
            audit_user=arrival.registrant,
            **(_as_carded(arrival.metrics, arrival.version.aws_created_at) if arrival.metrics is not None else {}),
        )
        for arrival in arrivals
    ]
    ledger.begin(actor=actor, records=records)


def follow_card_metrics(*, actor: Actor, version: ModelVersion, metrics: dict[str, Any] | None) -> None:
    """Have the development record say what card and metadata report now, unless somebody reported results since.

    A rule must not pass on a number that the version no longer claims.
    """
    for record in ledger.records_of(version, MODEL_STAGES[0]):
        assert isinstance(record, StageRecord)
        is_theirs = record.validation_source in ("", CARD) and record.status != Status.RETIRED
        if is_theirs and record.validation_metrics != metrics:
            values = _as_carded(metrics, version.aws_modified_at)
            for name, value in values.items():
                setattr(record, name, value)
            record.save(update_fields=list(values))


def _as_carded(metrics: dict[str, Any] | None, captured_at: datetime) -> dict[str, Any]:
    is_there = metrics is not None
    return {
        "validation_metrics": metrics,
        "validation_source": CARD if is_there else "",
        "validation_captured_at": captured_at if is_there else None,
    }


def begin_use_case(*, actor: Actor, use_case: UseCase) -> None:
    """Open the ledger of a use case that was just registered: POC, pending."""
    opened = ledger.open_records(
        actor=actor, subject=use_case, stage=USE_CASE_STAGES[0], accounts=[None], verb=Verb.REGISTER
    )
    ledger.write(actor=actor, subject=use_case, verb=Verb.REGISTER, moved=opened)


def approve(
    *, actor: Actor, subject: Subject, request: ApprovalRequest, reason: str, known: Sequence[Record] | None = None
) -> None:
    """Approve a subject at its stage, for the digest of the request: its records, its position and the ledger.

    `known` are the subject's records at every stage where the caller holds them, here and below.
    """
    stage = Stage(subject.stage)
    moved = ledger.move_records(
        actor=actor,
        records=ledger.records_of(subject, stage, known),
        verb=Verb.APPROVE,
        status=Status.APPROVED,
        only=[Status.PENDING],
        digest=request.digest,
    )
    positions.place(subject, verb=Verb.APPROVE, stage=stage, status=Status.APPROVED)
    ledger.write(actor=actor, subject=subject, verb=Verb.APPROVE, moved=moved, reason=reason, request_id=request.pk)


def go_on(
    *, actor: Actor, subject: Subject, request: ApprovalRequest, reason: str, known: Sequence[Record] | None = None
) -> None:
    """Do what an approval leads to: write-back, then onwards along the path.

    A version goes on at once, with a deployment ordered to each account of the next stage; a use case waits until
    nothing blocks it. The use cases a version serves are locked with it.
    """
    if isinstance(subject, UseCase):
        advance_use_case_if_ready(actor=actor, use_case=subject)
        return
    write_back.order_write_back(
        version=subject,
        stage=Stage(subject.stage),
        status=Status.APPROVED,
        who=actor.name,
        request=request,
        note=reason,
    )
    following = policies.stage_after(subject, request.policy)
    if following is not None:
        _advance_version(actor, subject, following, request, known)
    else:
        in_production.go_live(actor=actor, version=subject, request=request)
    for use_case in subject.use_cases.all():
        advance_use_case_if_ready(actor=actor, use_case=use_case)


def reject(*, actor: Actor, subject: Subject, request: ApprovalRequest, back_to: Stage, reason: str) -> None:
    """Send a subject back: its record here and its approvals from there on are rejected, and it waits there.

    The stages in between fall too: what was sent back stands approved nowhere on the way it must go again.
    """
    stage = Stage(subject.stage)
    if back_to not in stages_back_to(policies.kind_of(subject), stage):
        raise InvalidInput(
            "A rejection goes back to this stage or an earlier one.",
            errors={"back_to": [f"{back_to.label} does not lie on the way to {stage.label}."]},
        )
    moved = ledger.move_records(
        actor=actor,
        records=ledger.records_of(subject, stage),
        verb=Verb.REJECT,
        status=Status.REJECTED,
        only=[Status.PENDING],
        digest="",
    )
    way = stages_back_to(policies.kind_of(subject), stage)
    for fallen in way[way.index(back_to) : -1]:
        moved += ledger.move_records(
            actor=actor,
            records=ledger.records_of(subject, fallen),
            verb=Verb.REJECT,
            status=Status.REJECTED,
            only=[Status.APPROVED],
            digest="",
        )
    positions.place(subject, verb=Verb.REJECT, stage=back_to, status=Status.REJECTED)
    ledger.write(actor=actor, subject=subject, verb=Verb.REJECT, moved=moved, reason=reason, request_id=request.pk)
    if isinstance(subject, ModelVersion):
        write_back.order_write_back(
            version=subject, stage=stage, status=Status.REJECTED, who=actor.name, request=request, note=reason
        )
        deployment_orders.refuse_waiting(version=subject, who=actor.name, reason=reason, request=request)
        # What still runs where it was sent back from is found at once.
        review.look_at(actor=actor, version_id=subject.pk, kinds=review.AFTER_MOVE)


def resubmit(*, actor: Actor, subject: Subject, reason: str) -> None:
    """Take a rejected subject up again in the stage it was sent back to."""
    stage = Stage(subject.stage)
    moved = ledger.move_records(
        actor=actor,
        records=ledger.records_of(subject, stage),
        verb=Verb.RESUBMIT,
        status=Status.PENDING,
        only=[Status.REJECTED],
    )
    positions.place(subject, verb=Verb.RESUBMIT, stage=stage, status=Status.PENDING)
    ledger.write(actor=actor, subject=subject, verb=Verb.RESUBMIT, moved=moved, reason=reason)
    if isinstance(subject, ModelVersion):
        write_back.order_write_back(
            version=subject, stage=stage, status=Status.PENDING, who=actor.name, request=None, note=reason
        )


def renew(*, actor: Actor, subject: Subject, request: ApprovalRequest, reason: str) -> None:
    """Give an outdated standing approval anew, for what the subject is now; nothing moves, and the ledger shows it.

    The approvals of the stages it passed on its way here are renewed with it: nobody could ask for those again.
    """
    stage = Stage(subject.stage)
    renewed = [record for record in ledger.all_records(subject) if record.outdated_at is not None]
    for passed in dict.fromkeys(Stage(record.stage) for record in renewed):
        here = [record for record in renewed if record.stage == passed]
        ledger.bind(here, request.digest if passed is stage else digest_of(subject, passed))
    ledger.write(
        actor=actor,
        subject=subject,
        verb=Verb.RENEW,
        moved=[(record, record.status) for record in renewed],
        reason=reason,
        request_id=request.pk,
    )
    if isinstance(subject, ModelVersion):
        write_back.order_write_back(
            version=subject, stage=stage, status=Status.APPROVED, who=actor.name, request=request, note=reason
        )
        for use_case in subject.use_cases.all():
            advance_use_case_if_ready(actor=actor, use_case=use_case)
    else:
        advance_use_case_if_ready(actor=actor, use_case=subject)
    findings.clear(FindingKind.CONTENT_CHANGED, subject, f"{request.public_id} approved it as it is now.")


def prohibit(*, actor: Actor, use_case: UseCase, reason: str) -> None:
    """Send a use case found unacceptable back to POC, rejected, with every approval it had; the use case is locked."""
    outdate(use_case, f"It was found unacceptable: {reason}", actor=actor)
    moved = ledger.move_records(
        actor=actor,
        records=ledger.all_records(use_case),
        verb=Verb.PROHIBIT,
        status=Status.REJECTED,
        only=[Status.PENDING, Status.APPROVED],
        digest="",
    )
    positions.place(use_case, verb=Verb.PROHIBIT, stage=USE_CASE_STAGES[0], status=Status.REJECTED)
    ledger.write(actor=actor, subject=use_case, verb=Verb.PROHIBIT, moved=moved, reason=reason)


def advance_use_case_if_ready(*, actor: Actor, use_case: UseCase) -> bool:
    """Move an approved use case on when nothing blocks it; returns whether it moved. The use case is locked."""
    if use_case.status != Status.APPROVED:
        return False
    following = policies.stage_after(use_case)
    if following is None or blockers(use_case):
        return False
    stage = Stage(use_case.stage)
    positions.place(use_case, verb=Verb.ADVANCE, stage=following, status=Status.PENDING)
    opened = ledger.open_records(actor=actor, subject=use_case, stage=following, accounts=[None], verb=Verb.ADVANCE)
    ledger.write(
        actor=actor,
        subject=use_case,
        verb=Verb.ADVANCE,
        moved=opened,
        reason=f"Approved in {stage.label}, and nothing blocks it.",
    )
    return True


def blockers(use_case: UseCase) -> tuple[str, ...]:
    """Return what keeps a use case from leaving its stage, apart from its own approval, in plain words."""
    stage = Stage(use_case.stage)
    models = policies.models_in_scope(use_case, stage) if stage is not Stage.POC else ()
    outdated = standing.is_outdated_here(use_case)
    return use_case_blockers(stage, policies.risk_class_of(use_case), models, outdated=outdated)


def _advance_version(
    actor: Actor, version: ModelVersion, stage: Stage, request: ApprovalRequest, known: Sequence[Record] | None
) -> None:
    positions.place(version, verb=Verb.ADVANCE, stage=stage, status=Status.PENDING)
    accounts = _SERVING.all(stage)
    opened = ledger.open_records(
        actor=actor, subject=version, stage=stage, accounts=accounts or [None], verb=Verb.ADVANCE, known=known
    )
    ledger.write(
        actor=actor,
        subject=version,
        verb=Verb.ADVANCE,
        moved=opened,
        request_id=request.pk,
    )
    for account in accounts:
        deployment = registry_deployments.order(
            actor=actor, version=version, account=account, stage=stage, mode=DeploymentMode.TRIAL
        )
        deployment_orders.order_deployment(version=version, deployment=deployment, request=request)
