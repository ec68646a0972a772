"""The lifecycle: the only writer of stages. Every function runs in the caller's operation on locked subjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import Stage, Status
from registry.choices import DeploymentMode, DeploymentState
from registry.models import AwsAccount, Deployment, ModelVersion, UseCase
from registry.services import deployments as registry_deployments
from registry.services import positions

from ..lifecycle import MODEL_STAGES, RETIRED, USE_CASE_STAGES, Machine, Verb, stages_back_to, verbs_from
from ..models import ApprovalRequest, StageRecord, UseCaseStageRecord
from ..policies.rules import use_case_blockers
from ..selectors import policy as policies
from . import ledger, write_back
from .closing import outdate
from .locking import lock_use_case, lock_version

Subject = UseCase | ModelVersion


def begin_version(*, actor: Actor, version: ModelVersion, registrant: str, metrics: dict[str, Any] | None) -> None:
    """Open the ledger of a version that was just taken in: development, pending.

    `registrant` is the person or AWS session that registered it; `metrics` are those its card and metadata report.
    """
    stage = MODEL_STAGES[0]
    opened = ledger.open_records(
        actor=actor, subject=version, stage=stage, accounts=[None], verb=Verb.REGISTER, by=registrant
    )
    if metrics is not None:
        for record in opened:
            assert isinstance(record, StageRecord)
            record.validation_metrics = metrics
            record.validation_source = "model card and metadata"
            record.validation_captured_at = version.aws_created_at
            record.save(update_fields=["validation_metrics", "validation_source", "validation_captured_at"])
    ledger.write(
        actor=actor,
        subject=version,
        verb=Verb.REGISTER,
        moved=[(record, "") for record in opened],
        by=registrant,
    )


def begin_use_case(*, actor: Actor, use_case: UseCase) -> None:
    """Open the ledger of a use case that was just registered: POC, pending."""
    opened = ledger.open_records(
        actor=actor, subject=use_case, stage=USE_CASE_STAGES[0], accounts=[None], verb=Verb.REGISTER
    )
    ledger.write(actor=actor, subject=use_case, verb=Verb.REGISTER, moved=[(record, "") for record in opened])


def approve(*, actor: Actor, subject: Subject, request: ApprovalRequest, reason: str) -> None:
    """Approve a subject at its stage: records, ledger, write-back, then onwards along the path.

    A version goes on at once, with a deployment ordered to each account of the next stage; a use case waits until
    nothing blocks it.
    """
    stage = Stage(subject.stage)
    moved = ledger.move_records(
        actor=actor,
        records=ledger.records_of(subject, stage),
        verb=Verb.APPROVE,
        status=Status.APPROVED,
        only=[Status.PENDING],
    )
    positions.place(subject, verb=Verb.APPROVE, stage=stage, status=Status.APPROVED)
    ledger.write(actor=actor, subject=subject, verb=Verb.APPROVE, moved=moved, reason=reason, request_id=request.pk)
    if isinstance(subject, UseCase):
        advance_use_case_if_ready(actor=actor, use_case=subject)
        return
    write_back.order_write_back(
        version=subject, stage=stage, status=Status.APPROVED, who=actor.name, request=request, note=reason
    )
    following = policies.stage_after(subject, request.policy)
    if following is not None:
        _advance_version(actor, subject, following, request)
    else:
        _go_live(actor, subject, request)
    for use_case in subject.use_cases.order_by("pk"):
        advance_use_case_if_ready(actor=actor, use_case=lock_use_case(use_case.pk))


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
    )
    way = stages_back_to(policies.kind_of(subject), stage)
    for fallen in way[way.index(back_to) : -1]:
        moved += ledger.move_records(
            actor=actor,
            records=ledger.records_of(subject, fallen),
            verb=Verb.REJECT,
            status=Status.REJECTED,
            only=[Status.APPROVED],
        )
    positions.place(subject, verb=Verb.REJECT, stage=back_to, status=Status.REJECTED)
    ledger.write(actor=actor, subject=subject, verb=Verb.REJECT, moved=moved, reason=reason, request_id=request.pk)
    if isinstance(subject, ModelVersion):
        write_back.order_write_back(
            version=subject, stage=stage, status=Status.REJECTED, who=actor.name, request=request, note=reason
        )


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


def mark_deployed(*, actor: Actor, version: ModelVersion, account: AwsAccount, reason: str) -> None:
    """Make the production record of an account deployed, and what ran there before superseded.

    Does nothing before production is approved: a trial beside the live version is not a deployment.
    """
    if version.stage != Stage.PRODUCTION or version.status not in (Status.APPROVED, Status.DEPLOYED):
        return
    records = [
        record
        for record in ledger.records_of(version, Stage.PRODUCTION)
        if getattr(record, "account_id", None) in (account.pk, None)
    ]
    moved = ledger.move_records(
        actor=actor, records=records, verb=Verb.DEPLOY, status=Status.DEPLOYED, only=[Status.APPROVED]
    )
    if not moved:
        return
    if version.status != Status.DEPLOYED:
        positions.place(version, verb=Verb.DEPLOY, stage=Stage.PRODUCTION, status=Status.DEPLOYED)
    ledger.write(actor=actor, subject=version, verb=Verb.DEPLOY, moved=moved, reason=reason)
    _supersede_others(actor, version, account)


def advance_use_case_if_ready(*, actor: Actor, use_case: UseCase) -> bool:
    """Move an approved use case on when nothing blocks it; returns whether it moved. The use case is locked."""
    if use_case.status != Status.APPROVED:
        return False
    following = policies.stage_after(use_case)
    if following is None or blockers(use_case):
        return False
    stage = Stage(use_case.stage)
    positions.place(use_case, verb=Verb.ADVANCE, stage=following, status=Status.PENDING)
    before = {record.stage: record.status for record in _use_case_records(use_case)}
    opened = ledger.open_records(actor=actor, subject=use_case, stage=following, accounts=[None], verb=Verb.ADVANCE)
    ledger.write(
        actor=actor,
        subject=use_case,
        verb=Verb.ADVANCE,
        moved=[(record, before.get(record.stage, "")) for record in opened],
        reason=f"Approved in {stage.label}, and nothing blocks it.",
    )
    return True


def blockers(use_case: UseCase) -> tuple[str, ...]:
    """Return what keeps a use case from leaving its stage, apart from its own approval, in plain words."""
    stage = Stage(use_case.stage)
    models = policies.models_in_scope(use_case, stage) if stage is not Stage.POC else ()
    return use_case_blockers(stage, policies.risk_class_of(use_case), models)


def retire(*, actor: Actor, subject_type: type[Subject], subject_id: int, reason: str, force: bool = False) -> Subject:
    """Take a use case or version out of service for good, on an officer's word; what was asked about it is outdated.

    Raises NotFound, Forbidden, InvalidInput without a reason, WrongState when it is retired already or, unless
    `force`, while a deployment of it is running; the refusal names the endpoints.
    """
    if not reason.strip():
        raise InvalidInput("Say why it is retired.", errors={"reason": ["A retirement needs its reason."]})
    with operation(actor, reason):
        visible = access.get(subject_type, actor, pk=subject_id)
        subject: Subject = lock_use_case(visible.pk) if isinstance(visible, UseCase) else lock_version(visible.pk)
        require(actor, Act.RETIRE, subject.scope_project_id)
        machine = Machine.USE_CASE if isinstance(subject, UseCase) else Machine.MODEL_VERSION
        if Verb.RETIRE not in verbs_from(machine, f"{subject.stage}/{subject.status}"):
            raise WrongState("It is retired already.")
        if isinstance(subject, ModelVersion):
            _refuse_while_running(subject, force)
        else:
            _refuse_while_serving(subject)
        outdate(subject, "It was retired.")
        moved = ledger.move_records(
            actor=actor,
            records=_all_records(subject),
            verb=Verb.RETIRE,
            status=Status.RETIRED,
            only=[status for status in Status if status is not Status.RETIRED],
        )
        positions.place(subject, verb=Verb.RETIRE, stage=RETIRED.stage, status=RETIRED.status)
        ledger.write(actor=actor, subject=subject, verb=Verb.RETIRE, moved=moved, reason=reason.strip())
        if isinstance(subject, ModelVersion):
            write_back.order_write_back(
                version=subject,
                stage=Stage.RETIRED,
                status=Status.RETIRED,
                who=actor.name,
                request=None,
                note=reason,
            )
            # It may have been the one its use cases were waiting for.
            for use_case in subject.use_cases.order_by("pk"):
                advance_use_case_if_ready(actor=actor, use_case=lock_use_case(use_case.pk))
        return subject


def _advance_version(actor: Actor, version: ModelVersion, stage: Stage, request: ApprovalRequest) -> None:
    positions.place(version, verb=Verb.ADVANCE, stage=stage, status=Status.PENDING)
    accounts = list(AwsAccount.objects.serving(stage))
    before = {record.pk: record.status for record in StageRecord.objects.filter(version=version, stage=stage)}
    opened = ledger.open_records(
        actor=actor, subject=version, stage=stage, accounts=accounts or [None], verb=Verb.ADVANCE
    )
    ledger.write(
        actor=actor,
        subject=version,
        verb=Verb.ADVANCE,
        moved=[(record, before.get(record.pk, "")) for record in opened],
        request_id=request.pk,
    )
    for account in accounts:
        deployment = registry_deployments.order(
            actor=actor, version=version, account=account, stage=stage, mode=DeploymentMode.TRIAL
        )
        write_back.order_deployment(version=version, deployment=deployment, request=request)


def _go_live(actor: Actor, version: ModelVersion, request: ApprovalRequest) -> None:
    """Production is approved: what runs on trial goes live; where that is already in place, it is deployed."""
    for deployment in Deployment.objects.filter(version=version, stage=Stage.PRODUCTION).select_related("account"):
        in_place = deployment.state == DeploymentState.DEPLOYED
        registry_deployments.go_live(actor=actor, deployment=deployment)
        write_back.order_deployment(version=version, deployment=deployment, request=request)
        if in_place:
            mark_deployed(
                actor=actor,
                version=version,
                account=deployment.account,
                reason="Approved while its deployment was already in place.",
            )


def _supersede_others(actor: Actor, version: ModelVersion, account: AwsAccount) -> None:
    others = StageRecord.objects.filter(
        version__group_id=version.group_id, stage=Stage.PRODUCTION, status=Status.DEPLOYED
    ).exclude(version=version)
    for other_id in others.filter(account__in=[account]).values_list("version_id", flat=True).distinct():
        other = lock_version(other_id)
        moved = ledger.move_records(
            actor=actor,
            records=[
                record
                for record in ledger.records_of(other, Stage.PRODUCTION)
                if getattr(record, "account_id", None) == account.pk
            ],
            verb=Verb.SUPERSEDE,
            status=Status.SUPERSEDED,
            only=[Status.DEPLOYED],
        )
        still = StageRecord.objects.filter(version=other, stage=Stage.PRODUCTION, status=Status.DEPLOYED).exists()
        if not still:
            positions.place(other, verb=Verb.SUPERSEDE, stage=Stage.PRODUCTION, status=Status.SUPERSEDED)
        registry_deployments.replace(actor=actor, version=other, account=account, stage=Stage.PRODUCTION)
        ledger.write(
            actor=actor,
            subject=other,
            verb=Verb.SUPERSEDE,
            moved=moved,
            reason=f"Version {version.number} was deployed to {account}.",
        )


def _refuse_while_running(version: ModelVersion, force: bool) -> None:
    running = [
        f"{deployment.endpoint or 'an unnamed endpoint'} in {deployment.account}"
        for deployment in Deployment.objects.running().filter(version=version).select_related("account")
    ]
    if running and not force:
        raise WrongState(
            f"It is still running at {', '.join(running)}. Take it out of service first, or retire it by force."
        )


def _refuse_while_serving(use_case: UseCase) -> None:
    active = [
        version.name
        for version in ModelVersion.objects.filter(use_cases=use_case)
        .exclude(stage=Stage.RETIRED)
        .select_related("group")
    ]
    if active:
        raise WrongState(f"Versions still serve it: {', '.join(sorted(active)[:10])}. Retire or move them first.")


def _use_case_records(use_case: UseCase) -> Sequence[UseCaseStageRecord]:
    return list(UseCaseStageRecord.objects.filter(use_case=use_case))


def _all_records(subject: Subject) -> list[ledger.Record]:
    if isinstance(subject, UseCase):
        return list(UseCaseStageRecord.objects.select_for_update().filter(use_case=subject).order_by("pk"))
    return list(StageRecord.objects.select_for_update().filter(version=subject).order_by("pk"))
