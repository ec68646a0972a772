"""Who is told what: by role and part, never of what he may not see, never of what he did himself, and once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import FindingKind, Verdict
from governance.models import Delegation, Notification, Occasion
from governance.services import (
    approvals,
    deadlines,
    delegations,
    findings,
    notifications,
    overrides,
    reminders,
    telling,
)
from governance.services.notifications import tell
from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import NotificationKind, Role, Stage
from registry.models import AwsAccount, Deployment, ModelVersion, User
from registry.services import people as people_services
from tests.factories import at_stage, person, use_case, version
from tests.factories.people import SYSTEM

from .conftest import Place, told

pytestmark = pytest.mark.django_db

K = NotificationKind
CLOCK = Actor.system("clock")
ROLES = ("scientist", "owner", "engineer", "officer", "admin", "auditor", "stranger")
# Kind and what it is about, against whom of one project's people it is told. Nobody of them did it.
MATRIX: dict[tuple[NotificationKind, str], set[str]] = {
    (K.REQUEST_WAITS, "request"): {"owner"},
    (K.REQUEST_DUE_SOON, "request"): {"owner"},
    (K.REQUEST_OVERDUE, "request"): {"owner", "scientist"},
    (K.REQUEST_ESCALATED, "request"): {"officer"},
    (K.REQUEST_PROGRESS, "request"): {"scientist", "owner"},
    (K.REQUEST_APPROVED, "request"): {"scientist", "owner"},
    (K.REQUEST_SENT_BACK, "request"): {"scientist", "owner"},
    (K.REQUEST_LAPSED, "request"): {"scientist"},
    (K.FINDING_OPENED, "finding"): {"officer"},
    (K.FINDING_DUE, "finding"): {"officer"},
    (K.BREAK_GLASS, "finding"): {"officer", "auditor", "owner"},
    (K.SHARE_DRIFT, "finding"): {"engineer", "admin"},
    (K.WRITE_BACK_GIVEN_UP, "finding"): {"engineer", "admin"},
    (K.REVIEW_DUE, "use_case"): {"owner"},
    (K.DEPLOYMENT_FAILED, "deployment"): {"owner", "engineer", "scientist"},
    (K.DEPLOYMENT_DONE, "deployment"): {"owner", "scientist"},
    (K.SYNC_FAILING, "account"): {"admin"},
}


def about(place: Place, what: str) -> Any:
    match what:
        case "request":
            return place.submit()
        case "finding":
            with operation(SYSTEM):
                return findings.observe(FindingKind.MISSING_IN_AWS, place.version, "It is gone.")
        case "use_case":
            return use_case(place.people, place.project)
        case "deployment":
            place.submit()
            return Deployment.objects.create(
                version=place.version, account=place.group.account, region="us-east-1", stage=Stage.QA
            )
        case _:
            return AwsAccount.objects.first()


@pytest.mark.parametrize(("kind", "what"), MATRIX, ids=str)
def test_those_are_told_whom_it_concerns(place: Place, kind: NotificationKind, what: str) -> None:
    row = about(place, what)
    Occasion.objects.all().delete()
    with operation(SYSTEM):
        tell(kind, key="once", about=row, region="us-east-1", failing=3, error="Denied.", state="failed")
    names = {getattr(place.people, role).username: role for role in ROLES}
    names[place.people.second_officer.username] = "officer"
    assert {names[name] for name in told(kind)} == MATRIX[kind, what]


@pytest.mark.parametrize(("kind", "what"), MATRIX, ids=str)
def test_nobody_is_told_of_what_he_may_not_see_or_did_himself(place: Place, kind: NotificationKind, what: str) -> None:
    row = about(place, what)
    with operation(SYSTEM):
        # Whoever is named is told only if he may see it, whatever the kind; one who cannot sign in is not.
        gone = person(Role.GOVERNANCE_OFFICER, project=place.project)
        User.objects.filter(pk=gone.pk).update(is_active=False)
        everybody = [getattr(place.people, role).pk for role in ROLES] + [gone.pk]
        notifications.notify(kind=kind, person_ids=everybody, key="named", title="News", path="/", about=row)
        Occasion.objects.filter(key="named").update(actor_id_copy=place.people.owner.pk)
    telling.tell_due()
    read_by = set(Notification.objects.filter(key="named").values_list("person__username", flat=True))
    assert place.people.stranger.username not in read_by or what == "account"
    assert not {place.people.owner.username, gone.username} & read_by
    if what != "account":
        assert place.people.auditor.username in read_by, "the auditor of the project sees it"


def test_every_kind_is_in_the_matrix_or_tested_below() -> None:
    below = {K.FINDING_ASSIGNED, K.DELEGATION_BEGINS, K.DELEGATION_ENDS, K.PACK_READY, K.WEBHOOK_DISABLED}
    assert {kind for kind, _ in MATRIX} | below == set(K)


def test_a_request_is_told_from_its_beginning_to_its_end(place: Place) -> None:
    people, request = place.people, place.submit()
    assert told() == {people.owner.username: f"Decide on {place.version.name} in Development"}
    Notification.objects.all().delete()
    approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE, comment="Well done.")
    # The owner decided himself, so only who asked is told.
    assert told() == {people.scientist.username: f"{place.version.name} in Development is approved"}
    assert "Well done." in Notification.objects.get().text


def test_what_waited_stops_ringing_when_it_is_over(place: Place) -> None:
    request = place.submit()
    telling.tell_due()
    bell = Notification.objects.filter(person=place.people.owner).unread()
    assert bell.count() == 1
    approvals.withdraw(actor=place.people.scientist.actor, request_id=request.pk, reason="A mistake.")
    telling.tell_due()
    assert Notification.objects.get(kind=K.REQUEST_WAITS).settled_at is not None
    assert [row.kind for row in bell] == [K.REQUEST_LAPSED]
    assert not Notification.objects.filter(person=place.people.scientist).exists(), "he withdrew it himself"


def test_the_first_of_two_approvals_is_told_and_the_second_still_waited_for(place: Place) -> None:
    people = place.people
    risky = at_stage(people, version(place.group, 2, risk="High"), Stage.QA)
    request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=risky.pk)
    Occasion.objects.exclude(key=f"request:{request.pk}:waits").delete()
    assert set(told(K.REQUEST_WAITS)) == {people.officer.username, people.second_officer.username}
    approvals.decide(actor=people.officer.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    # Who asked for it, and whose model group it is.
    assert set(told(K.REQUEST_PROGRESS)) == {people.scientist.username, people.owner.username}
    waits = Notification.objects.filter(kind=K.REQUEST_WAITS)
    assert list(waits.unread().values_list("person__username", flat=True)) == [people.second_officer.username]


def test_one_who_stands_in_is_told_as_if_he_were_the_other(place: Place) -> None:
    stand_in = person(Role.GOVERNANCE_OFFICER, project=place.project)
    today = timezone.now().date()
    row = delegations.delegate(
        actor=place.people.admin.actor,
        delegator=place.people.owner,
        to=stand_in,
        role=Role.MODEL_OWNER,
        project=place.project,
        starts_on=today,
        ends_on=today + timedelta(days=3),
        reason="On leave.",
    )
    begun = told(K.DELEGATION_BEGINS)
    assert set(begun) == {stand_in.username, place.people.owner.username}
    assert begun[stand_in.username].startswith(f"You stand in for {place.people.owner}")
    place.submit()
    assert set(told(K.REQUEST_WAITS)) == {place.people.owner.username, stand_in.username}
    last = timezone.now() + timedelta(days=3)
    for _ in range(2):
        reminders.remind(actor=CLOCK, now=last)
    assert set(told(K.DELEGATION_ENDS, now=last)) == set(begun)
    delegations.revoke(actor=stand_in.actor, delegation_id=row.pk)
    telling.tell_due()
    revoked = Notification.objects.filter(key=f"delegation:{row.pk}:revoked")
    assert [one.person for one in revoked] == [place.people.owner]
    assert Delegation.objects.get(pk=row.pk).revoked_at


def test_time_reminds_then_escalates_and_each_once(place: Place) -> None:
    people, request = place.people, place.submit()
    telling.tell_due()
    for _ in range(2):
        reminders.remind(actor=CLOCK, now=request.due_at - timedelta(hours=25))
    assert told(K.REQUEST_DUE_SOON) == {}
    soon, late = request.due_at - timedelta(hours=23), request.due_at + timedelta(minutes=1)
    for moment in (soon, soon + timedelta(hours=1)):
        reminders.remind(actor=CLOCK, now=moment)
    assert set(told(K.REQUEST_DUE_SOON)) == {people.owner.username}
    deadlines.escalate_due(actor=CLOCK, now=late)
    assert set(told(K.REQUEST_OVERDUE)) == {people.owner.username, people.scientist.username}
    officers = {people.officer.username, people.second_officer.username}
    assert set(told(K.REQUEST_ESCALATED)) == officers
    reminders.remind(actor=CLOCK, now=late + timedelta(hours=47))
    assert set(told(K.REQUEST_ESCALATED)) == officers
    for _ in range(2):
        reminders.remind(actor=CLOCK, now=late + timedelta(hours=48))
    assert set(told(K.REQUEST_ESCALATED)) == {*officers, people.admin.username}
    assert Notification.objects.filter(kind=K.REQUEST_DUE_SOON).count() == 1


def test_a_finding_given_to_somebody_is_told_to_him_alone(place: Place) -> None:
    found = about(place, "finding")
    telling.tell_due()
    findings.assign(actor=place.people.officer.actor, finding_id=found.pk, owner=place.people.engineer)
    assert set(told(K.FINDING_ASSIGNED)) == {place.people.engineer.username}
    findings.assign(actor=place.people.officer.actor, finding_id=found.pk, owner=place.people.officer)
    assert set(told(K.FINDING_ASSIGNED)) == {place.people.engineer.username}, "he gave it to himself"


def test_lesser_findings_are_listed_without_ringing_and_a_flood_is_one_line(place: Place) -> None:
    officer = Notification.objects.filter(person=place.people.officer)
    for number in range(3):
        with operation(SYSTEM):
            findings.observe(FindingKind.CARD_INVALID, place.version, "Field.", mark=f"field {number}")
            findings.observe(FindingKind.RUNNING_REJECTED, place.version, "Runs.", mark=f"place {number}")
        telling.tell_due()
    minor, serious = officer.order_by("is_quiet")[::-1]
    assert (minor.count, minor.is_quiet, minor.in_digest) == (3, True, True)
    assert (serious.count, serious.is_quiet) == (3, False)
    assert serious.title.endswith("3 new findings")
    assert serious.path == "/findings/?kind=running_rejected_or_retired&state=standing"


def test_who_broke_the_glass_is_not_told_of_it(place: Place) -> None:
    case = use_case(place.people, place.project)
    overrides.break_glass(
        actor=place.people.officer.actor,
        subject_type=type(case),
        subject_id=case.pk,
        stage=Stage.PRODUCTION,
        check_key="evidence:risk_assessment",
        reason="It is being written.",
        expires_at=timezone.now() + timedelta(days=5),
    )
    assert set(told(K.BREAK_GLASS)) == {place.people.second_officer.username, place.people.auditor.username}


def test_what_is_retried_or_found_again_is_told_once(place: Place) -> None:
    request = place.submit()
    telling.tell_due()
    with operation(SYSTEM):
        for _ in range(3):
            tell(K.REQUEST_WAITS, key=f"request:{request.pk}:waits", about=request)
    # A worker that died behind its commit, seen by the next one as if nothing had happened.
    Occasion.objects.update(told_at=None)
    telling.tell_due()
    assert Notification.objects.filter(kind=K.REQUEST_WAITS).count() == 1
    assert Occasion.objects.filter(kind=K.REQUEST_WAITS).count() == 1


def test_one_that_cannot_be_told_holds_up_no_other(place: Place) -> None:
    request = place.submit()
    with operation(SYSTEM):
        Occasion.objects.create(kind=K.PACK_READY, key="broken", about="nonsense", about_id=1)
        notifications.notify(
            kind=K.PACK_READY, person_ids=[place.people.auditor.pk], key="pack:1:ready", title="Ready", path="/packs/1/"
        )
    assert telling.tell_due() == 2
    broken = Occasion.objects.get(key="broken")
    assert (broken.told_at, broken.attempts) == (None, 1)
    assert "KeyError" in broken.problem
    pack = Notification.objects.get(kind=K.PACK_READY)
    assert (pack.person, pack.path) == (place.people.auditor, "/packs/1/")
    assert Notification.objects.filter(about_id=request.pk).exists()


def test_who_lost_his_role_meanwhile_is_not_told(place: Place) -> None:
    place.submit()
    people_services.revoke(actor=SYSTEM, role=Role.MODEL_OWNER, to=place.people.owner, project=place.project)
    assert told() == {}
