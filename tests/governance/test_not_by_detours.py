"""What must not be possible although each step of it looks legal."""

from __future__ import annotations

import pytest

from governance.choices import Verdict
from governance.models import ApprovalRequest, StageEvent, StageRecord
from governance.services import approvals, deployments, lifecycle
from portal.core.errors import Forbidden, WrongState
from portal.core.vocabulary import RiskClass, Role, Stage
from registry.choices import DeploymentState
from registry.models import Deployment, ModelVersion, UseCase
from registry.services import people as people_service
from registry.services import use_cases
from tests.factories import at_stage, group, person, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import approve_once

from .conftest import Place

pytestmark = pytest.mark.django_db

SESSION = "arn:aws:sts::222222222222:assumed-role/DataScientist/"


def _submit(place: Place, subject: ModelVersion) -> ApprovalRequest:
    return approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=subject.pk)


def test_a_rejection_takes_every_approval_on_the_way_back_and_with_it_the_use_cases_way_ahead(place: Place) -> None:
    served = use_case(place.people, place.project)
    subject = version(group(place.project, place.people, served))
    at_stage(place.people, subject, Stage.PRODUCTION)
    request = _submit(place, subject)
    approvals.decide(actor=place.people.officer.actor, request_id=request.pk, verdict=Verdict.REJECT, comment="Drifts.")
    standing = dict(StageRecord.objects.filter(version=subject).values_list("stage", "status"))
    assert standing == dict.fromkeys(("development", "qa", "pre_production", "production"), "rejected")
    approve_once(place.people, served)  # out of POC
    approve_once(place.people, served)  # development: its own approval, and nothing else
    served.refresh_from_db()
    assert (served.stage, served.status) == ("development", "approved")
    assert lifecycle.blockers(served)
    # On its way up again every stage is asked for once more, and then the use case follows.
    approve_once(place.people, subject)
    served.refresh_from_db()
    assert (served.stage, served.status) == ("qa", "pending")


def test_a_session_named_like_a_person_is_not_that_person_and_does_not_pass_for_another(place: Place) -> None:
    owner = place.people.owner
    subject = version(group(place.project, place.people), registrant=f"{SESSION}{owner.username}")
    assert subject.registered_by is None
    assert StageEvent.objects.get(version=subject).actor == f"aws:{owner.username}"
    request = _submit(place, subject)
    with pytest.raises(approvals.SelfApproval, match="nobody has linked"):
        approvals.decide(actor=owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    other = person(Role.MODEL_OWNER, project=place.project)
    approvals.decide(actor=other.actor, request_id=request.pk, verdict=Verdict.APPROVE)


def test_a_person_is_recognised_by_the_role_he_assumes_before_and_after_the_link(place: Place) -> None:
    owner, model_group = place.people.owner, group(place.project, place.people)
    before = version(model_group, 1, registrant=f"{SESSION}whatever")
    people_service.link_identity(actor=SYSTEM, user=owner, arn="arn:aws:iam::222222222222:role/DataScientist")
    before.refresh_from_db()
    after = version(model_group, 2, registrant=f"{SESSION}something-else")
    assert before.registered_by == after.registered_by == owner
    request = _submit(place, after)
    with pytest.raises(approvals.SelfApproval):
        approvals.decide(actor=owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)


def test_an_ml_admin_decides_on_nothing_whatever_else_he_is(place: Place) -> None:
    both = person(Role.ML_ADMIN, Role.MODEL_OWNER)
    request = _submit(place, version(group(place.project, place.people)))
    with pytest.raises(Forbidden, match="ML admin"):
        approvals.decide(actor=both.actor, request_id=request.pk, verdict=Verdict.APPROVE)


def test_a_version_of_a_prohibited_use_case_goes_nowhere(place: Place) -> None:
    served = use_case(place.people, place.project)
    subject = version(group(place.project, place.people, served))
    request = _submit(place, subject)
    use_cases.classify(
        actor=place.people.officer.actor, use_case_id=served.pk, risk_class=RiskClass.UNACCEPTABLE, reason="Art. 5."
    )
    with pytest.raises(approvals.StaleRequest):
        approvals.decide(actor=place.people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    with pytest.raises(WrongState, match=UseCase.objects.get(pk=served.pk).public_id):
        _submit(place, subject)


def test_the_live_order_is_reported_under_the_id_of_the_trial(place: Place) -> None:
    engineer = place.people.engineer.actor
    subject = at_stage(place.people, version(group(place.project, place.people)), Stage.PRODUCTION)
    trial = Deployment.objects.get(version=subject, stage=Stage.PRODUCTION)
    deployments.report(actor=engineer, deployment_id=trial.pk, state=DeploymentState.DEPLOYED, endpoint="canary")
    with pytest.raises(WrongState):
        deployments.report(actor=engineer, deployment_id=trial.pk, state=DeploymentState.DEPLOYED)
    approve_once(place.people, subject)
    subject.refresh_from_db()
    assert subject.status == "deployed"
    for state in (DeploymentState.IN_PROGRESS, DeploymentState.FAILED, DeploymentState.DEPLOYED):
        live = deployments.report(actor=engineer, deployment_id=trial.pk, state=state, endpoint="live")
        assert (live.state, live.mode) == (state, "live")
    assert StageEvent.objects.filter(version=subject, verb="deploy").count() == 1
