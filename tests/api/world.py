"""What the API's tests act on: one of everything, made by the services, seen by the people of one project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from governance.choices import AuditCheckScope, ChannelKind, FindingKind, PackScope
from governance.models import (
    ApprovalRequest,
    AuditAnchor,
    AuditCheck,
    AuditPack,
    Decision,
    Delegation,
    DeploymentChannel,
    Evidence,
    Finding,
    Notification,
    OutboxMessage,
    Override,
    StageRecord,
    Webhook,
    WebhookDelivery,
)
from governance.selectors.pack_scope import Wanted
from governance.services import (
    api_tokens,
    approvals,
    audit_checks,
    channels,
    delegations,
    evidence,
    findings,
    overrides,
    policies,
    registration,
    shares,
    signing,
    webhooks,
)
from governance.services.anchors import anchor
from governance.services.audit_pack import packs
from governance.services.share_rules import Wish
from portal.core.operations import operation
from portal.core.vocabulary import EvidenceKind, NotificationKind, Role, Stage
from registry.ai_act import current
from registry.aws.ram import PERMISSION_READ
from registry.aws.records import ContainerRecord
from registry.choices import AttributeType, EventProblem, ObjectKind, ShareState, SyncKind, SyncState
from registry.models import (
    AccountRole,
    ApiToken,
    AwsAccount,
    AwsIdentity,
    CustomAttribute,
    DeclaredShare,
    Deployment,
    EndpointSeries,
    EndpointVariant,
    GroupCreation,
    LineOfBusiness,
    ModelCard,
    ModelCardEdit,
    ModelCardExport,
    ModelGroup,
    ModelVersion,
    MonitoringSchedule,
    ParkedEvent,
    PipelineExecution,
    Project,
    RamPermission,
    Registration,
    ResourceShare,
    SavedView,
    ServiceAccount,
    SyncRun,
    TrackingServer,
    TrainingProvenance,
    UseCase,
    UseCaseDraft,
    User,
)
from registry.services import (
    classifications,
    custom_attributes,
    organisation,
    people_groups,
    saved_views,
    service_accounts,
    use_case_drafts,
)
from registry.services import people as people_service
from registry.services.custom_attributes import AttributeDefinition
from registry.services.group_creations import NewGroup
from registry.services.registrations import NewVersion
from tests.factories import Cast, at_stage, cast, group, person, project, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.serving import serving
from tests.factories.walk import all_accounts

from .carded import carded, edited, exported
from .client import Api
from .measured import measured, powerful
from .monitored import monitored
from .piped import piped
from .tracked import tracked
from .trained import trained

# The roles of the permission matrix, and who plays them.
ROLES = (
    "anonymous",
    "data_scientist",
    "model_owner",
    "ml_engineer",
    "governance_officer",
    "ml_admin",
    "auditor",
    "stranger",
)


def parked_event(account: AwsAccount, body: bytes = b"{not json", message_id: str = "m-1") -> ParkedEvent:
    """Keep a message nobody can read aside; the finding about it is left to the tests that look at findings."""
    now = timezone.now()
    with operation(SYSTEM):
        return ParkedEvent.objects.create(
            account=account,
            message_id=message_id,
            body=body,
            problem=EventProblem.UNREADABLE,
            error="This is not an event about a model version that the portal can read.",
            first_seen_at=now,
            last_seen_at=now,
        )


@dataclass(frozen=True)
class World:
    """One project, its people, and one of everything in it."""

    project: Project
    elsewhere: Project
    people: Cast
    accounts: dict[str, AwsAccount]
    draft: UseCase
    asked: UseCase
    group: ModelGroup
    fresh: ModelVersion
    trial: ModelVersion
    use_case_request: ApprovalRequest
    version_request: ApprovalRequest
    trial_record: StageRecord
    deployment: Deployment
    served: EndpointVariant
    endpoint_series: EndpointSeries
    account_role: AccountRole
    pipeline: PipelineExecution
    finding: Finding
    accepted_finding: Finding
    message: OutboxMessage
    parked_event: ParkedEvent
    evidence: Evidence
    delegation: Delegation
    override: Override
    share: DeclaredShare
    registration: Registration
    creation: GroupCreation
    attribute: CustomAttribute
    signing_key: str
    unsent: UseCaseDraft
    anchor: AuditAnchor
    audit_check: AuditCheck
    pack: AuditPack
    policy_draft: int
    channel: DeploymentChannel
    saved_view: SavedView
    notification: Notification
    decision: Decision
    identity: AwsIdentity
    people_group: Group
    line: LineOfBusiness
    service: ServiceAccount
    tracking_server: TrackingServer
    monitor: MonitoringSchedule
    training: TrainingProvenance
    model_card: ModelCard
    card_export: ModelCardExport
    card_edit: ModelCardEdit
    webhook: Webhook
    webhook_delivery: WebhookDelivery
    clients: dict[str, Api]

    @cached_property
    def token_key(self) -> str:
        """The beginning of the data scientist's token, by which it is named."""
        return str(ApiToken.objects.filter(user=self.people.scientist).values_list("token_key", flat=True)[0])

    def api(self, role: str) -> Api:
        """Return the client of the person who plays a role."""
        return self.clients[role]

    @cached_property
    def others(self) -> dict[str, str]:
        """What stands in an address beside its id."""
        token = str(ApiToken.objects.filter(user=self.service.user).values_list("token_key", flat=True)[0])
        rows = {
            "export": self.card_export,
            "channel": self.channel,
            "identity": self.identity,
            "delivery": self.webhook_delivery,
        }
        return {
            "token": token,
            "token_key": self.token_key,
            "step": "purpose",
            **{name: str(row.pk) for name, row in rows.items()},
        }

    @cached_property
    def ids(self) -> dict[str, str]:
        """What stands for each name in an address."""
        return {
            "draft": self.draft.public_id,
            "asked": self.asked.public_id,
            "group": str(self.group.pk),
            "fresh": str(self.fresh.pk),
            "trial": str(self.trial.pk),
            "use_case_request": self.use_case_request.public_id,
            "version_request": self.version_request.public_id,
            "trial_record": str(self.trial_record.pk),
            "deployment": str(self.deployment.pk),
            "endpoint": str(self.served.endpoint_id),
            "served": str(self.served.pk),
            "endpoint_series": str(self.endpoint_series.pk),
            "account_role": str(self.account_role.pk),
            "finding": self.finding.public_id,
            "accepted_finding": self.accepted_finding.public_id,
            "message": str(self.message.pk),
            "parked_event": str(self.parked_event.pk),
            "evidence": self.evidence.public_id,
            "delegation": str(self.delegation.pk),
            "override": self.override.public_id,
            "share": self.share.public_id,
            "registration": self.registration.public_id,
            "creation": self.creation.public_id,
            "anchor": str(self.anchor.number),
            "audit_check": str(self.audit_check.pk),
            "attribute": str(self.attribute.pk),
            "signing_key": self.signing_key,
            "policy": "2",
            "policy_draft": str(self.policy_draft),
            "account": "333333333333",
            "edition": current().id,
            "notification": str(self.notification.pk),
            "saved_view": str(self.saved_view.pk),
            "unsent": str(self.unsent.pk),
            "pack": self.pack.public_id,
            "decision": str(self.decision.pk),
            "person": self.people.scientist.username,
            "people_group": str(self.people_group.pk),
            "project": self.project.key,
            "line": str(self.line.pk),
            "service": str(self.service.pk),
            "tracking_server": str(self.tracking_server.pk),
            "monitor": str(self.monitor.pk),
            "model_card": str(self.model_card.pk),
            "card_edit": str(self.card_edit.pk),
            "webhook": str(self.webhook.pk),
            "own_token": self.token_key,
        }


