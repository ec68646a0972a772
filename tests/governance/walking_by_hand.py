"""What people do with a subject in the tests of the walks: ask, reject, report."""

from __future__ import annotations

from governance.choices import OutboxKind, Verdict
from governance.models import ApprovalRequest, OutboxMessage, StageRecord
from governance.services import approvals, deployments, retirement
from portal.core.vocabulary import Stage
from registry.choices import DeploymentState
from registry.models import Deployment, ModelVersion, UseCase
from tests.factories import Cast
from tests.factories.walk import deciders


def position(subject: ModelVersion | UseCase) -> str:
    subject.refresh_from_db()
    return f"{subject.stage}/{subject.status}"


def ask(people: Cast, subject: ModelVersion | UseCase, note: str = "") -> ApprovalRequest:
    return approvals.submit(actor=people.scientist.actor, subject_type=type(subject), subject_id=subject.pk, note=note)


def reject(people: Cast, subject: ModelVersion | UseCase, back_to: Stage | None = None) -> ApprovalRequest:
    request = ask(people, subject)
    approvals.decide(
        actor=deciders(people, request)[0].actor,
        request_id=request.pk,
        verdict=Verdict.REJECT,
        comment="The bias report is missing.",
        back_to=back_to,
    )
    return request


def statuses(subject: ModelVersion) -> dict[str, str]:
    return {record.stage: record.status for record in StageRecord.objects.filter(version=subject)}


def written_back(subject: ModelVersion) -> list[tuple[str, str, str]]:
    messages = OutboxMessage.objects.filter(version=subject, kind=OutboxKind.WRITE_BACK).order_by("pk")
    return [(m.payload["approval_status"], m.payload["stage"], m.payload["stage_status"]) for m in messages]


def report(people: Cast, subject: ModelVersion, stage: Stage, state: DeploymentState, **values: str) -> Deployment:
    ordered = Deployment.objects.get(version=subject, stage=stage)
    return deployments.report(actor=people.engineer.actor, deployment_id=ordered.pk, state=state, **values)


def retire(people: Cast, subject: ModelVersion | UseCase, **values: bool) -> None:
    retirement.retire(
        actor=people.officer.actor,
        subject_type=type(subject),
        subject_id=subject.pk,
        reason="Replaced by the vendor's.",
        **values,
    )
