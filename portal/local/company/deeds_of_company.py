"""What concerns the company as a whole: people, policy, delegations, shares, findings, and the portal's own routine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from governance.choices import FindingKind, FindingState, MetricKind, RiskRating, SubjectKind
from governance.models import ApprovalRequest, Finding, PolicyVersion
from governance.policies.facts import MetricRule, Operator
from governance.selectors import policy as policies
from governance.selectors.overrides import checks_now
from governance.services import deadlines, delegations, findings, overrides, review, share_sync, shares
from governance.services import policies as policy_service
from governance.services import sync as governed_sync
from governance.services.share_rules import Wish
from portal.core.actors import Actor
from portal.core.vocabulary import Role, Stage
from registry.aws import ram
from registry.choices import AccountPurpose, AttributeType, ObjectKind
from registry.models import AwsAccount, AwsIdentity, CustomAttribute, LineOfBusiness, ModelVersion, Project, User
from registry.services import accounts, custom_attributes, organisation, people
from registry.services.custom_attributes import AttributeDefinition

from .. import demo_roles
from ..sandbox.accounts import DEVELOPMENT, HUB, PRODUCTION, TEST
from .company_in_aws import VENDOR_SHARE, sessions_of
from .deeds_on_models import give_word
from .people import LINES, PEOPLE, PROJECTS, grants
from .scene import ACTOR, Scene

SCHEDULE = Actor.system("schedule")
RESEARCH = "555555555555"
STRANGER = "999999999999"


def company(scene: Scene) -> None:
    """Make the lines of business, projects and people, and register the accounts the story needs beside the demo's.

    Only the people the demo signs in as have a password.
    """
    _organisation()
    _staff(scene)
    _accounts()


def _organisation() -> None:
    for name in LINES:
        if not LineOfBusiness.objects.filter(name=name).exists():
            organisation.create_line_of_business(actor=ACTOR, name=name)
    lines = {line.name: line for line in LineOfBusiness.objects.all()}
    for plan in PROJECTS:
        if not Project.objects.filter(key=plan.key).exists():
            organisation.create_project(actor=ACTOR, key=plan.key, name=plan.name, line_of_business=lines[plan.line])


def _staff(scene: Scene) -> None:
    known = set(User.objects.values_list("username", flat=True))
    for person in PEOPLE:
        if person.username not in known:
            people.create_person(
                actor=ACTOR,
                username=person.username,
                display_name=person.full_name,
                email=f"{person.username}@example.com",
            )
    for name, role, key in grants():
        project = scene.project(key) if key else None
        if role not in User.objects.get(username=name).actor.roles_on(project.pk if project else None):
            people.grant(actor=ACTOR, role=role, to=User.objects.get(username=name), project=project)
    linked = set(AwsIdentity.objects.values_list("arn", flat=True))
    for name in sorted({name for plan in PROJECTS for name in plan.scientists}):
        for arn in sessions_of(name):
            if arn not in linked:
                people.link_identity(actor=ACTOR, user=User.objects.get(username=name), arn=arn)


def _accounts() -> None:
    """Models are registered and run in two regions; and nobody has let the portal into the research account yet."""
    for account in AwsAccount.objects.filter(account_id__in=(HUB, TEST, PRODUCTION)).order_by("pk"):
        if "eu-west-1" not in account.regions:
            accounts.edit(actor=ACTOR, account=account, regions=[*account.regions, "eu-west-1"])
    if not AwsAccount.objects.filter(account_id=RESEARCH).exists():
        demo_roles.deploy(RESEARCH, is_hub=False)
        accounts.register(
            actor=ACTOR,
            account_id=RESEARCH,
            alias="research",
            purposes=[AccountPurpose.DEVELOPMENT],
            regions=["eu-west-1"],
            role_arn=f"arn:aws:iam::{RESEARCH}:role/ModelGovernancePortal",
            external_id="copied-from-another-account",
        )


def attributes(scene: Scene) -> None:
    """The ML admin defines what the company wants to know of every group."""
    for definition in (
        AttributeDefinition(ObjectKind.MODEL_GROUP, "cost_centre", "Cost centre", AttributeType.TEXT),
        AttributeDefinition(
            ObjectKind.MODEL_GROUP, "data_class", "Data classification", AttributeType.CHOICE,
            choices=("Public", "Internal", "Confidential"),
        ),
    ):  # fmt: skip
        if not CustomAttribute.objects.filter(kind=definition.kind, key=definition.key).exists():
            custom_attributes.define(actor=scene.actor("ml.admin"), definition=definition)


def draft_policy(scene: Scene, *, note: str = "", stays: bool = False) -> None:
    """The ML admin drafts what the risk committee decided: figures that a version has to keep to."""
    admin = scene.actor("ml.admin")
    words = note or "Risk committee, third quarter: thresholds for ranking models, and for drift in production."
    made = policy_service.draft(actor=admin, note=words)
    stable = MetricRule("psi", Operator.AT_MOST, 0.2, kind=MetricKind.MONITORING)
    ranks = MetricRule("validation_auc", Operator.AT_LEAST, 0.7)
    for rule in policies.rules_of(made):
        wanted: tuple[MetricRule, ...] = ()
        if rule.kind is SubjectKind.MODEL_VERSION:
            if rule.stage is Stage.PRODUCTION and (stays or rule.tier is not RiskRating.LOW):
                wanted += (stable,)
            if rule.stage in (Stage.QA, Stage.PRE_PRODUCTION) and rule.tier is RiskRating.HIGH:
                wanted += (ranks,)
        if wanted and tuple(rule.metrics) != wanted:
            made = policy_service.set_rule(
                actor=admin, policy_id=made.pk, revision=made.revision, rule=replace(rule, metrics=wanted)
            )


def publish_policy(scene: Scene) -> None:
    """Another ML admin reads the draft and puts it in force."""
    draft = PolicyVersion.objects.filter(state="draft").order_by("number").first()
    if draft is not None:
        policy_service.publish(actor=scene.actor("elin.backstrom"), policy_id=draft.pk, revision=draft.revision)


def delegate(scene: Scene, *, delegator: str, to: str, project: str | None, role: str, days: int, reason: str) -> None:
    """Somebody who is away has a colleague stand in."""
    starts = scene.clock.moment.date()
    delegations.delegate(
        actor=scene.actor(delegator),
        delegator=scene.user(delegator),
        to=scene.user(to),
        role=Role(role),
        project=scene.project(project) if project else None,
        starts_on=starts,
        ends_on=starts + timedelta(days=days),
        reason=reason,
    )


def break_glass(scene: Scene, *, group: str, number: int, stage: Stage, by: str, reason: str) -> None:
    """An officer overrides the check that fails."""
    subject = scene.version(group, number)
    failing = next((check for check in checks_now(subject, stage) if not check.holds), None)
    if failing is not None:
        overrides.break_glass(
            actor=scene.actor(by),
            subject_type=ModelVersion,
            subject_id=subject.pk,
            stage=stage,
            check_key=failing.key,
            reason=reason,
            expires_at=scene.clock.moment + timedelta(days=14),
        )


def share(scene: Scene, *, name: str, groups: tuple[str, ...], account: str = DEVELOPMENT) -> None:
    """The ML engineer of a group declares who may register versions into it; RAM follows."""
    plan = scene.plan_of_group(groups[0])
    assert plan.project is not None
    wish = Wish(
        name=name,
        groups=[scene.group(each).pk for each in groups],
        accounts=[account],
        permission_arn=ram.PERMISSION_REGISTER,
    )
    shares.declare(actor=scene.actor(scene.plan_of_project(plan.project).engineer), wish=wish)
    scene.deliver()
    _read_shares(scene)
    scene.deliver()


def stray_share(scene: Scene) -> None:
    """Somebody shares a group in the console, with an account nobody knows."""
    scene.clock.tell_sandbox()
    ram.create_share(
        scene.aws.administrator(HUB),
        name=VENDOR_SHARE,
        resource_arns=[scene.group("claims-text").arn],
        principals=[STRANGER],
        permission_arns=[ram.PERMISSION_READ],
        client_token=f"demo-share-vendor-{scene.now:%Y%m%d%H%M}",
    )
    _read_shares(scene)


def changed_in_sagemaker(scene: Scene, *, group: str, number: int) -> None:
    """A scientist corrects the metadata of a version that was asked about or approved."""
    client = _administrator(scene, group)
    client.update_model_package(
        ModelPackageArn=scene.version(group, number).arn,
        CustomerMetadataProperties={"training_rows": "131072", "note": "rows of the last week added"},
    )
    _read_groups(scene)


def approved_in_sagemaker(scene: Scene, *, group: str, number: int) -> None:
    """Somebody approves a version in SageMaker, past the portal."""
    client = _administrator(scene, group)
    client.update_model_package(
        ModelPackageArn=scene.version(group, number).arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="needed for the demo on Friday",
    )
    _read_groups(scene)


def deleted_in_sagemaker(scene: Scene, *, group: str, number: int) -> None:
    """Somebody deletes a version in SageMaker."""
    try:
        _administrator(scene, group).delete_model_package(ModelPackageName=scene.version(group, number).arn)
    except ClientError:  # the load broke behind it
        return
    _read_groups(scene)


def given_up(scene: Scene, *, group: str) -> None:
    """SageMaker refuses a write-back, for the role lost a right for an hour: it is given up."""
    request = ApprovalRequest.objects.open().filter(version__group__name=group).order_by("pk").first()
    if request is None:
        return
    plan = scene.plan_of_group(group)
    assert plan.project is not None
    owner = scene.plan_of_project(plan.project).owner
    scene.clock.fault(operation="UpdateModelPackage", error="AccessDeniedException", times=1)
    give_word(scene, request, "reject", "The hold-out set is the one of last year.", "olena.shevchuk", owner)
    scene.deliver()


def findings_worked_on(scene: Scene) -> None:
    """Officers go through what was found: take on, hand over, accept for a while."""
    officer, second = scene.actor("governance.officer"), scene.actor("second.officer")
    rows = list(Finding.objects.filter(state=FindingState.OPEN).order_by("pk"))
    seen: dict[str, int] = {}
    for finding in rows:
        seen[finding.kind] = turn = seen.get(finding.kind, 0) + 1
        if finding.kind in (FindingKind.CARD_MISSING, FindingKind.METADATA_INVALID) and turn == 1:
            findings.accept(
                actor=officer,
                finding_id=finding.pk,
                reason="The pipeline of this version is mended; this one is not registered again.",
                until=(scene.clock.moment + timedelta(days=60)).date(),
            )
        elif finding.kind == FindingKind.GROUP_UNLINKED and turn == 1:
            findings.accept(
                actor=second,
                finding_id=finding.pk,
                reason="Research of the treasury desk, not used for anything yet. Looked at again in spring.",
                until=(scene.clock.moment + timedelta(days=120)).date(),
            )
        elif turn == 2:
            findings.acknowledge(actor=second, finding_id=finding.pk)
        elif finding.kind == FindingKind.METRIC_BREACHED:
            findings.assign(actor=officer, finding_id=finding.pk, owner=scene.user("ml.engineer"))


def watch_deadlines(scene: Scene) -> None:
    """Mark what is overdue, close what expired."""
    deadlines.escalate_due(actor=SCHEDULE)
    deadlines.expire_due(actor=SCHEDULE)


def review_findings(scene: Scene) -> None:
    """Compare what was found with what is so."""
    review.review_all(actor=SCHEDULE)


def read_aws(scene: Scene) -> None:
    """Make a full pass over every account."""
    scene.deliver()
    for account_id in (HUB, DEVELOPMENT, RESEARCH):
        governed_sync.sync_account(account_id=account_id, requested_by="schedule")


def _read_groups(scene: Scene) -> None:
    governed_sync.sync_account(account_id=HUB, requested_by="schedule")


def _read_shares(scene: Scene) -> None:
    for account_id in (HUB, DEVELOPMENT):
        share_sync.sync_shares(account_id=account_id, requested_by="schedule")


def _administrator(scene: Scene, group: str) -> Any:
    scene.clock.tell_sandbox()
    plan = scene.plan_of_group(group)
    return scene.aws.sagemaker("console", plan.account, plan.region, role="PlatformAdmin")
