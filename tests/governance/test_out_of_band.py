"""Decisions made in SageMaker past the portal: which are adopted, and why the others are not."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from governance.choices import Agreement, FindingKind, OutsideOutcome, OutsideResponse
from governance.models import AuditEvent, Decision, OutsideChange
from portal.core.vocabulary import Role
from registry.services import people as people_service
from tests import aws_story
from tests.aws_story import HUB
from tests.factories import person
from tests.factories.people import SYSTEM
from tests.sandbox import Sandbox

from .conftest import Place
from .outside import ROLE, Story, linked, session_arn, story, studio, under

__all__ = ["story"]

pytestmark = pytest.mark.django_db


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
