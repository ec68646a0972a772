"""Back to an earlier version: what may run again, and that the ledger shows both moves."""

from __future__ import annotations

from functools import partial

import pytest

from governance.models import OutboxMessage, StageEvent, StageRecord
from governance.services import deployments, in_production, retirement
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.vocabulary import RiskClass, Role, Stage, Status
from registry.choices import DeploymentState
from registry.models import Deployment, ModelGroup, ModelVersion
from registry.services import use_cases
from tests.factories import at_stage, group, person, use_case, version
from tests.scene import fingerprint, settle

from .conftest import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def of(place: Place) -> ModelGroup:
    return group(place.project, place.people)


@pytest.fixture
def pair(place: Place, of: ModelGroup) -> tuple[ModelVersion, ModelVersion]:
    """Version 1, superseded in production by version 2."""
    first = at_stage(place.people, version(of, 1), Stage.PRODUCTION, Status.DEPLOYED)
    second = at_stage(place.people, version(of, 2), Stage.PRODUCTION, Status.DEPLOYED)
    first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "deployed")
    return first, second


def rollback(place: Place, to: ModelVersion, stage: Stage = Stage.PRODUCTION) -> ModelVersion:
    return in_production.rollback(
        actor=place.people.officer.actor, version_id=to.pk, stage=stage, reason="Version 2 answers too slowly."
    )


def verbs(of: ModelVersion) -> list[str]:
    return list(StageEvent.objects.filter(version=of).order_by("id").values_list("verb", flat=True))


def test_the_earlier_version_runs_again_and_the_ledger_shows_both_moves(
    place: Place, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = pair
    rollback(place, first)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("approved", "deployed"), "until it is reported, version 2 runs"
    deployment = Deployment.objects.get(version=first, stage=Stage.PRODUCTION)
    assert (deployment.state, deployment.mode) == ("ordered", "live")
    last = OutboxMessage.objects.filter(version=first).order_by("-id")[:2]
    assert {message.kind for message in last} == {"write_back", "deployment_order"}
    deployments.report(actor=place.people.engineer.actor, deployment_id=deployment.pk, state=DeploymentState.DEPLOYED)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("deployed", "superseded")
    assert verbs(first)[-2:] == ["rollback", "deploy"]
    assert verbs(second)[-1] == "supersede"
    event = StageEvent.objects.filter(version=first, verb="rollback").get()
    assert (event.reason, event.from_status, event.status) == (
        "Version 2 answers too slowly.",
        "superseded",
        "approved",
    )
    settle()


def test_in_an_earlier_stage_it_is_deployed_once_more_and_nothing_moves(
    place: Place, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    first, _ = pair
    rollback(place, first, Stage.QA)
    first.refresh_from_db()
    assert (first.stage, first.status) == ("production", "superseded")
    assert verbs(first)[-1] == "rollback"
    assert Deployment.objects.get(version=first, stage=Stage.QA).state == "ordered"
    settle()


def test_what_runs_is_nothing_to_go_back_to(place: Place, pair: tuple[ModelVersion, ModelVersion]) -> None:
    before = fingerprint()
    with pytest.raises(WrongState, match="what runs"):
        rollback(place, pair[1])
    assert fingerprint() == before


def test_only_to_what_was_approved_there(place: Place, of: ModelGroup) -> None:
    waiting = at_stage(place.people, version(of, 1), Stage.QA)
    for stage in (Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION):
        with pytest.raises(WrongState, match="not an earlier version"):
            rollback(place, waiting, stage)


def test_not_to_what_changed_since(place: Place, pair: tuple[ModelVersion, ModelVersion], of: ModelGroup) -> None:
    first, _ = pair
    version(of, 1, metadata={"validation_auc": "0.99"}, created_at=first.aws_created_at)
    assert StageRecord.objects.filter(version=first, outdated_at__isnull=False).exists()
    with pytest.raises(WrongState, match="no longer what was approved"):
        rollback(place, first)


def test_not_to_what_is_retired(place: Place, pair: tuple[ModelVersion, ModelVersion]) -> None:
    first, _ = pair
    retirement.retire(
        actor=place.people.officer.actor, subject_type=ModelVersion, subject_id=first.pk, reason="Old.", force=True
    )
    with pytest.raises(WrongState):
        rollback(place, first)


def test_not_for_a_prohibited_use_case(place: Place) -> None:
    case = use_case(place.people, place.project)
    of = group(place.project, place.people, case)
    first = at_stage(place.people, version(of, 1), Stage.PRODUCTION, Status.DEPLOYED)
    at_stage(place.people, version(of, 2), Stage.PRODUCTION, Status.DEPLOYED)
    use_cases.classify(
        actor=place.people.officer.actor, use_case_id=case.pk, risk_class=RiskClass.UNACCEPTABLE, reason="Art. 5."
    )
    with pytest.raises(WrongState):
        rollback(place, first)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GOVERNANCE_OFFICER])
def test_only_officers_roll_back(place: Place, pair: tuple[ModelVersion, ModelVersion], role: Role) -> None:
    somebody = person(role, project=place.project)
    before = fingerprint()
    with pytest.raises(Forbidden):
        in_production.rollback(
            actor=somebody.actor,
            version_id=pair[0].pk,
            stage=Stage.PRODUCTION,
            reason="Because.",
        )
    assert fingerprint() == before


def test_hidden_is_not_found_and_a_reason_is_needed(place: Place, pair: tuple[ModelVersion, ModelVersion]) -> None:
    with pytest.raises(NotFound):
        in_production.rollback(
            actor=place.people.stranger.actor, version_id=pair[0].pk, stage=Stage.PRODUCTION, reason="Because."
        )
    with pytest.raises(InvalidInput):
        in_production.rollback(
            actor=place.people.officer.actor, version_id=pair[0].pk, stage=Stage.PRODUCTION, reason=" "
        )
    with pytest.raises(InvalidInput):
        rollback(place, pair[0], Stage.POC)


def test_an_order_that_failed_can_be_given_again(place: Place, pair: tuple[ModelVersion, ModelVersion]) -> None:
    first, second = pair
    rollback(place, first)
    with pytest.raises(WrongState):
        rollback(place, first)
    deployment = Deployment.objects.get(version=first, stage=Stage.PRODUCTION)
    deployments.report(actor=place.people.engineer.actor, deployment_id=deployment.pk, state=DeploymentState.FAILED)
    rollback(place, first)
    deployment.refresh_from_db()
    assert deployment.state == "ordered"
    second.refresh_from_db()
    assert second.status == "deployed"
    settle()


def test_what_stands_deployed_is_not_retired_silently_after_a_failed_update(
    place: Place, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    _, second = pair
    deployment = Deployment.objects.get(version=second, stage=Stage.PRODUCTION)
    deployments.report(
        actor=place.people.engineer.actor,
        deployment_id=deployment.pk,
        state=DeploymentState.FAILED,
        detail="The update failed, the old one still serves.",
    )
    retire = partial(
        retirement.retire,
        actor=place.people.officer.actor,
        subject_type=ModelVersion,
        subject_id=second.pk,
        reason="Not needed.",
    )
    with pytest.raises(WrongState, match="still running"):
        retire()
    retire(force=True)
    order = OutboxMessage.objects.filter(version=second, kind="deployment_order").order_by("-id")[0]
    assert order.payload["detail"]["action"] == "remove"
    settle()
