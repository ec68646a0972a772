"""People who change versions in SageMaker past the portal, played against the sandbox AWS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from django.utils import timezone

from governance.choices import Agreement, FindingKind, OutsideResponse
from governance.models import ApprovalRequest, Finding, OutboxMessage, OutsideChange
from governance.policies.facts import ApprovalNeed
from governance.selectors import out_of_band as selectors
from governance.selectors import policy as policy_selectors
from governance.services import approvals, delivery, out_of_band, policies, sync
from portal.core.vocabulary import RiskRating, Role, Stage, SubjectKind
from registry.models import AwsAccount, ModelVersion, User
from registry.services import people as people_service
from registry.sync import run
from tests import aws_story
from tests.aws_story import HUB
from tests.factories import Cast
from tests.factories.people import SYSTEM
from tests.sandbox import Sandbox

from .conftest import Place

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
