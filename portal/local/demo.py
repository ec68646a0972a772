"""The demo data: made through the services and the AWS APIs, as people and pipelines would make it.

Every step looks whether its result is there, so loading twice changes nothing and a broken load goes on where
it stopped.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import tarfile
from collections.abc import Callable

from botocore.exceptions import ClientError
from celery import current_app
from django.conf import settings
from django.db import connection

from governance.choices import Verdict
from governance.models import ApprovalRequest
from governance.services import approvals, review, share_sync, shares, sync
from governance.services import use_cases as governed_use_cases
from governance.services.share_rules import Wish
from portal.core.actors import Actor
from portal.core.vocabulary import RiskClass, Role, Stage
from registry.aws import events, ram, sagemaker
from registry.aws.cloudformation import QUEUE_NAME, RULE_NAME
from registry.aws.session import AwsSession
from registry.choices import AccountPurpose, DocumentKind
from registry.models import (
    AwsAccount,
    AwsIdentity,
    DeclaredShare,
    LineOfBusiness,
    ModelGroup,
    Project,
    ResourceShare,
    UseCase,
    User,
)
from registry.services import accounts, groups, organisation, people, preflight, use_cases
from registry.services.use_cases import UseCaseText

from . import demo_roles
from .aws_demo import endpoint_metrics, endpoints, lineage, model_cards, monitors, pipelines, reports, roles, training
from .company import play
from .company.company_in_aws import clear_leftovers
from .demo_clock import Clock
from .demo_users import DEMO_PASSWORD, DEMO_USERS
from .sandbox.accounts import DEVELOPMENT, HUB, PRODUCTION, TEST

logger = logging.getLogger(__name__)

ACTOR = Actor.system("demo")
GROUP, USE_CASE = "credit-risk", "Credit risk scoring"
HUB_BUCKET, DEVELOPMENT_BUCKET = "ml-artifacts-hub", "ml-artifacts-dev"
ARTIFACT_KEY = "credit-risk/model.tar.gz"
SHARE = "credit-risk with development"
# The session a data scientist's notebook runs under in the development account.
SCIENTIST_SESSION = f"arn:aws:sts::{DEVELOPMENT}:assumed-role/DataScientist/data.scientist"
EVERYWHERE = {Role.GOVERNANCE_OFFICER, Role.ML_ADMIN, Role.AUDITOR}

DOCUMENTS = {
    DocumentKind.RISK_ASSESSMENT: "Wrong scores deny credit to people who would repay. Annex III point 5(b) applies.",
    DocumentKind.MITIGATION: "Every refusal goes to a person. Bias is measured before each release.",
    DocumentKind.TRANSPARENCY: "Applicants are told that a score was used and which three factors weighed most.",
    DocumentKind.OVERSIGHT: "A credit officer can override every score and must write down why.",
    DocumentKind.MONITORING: "Data quality and drift are watched daily, model quality monthly against repayments.",
}


class DemoRefused(Exception):
    """Demo people share a printed password, so they exist under the local settings only."""


def load(say: Callable[[str], None] = print, *, sandbox: bool = True, company: bool = False) -> None:
    """Load the demo data into the portal and the sandbox AWS.

    Without the sandbox (the user's own AWS is used) only people and project are made: nobody's accounts are touched.
    With `company` a company's last three months come on top, under a clock that is set back; that takes a minute and
    the owner of the tables. Raises DemoRefused outside the local settings, demo_clock.ClockRefused.
    """
    if not getattr(settings, "PORTAL_ALLOW_DEMO", False):
        raise DemoRefused(f"Demo data is for the local settings, not {settings.SETTINGS_MODULE}.")
    if not (sandbox and company):
        _load(say, sandbox=sandbox)
        return
    # A story makes and drops millions of small objects, none of them in cycles that matter.
    gc.set_threshold(50_000, 50, 50)
    # What the services ask workers for is done here, and the rest the periodic sweeps find: no worker runs yet, and
    # thousands of messages from months ago are not to be what the first one finds.
    current_app.conf.update(broker_url="memory://localhost/")
    progress = play.Progress.found()
    if progress.is_ended:
        say("the company is there already")
        return
    clock = Clock(os.environ["AWS_ENDPOINT_URL"])
    # A crash of the machine costs the last moments, and a load that broke goes on: nobody waits for the disk.
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    with clock.running():
        if not progress.is_begun:
            clear_leftovers()
            clock.go_to(progress.begin)
            clock.tell_sandbox()
            _load(say, sandbox=True, clock=clock)
        refused = play.play(clock, progress, say)
    for reason, count in sorted(refused.items()):
        logger.info("%d times refused: %s", count, reason)
    _finish(say)
    _sync()
    pipelines.show_waiting(ModelGroup.objects.get(name=GROUP, account__account_id=HUB))
    review.review_all(actor=ACTOR)
    play.end(progress)
    say("three months of work: done, and the audit trail verified")


def _load(say: Callable[[str], None], *, sandbox: bool, clock: Clock | None = None) -> None:
    project = _organisation()
    _people(project)
    say("people and project")
    if not sandbox:
        return
    hub, development = (demo_roles.administrator(account_id) for account_id in (HUB, DEVELOPMENT))
    _accounts()
    _artifacts(hub, development)
    _shared_group(hub, development)
    say("accounts, artifacts, shared model group")
    use_case = _use_case(project)
    _sync()
    _claim(project, use_case)
    _declare_share()
    say("first sync done, model group claimed, its share declared")
    if clock is None:
        _finish(say)


def _finish(say: Callable[[str], None]) -> None:
    """Do what is of today: the first use case leaves POC, events come in, everything has just been looked at."""
    use_case = _approve(UseCase.objects.get(name=USE_CASE, project__key="credit-risk"))
    say(f"{use_case.public_id} approved out of POC")
    _event_queue(demo_roles.administrator(HUB))
    _check_roles()
    say("event queue made, connection and permissions of every account checked")
    credit_risk = ModelGroup.objects.get(name=GROUP, account__account_id=HUB)
    reports.show(demo_roles.administrator(HUB), credit_risk, use_case.public_id)
    pipelines.show(credit_risk)
    say("training pipeline run, its version and checks read")
    model_cards.show(demo_roles.administrator(HUB), credit_risk, use_case.public_id)
    lineage.show(demo_roles.administrator(HUB), credit_risk)
    say("model card written and read")
    endpoints.show(credit_risk, PRODUCTION)
    endpoint_metrics.show(GROUP)
    monitors.show(GROUP)
    training.show(credit_risk)
    roles.show(DEVELOPMENT)
    say("metrics of endpoints and roles of people read")


def _sync() -> None:
    for account_id in (HUB, DEVELOPMENT):
        for run in sync.sync_account(account_id=account_id, requested_by="demo"):
            if run.error:
                raise RuntimeError(f"The first sync failed: {run.error}")


def _check_roles() -> None:
    """Try the roles as the ML admin who has just registered their accounts does."""
    admin = _person("ml.admin").actor
    for account in AwsAccount.objects.enabled().filter(checked_at=None).order_by("account_id"):
        accounts.test_connection(actor=admin, account_id=account.account_id)
        preflight.check_permissions(actor=admin, account_id=account.account_id)


def _declare_share() -> None:
    """Declare the share that is in RAM already, as the ML engineer who finds it there does."""
    for account_id in (HUB, DEVELOPMENT):
        for run in share_sync.sync_shares(account_id=account_id, requested_by="demo"):
            if run.error:
                raise RuntimeError(f"The first reading of shares failed: {run.error}")
    found = ResourceShare.objects.live().filter(name=SHARE).first()
    if found is None or DeclaredShare.objects.wanted().filter(name=SHARE).exists():
        return
    wish = Wish(
        name=SHARE,
        groups=[group.pk for group in found.groups.all()],
        accounts=[DEVELOPMENT],
        permission_arn=ram.PERMISSION_REGISTER,
    )
    shares.declare(actor=_person("ml.engineer").actor, wish=wish, take_over=found.pk)


def _person(username: str) -> User:
    return User.objects.get(username=username)


def _organisation() -> Project:
    line = LineOfBusiness.objects.filter(name="Consumer Lending").first() or organisation.create_line_of_business(
        actor=ACTOR, name="Consumer Lending"
    )
    return Project.objects.filter(key="credit-risk").first() or organisation.create_project(
        actor=ACTOR, key="credit-risk", name="Credit risk", line_of_business=line
    )


def _people(project: Project) -> None:
    for demo in DEMO_USERS:
        user = User.objects.filter(username=demo.username).first() or people.create_person(
            actor=ACTOR,
            username=demo.username,
            display_name=demo.full_name,
            email=f"{demo.username}@example.com",
            password=DEMO_PASSWORD,
        )
        role = Role(demo.role)
        scope = None if role in EVERYWHERE else project
        if role not in user.actor.roles_on(project.pk):
            people.grant(actor=ACTOR, role=role, to=user, project=scope)
    if not AwsIdentity.objects.filter(arn=SCIENTIST_SESSION).exists():
        people.link_identity(actor=ACTOR, user=_person("data.scientist"), arn=SCIENTIST_SESSION)


def _accounts() -> None:
    for account_id, alias, purposes, buckets in (
        (HUB, "hub", [AccountPurpose.HUB], [HUB_BUCKET]),
        (DEVELOPMENT, "development", [AccountPurpose.DEVELOPMENT], [DEVELOPMENT_BUCKET]),
        (TEST, "test", [AccountPurpose.QA, AccountPurpose.PRE_PRODUCTION], []),
        (PRODUCTION, "production", [AccountPurpose.PRODUCTION], [monitors.BUCKET]),
    ):
        demo_roles.deploy(account_id, is_hub=account_id == HUB, buckets=buckets, copied_from=[DEVELOPMENT_BUCKET])
        if not AwsAccount.objects.filter(account_id=account_id).exists():
            accounts.register(
                actor=ACTOR,
                account_id=account_id,
                alias=alias,
                purposes=purposes,
                regions=["us-east-1"],
                role_arn=demo_roles.arn_of(account_id),
                external_id=demo_roles.EXTERNAL_ID,
                artifact_buckets=buckets,
            )


def _artifacts(hub: AwsSession, development: AwsSession) -> None:
    """A small but real model archive in the hub's bucket and in the development account's."""
    for session, bucket in ((hub, HUB_BUCKET), (development, DEVELOPMENT_BUCKET)):
        try:
            session.s3.head_bucket(Bucket=bucket)
        except ClientError:
            session.s3.create_bucket(Bucket=bucket)
            session.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        try:
            session.s3.head_object(Bucket=bucket, Key=ARTIFACT_KEY)
        except ClientError:
            session.s3.put_object(Bucket=bucket, Key=ARTIFACT_KEY, Body=_archive())


def _archive() -> bytes:
    content = b'{"algorithm": "xgboost", "trees": 120}\n'
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("model.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _event_queue(hub: AwsSession) -> None:
    url = events.ensure_queue_and_rule(hub, queue_name=QUEUE_NAME, rule_name=RULE_NAME)
    account = AwsAccount.objects.get(account_id=HUB)
    if account.event_queue_url != url:
        accounts.edit(actor=ACTOR, account=account, event_queue_url=url)


def _shared_group(hub: AwsSession, development: AwsSession) -> None:
    group = next((group for group in sagemaker.list_groups(hub) if group.name == GROUP), None)
    arn = (
        group.arn
        if group
        else sagemaker.create_group(
            hub,
            name=GROUP,
            description="Scores the credit risk of loan applications",
            tags={"project": "credit-risk", "line-of-business": "Consumer Lending"},
        )
    )
    if not any(share.name == SHARE and share.status == "ACTIVE" for share in ram.list_shares(hub, "SELF")):
        ram.create_share(
            hub,
            name=SHARE,
            resource_arns=[arn],
            principals=[DEVELOPMENT],
            permission_arns=[ram.PERMISSION_REGISTER],
            client_token="demo-share-credit-risk",
        )
    for invitation in ram.list_invitations(development):
        if invitation.status == "PENDING" and invitation.share_name == SHARE:
            ram.accept_invitation(development, invitation.arn)


def _use_case(project: Project) -> UseCase:
    scientist, officer = _person("data.scientist").actor, _person("governance.officer").actor
    use_case = UseCase.objects.filter(project=project, name=USE_CASE).first()
    if use_case is None:
        use_case = governed_use_cases.register(
            actor=scientist,
            project_id=project.pk,
            text=UseCaseText(
                name=USE_CASE,
                intended_purpose="Rank loan applications by the risk of default, for manual review.",
                description="Consumer loans up to 50,000. The score never decides alone.",
                business_owner="Head of Consumer Lending",
                model_owner=_person("model.owner"),
            ),
        )
    use_cases.write_documents(actor=scientist, use_case_id=use_case.pk, texts=DOCUMENTS)
    use_case.refresh_from_db()
    if use_case.risk_class == RiskClass.UNCLASSIFIED:
        use_cases.classify(
            actor=officer,
            use_case_id=use_case.pk,
            risk_class=RiskClass.HIGH,
            reason="Evaluates the creditworthiness of natural persons: AI Act Annex III point 5(b).",
        )
    use_case.refresh_from_db()
    return use_case


def _approve(use_case: UseCase) -> UseCase:
    """Have the first use case leave POC."""
    scientist = _person("data.scientist").actor
    if use_case.stage == Stage.POC:
        request = ApprovalRequest.objects.open().about(use_case).first() or approvals.submit(
            actor=scientist,
            subject_type=UseCase,
            subject_id=use_case.pk,
            note="The proof of concept beat the scorecard in use by 6 points of AUC.",
        )
        approvals.decide(
            actor=_person("model.owner").actor,
            request_id=request.pk,
            verdict=Verdict.APPROVE,
            comment="Convincing. Let us build it.",
        )
    use_case.refresh_from_db()
    return use_case


def _claim(project: Project, use_case: UseCase) -> None:
    group = ModelGroup.objects.get(name=GROUP, account__account_id=HUB)
    if group.project_id is None:
        groups.edit(
            actor=_person("ml.engineer").actor,
            group_id=group.pk,
            revision=group.revision,
            project=project,
            owner=_person("model.owner"),
            use_cases=[use_case],
        )
