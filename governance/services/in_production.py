"""What runs in production: taken live, deployed, superseded, rolled back. The version is locked by the caller."""

from __future__ import annotations

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.choices import DeploymentMode, DeploymentState
from registry.models import AwsAccount, Deployment, ModelVersion
from registry.services import deployments as registry_deployments
from registry.services import positions

from ..lifecycle import MODEL_STAGES, Verb
from ..models import ApprovalRequest, StageRecord
from ..selectors import in_place
from . import deployment_orders, ledger, write_back
from .locking import lock_version


def go_live(*, actor: Actor, version: ModelVersion, request: ApprovalRequest) -> None:
    """Production is approved: what runs on trial goes live; where that is already in place, it is deployed.

    Where AWS shows it as a shadow or a small share beside the live version, it is so when it takes over.
    """
    for deployment in Deployment.objects.filter(version=version, stage=Stage.PRODUCTION).select_related("account"):
        registry_deployments.go_live(actor=actor, deployment=deployment)
        is_there = deployment.state == DeploymentState.DEPLOYED and not in_place.is_disproved(deployment)
        deployment_orders.order_deployment(version=version, deployment=deployment, request=request)
        if is_there:
            mark_deployed(
                actor=actor,
                version=version,
                account=deployment.account,
                reason="Approved while its deployment was already in place.",
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


def rollback(*, actor: Actor, version_id: int, stage: Stage, reason: str) -> ModelVersion:
    """Order the deployment of an earlier version that was approved for a stage, on an officer's word.

    In production its superseded records stand approved again until the deployment is reported, which supersedes what
    runs now: the ledger shows both moves. In an earlier stage nothing moves; it is deployed there once more. Raises
    NotFound, Forbidden, InvalidInput without a reason or for a stage that is none, WrongState when the version is not
    approved there, its approval is outdated, AWS no longer has it, it serves a prohibited use case, or it already runs.
    """
    if not reason.strip():
        raise InvalidInput("Say why it is rolled back.", errors={"reason": ["A rollback needs its reason."]})
    if stage not in MODEL_STAGES:
        raise InvalidInput("There is nothing to roll back there.", errors={"stage": ["This is no stage of a version."]})
    with operation(actor, reason):
        seen = access.get(ModelVersion, actor, pk=version_id)
        version = lock_version(seen.pk)
        require(actor, Act.ROLLBACK, version.scope_project_id)
        records = _deployable_again(version, stage)
        accounts = list(AwsAccount.objects.serving(stage))
        moved = [(record, record.status) for record in records]
        if stage is Stage.PRODUCTION:
            ledger.move_records(
                actor=actor,
                records=records,
                verb=Verb.ROLLBACK,
                status=Status.APPROVED,
                only=[Status.SUPERSEDED],
            )
            if version.status == Status.SUPERSEDED:
                positions.place(version, verb=Verb.ROLLBACK, stage=stage, status=Status.APPROVED)
        ledger.write(actor=actor, subject=version, verb=Verb.ROLLBACK, moved=moved, reason=reason.strip())
        write_back.order_write_back(
            version=version, stage=stage, status=Status.APPROVED, who=actor.name, request=None, note=reason
        )
        targets = {getattr(record, "account_id", None) for record, _ in moved}
        for account in accounts:
            if account.pk in targets or None in targets:
                deployment = registry_deployments.order(
                    actor=actor,
                    version=version,
                    account=account,
                    stage=stage,
                    mode=DeploymentMode.LIVE if stage is Stage.PRODUCTION else DeploymentMode.TRIAL,
                )
                deployment_orders.order_deployment(version=version, deployment=deployment, request=None)
        return version


def _may_be_ordered(record: ledger.Record, stage: Stage, fallen: set[int]) -> bool:
    return (
        stage is not Stage.PRODUCTION
        or getattr(record, "account_id", None) in fallen
        or (getattr(record, "account_id", None) is None and bool(fallen))
    )


def _deployable_again(version: ModelVersion, stage: Stage) -> list[ledger.Record]:
    fallen = set(
        Deployment.objects.filter(
            version=version, stage=stage, state__in=(DeploymentState.FAILED, DeploymentState.REMOVED)
        ).values_list("account_id", flat=True)
    )
    records = [
        record
        for record in ledger.records_of(version, stage)
        # What is approved for production and never got there, or fell over, may be ordered once more.
        if (stage is Stage.PRODUCTION and record.status == Status.SUPERSEDED)
        or (record.status == Status.APPROVED and _may_be_ordered(record, stage, fallen))
    ]
    if not records:
        running = stage is Stage.PRODUCTION and any(
            record.status == Status.DEPLOYED for record in ledger.records_of(version, stage)
        )
        raise WrongState(
            f"{version.name} is what runs in {stage.label}; there is nothing to roll back to."
            if running
            else f"{version.name} is not an earlier version that was approved for {stage.label}."
        )
    if version.stage == Stage.RETIRED or version.missing_since is not None:
        raise WrongState(f"{version.name} is retired or no longer in AWS, so it cannot be deployed again.")
    if any(record.outdated_at is not None for record in records):
        raise WrongState(
            f"{version.name} is no longer what was approved for {stage.label}. It must be approved anew before it runs."
        )
    prohibited = [use.public_id for use in version.use_cases.all() if use.risk_class == RiskClass.UNACCEPTABLE]
    if prohibited:
        raise WrongState(f"The risk of {', '.join(prohibited)}, which it serves, is unacceptable.")
    return records


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