def actors(people: Cast) -> dict[str, User | None]:
    """Return who plays each role."""
    return {
        "anonymous": None,
        "data_scientist": people.scientist,
        "model_owner": people.owner,
        "ml_engineer": people.engineer,
        "governance_officer": people.officer,
        "ml_admin": people.admin,
        "auditor": people.auditor,
        "stranger": people.stranger,
    }


def service_account(people: Cast, on: Project) -> ServiceAccount:
    """Make a service account of a project's pipeline, for which the ML engineer answers, with its token."""
    made = service_accounts.create(
        actor=people.admin.actor,
        name="ci.models",
        purpose="Registers versions from the pipeline.",
        responsible=people.engineer,
        roles=[(Role.ML_ENGINEER, on)],
    )
    api_tokens.issue_for(actor=people.admin.actor, account=made, name="pipeline", days=30, is_read_only=False)
    return made


def build() -> World:
    """Make the world. `draft` and `fresh` wait to be submitted, `asked` and `trial` have open requests."""
    here, there = project("here"), project("there")
    accounts = all_accounts()
    people = cast(here, there)
    draft, asked = use_case(people, here, name="Draft"), use_case(people, here, name="Asked")
    scientist = people.scientist.actor
    classifications.propose(actor=scientist, use_case_id=draft.pk, answers={"ai_system": "no"})
    report = evidence.attach_upload(
        actor=scientist,
        subject_type=UseCase,
        subject_id=draft.pk,
        kind=EvidenceKind.TEST_REPORT,
        file=SimpleUploadedFile("report.txt", b"It holds.", "text/plain"),
    )
    stand_in = person(Role.MODEL_OWNER, project=here, name="stand.in")
    delegation = delegations.delegate(
        actor=people.owner.actor,
        delegator=people.owner,
        to=stand_in,
        role=Role.MODEL_OWNER,
        project=here,
        starts_on=timezone.localdate() + timedelta(days=10),
        ends_on=timezone.localdate() + timedelta(days=20),
        reason="On leave.",
    )
    override = overrides.break_glass(
        actor=people.officer.actor,
        subject_type=UseCase,
        subject_id=draft.pk,
        stage=Stage.PRODUCTION,
        check_key="evidence:risk_assessment",
        reason="It is being written.",
        expires_at=timezone.now() + timedelta(days=5),
    )
    use_case_request = approvals.submit(actor=scientist, subject_type=UseCase, subject_id=asked.pk)
    models = group(here, people, asked, name="models")
    fresh = version(models, 1, card_content="{not a card")
    trial = at_stage(people, version(models, 2, risk="High"), Stage.QA)
    version_request = approvals.submit(actor=scientist, subject_type=ModelVersion, subject_id=trial.pk)
    with operation(SYSTEM):
        SyncRun.objects.create(
            account=accounts["hub"], region="us-east-1", kind=SyncKind.FULL, state=SyncState.SUCCEEDED, requested_by="x"
        )
        share = ResourceShare.objects.create(
            arn="arn:aws:ram:us-east-1:111111111111:resource-share/1",
            name="share",
            account=accounts["hub"],
            region="us-east-1",
            state=ShareState.ACTIVE,
            principals=["222222222222"],
            seen_at=timezone.now(),
        )
        share.groups.add(models)
        RamPermission.objects.create(
            account=accounts["hub"],
            region="us-east-1",
            arn=PERMISSION_READ,
            name="AWSRAMDefaultPermissionSageMakerModelPackageGroup",
            version="1",
            is_default=True,
            template='{"Effect": "Allow", "Action": ["sagemaker:DescribeModelPackage"]}',
            actions=["sagemaker:DescribeModelPackage"],
            verbs=["see"],
            read_at=timezone.now(),
        )
        known = findings.observe(FindingKind.REVIEW_OVERDUE, asked, "The review was due.")
    declared = shares.declare(
        actor=people.engineer.actor,
        wish=Wish(name="readers", groups=[models.pk], accounts=["222222222222"], permission_arn=PERMISSION_READ),
    )
    accepted = findings.accept(
        actor=people.officer.actor, finding_id=known.pk, reason="It is under way.", until=timezone.localdate()
    )
    message = OutboxMessage.objects.filter(version=trial).first()
    assert message is not None
    anchored = anchor(actor=SYSTEM)
    assert anchored is not None
    # Of one project, and told of one thing: what the tests do is not written down for it.
    told = webhooks.create(
        actor=people.admin.actor,
        name="Pipeline",
        url="https://hooks.example.org/portal",
        events=["use_case.retired"],
        project_id=here.pk,
    ).webhook
    return World(
        project=here,
        elsewhere=there,
        people=people,
        accounts=accounts,
        draft=draft,
        asked=asked,
        group=models,
        fresh=fresh,
        trial=trial,
        use_case_request=use_case_request,
        version_request=version_request,
        trial_record=StageRecord.objects.get(version=trial, stage=Stage.QA),
        deployment=Deployment.objects.get(version=trial),
        served=(served := serving(accounts["test"], trial)),
        endpoint_series=measured(served.endpoint),
        account_role=powerful(accounts["test"]),
        pipeline=piped(accounts["hub"], fresh),
        finding=Finding.objects.filter(version=fresh)[0],
        accepted_finding=accepted,
        message=message,
        parked_event=parked_event(accounts["hub"]),
        evidence=report,
        delegation=delegation,
        override=override,
        share=declared,
        registration=registration.register_version(
            actor=scientist,
            group_id=models.pk,
            new=NewVersion((ContainerRecord("image:1"),), ("text/csv",), ("text/csv",)),
        ),
        creation=registration.create_group(actor=people.engineer.actor, new=NewGroup("asked-for", here)),
        attribute=custom_attributes.define(
            actor=people.admin.actor,
            definition=AttributeDefinition(
                kind=ObjectKind.USE_CASE, key="cost_centre", label="Cost centre", type=AttributeType.TEXT
            ),
        ),
        signing_key=signing.active_key().kid,
        unsent=use_case_drafts.start(
            actor=scientist,
            window="0123456789abcdef",
            typed={"name": ["Unsent"], "intended_purpose": ["Rank."], "project": [str(here.pk)]},
        ),
        saved_view=saved_views.save(
            actor=scientist, list_key="registry:use_case_list", name="In QA", query="stage=qa", known={"stage"}
        ),
        anchor=anchored,
        pack=packs.request_pack(actor=people.auditor.actor, wanted=Wanted(PackScope.USE_CASE, use_case_id=asked.pk)),
        audit_check=audit_checks.request(actor=people.auditor.actor, scope=AuditCheckScope.RECENT),
        channel=channels.create(
            actor=people.admin.actor, account_id="333333333333", stage=Stage.PRE_PRODUCTION, kind=ChannelKind.CALLBACK
        ).channel,
        notification=Notification.objects.create(
            person=people.officer,
            kind=NotificationKind.REQUEST_WAITS,
            key=f"request:{version_request.pk}:waits",
            title=f"Decide on {trial.name} in QA",
            text=f"{version_request.public_id} waits.",
            path=f"/approvals/{version_request.public_id}/",
            about="request",
            about_id=version_request.pk,
            happened_at=timezone.now(),
        ),
        policy_draft=policies.draft(actor=people.admin.actor, note="Stricter.").number,
        decision=Decision.objects.filter(request__version=trial)[0],
        identity=people_service.link_identity(
            actor=people.admin.actor, user=people.scientist, arn="arn:aws:iam::111111111111:user/scientist"
        ),
        people_group=people_groups.create(actor=people.admin.actor, name="Analysts"),
        line=organisation.create_line_of_business(actor=people.admin.actor, name="Line of the world"),
        service=service_account(people, here),
        tracking_server=tracked(people, fresh),
        monitor=monitored(),
        training=trained(fresh),
        model_card=(card := carded(fresh)),
        card_export=exported(card, people.scientist),
        card_edit=edited(card, people.scientist),
        webhook=told,
        webhook_delivery=WebhookDelivery.objects.create(
            webhook=told,
            message_id="msg_of_the_world",
            sequence=1,
            type="use_case.retired",
            subject=f"use_case:{draft.pk}",
            subject_name=str(draft),
            body='{"type":"use_case.retired","timestamp":"2026-01-01T00:00:00+00:00","data":{"links":{"page":null}}}',
        ),
        clients={role: Api(person) for role, person in actors(people).items()},
    )
