"""What a decision would do, said beforehand in the words of what it will write. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.vocabulary import Stage, Status, SubjectKind
from registry.models import AwsAccount, Deployment, ModelVersion, UseCase
from registry.services.deployments import region_of

from ..lifecycle import default_stage_back, stages_back_to
from ..models import ApprovalRequest, PolicyVersion, WaitingCallback
from ..policies.facts import ApprovalNeed
from ..selectors import policy as policies
from ..selectors.channels import way_for
from ..selectors.standing import is_outdated_here
from . import approvals, lifecycle
from .write_back import AWS_APPROVAL, AWS_STAGE, AWS_STAGE_STATUS


@dataclass(frozen=True)
class Effects:
    """What one answer does: in the portal at once, in AWS by the outbox; `first` is what must come before."""

    portal: tuple[str, ...]
    aws: tuple[str, ...] = ()
    first: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.portal, *self.aws)


def of_approval(request: ApprovalRequest) -> Effects:
    """Return what the last approval a request waits for will do."""
    subject, stage = request.subject, Stage(request.stage)
    if request.renews:
        return _renewed(subject, stage, _still_needed(request))
    return _approved(subject, stage, policies.stage_after(subject, request.policy), _still_needed(request))


def of_asking(subject: UseCase | ModelVersion, policy: PolicyVersion) -> Effects:
    """Return what an approval would do if it were asked for where a subject stands now, under the policy in force."""
    stage = Stage(subject.stage)
    if is_outdated_here(subject):
        return _renewed(subject, stage, "")
    return _approved(subject, stage, policies.stage_after(subject, policy), "")


def _renewed(subject: UseCase | ModelVersion, stage: Stage, first: str) -> Effects:
    name = subject.name if isinstance(subject, ModelVersion) else subject.public_id
    portal = (f"{name} is approved in {stage.label} anew, for what it is now; it stays where it is",)
    aws = (_writes(subject, stage, Status.APPROVED),) if isinstance(subject, ModelVersion) else ()
    return Effects(portal=portal, aws=aws, first=first)


def _approved(subject: UseCase | ModelVersion, stage: Stage, following: Stage | None, first: str) -> Effects:
    if not isinstance(subject, ModelVersion):
        onwards = following.label if following else ""
        blocked = [] if following is None else lifecycle.blockers(subject)
        if following is None:
            moves = f"{subject.public_id} is approved in {stage.label}"
        elif blocked:
            moves = (
                f"{subject.public_id} is approved in {stage.label}, and enters {onwards} when nothing blocks it any"
                f" more: {' '.join(blocked)}"
            )
        else:
            moves = f"{subject.public_id} is approved in {stage.label} and enters {onwards}, pending"
        return Effects(portal=(moves,), first=first)
    aws = [_writes(subject, stage, Status.APPROVED)]
    if following is not None:
        accounts = list(AwsAccount.objects.serving(following))
        portal = [
            f"{subject.name} is approved in {stage.label}",
            f"A {following.label} record opens, pending"
            + (f", for {', '.join(str(account) for account in accounts)}" if accounts else ""),
        ]
        aws += [
            f"{_way(subject, account, following)}: its trial deployment to {account},"
            f" {region_of(subject, account)}, for"
            f" {following.label} is ordered"
            for account in accounts
        ]
    else:
        deployments = list(Deployment.objects.filter(version=subject, stage=stage).select_related("account"))
        portal = [f"{subject.name} is approved in {stage.label}"]
        aws += [
            f"{_way(subject, deployment.account, stage)}: its live deployment to {deployment.account},"
            f" {deployment.region}, is ordered"
            for deployment in deployments
        ]
    served = ", ".join(use_case.public_id for use_case in subject.use_cases.all())
    if served:
        portal.append(f"{served} moves on if this was all it waited for")
    return Effects(portal=tuple(portal), aws=tuple(aws), first=first)


def of_rejection(request: ApprovalRequest, back_to: Stage | None = None) -> Effects:
    """Return what a rejection will do; one is enough."""
    subject = request.subject
    stage, kind = Stage(request.stage), SubjectKind(request.kind)
    back = back_to or default_stage_back(kind, stage)
    name = subject.name if isinstance(subject, ModelVersion) else subject.public_id
    portal = (f"{name} is rejected in {stage.label} and waits in {back.label} until somebody submits it again",)
    if isinstance(subject, ModelVersion):
        return Effects(portal=portal, aws=(_writes(subject, stage, Status.REJECTED), *_told_no(subject)))
    return Effects(portal=portal)


def of_changes(request: ApprovalRequest) -> Effects:
    """Return what asking for changes will do; one is enough."""
    stage = Stage(request.stage)
    return Effects(
        portal=(f"{request.public_id} is closed; it stays pending in {stage.label} until it is submitted anew",)
    )


def stages_to_go_back_to(request: ApprovalRequest) -> tuple[Stage, ...]:
    """Return where a rejection may send the subject, the default first."""
    kind, stage = SubjectKind(request.kind), Stage(request.stage)
    default = default_stage_back(kind, stage)
    return (default, *(other for other in reversed(stages_back_to(kind, stage)) if other is not default))


def _writes(version: ModelVersion, stage: Stage, status: Status) -> str:
    account = version.group.account
    return (
        f"SageMaker UpdateModelPackage in {account}, {version.group.region}: ModelApprovalStatus becomes"
        f" {AWS_APPROVAL[status]},"
        f" ModelLifeCycle {AWS_STAGE[stage]} / {AWS_STAGE_STATUS[status]}"
    )


def _way(version: ModelVersion, account: AwsAccount, stage: Stage) -> str:
    """Say what is asked for a deployment: a bus, a pipeline, one that waits, a webhook."""
    return way_for(hub=version.group.account, region=version.group.region, account=account, stage=stage).asked


def _told_no(version: ModelVersion) -> list[str]:
    """Say which waiting pipelines a rejection lets fail."""
    waiting = WaitingCallback.objects.waiting().filter(model_package_arn=version.arn)
    return [
        f"The pipeline that waits in {callback.home} to deploy to {callback.account} for"
        f" {Stage(callback.stage).label} is told that it may not"
        for callback in waiting.select_related("home", "account").order_by("pk")
    ]


def _still_needed(request: ApprovalRequest) -> str:
    """Say what else must come after one more approval; "" when that one is the last."""
    missing: tuple[ApprovalNeed, ...] = approvals.missing_approvals(request)
    left = sum(need.count for need in missing)
    if left <= 1:
        return ""
    return f"{left} approvals are still missing; the last of them does this. Until then nothing changes."
