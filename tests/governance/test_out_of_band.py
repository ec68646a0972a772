"""What people do in SageMaker past the portal, against the sandbox AWS: reported, adopted, or written back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.choices import Agreement, FindingKind, OutsideOutcome, OutsideResponse, Verdict
from governance.models import ApprovalRequest, AuditEvent, Decision, Finding, OutboxMessage, OutsideChange
from governance.policies.facts import ApprovalNeed
from governance.selectors import out_of_band as selectors
from governance.selectors import policy as policy_selectors
from governance.services import approvals, delivery, out_of_band, policies, sync
from portal.core.operations import operation
from portal.core.vocabulary import RiskRating, Role, Stage, SubjectKind
from registry.models import AwsAccount, ModelVersion, User
from registry.services import people as people_service
from registry.services import versions
from registry.sync import run
from tests import aws_story
from tests.aws_story import HUB
from tests.factories import Cast, group, person, version, version_record
from tests.factories.people import SYSTEM
from tests.sandbox import Sandbox

from .conftest import Place

pytestmark = pytest.mark.django_db

ROLE = "GovernanceOfficer"


def session_arn(name: str, role: str = ROLE) -> str:
    return f"arn:aws:sts::{HUB}:assumed-role/{role}/{name}"


def studio(name: str, *, role: str = ROLE, source: bool = True, account: str = HUB) -> Any:
    """A SageMaker client of somebody who assumed a role under this name, with a source identity if he has to."""
    asked: dict[str, Any] = {"RoleArn": f"arn:aws:iam::{account}:role/{role}", "RoleSessionName": name}
    if source:
        asked["SourceIdentity"] = name
    keys = boto3.client("sts", region_name="us-east-1").assume_role(**asked)["Credentials"]
    return boto3.client(
        "sagemaker",
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


@dataclass
class Story:
    """One version in the sandbox, registered by a session nobody has linked, in a group of the project."""

    place: Place
    arn: str

    @property
    def version(self) -> ModelVersion:
        return aws_story.known(self.arn)

    def look(self) -> ModelVersion:
        """Take in what AWS says now, as an event has it done."""
        account = AwsAccount.objects.get(account_id=HUB)
        run.take_in_version(
            actor=SYSTEM, account=account, session=aws_story.session(HUB), arn=self.arn, listeners=sync.LISTENERS
        )
        return self.version

    def ask(self) -> ApprovalRequest:
        asker = self.place.people.scientist.actor
        return approvals.submit(actor=asker, subject_type=ModelVersion, subject_id=self.version.pk)

    def said(self, client: Any, status: str | None = None, **values: Any) -> OutsideChange | None:
        """Have somebody change it in SageMaker; returns what the portal did about it."""
        if status is not None:
            values["ModelApprovalStatus"] = status
        client.update_model_package(ModelPackageArn=self.arn, **values)
        pk = self.look().pk
        out_of_band.answer_all(actor=out_of_band.ACTOR, version_ids=[pk])
        return OutsideChange.objects.filter(version=pk).order_by("-pk").first()

    def deliver(self) -> None:
        """Have what is in the outbox reach AWS, two minutes ago."""
        OutboxMessage.objects.pending().update(next_attempt_at=timezone.now())
        delivery.deliver_due()
        written = OutboxMessage.objects.filter(version=self.version, kind="write_back")
        assert set(written.values_list("state", flat=True)) <= {"delivered", "superseded"}
        written.update(delivered_at=timezone.now() - timedelta(minutes=2))

    def findings(self) -> dict[str, str]:
        rows = Finding.objects.filter(version=self.version, kind__in=selectors.OUTSIDE_KINDS)
        return {row.kind: row.state for row in rows.order_by("pk")}

    def finding(self, kind: FindingKind) -> Finding:
        return Finding.objects.unresolved().get(version=self.version, kind=kind)

    def standing(self) -> Agreement:
        return selectors.judgement_of(self.version).verdict


@pytest.fixture
def story(aws: Sandbox, place: Place) -> Story:
    made = Story(place, aws_story.register(aws_story.new_group()))
    aws_story.claim(place.people, place.project, made.look().group)
    return made


def under(people: Cast, approval: OutsideResponse, rejection: OutsideResponse | None = None, owners: int = 1) -> None:
    """Put a policy in force that answers like this, and has so many model owners approve development."""
    admin = people.admin.actor
    draft = policies.draft(actor=admin, note="Answers.")
    draft = policies.edit(
        actor=admin,
        policy_id=draft.pk,
        revision=draft.revision,
        on_outside_approval=approval,
        on_outside_rejection=rejection or approval,
    )
    rule = policy_selectors.matrix_of(draft).cell(SubjectKind.MODEL_VERSION, Stage.DEVELOPMENT, RiskRating.LOW)
    assert rule is not None
    rule = replace(rule, approvals=(ApprovalNeed(Role.MODEL_OWNER, owners),))
    draft = policies.set_rule(actor=admin, policy_id=draft.pk, revision=draft.revision, rule=rule)
    policies.publish(actor=admin, policy_id=draft.pk, revision=draft.revision)


def linked(user: User, arn: str = "") -> str:
    """Link a person to a session of the role named like him; returns the name."""
    people_service.link_identity(actor=SYSTEM, user=user, arn=arn or session_arn(user.username))
    return user.username


# --- adopted


def test_an_approval_by_a_linked_and_entitled_person_is_adopted_as_his_decision(story: Story) -> None:
    owner = story.place.people.owner
    under(story.place.people, OutsideResponse.ADOPT)
    name, request = linked(owner), story.ask()
    change = story.said(studio(name), "Approved", ApprovalDescription="Looks right.")
    assert change is not None
    assert (change.outcome, change.reason, change.person) == (OutsideOutcome.ADOPTED, "", owner)
    decision = Decision.objects.get(request=request)
    assert decision == change.decision
    assert (decision.decider, decision.role, decision.verdict) == (owner, "model_owner", "approve")
    assert (decision.source, decision.aws_principal) == ("adopted", session_arn(name))
    assert decision.aws_at == change.aws_modified_at
    assert decision.comment.startswith("Adopted from SageMaker: Approved, set at ")
    assert decision.comment.endswith("Looks right.")
    assert (story.version.stage, story.version.status) == ("qa", "pending")
    assert story.version.modified_by is None, "who approves has not changed the content"
    assert story.standing() is Agreement.WRITE_BACK_PENDING
    # The write-back then says the portal's full word, and everything agrees.
    story.deliver()
    told = story.look()
    assert request.public_id in told.aws_approval_description
    assert (told.aws_stage, told.aws_stage_status) == ("Development", "Approved")
    assert story.standing() is Agreement.AGREED
    assert story.findings() == {"approved_outside_portal": "resolved"}
    entry = AuditEvent.objects.of_object("governance_decision", decision.pk)[0]
    assert (entry.actor, entry.reason) == (f"user:{owner.username}", decision.comment)


def test_a_rejection_and_a_stage_approved_by_lifecycle_alone_are_adopted_too(story: Story) -> None:
    people = story.place.people
    under(people, OutsideResponse.ADOPT)
    story.ask()
    rejected = story.said(studio(linked(people.owner)), "Rejected", ApprovalDescription="Too slow.")
    assert rejected is not None
    assert (rejected.outcome, story.version.status) == (OutsideOutcome.ADOPTED, "rejected")
    story.deliver()
    story.look()
    request = story.ask()
    story.deliver()
    story.look()
    cycle = {"Stage": "Development", "StageStatus": "Approved"}
    approved = story.said(studio(people.owner.username), ModelLifeCycle=cycle)
    assert approved is not None
    assert (approved.verdict, approved.outcome) == (Agreement.LIFECYCLE_CHANGED, OutsideOutcome.ADOPTED), (
        approved.reason
    )
    assert Decision.objects.get(request=request).verdict == "approve"


def test_one_of_two_is_one_of_two(story: Story) -> None:
    """A word that is not enough is recorded, and the finding stands until the rest is there."""
    people = story.place.people
    under(people, OutsideResponse.ADOPT, owners=2)
    request = story.ask()
    change = story.said(studio(linked(people.owner)), "Approved")
    assert change is not None
    assert change.outcome == OutsideOutcome.ADOPTED
    request.refresh_from_db()
    assert (request.state, story.version.stage) == ("open", "development")
    assert request.public_id in story.finding(FindingKind.APPROVED_OUTSIDE).summary


# --- not adopted, and why


def test_who_is_linked_but_not_entitled_is_reported(story: Story) -> None:
    under(story.place.people, OutsideResponse.ADOPT)
    story.ask()
    _refused(story, studio(linked(story.place.people.engineer)), "model owner")


def test_the_registrant_himself_is_reported(aws: Sandbox, place: Place) -> None:
    owner = person(Role.MODEL_OWNER, project=place.project)
    under(place.people, OutsideResponse.ADOPT)
    linked(owner)
    of = aws_story.new_group()
    client = studio(owner.username)
    arn = client.create_model_package(
        ModelPackageGroupName=of.rsplit("/", 1)[1],
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": aws_story.IMAGE, "ModelDataUrl": "s3://ml-artifacts-hub/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ClientToken=uuid.uuid4().hex,
    )["ModelPackageArn"]
    story = Story(place, arn)
    aws_story.claim(place.people, place.project, story.look().group)
    assert story.version.registered_by == owner
    story.ask()
    _refused(story, client, "You brought this in yourself")


def test_a_shared_role_a_chosen_name_and_a_stranger_are_no_proof_of_anybody(story: Story) -> None:
    owner = story.place.people.owner
    under(story.place.people, OutsideResponse.ADOPT)
    story.ask()
    nobody = _refused(story, studio("mallory"), "Nobody has linked")
    assert nobody.person is None
    people_service.link_identity(actor=SYSTEM, user=owner, arn=f"arn:aws:iam::{HUB}:role/{ROLE}")
    shared = _refused(story, studio("whoever"), "everybody who may assume it shares it")
    assert shared.person == owner
    linked(owner)
    _refused(story, studio(owner.username, source=False), "chooses the name of his session")


def test_what_was_not_asked_for_or_was_done_before_or_speaks_of_another_stage_is_reported(story: Story) -> None:
    name = linked(story.place.people.owner)
    under(story.place.people, OutsideResponse.ADOPT)
    _refused(story, studio(name), "Nobody has asked for approval at Development")
    story.said(studio(name), "PendingManualApproval")
    request = story.ask()
    cycle = {"Stage": "Production", "StageStatus": "Approved"}
    _refused(story, studio(name), "It speaks of Production", ModelLifeCycle=cycle)
    on_hold = _refused(
        story,
        studio(name),
        "Only an approval or a rejection",
        status=None,
        ModelLifeCycle={**cycle, "StageStatus": "OnHold"},
    )
    assert on_hold.verdict == Agreement.APPROVED_OUTSIDE
    assert not request.decisions.exists()


def test_who_changed_the_content_with_it_is_reported_and_the_request_outdated(story: Story) -> None:
    under(story.place.people, OutsideResponse.ADOPT)
    request = story.ask()
    name = linked(story.place.people.owner)
    _refused(
        story, studio(name), "Nobody has asked for approval", CustomerMetadataProperties={"validation_auc": "0.99"}
    )
    request.refresh_from_db()
    assert request.state == "outdated"
    assert story.version.modified_by == story.place.people.owner


def _refused(story: Story, client: Any, why: str, status: str | None = "Approved", **values: Any) -> OutsideChange:
    """Have somebody change it, find it reported with the reason, and nothing decided."""
    before = Decision.objects.count()
    change = story.said(client, status, ApprovalDescription=uuid.uuid4().hex, **values)
    assert change is not None
    assert change.outcome == OutsideOutcome.REPORTED
    assert why in change.reason
    finding = story.finding(FindingKind.APPROVED_OUTSIDE)
    assert f"It was not adopted: {change.reason}" in finding.summary
    assert finding.evidence["last_modified_by"] in finding.summary
    assert Decision.objects.count() == before
    return change


# --- reported


def test_by_default_everything_is_reported_with_who_did_it_what_both_say_and_what_to_do(story: Story) -> None:
    name = linked(story.place.people.owner)
    story.ask()
    change = story.said(studio(name), "Approved")
    assert change is not None
    assert (change.response, change.outcome) == (OutsideResponse.REPORT, OutsideOutcome.REPORTED)
    summary = story.finding(FindingKind.APPROVED_OUTSIDE).summary
    for told in (
        f"SageMaker says {story.version.name} is Approved; nobody has decided about it in the portal.",
        f"Changed by {story.place.people.owner} ({session_arn(name)}, linked) at ",
        "It is only reported, as policy 2 asks.",
        "Decide about it in the portal, or take the approval back in SageMaker.",
    ):
        assert told in summary
    # The same person is not barred by it from deciding in the portal.
    request = ApprovalRequest.objects.get(version=story.version)
    approvals.decide(actor=story.place.people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    assert story.version.stage == "qa"


def test_a_stage_moved_by_hand_is_found_while_the_status_agrees(story: Story) -> None:
    people = story.place.people
    request = story.ask()
    approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    story.deliver()
    story.look()
    assert story.findings() == {}
    moved = story.said(studio("mallory"), ModelLifeCycle={"Stage": "Production", "StageStatus": "Approved"})
    assert moved is not None
    assert (moved.aws_said, moved.portal_said) == (
        "Approved, Production / Approved", "Approved, Development / Approved",
    )  # fmt: skip
    assert story.findings() == {"lifecycle_changed_outside": "open"}
    assert story.standing() is Agreement.LIFECYCLE_CHANGED


def test_what_is_deleted_is_deleted_and_nothing_else(story: Story) -> None:
    story.said(studio("mallory"), "Approved")
    with operation(SYSTEM):
        gone = versions.mark_missing(actor=SYSTEM, version_ids=[story.version.pk])
        sync.LISTENERS.on_versions_missing(SYSTEM, gone)
    assert story.standing() is Agreement.DELETED
    assert selectors.judged([story.version.pk]) == []
    assert out_of_band.answer(actor=out_of_band.ACTOR, version_id=story.version.pk) is None


# --- written back


def test_the_portals_word_is_written_back_until_somebody_keeps_changing_it(story: Story) -> None:
    people = story.place.people
    under(people, OutsideResponse.WRITE_BACK)
    request = story.ask()
    approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    story.deliver()
    story.look()
    words = story.version.aws_approval_description
    for times in (1, 2, 3):
        change = story.said(studio("mallory"), "Rejected", ApprovalDescription=f"No {times}.")
        assert change is not None
        assert (change.verdict, change.outcome) == (Agreement.REVERTED, OutsideOutcome.WRITTEN_BACK)
        assert "ordered to be written back" in story.finding(FindingKind.REVERTED).summary
        assert out_of_band.answer_all(actor=out_of_band.ACTOR, version_ids=[story.version.pk]) == 0, "once per change"
        story.deliver()
        told = story.look()
        assert (told.aws_approval_status, told.aws_approval_description) == ("Approved", words)
        assert story.findings()["write_back_reverted"] == "resolved"
    fourth = story.said(studio("mallory"), "Rejected", ApprovalDescription="No 4.")
    assert fourth is not None
    assert (fourth.outcome, fourth.is_war) == (OutsideOutcome.REPORTED, True)
    finding = story.finding(FindingKind.REVERTED)
    assert finding.severity == "critical"
    assert "written back 3 times within a day" in finding.summary
    assert OutboxMessage.objects.filter(version=story.version, state="pending", kind="write_back").count() == 0


def test_before_the_portal_has_spoken_it_is_set_back_to_pending(story: Story) -> None:
    under(story.place.people, OutsideResponse.WRITE_BACK)
    change = story.said(studio("mallory"), "Approved")
    assert change is not None
    assert change.outcome == OutsideOutcome.WRITTEN_BACK
    story.deliver()
    told = story.look()
    assert (told.aws_approval_status, told.aws_stage_status) == ("PendingManualApproval", "PendingApproval")
    assert story.standing() is Agreement.AGREED


# --- cheap


def test_new_versions_that_claim_nothing_cost_nothing(place: Place) -> None:
    of = group(place.project, place.people)
    with operation(SYSTEM):
        changes = versions.take_in_all(
            actor=SYSTEM, group=of, records=[version_record(of.arn, number) for number in range(1, 30)]
        )
        with CaptureQueriesContext(
            connection,
        ) as asked:
            out_of_band.look_at_all(actor=SYSTEM, changes=changes)
        sync.LISTENERS.on_versions(SYSTEM, changes)
    assert len(asked) == 0


def test_many_that_claim_something_cost_as_much_as_one(place: Place) -> None:
    def cost(count: int) -> int:
        of = group(place.project, place.people)
        for number in range(1, count + 1):
            version(of, number, approval_status="Approved")
        Finding.objects.all().update(last_seen_at=timezone.now())
        ids = list(ModelVersion.objects.filter(group=of).values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as asked:
            assert len(selectors.judged(ids)) == count
        return len(asked)

    assert cost(1) == cost(12)
