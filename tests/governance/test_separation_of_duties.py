"""Nobody decides on his own work: in the service, and in the database for whoever goes around it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.choices import Verdict
from governance.models import ApprovalRequest, Decision, PolicyRule, PolicyVersion, StageEvent
from governance.services import approvals
from portal.core.errors import Forbidden
from portal.core.vocabulary import RiskClass, Role, Stage
from registry.aws.records import Identity
from registry.models import AwsAccount, ModelVersion, UseCase, User
from registry.services import people as registry_people
from tests.factories import at_stage, group, person, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import approve_once
from tests.refusals import as_replica, refused
from tests.scene import fingerprint, settle

from .conftest import Place

pytestmark = pytest.mark.django_db
SESSION = "arn:aws:sts::222222222222:assumed-role/DataScientist/somebody"


def ask(by: User, subject: ModelVersion | UseCase) -> ApprovalRequest:
    return approvals.submit(actor=by.actor, subject_type=type(subject), subject_id=subject.pk)


def say(by: User, request: ApprovalRequest, verdict: Verdict = Verdict.APPROVE, comment: str = "Because.") -> Decision:
    return approvals.decide(actor=by.actor, request_id=request.pk, verdict=verdict, comment=comment)


@pytest.fixture
def made(place: Place) -> ModelVersion:
    return version(group(place.project, place.people))


@pytest.mark.parametrize("verdict", Verdict)
def test_no_role_lets_the_requester_decide(place: Place, made: ModelVersion, verdict: Verdict) -> None:
    everything = person(*Role, project=place.project)
    request = ask(everything, made)
    before = fingerprint()
    with pytest.raises(approvals.SelfApproval):
        say(everything, request, verdict)
    assert fingerprint() == before
    assert "yourself" in approvals.refusal_for(everything.actor, request)


@pytest.mark.parametrize("verdict", Verdict)
def test_who_registered_the_version_in_aws_does_not_decide(place: Place, verdict: Verdict) -> None:
    owner = person(Role.MODEL_OWNER, project=place.project)
    registry_people.link_identity(actor=SYSTEM, user=owner, arn=SESSION)
    made = version(group(place.project, place.people), registrant=SESSION)
    assert made.registered_by == owner
    request = ask(place.people.scientist, made)
    assert request.registrant == owner
    with pytest.raises(approvals.SelfApproval):
        say(owner, request, verdict)
    say(place.people.owner, request)
    made.refresh_from_db()
    assert made.stage == Stage.QA


def test_an_identity_linked_after_the_asking_counts_too(place: Place) -> None:
    owner = person(Role.MODEL_OWNER, project=place.project)
    made = version(group(place.project, place.people), registrant=SESSION)
    request = ask(place.people.scientist, made)
    assert request.registrant is None
    registry_people.link_identity(actor=SYSTEM, user=owner, arn=SESSION)
    with pytest.raises(approvals.SelfApproval):
        say(owner, request)


@pytest.mark.parametrize("path", ["", "governance/"], ids=["plain role", "role with a path"])
def test_who_changed_the_version_last_in_aws_does_not_decide(place: Place, settings: Any, path: str) -> None:
    owner = person(Role.MODEL_OWNER, project=place.project)
    of = group(place.project, place.people)
    AwsAccount.objects.filter(pk=of.account_id).update(role_arn=of.account.role_arn.replace("role/", f"role/{path}"))
    made = version(of)
    changed = {"created_at": made.aws_created_at, "metadata": {"validation_auc": "0.80"}}
    version(of, last_modified_by=Identity(SESSION.replace("somebody", owner.username), "", "", ""), **changed)
    # The portal's own write says nothing of who changed the content.
    role = made.group.account.role_arn.split("/")[-1]
    portal = f"arn:aws:sts::111111111111:assumed-role/{role}/portal"
    version(of, last_modified_by=Identity(portal, "", "", ""), **changed)
    request = ask(place.people.scientist, made)
    with pytest.raises(approvals.SelfApproval, match="nobody has linked"):
        say(owner, request)
    registry_people.link_identity(actor=SYSTEM, user=owner, arn=SESSION.replace("somebody", owner.username))
    with pytest.raises(approvals.SelfApproval, match="changed this last"):
        say(owner, request)
    settings.PORTAL_MODIFIER_MAY_DECIDE = True
    say(owner, request)


def test_who_registered_the_use_case_does_not_decide(place: Place) -> None:
    people = place.people
    owner = person(Role.MODEL_OWNER, Role.DATA_SCIENTIST, project=place.project)
    case = use_case(replace(people, scientist=owner), place.project)
    assert case.registered_by == owner
    request = ask(people.scientist, case)
    with pytest.raises(approvals.SelfApproval):
        say(owner, request)
    say(people.owner, request)
    case.refresh_from_db()
    assert case.stage == Stage.DEVELOPMENT


def test_the_system_decides_nothing(place: Place, made: ModelVersion) -> None:
    request = ask(place.people.scientist, made)
    with pytest.raises(Forbidden):
        approvals.decide(actor=SYSTEM, request_id=request.pk, verdict=Verdict.APPROVE)
    with pytest.raises(Forbidden):
        approvals.submit(actor=SYSTEM, subject_type=ModelVersion, subject_id=made.pk)


def test_a_superuser_is_nobody_special(place: Place, made: ModelVersion) -> None:
    request = ask(place.people.scientist, made)
    root = User.objects.create_superuser("root", password="correct horse battery")
    with pytest.raises(Exception, match="no such"):
        say(root, request)


def test_a_role_of_another_project_does_not_count(place: Place, made: ModelVersion) -> None:
    request = ask(place.people.scientist, made)
    visitor = person(Role.AUDITOR, project=place.project)
    registry_people.grant(actor=SYSTEM, role=Role.MODEL_OWNER, to=visitor, project=place.elsewhere)
    with pytest.raises(Forbidden):
        say(visitor, request)


# --- counting


def high_risk_in_qa(place: Place) -> tuple[ModelVersion, ApprovalRequest]:
    made = at_stage(place.people, version(group(place.project, place.people), risk="High"), Stage.QA)
    return made, ask(place.people.scientist, made)


def test_high_risk_takes_two_officers_and_one_twice_is_one(place: Place) -> None:
    made, request = high_risk_in_qa(place)
    say(place.people.officer, request)
    made.refresh_from_db()
    request.refresh_from_db()
    assert (made.stage, made.status, request.state) == ("qa", "pending", "open")
    (still,) = approvals.missing_approvals(request)
    assert (still.role, still.count) == (Role.GOVERNANCE_OFFICER, 1)
    before = fingerprint()
    with pytest.raises(approvals.AlreadyDecided):
        say(place.people.officer, request)
    with pytest.raises(approvals.AlreadyDecided):
        say(place.people.officer, request, Verdict.REJECT)
    assert fingerprint() == before
    say(place.people.second_officer, request)
    made.refresh_from_db()
    assert (made.stage, made.status) == ("pre_production", "pending")
    settle()


def test_one_rejection_outweighs_an_approval(place: Place) -> None:
    made, request = high_risk_in_qa(place)
    say(place.people.officer, request)
    say(place.people.second_officer, request, Verdict.REJECT)
    made.refresh_from_db()
    request.refresh_from_db()
    assert (made.stage, made.status, request.state) == ("development", "rejected", "rejected")
    assert request.decisions.count() == 2


def test_an_unrated_model_counts_as_high(place: Place) -> None:
    made = version(group(place.project, place.people), card_content=None)
    assert made.risk_rating == "unknown"
    request = ask(place.people.scientist, at_stage(place.people, made, Stage.QA))
    assert request.tier == "high"
    assert request.requirements["approvals"] == [{"role": "governance_officer", "count": 2}]


def test_the_use_case_raises_the_tier_of_its_models(place: Place) -> None:
    case = use_case(place.people, place.project, RiskClass.HIGH)
    made = version(group(place.project, place.people, case), risk="Low")
    assert ask(place.people.scientist, at_stage(place.people, made, Stage.QA)).tier == "high"


@pytest.fixture
def mixed_policy(place: Place) -> PolicyVersion:
    """A policy that asks for one owner and one officer from the start."""
    first = PolicyVersion.objects.get(number=1)
    policy = PolicyVersion.objects.create(
        number=3, model_path=first.model_path, use_case_path=first.use_case_path, note="mixed"
    )
    for rule in first.rules.all():
        needs = [{"role": "model_owner", "count": 1}, {"role": "governance_officer", "count": 1}]
        PolicyRule.objects.create(policy=policy, kind=rule.kind, stage=rule.stage, tier=rule.tier, approvals=needs)
    policy.state, policy.published_at = "published", timezone.now()
    policy.save()
    return policy


def test_a_person_with_both_roles_fills_one_of_them(
    place: Place, made: ModelVersion, mixed_policy: PolicyVersion
) -> None:
    both = person(Role.MODEL_OWNER, Role.GOVERNANCE_OFFICER, project=place.project)
    request = ask(place.people.scientist, made)
    assert request.policy == mixed_policy
    first = say(both, request)
    request.refresh_from_db()
    assert request.state == "open"
    assert {first.role, *request.waiting_roles} == {"model_owner", "governance_officer"}
    with pytest.raises(approvals.AlreadyDecided):
        say(both, request)
    # The one role still missing, and not another of the same kind.
    same = place.people.owner if first.role == "model_owner" else place.people.officer
    other = place.people.officer if first.role == "model_owner" else place.people.owner
    say(same, request)
    request.refresh_from_db()
    assert request.state == "open"
    say(other, request)
    made.refresh_from_db()
    assert made.stage == Stage.QA


def test_the_person_with_both_roles_is_counted_where_he_is_missing(
    place: Place, made: ModelVersion, mixed_policy: PolicyVersion
) -> None:
    both = person(Role.MODEL_OWNER, Role.GOVERNANCE_OFFICER, project=place.project)
    request = ask(place.people.scientist, made)
    say(place.people.owner, request)
    assert say(both, request).role == Role.GOVERNANCE_OFFICER
    request.refresh_from_db()
    assert request.state == "approved"


def test_a_request_keeps_the_policy_it_was_made_under(place: Place, made: ModelVersion) -> None:
    request = ask(place.people.scientist, made)
    first = PolicyVersion.objects.get(number=1)
    empty = PolicyVersion.objects.create(number=3, model_path=first.model_path, use_case_path=first.use_case_path)
    empty.state, empty.published_at = "published", timezone.now()
    empty.save()
    say(place.people.owner, request)
    made.refresh_from_db()
    assert made.stage == Stage.QA
    # The new policy has no rules at all, so nothing further can be asked: by name, not by a crash.
    with pytest.raises(approvals.WrongState, match="policy has no rule"):
        ask(place.people.scientist, made)


# --- around the service


def decision_row(request: ApprovalRequest, decider: User, **values: Any) -> Decision:
    return Decision(
        **{
            "request": request,
            "decider": decider,
            "decider_name": decider.username,
            "role": "model_owner",
            "verdict": "approve",
            "digest": request.digest,
            "requester_id_copy": request.requester_id,
            "registrant_id_copy": request.registrant_id,
            **values,
        }
    )


def test_the_database_refuses_a_decision_by_the_requester(place: Place, made: ModelVersion) -> None:
    request = ask(place.people.scientist, made)
    with refused("decision_not_by_requester"):
        decision_row(request, place.people.scientist).save()
    for row in (
        decision_row(request, place.people.scientist, requester_id_copy=place.people.owner.pk),
        decision_row(request, place.people.scientist, requester_id_copy=0),
    ):
        with refused("decision_copies_request"):
            row.save()
        with refused("decision_copies_request"):
            Decision.objects.bulk_create([row])
        with refused("decision_copies_request"), as_replica():
            Decision.objects.bulk_create([row])


def test_the_database_refuses_a_decision_by_the_registrant(place: Place) -> None:
    owner = person(Role.MODEL_OWNER, project=place.project)
    registry_people.link_identity(actor=SYSTEM, user=owner, arn=SESSION)
    request = ask(place.people.scientist, version(group(place.project, place.people), registrant=SESSION))
    with refused("decision_not_by_registrant"):
        decision_row(request, owner).save()
    for forged in (None, place.people.owner.pk):
        with refused("decision_copies_request"):
            decision_row(request, owner, registrant_id_copy=forged).save()


def test_the_database_takes_one_decision_per_person(place: Place) -> None:
    _, request = high_risk_in_qa(place)
    say(place.people.officer, request)
    with refused("decision_once_per_person"):
        decision_row(request, place.people.officer, role="governance_officer").save()


def test_the_database_takes_no_decision_on_a_closed_request(place: Place, made: ModelVersion) -> None:
    request = approve_once(place.people, made)
    assert request.state == "approved"
    with refused("decision_on_open_request"):
        decision_row(request, place.people.officer).save()


def test_the_database_asks_for_a_reason_unless_it_is_an_approval(place: Place, made: ModelVersion) -> None:
    request = ask(place.people.scientist, made)
    for verdict in ("reject", "request_changes"):
        with refused("decision_comment_unless_approving"):
            decision_row(request, place.people.owner, verdict=verdict).save()


def test_a_forged_decision_is_refused_and_one_in_a_role_held_moves_nothing(place: Place, made: ModelVersion) -> None:
    """Somebody with the database's password writes an approval: the version still stands where it stood."""
    request = ask(place.people.scientist, made)
    events = StageEvent.objects.filter(version=made).count()
    with pytest.raises(IntegrityError, match="does not hold the role"), transaction.atomic():
        decision_row(request, place.people.auditor).save()
    decision_row(request, place.people.owner).save()
    made.refresh_from_db()
    assert (made.stage, made.status) == ("development", "pending")
    assert StageEvent.objects.filter(version=made).count() == events
