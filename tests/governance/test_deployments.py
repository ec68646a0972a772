"""Deployments reported, superseded and left alone; and what is taken out of service."""

from __future__ import annotations

import pytest

from governance.models import StageEvent, StageRecord, UseCaseStageRecord
from governance.services import deployments, metrics, retirement
from portal.core.errors import InvalidInput, WrongState
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.choices import AccountPurpose, DeploymentState
from registry.models import AwsAccount, Deployment, ModelVersion
from registry.services import accounts, use_cases
from tests.factories import Cast, at_stage, group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import approve_once
from tests.scene import fingerprint, settle

from .conftest import Place
from .walking_by_hand import ask, position, report, retire, statuses, written_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(place: Place) -> ModelVersion:
    return version(group(place.project, place.people))


def test_reports_arrive_in_order(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.QA)
    report(people, made, Stage.QA, DeploymentState.IN_PROGRESS)
    report(people, made, Stage.QA, DeploymentState.FAILED, detail="No capacity.")
    report(people, made, Stage.QA, DeploymentState.IN_PROGRESS)
    done = report(people, made, Stage.QA, DeploymentState.DEPLOYED, endpoint="credit-risk-test")
    assert (done.state, done.endpoint) == ("deployed", "credit-risk-test")
    assert position(made) == "qa/pending"
    before = fingerprint()
    for late in (DeploymentState.IN_PROGRESS, DeploymentState.FAILED, DeploymentState.DEPLOYED):
        with pytest.raises(WrongState):
            report(people, made, Stage.QA, late)
    for never in (DeploymentState.ORDERED, DeploymentState.REPLACED):
        with pytest.raises(InvalidInput):
            report(people, made, Stage.QA, never)
    assert fingerprint() == before


def test_deployed_before_production_is_approved_is_a_trial(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION)
    report(people, made, Stage.PRODUCTION, DeploymentState.DEPLOYED, endpoint="shadow")
    assert (position(made), statuses(made)["production"]) == ("production/pending", "pending")
    approve_once(people, made)
    assert (position(made), statuses(made)["production"]) == ("production/deployed", "deployed")
    assert Deployment.objects.get(version=made, stage="production").mode == "live"
    settle()


def test_deployed_after_production_is_approved(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION, Status.APPROVED)
    report(people, made, Stage.PRODUCTION, DeploymentState.IN_PROGRESS)
    assert position(made) == "production/approved"
    report(people, made, Stage.PRODUCTION, DeploymentState.DEPLOYED, endpoint="credit-risk")
    assert position(made) == "production/deployed"
    settle()


def test_a_second_version_supersedes_the_first(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION, Status.DEPLOYED)
    second = at_stage(people, version(made.group, 2), Stage.PRODUCTION, Status.APPROVED)
    assert position(made) == "production/deployed", "approval alone replaces nothing"
    report(people, second, Stage.PRODUCTION, DeploymentState.DEPLOYED)
    assert (position(made), position(second)) == ("production/superseded", "production/deployed")
    assert Deployment.objects.get(version=made, stage="production").state == "replaced"
    event = StageEvent.objects.filter(version=made).latest("pk")
    assert (event.verb, event.position_status) == ("supersede", "superseded")
    assert "Version 2" in event.reason
    settle()


def test_another_group_in_the_same_account_is_left_alone(place: Place, made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION, Status.DEPLOYED)
    at_stage(people, version(group(place.project, people)), Stage.PRODUCTION, Status.DEPLOYED)
    assert position(made) == "production/deployed"


def test_each_production_account_has_its_own_record(made: ModelVersion, people: Cast) -> None:
    second = accounts.register(
        actor=SYSTEM, account_id="555555555555", alias="production-eu", purposes=[AccountPurpose.PRODUCTION]
    )
    at_stage(people, made, Stage.PRODUCTION, Status.APPROVED)
    both = {d.account.account_id: d for d in Deployment.objects.filter(version=made, stage="production")}
    assert set(both) == {"444444444444", "555555555555"}
    for number, account_id in enumerate(("444444444444", second.account_id), start=1):
        deployments.report(
            actor=people.engineer.actor, deployment_id=both[account_id].pk, state=DeploymentState.DEPLOYED
        )
        assert StageRecord.objects.filter(version=made, stage="production", status="deployed").count() == number
        assert position(made) == "production/deployed"
    newer = at_stage(people, version(made.group, 2), Stage.PRODUCTION, Status.APPROVED)
    one, other = Deployment.objects.filter(version=newer, stage="production").order_by("account__account_id")
    deployments.report(actor=people.engineer.actor, deployment_id=one.pk, state=DeploymentState.DEPLOYED)
    assert position(made) == "production/deployed", "it still runs in the other account"
    deployments.report(actor=people.engineer.actor, deployment_id=other.pk, state=DeploymentState.DEPLOYED)
    assert position(made) == "production/superseded"
    settle()


def test_a_stage_without_an_account_still_has_its_record(made: ModelVersion, people: Cast) -> None:
    AwsAccount.objects.filter(account_id="333333333333").update(is_enabled=False)
    approve_once(people, made)
    record = StageRecord.objects.get(version=made, stage="qa")
    assert (record.account, record.status) == (None, "pending")
    assert not Deployment.objects.filter(version=made).exists()


def test_what_runs_is_not_retired_silently(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION, Status.APPROVED)
    report(people, made, Stage.PRODUCTION, DeploymentState.DEPLOYED, endpoint="credit-risk-live")
    before = fingerprint()
    with pytest.raises(WrongState, match="credit-risk-live in account-444"):
        retire(people, made)
    assert fingerprint() == before
    retire(people, made, force=True)
    assert position(made) == "retired/retired"
    assert set(statuses(made).values()) == {"retired"}
    assert written_back(made)[-1] == ("Rejected", "Archived", "Retired")
    settle()


def test_retirement_needs_a_reason_and_ends_everything(made: ModelVersion, people: Cast) -> None:
    with pytest.raises(InvalidInput):
        retirement.retire(actor=people.officer.actor, subject_type=ModelVersion, subject_id=made.pk, reason="  ")
    request = ask(people, made)
    retire(people, made)
    request.refresh_from_db()
    assert (request.state, request.closing_note) == ("outdated", "It was retired.")
    with pytest.raises(WrongState):
        ask(people, made)
    with pytest.raises(WrongState, match="already"):
        retire(people, made)
    with pytest.raises(WrongState):
        metrics.report(
            actor=people.engineer.actor,
            record_id=StageRecord.objects.get(version=made).pk,
            kind=metrics.MetricKind.VALIDATION,
            metrics={"auc": 1},
        )
    settle()


def test_a_use_case_is_retired_after_its_models(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    serving = version(group(place.project, people, case))
    with pytest.raises(WrongState, match=serving.name):
        retire(people, case)
    retire(people, serving)
    retire(people, case)
    assert position(case) == "retired/retired"
    assert set(UseCaseStageRecord.objects.filter(use_case=case).values_list("status", flat=True)) == {"retired"}
    with pytest.raises(WrongState):
        use_cases.classify(actor=people.officer.actor, use_case_id=case.pk, risk_class=RiskClass.MINIMAL, reason="x")
    settle()
