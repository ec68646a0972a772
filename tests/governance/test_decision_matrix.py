"""Every kind, position, verb and role against the services: the outcome of the table, or a refusal and no trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import Verdict
from governance.models import ApprovalRequest
from governance.services import approvals, deployments, in_production, overrides, retirement
from portal.core.actors import Actor
from portal.core.errors import DomainError
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.choices import DeploymentState
from registry.models import Deployment, ModelVersion, UseCase
from registry.services import use_cases
from tests.factories import Cast, at_stage, group, use_case, version
from tests.factories.walk import approve_once, deciders
from tests.matrices.decisions import POSITIONS, Case, cases
from tests.scene import fingerprint, settle, undone

from .conftest import Place

Subject = UseCase | ModelVersion
pytestmark = pytest.mark.django_db
CASES = list(cases())


@pytest.fixture(scope="module")
def subjects(shared_place: Place, django_db_blocker: Any) -> Iterator[dict[tuple[str, str], Subject]]:
    """One subject in every position of both kinds, walked there by the services."""
    with django_db_blocker.unblock(), undone():
        made: dict[tuple[str, str], Subject] = {}
        for position in POSITIONS["model_version"]:
            made["model_version", position] = _version_at(shared_place, position)
        for position in POSITIONS["use_case"]:
            made["use_case", position] = _use_case_at(shared_place, position)
        settle()
        for (_, position), subject in made.items():
            assert f"{subject.stage}/{subject.status}" == position
        yield made


def _reject(people: Cast, subject: Subject, back_to: str) -> None:
    request = approvals.submit(actor=people.scientist.actor, subject_type=type(subject), subject_id=subject.pk)
    decider = deciders(people, request)[0]
    approvals.decide(
        actor=decider.actor,
        request_id=request.pk,
        verdict=Verdict.REJECT,
        comment="Not good enough.",
        back_to=Stage(back_to),
    )
    subject.refresh_from_db()


def _retire(people: Cast, subject: Subject) -> None:
    # Retired with a question open: the question must not outlive it.
    approvals.submit(actor=people.scientist.actor, subject_type=type(subject), subject_id=subject.pk)
    retirement.retire(
        actor=people.officer.actor, subject_type=type(subject), subject_id=subject.pk, reason="Not needed."
    )
    subject.refresh_from_db()


def _version_at(place: Place, position: str) -> ModelVersion:
    people = place.people
    stage, status = position.split("/")
    made = version(group(place.project, people))
    if status == "retired":
        _retire(people, made)
    elif status == "superseded":
        at_stage(people, made, Stage.PRODUCTION, Status.DEPLOYED)
        at_stage(people, version(made.group, 2), Stage.PRODUCTION, Status.DEPLOYED)
        made.refresh_from_db()
    else:
        at_stage(people, made, Stage(stage), Status(status))
    return made


def _use_case_at(place: Place, position: str) -> UseCase:
    people = place.people
    stage, status = position.split("/")
    made = use_case(people, place.project)
    if stage in ("qa", "pre_production", "production"):
        at_stage(people, version(group(place.project, people, made)), Stage(stage))
    while made.stage != stage and stage != "retired":
        approve_once(people, made)
    if status == "approved":
        approve_once(people, made)
    elif status == "rejected":
        _reject(people, made, stage)
    elif status == "retired":
        _retire(people, made)
    return made


def actor_in(place: Place, role: str) -> Actor:
    """Load the person anew, so that grants are those of this moment."""
    names = {
        "data_scientist": "scientist",
        "model_owner": "owner",
        "ml_engineer": "engineer",
        "governance_officer": "officer",
        "ml_admin": "admin",
    }
    person: Actor = getattr(place.people, names.get(role, role)).actor
    return person


def _roll_back(actor: Actor, subject: Subject) -> Callable[[], object]:
    return lambda: in_production.rollback(
        actor=actor, version_id=subject.pk, stage=Stage.PRODUCTION, reason="The later one fails."
    )


def _break_glass(actor: Actor, subject: Subject) -> Callable[[], object]:
    return lambda: overrides.break_glass(
        actor=actor,
        subject_type=type(subject),
        subject_id=subject.pk,
        stage=Stage(subject.stage),
        check_key="evidence:validation_metrics",
        reason="The report is late.",
        expires_at=timezone.now() + timedelta(days=1),
    )


def _prohibit(actor: Actor, subject: Subject) -> Callable[[], object]:
    return lambda: use_cases.classify(
        actor=actor, use_case_id=subject.pk, risk_class=RiskClass.UNACCEPTABLE, reason="Art. 5(1)(c)."
    )


EXCEPTIONS = {"rollback": _roll_back, "break_glass": _break_glass, "prohibit": _prohibit}


def _perform(place: Place, subject: Subject, case: Case) -> Callable[[], object]:
    """Prepare what the verb needs and return the call itself."""
    actor, kind = actor_in(place, case.role), type(subject)
    if case.verb == "submit":
        return lambda: approvals.submit(actor=actor, subject_type=kind, subject_id=subject.pk)
    if case.verb == "retire":
        return lambda: retirement.retire(
            actor=actor, subject_type=kind, subject_id=subject.pk, reason="No longer needed."
        )
    if case.verb == "report_deployed":
        ordered = Deployment.objects.get(version=subject, stage=subject.stage)
        return lambda: deployments.report(actor=actor, deployment_id=ordered.pk, state=DeploymentState.DEPLOYED)
    if case.verb in EXCEPTIONS:
        return EXCEPTIONS[case.verb](actor, subject)
    if subject.status == "pending":
        approvals.submit(actor=place.people.scientist.actor, subject_type=kind, subject_id=subject.pk)
    request = ApprovalRequest.objects.about(subject).latest("pk")
    if case.verb == "withdraw":
        return lambda: approvals.withdraw(actor=actor, request_id=request.pk)
    verdict = Verdict(case.verb)
    comment = "" if verdict is Verdict.APPROVE else "Because."
    return lambda: approvals.decide(actor=actor, request_id=request.pk, verdict=verdict, comment=comment)


def test_the_matrix_is_whole() -> None:
    assert len(CASES) == len(set(CASES)) > 1000
    assert {case.outcome for case in CASES} >= {"NotFound", "Forbidden", "SelfApproval", "RequestClosed", "WrongState"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_outcome(case: Case, place: Place, subjects: dict[tuple[str, str], Subject]) -> None:
    subject = subjects[case.kind, case.position]
    call = _perform(place, subject, case)
    before = fingerprint()
    if "/" not in case.outcome:
        with pytest.raises(DomainError) as refused:
            call()
        assert type(refused.value).__name__ == case.outcome, refused.value.detail
        assert refused.value.detail
        assert fingerprint() == before, "a refusal changed something"
        return
    call()
    now = type(subject).objects.get(pk=subject.pk)
    assert f"{now.stage}/{now.status}" == case.outcome
    assert fingerprint() != before
    settle()
