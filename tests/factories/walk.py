"""Subjects, brought where a test needs them by the services that bring them there in production."""

from __future__ import annotations

from itertools import count

from governance.choices import Verdict
from governance.models import ApprovalRequest
from governance.services import approvals, deployments, intake
from governance.services import use_cases as governed_use_cases
from portal.core.operations import operation
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.aws.records import GroupRecord
from registry.choices import AccountPurpose, DeploymentState, DocumentKind
from registry.models import AwsAccount, Deployment, ModelGroup, ModelVersion, Project, UseCase, User
from registry.services import accounts, groups, organisation, use_cases, versions
from registry.services.use_cases import UseCaseText

from .people import SYSTEM, Cast
from .records import START, card, version_record

_numbers = count(1)


def project(key: str = "") -> Project:
    """Create a project in a line of business of its own."""
    number = next(_numbers)
    line = organisation.create_line_of_business(actor=SYSTEM, name=f"Line {number}")
    return organisation.create_project(
        actor=SYSTEM, key=key or f"project-{number}", name=f"Project {number}", line_of_business=line
    )


def account(account_id: str, *purposes: AccountPurpose) -> AwsAccount:
    """Register an account, or return the one there is."""
    return AwsAccount.objects.filter(account_id=account_id).first() or accounts.register(
        actor=SYSTEM,
        account_id=account_id,
        alias=f"account-{account_id[:3]}",
        purposes=list(purposes),
        role_arn=f"arn:aws:iam::{account_id}:role/ModelGovernancePortal",
    )


def all_accounts() -> dict[str, AwsAccount]:
    """Register hub, development, test and production as the sandbox has them."""
    return {
        "hub": account("111111111111", AccountPurpose.HUB),
        "development": account("222222222222", AccountPurpose.DEVELOPMENT),
        "test": account("333333333333", AccountPurpose.QA, AccountPurpose.PRE_PRODUCTION),
        "production": account("444444444444", AccountPurpose.PRODUCTION),
    }


def use_case(people: Cast, of: Project, risk: RiskClass = RiskClass.LIMITED, name: str = "") -> UseCase:
    """Register a use case as the data scientist and classify it as the officer."""
    made = governed_use_cases.register(
        actor=people.scientist.actor,
        project_id=of.pk,
        text=UseCaseText(name=name or f"Use case {next(_numbers)}", intended_purpose="Rank applications."),
    )
    if risk is not RiskClass.UNCLASSIFIED:
        made = use_cases.classify(
            actor=people.officer.actor, use_case_id=made.pk, risk_class=risk, reason="As assessed."
        )
    return made


def group(of: Project | None, people: Cast | None = None, *serves: UseCase, name: str = "") -> ModelGroup:
    """Take in a model group from the hub and claim it for a project."""
    hub = all_accounts()["hub"]
    name = name or f"group-{next(_numbers)}"
    record = GroupRecord(
        arn=f"arn:aws:sagemaker:us-east-1:{hub.account_id}:model-package-group/{name}",
        name=name,
        account_id=hub.account_id,
        region="us-east-1",
        description="",
        created_at=START,
        status="Completed",
    )
    with operation(SYSTEM):
        made, _ = groups.take_in(actor=SYSTEM, account=hub, record=record)
        intake.absorb_group(SYSTEM, made)
    if of is None or people is None:
        return made
    return groups.edit(
        actor=people.engineer.actor,
        group_id=made.pk,
        revision=made.revision,
        project=of,
        owner=people.owner,
        use_cases=serves,
    )


def version(
    of: ModelGroup, number: int = 1, *, risk: str = "Low", registrant: str = "", **values: object
) -> ModelVersion:
    """Take in a version as the sync does; its card is valid unless `card_content` says otherwise."""
    values.setdefault("card_content", card(risk=risk))
    record = version_record(of.arn, number, registrant=registrant, **values)
    with operation(SYSTEM):
        change = versions.take_in(actor=SYSTEM, group=of, record=record)
        intake.absorb_version(SYSTEM, change)
    return ModelVersion.objects.get(pk=change.version.pk)


def deciders(people: Cast, request: ApprovalRequest) -> list[User]:
    """Return as many entitled people as a request needs, in order."""
    return [people.owner] if "model_owner" in request.waiting_roles else [people.officer, people.second_officer]


def documented(people: Cast, subject: UseCase) -> UseCase:
    """Write those of the five documents a use case still lacks."""
    written = set(subject.documents.values_list("kind", flat=True))
    texts = {kind: f"{kind.label} of {subject.name}." for kind in DocumentKind if kind not in written}
    if texts:
        use_cases.write_documents(actor=people.scientist.actor, use_case_id=subject.pk, texts=texts)
        subject.refresh_from_db()
    return subject


def approve_once(people: Cast, subject: ModelVersion | UseCase) -> ApprovalRequest:
    """Submit a subject with what its stage asks for, and have everybody decide who must."""
    if isinstance(subject, UseCase) and subject.stage in (Stage.PRE_PRODUCTION, Stage.PRODUCTION):
        documented(people, subject)
    request = approvals.submit(actor=people.scientist.actor, subject_type=type(subject), subject_id=subject.pk)
    for decider in deciders(people, request):
        approvals.decide(actor=decider.actor, request_id=request.pk, verdict=Verdict.APPROVE)
        request.refresh_from_db()
        if request.state != "open":
            break
    subject.refresh_from_db()
    return request


def at_stage(people: Cast, subject: ModelVersion, stage: Stage, status: Status = Status.PENDING) -> ModelVersion:
    """Walk a version to a stage and status: approvals, and for `deployed` the report from production."""
    while subject.stage != stage:
        approve_once(people, subject)
    if status is Status.REJECTED:
        request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=subject.pk)
        approvals.decide(
            actor=deciders(people, request)[0].actor,
            request_id=request.pk,
            verdict=Verdict.REJECT,
            comment="Not good enough.",
            back_to=stage,
        )
    elif status in (Status.APPROVED, Status.DEPLOYED):
        approve_once(people, subject)
    if status is Status.DEPLOYED:
        for deployment in Deployment.objects.filter(version=subject, stage=Stage.PRODUCTION):
            deployments.report(actor=people.engineer.actor, deployment_id=deployment.pk, state=DeploymentState.DEPLOYED)
    subject.refresh_from_db()
    return subject
