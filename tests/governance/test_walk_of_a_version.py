"""How a version walks: up, back and up again."""

from __future__ import annotations

import pytest

from governance.choices import OutboxKind, Verdict
from governance.models import ApprovalRequest, OutboxMessage, StageEvent, StageRecord
from governance.services import approvals
from portal.core.errors import InvalidInput, NotFound
from portal.core.vocabulary import Stage, Status
from registry.choices import DeploymentState
from registry.models import ModelVersion
from tests.factories import Cast, at_stage, group, version
from tests.factories.walk import approve_once
from tests.scene import fingerprint, settle

from .conftest import Place
from .walking_by_hand import ask, position, reject, report, statuses, written_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(place: Place) -> ModelVersion:
    return version(group(place.project, place.people))


def test_the_whole_walk_of_a_version(made: ModelVersion, people: Cast) -> None:
    assert position(made) == "development/pending"
    walked = []
    for stage in ("development", "qa", "pre_production"):
        assert made.stage == stage
        approve_once(people, made)
        report(people, made, Stage(made.stage), DeploymentState.DEPLOYED)
        walked.append(position(made))
    assert walked == ["qa/pending", "pre_production/pending", "production/pending"]
    approve_once(people, made)
    # Its deployment was in place on trial: approval makes it live.
    assert position(made) == "production/deployed"
    assert statuses(made) == dict.fromkeys(("development", "qa", "pre_production"), "approved") | {
        "production": "deployed"
    }
    assert written_back(made) == [
        ("Approved", "Development", "Approved"),
        ("Approved", "QA", "Approved"),
        ("Approved", "PreProduction", "Approved"),
        ("Approved", "Production", "Approved"),
    ]
    orders = OutboxMessage.objects.filter(version=made, kind=OutboxKind.DEPLOYMENT_ORDER).order_by("pk")
    assert [(o.payload["detail"]["stage"], o.payload["detail"]["mode"]) for o in orders] == [
        ("qa", "trial"),
        ("pre_production", "trial"),
        ("production", "trial"),
        ("production", "live"),
    ]
    assert [o.payload["detail"]["targetAccount"] for o in orders] == [
        "333333333333",
        "333333333333",
        "444444444444",
        "444444444444",
    ]
    events = StageEvent.objects.filter(version=made).order_by("pk")
    assert [(e.verb, e.stage, e.from_status, e.status) for e in events] == [
        ("register", "development", "", "pending"),
        ("approve", "development", "pending", "approved"),
        ("advance", "qa", "", "pending"),
        ("approve", "qa", "pending", "approved"),
        ("advance", "pre_production", "", "pending"),
        ("approve", "pre_production", "pending", "approved"),
        ("advance", "production", "", "pending"),
        ("approve", "production", "pending", "approved"),
        ("deploy", "production", "approved", "deployed"),
    ]
    assert all(event.correlation for event in events[1:])
    settle()


