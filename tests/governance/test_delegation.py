"""A delegate decides in the delegator's name, for some days, and never around separation of duties."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.choices import RequestState, Verdict
from governance.models import ApprovalRequest, Decision, Delegation
from governance.services import approvals, delegations
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.vocabulary import RiskClass, Role, Stage
from registry.aws.records import Identity
from registry.models import ModelVersion, User
from registry.services import people as registry_people
from tests.factories import at_stage, group, person, use_case, version
from tests.factories.people import SYSTEM
from tests.scene import fingerprint, settle

from .conftest import Place

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()


def fresh(user: User) -> User:
    """Return the person as the next request would load him: what an actor read once is forgotten."""
    return User.objects.get(pk=user.pk)


def delegate(place: Place, to: User, *, by: User | None = None, **values: Any) -> Delegation:
    delegator = values.pop("delegator", place.people.owner)
    return delegations.delegate(
        actor=(by or delegator).actor,
        delegator=delegator,
        to=to,
        **{
            "role": Role.MODEL_OWNER,
            "project": place.project,
            "starts_on": TODAY,
            "ends_on": TODAY + timedelta(days=7),
            "reason": "On leave.",
            **values,
        },
    )


@pytest.fixture
def made(place: Place) -> ModelVersion:
    return version(group(place.project, place.people))


@pytest.fixture
def request_(place: Place, made: ModelVersion) -> ApprovalRequest:
    return approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)


def say(by: User, request: ApprovalRequest, verdict: Verdict = Verdict.APPROVE) -> Decision:
    return approvals.decide(actor=fresh(by).actor, request_id=request.pk, verdict=verdict, comment="Because.")


def test_the_delegate_decides_in_the_delegators_name(place: Place, request_: ApprovalRequest) -> None:
    people = place.people
    with pytest.raises(Forbidden):
        say(people.officer, request_)
    made = delegate(place, people.officer)
    assert request_ in ApprovalRequest.objects.awaiting(fresh(people.officer).actor)
    assert approvals.refusal_for(fresh(people.officer).actor, request_) == ""
    decision = say(people.officer, request_)
    assert (decision.decider, decision.on_behalf_of, decision.delegation, decision.role) == (
        people.officer,
        people.owner,
        made,
        Role.MODEL_OWNER,
    )
    request_.refresh_from_db()
    assert request_.state == RequestState.APPROVED
    settle()


def test_the_delegator_does_not_speak_again_after_his_delegate(place: Place) -> None:
    case = use_case(place.people, place.project, RiskClass.HIGH)
    subject = version(group(place.project, place.people, case), risk="High")
    at_stage(place.people, subject, Stage.QA)
    request = approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=subject.pk)
    delegate(place, place.people.owner, delegator=place.people.officer, role=Role.GOVERNANCE_OFFICER)
    say(place.people.owner, request)
    with pytest.raises(approvals.AlreadyDecided):
        say(place.people.officer, request)
    with pytest.raises(approvals.AlreadyDecided):
        say(place.people.owner, request)
    request.refresh_from_db()
    assert request.state == RequestState.OPEN, "one authority is one word, whoever gives it"
    say(place.people.second_officer, request)
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    settle()


@pytest.mark.parametrize("part", ["requester", "registrant", "modifier"])
@pytest.mark.parametrize("whose", ["delegate", "delegator"])
def test_neither_of_the_two_may_have_a_part(place: Place, part: str, whose: str) -> None:
    session = "arn:aws:sts::222222222222:assumed-role/DataScientist/busy"
    stand_in = person(Role.GOVERNANCE_OFFICER, Role.DATA_SCIENTIST, project=place.project)
    owner = person(Role.MODEL_OWNER, Role.DATA_SCIENTIST, project=place.project)
    involved = stand_in if whose == "delegate" else owner
    values: dict[str, Any] = {}
    if part != "requester":
        registry_people.link_identity(actor=SYSTEM, user=involved, arn=session)
        if part == "registrant":
            values["registrant"] = session
        else:
            values["last_modified_by"] = Identity(session, "", "", "")
    subject = version(group(place.project, place.people), **values)
    asker = involved if part == "requester" else place.people.scientist
    request = approvals.submit(actor=asker.actor, subject_type=ModelVersion, subject_id=subject.pk)
    delegate(place, stand_in, delegator=owner)
    before = fingerprint()
    with pytest.raises(Forbidden):
        say(stand_in, request)
    assert fingerprint() == before
    assert request not in ApprovalRequest.objects.awaiting(fresh(stand_in).actor)


@pytest.mark.parametrize(("starts", "ends"), [(-10, -1), (1, 10)], ids=["over", "not yet"])
def test_only_on_its_days(place: Place, request_: ApprovalRequest, starts: int, ends: int) -> None:
    row = delegate(place, place.people.officer)
    row_values = {"starts_on": TODAY + timedelta(days=starts), "ends_on": TODAY + timedelta(days=ends)}
    # What was written never changes, so a delegation of other days is another row.
    other = Delegation.objects.create(
        delegator=row.delegator,
        delegate=row.delegate,
        role=row.role,
        project=row.project,
        reason="Other days.",
        made_by="test",
        **row_values,
    )
    delegations.revoke(actor=place.people.owner.actor, delegation_id=row.pk)
    with pytest.raises(Forbidden):
        say(place.people.officer, request_)
    with pytest.raises(IntegrityError, match="no delegation in force"), transaction.atomic():
        forge(request_, place.people.officer, place.people.owner, other)


def test_it_ends_when_the_delegator_loses_the_role(place: Place, request_: ApprovalRequest) -> None:
    owner = person(Role.MODEL_OWNER, project=place.project)
    made = delegate(place, place.people.officer, delegator=owner)
    registry_people.revoke(actor=SYSTEM, role=Role.MODEL_OWNER, to=owner, project=place.project)
    with pytest.raises(Forbidden):
        say(place.people.officer, request_)
    with pytest.raises(IntegrityError, match="does not hold the role"), transaction.atomic():
        forge(request_, place.people.officer, owner, made)


def test_a_delegation_is_not_passed_on(place: Place) -> None:
    delegate(place, place.people.officer)
    with pytest.raises(Forbidden):
        delegate(place, place.people.second_officer, delegator=place.people.engineer)
    with pytest.raises(InvalidInput) as refusal:
        delegate(place, place.people.second_officer, delegator=place.people.officer, by=place.people.admin)
    assert "role" in refusal.value.errors


def test_of_another_project_it_counts_for_nothing(place: Place, request_: ApprovalRequest) -> None:
    owner = person(Role.MODEL_OWNER, project=place.project)
    registry_people.grant(actor=SYSTEM, role=Role.MODEL_OWNER, to=owner, project=place.elsewhere)
    registry_people.grant(actor=SYSTEM, role=Role.GOVERNANCE_OFFICER, to=place.people.officer, project=place.elsewhere)
    made = delegate(place, fresh(place.people.officer), delegator=fresh(owner), project=place.elsewhere)
    with pytest.raises(Forbidden):
        say(place.people.officer, request_)
    with pytest.raises(IntegrityError, match="no delegation in force"), transaction.atomic():
        forge(request_, place.people.officer, owner, made)


def test_a_word_for_somebody_without_any_delegation_is_refused_by_the_database(
    place: Place, request_: ApprovalRequest
) -> None:
    with pytest.raises(IntegrityError, match="decision_delegated_as_a_whole"), transaction.atomic():
        forge(request_, place.people.officer, place.people.owner, None)


def forge(request: ApprovalRequest, decider: User, on_behalf_of: User, delegation: Delegation | None) -> None:
    Decision.objects.create(
        request=request,
        decider=decider,
        decider_name="forged",
        on_behalf_of=on_behalf_of,
        delegation=delegation,
        role=Role.MODEL_OWNER,
        verdict=Verdict.APPROVE,
        digest=request.digest,
        requester_id_copy=request.requester_id,
        registrant_id_copy=request.registrant_id,
        modifier_id_copy=request.modifier_id,
    )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"role": Role.DATA_SCIENTIST}, "role"),
        ({"role": Role.GOVERNANCE_OFFICER}, "role"),
        ({"reason": "  "}, "reason"),
        ({"starts_on": TODAY, "ends_on": TODAY - timedelta(days=1)}, "ends_on"),
        ({"starts_on": date(2020, 1, 1), "ends_on": date(2020, 1, 2)}, "ends_on"),
        ({"ends_on": TODAY + timedelta(days=91)}, "ends_on"),
    ],
)
def test_what_cannot_be_delegated(place: Place, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        delegate(place, place.people.officer, **values)
    assert set(refusal.value.errors) == {field}
    assert not Delegation.objects.exists()


@pytest.mark.parametrize("to", ["owner", "stranger", "admin", "inactive", "scientist", "engineer", "auditor"])
def test_to_whom_it_cannot_be_delegated(place: Place, to: str) -> None:
    if to == "inactive":
        stand_in = person(Role.ML_ENGINEER, project=place.project)
        User.objects.filter(pk=stand_in.pk).update(is_active=False)
        stand_in = fresh(stand_in)
    else:
        stand_in = getattr(place.people, to)
    with pytest.raises(InvalidInput) as refusal:
        delegate(place, stand_in)
    assert set(refusal.value.errors) == {"delegate"}


def test_one_delegates_ones_own_role_and_an_ml_admin_that_of_somebody_away(place: Place) -> None:
    with pytest.raises(Forbidden):
        delegate(place, place.people.officer, by=place.people.second_officer)
    made = delegate(place, place.people.officer, by=place.people.admin)
    assert made.made_by == place.people.admin.username


def test_revoked_by_either_of_the_two_and_only_once(place: Place, request_: ApprovalRequest) -> None:
    made = delegate(place, place.people.officer)
    with pytest.raises(NotFound):
        delegations.revoke(actor=place.people.scientist.actor, delegation_id=made.pk)
    with pytest.raises(Forbidden):
        delegations.revoke(actor=place.people.auditor.actor, delegation_id=made.pk)
    delegations.revoke(actor=place.people.officer.actor, delegation_id=made.pk)
    with pytest.raises(WrongState):
        delegations.revoke(actor=place.people.owner.actor, delegation_id=made.pk)
    with pytest.raises(Forbidden):
        say(place.people.officer, request_)
    with pytest.raises(IntegrityError, match="only be revoked"), transaction.atomic():
        Delegation.objects.filter(pk=made.pk).update(revoked_at=None, revoked_by="")


def test_who_may_never_decide_does_not_by_a_delegation_that_was_made_before(
    place: Place, request_: ApprovalRequest
) -> None:
    stand_in = person(Role.MODEL_OWNER, Role.AUDITOR, project=place.project)
    made = delegate(place, stand_in)
    registry_people.revoke(actor=SYSTEM, role=Role.MODEL_OWNER, to=stand_in, project=place.project)
    with pytest.raises(Forbidden):
        say(stand_in, request_)
    with pytest.raises(IntegrityError, match="may never decide"), transaction.atomic():
        forge(request_, fresh(stand_in), place.people.owner, made)