def test_each_message_waits_behind_the_write_back_of_its_version(made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    messages = OutboxMessage.objects.filter(version=made).order_by("pk")
    assert [m.kind for m in messages] == ["write_back", "deployment_order"]
    assert len({m.ordering_key for m in messages}) == 1


def test_a_rejection_goes_back_to_development_and_the_climb_begins_again(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRE_PRODUCTION)
    request = reject(people, made)
    assert position(made) == "development/rejected"
    assert statuses(made) == {"development": "rejected", "qa": "rejected", "pre_production": "rejected"}
    decision = request.decisions.get()
    assert (decision.back_to, decision.comment) == ("development", "The bias report is missing.")
    assert written_back(made)[-1] == ("Rejected", "PreProduction", "Rejected")

    again = ask(people, made, note="Bias report attached.")
    assert (position(made), again.stage) == ("development/pending", "development")
    assert written_back(made)[-1] == ("PendingManualApproval", "Development", "PendingApproval")
    approvals.decide(actor=people.owner.actor, request_id=again.pk, verdict=Verdict.APPROVE)
    assert position(made) == "qa/pending"
    # What was approved in the first climb is asked for again.
    assert statuses(made) == {"development": "approved", "qa": "pending", "pre_production": "rejected"}
    at_stage(people, made, Stage.PRODUCTION, Status.DEPLOYED)
    assert set(statuses(made).values()) == {"approved", "deployed"}
    assert StageRecord.objects.filter(version=made).count() == 4, "a second climb opens no second record"
    settle()


def test_a_rejection_can_name_the_stage_to_go_back_to(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION)
    reject(people, made, Stage.QA)
    assert position(made) == "qa/rejected"
    assert statuses(made) == {
        "development": "approved",
        "qa": "rejected",
        "pre_production": "rejected",
        "production": "rejected",
    }
    settle()


@pytest.mark.parametrize("back_to", [Stage.PRE_PRODUCTION, Stage.PRODUCTION, Stage.POC, Stage.RETIRED])
def test_a_rejection_cannot_go_forward_or_elsewhere(made: ModelVersion, people: Cast, back_to: Stage) -> None:
    at_stage(people, made, Stage.QA)
    request = ask(people, made)
    before = fingerprint()
    with pytest.raises((InvalidInput, ValueError)) as refusal:
        approvals.decide(
            actor=people.officer.actor,
            request_id=request.pk,
            verdict=Verdict.REJECT,
            comment="No.",
            back_to=back_to,
        )
    assert isinstance(refusal.value, InvalidInput)
    assert "back_to" in refusal.value.errors
    assert fingerprint() == before


def test_only_a_rejection_goes_back(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    with pytest.raises(InvalidInput):
        approvals.decide(
            actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE, back_to=Stage.DEVELOPMENT
        )


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.REQUEST_CHANGES])
@pytest.mark.parametrize("comment", ["", "   \n"])
def test_a_refusal_needs_its_reason(made: ModelVersion, people: Cast, verdict: Verdict, comment: str) -> None:
    request = ask(people, made)
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=verdict, comment=comment)
    assert "comment" in refusal.value.errors
    assert fingerprint() == before


def test_changes_requested_leave_it_where_it_is_and_it_is_asked_anew(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    approvals.decide(
        actor=people.owner.actor, request_id=request.pk, verdict=Verdict.REQUEST_CHANGES, comment="Say which data."
    )
    request.refresh_from_db()
    assert (position(made), request.state) == ("development/pending", "changes_requested")
    assert written_back(made) == []
    second = ask(people, made, "Data named.")
    assert second.pk != request.pk
    approvals.decide(actor=people.owner.actor, request_id=second.pk, verdict=Verdict.APPROVE)
    assert position(made) == "qa/pending"


def test_a_withdrawn_request_can_be_made_again(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    approvals.withdraw(actor=people.scientist.actor, request_id=request.pk, reason="Wrong version.")
    request.refresh_from_db()
    assert (request.state, request.closing_note, request.waiting_roles) == ("withdrawn", "Wrong version.", [])
    with pytest.raises(approvals.RequestClosed):
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    assert ask(people, made).state == "open"


def test_one_open_request_per_subject_and_stage(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    with pytest.raises(approvals.AlreadyOpen, match=request.public_id):
        approvals.submit(actor=people.engineer.actor, subject_type=ModelVersion, subject_id=made.pk)


def test_whoever_sees_the_subject_and_nobody_else_sees_the_request(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    assert list(ApprovalRequest.objects.visible_to(people.stranger.actor)) == []
    with pytest.raises(NotFound):
        approvals.withdraw(actor=people.stranger.actor, request_id=request.pk)
    assert ApprovalRequest.objects.awaiting(people.owner.actor).get() == request
    for other in (people.scientist, people.officer, people.stranger, people.admin):
        assert not ApprovalRequest.objects.awaiting(other.actor).exists()
