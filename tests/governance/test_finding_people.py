"""What people do about findings: state x verb x role, what they may not say, and what the database keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import FINDING_MOVES, FindingKind, FindingState
from governance.models import AuditEvent, Finding
from governance.selectors import findings as selectors
from governance.services import findings, overrides
from portal.core.errors import DomainError, Forbidden, InvalidInput, NotFound, WrongState
from portal.core.operations import operation
from portal.core.vocabulary import Role, Stage
from registry.models import ModelVersion, User
from tests.factories import Cast, at_stage, group, person, version
from tests.factories.people import SYSTEM
from tests.scene import fingerprint

from .conftest import Place

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate
STATES = [str(state) for state in FindingState]
Verb = Callable[[User, Finding], Finding]
VERBS: dict[str, Verb] = {
    "acknowledge": lambda who, it: findings.acknowledge(actor=who.actor, finding_id=it.pk),
    "assign": lambda who, it: findings.assign(actor=who.actor, finding_id=it.pk, owner=who),
    "set_due": lambda who, it: findings.set_due(actor=who.actor, finding_id=it.pk, due_on=TODAY()),
    "accept": lambda who, it: findings.accept(actor=who.actor, finding_id=it.pk, reason="Known.", until=TODAY()),
    "reopen": lambda who, it: findings.reopen(actor=who.actor, finding_id=it.pk, reason="It did not hold."),
    "resolve": lambda who, it: findings.resolve(actor=who.actor, finding_id=it.pk, note="Mended."),
}
# Where each verb leads to from each state, by hand; what is not here is refused as the wrong moment.
LEADS: dict[tuple[str, str], str] = {
    ("open", "acknowledge"): "acknowledged",
    ("open", "assign"): "open",
    ("open", "set_due"): "open",
    ("open", "accept"): "accepted",
    ("open", "resolve"): "resolved",
    ("acknowledged", "assign"): "acknowledged",
    ("acknowledged", "set_due"): "acknowledged",
    ("acknowledged", "accept"): "accepted",
    ("acknowledged", "resolve"): "resolved",
    ("accepted", "assign"): "accepted",
    ("accepted", "reopen"): "open",
    ("accepted", "resolve"): "resolved",
    ("resolved", "reopen"): "open",
}
OF_AN_OWNER = {"acknowledge", "resolve"}
# Who may: an officer anything, the finding's owner two verbs, the stranger sees nothing.
WHO = ("officer", "owner", "scientist", "model_owner", "engineer", "admin", "auditor", "stranger")


def who(people: Cast, name: str) -> User:
    cast: dict[str, User] = {
        "officer": people.officer,
        "owner": people.engineer,
        "scientist": people.scientist,
        "model_owner": people.owner,
        "engineer": people.engineer,
        "admin": people.admin,
        "auditor": people.auditor,
        "stranger": people.stranger,
    }
    return cast[name]


def a_finding(place: Place, state: str = "open", owner: User | None = None) -> Finding:
    """Open one about a version and bring it into a state."""
    subject = version(group(place.project, place.people))
    officer = place.people.second_officer
    with operation(SYSTEM):
        made = findings.observe(FindingKind.CARD_INVALID, subject, "The card is odd.", {"problems": ["odd"]})
    if state in ("acknowledged", "accepted", "resolved"):
        VERBS[{"acknowledged": "acknowledge", "accepted": "accept", "resolved": "resolve"}[state]](officer, made)
    if owner is not None:
        Finding.objects.exclude(state="resolved").filter(pk=made.pk).update(owner=owner)
    return Finding.objects.get(pk=made.pk)


@pytest.mark.parametrize(("state", "verb"), [*product(STATES, VERBS)])
@pytest.mark.parametrize("role", WHO)
def test_state_by_verb_by_role(place: Place, people: Cast, state: str, verb: str, role: str) -> None:
    actor = who(people, role)
    finding = a_finding(place, state, owner=actor if role == "owner" else None)
    entitled = role == "officer" or (role == "owner" and verb in OF_AN_OWNER and finding.owner_id == actor.pk)
    before, row = fingerprint(), Finding.objects.filter(pk=finding.pk).values().get()
    expected: type[DomainError] | None
    if role == "stranger":
        expected = NotFound
    elif not entitled:
        expected = Forbidden
    else:
        expected = None if (state, verb) in LEADS else WrongState
    if expected is not None:
        with pytest.raises(expected):
            VERBS[verb](actor, finding)
        assert fingerprint() == before
        assert Finding.objects.filter(pk=finding.pk).values().get() == row
        return
    VERBS[verb](actor, finding)
    finding.refresh_from_db()
    assert finding.state == LEADS[state, verb]
    written = AuditEvent.objects.of_object("governance_finding", finding.pk)[0]
    assert written.actor == actor.actor.label


def test_the_table_above_is_the_moves_of_the_vocabulary() -> None:
    moved = {(source, target) for (source, _), target in LEADS.items() if source != target}
    assert moved == {(str(source), str(target)) for source, target in FINDING_MOVES if source}


# --- what may not be said


@pytest.mark.parametrize("days", [-1, 366, 100_000])
@pytest.mark.parametrize("verb", ["accept", "set_due"])
def test_days_that_cannot_be_meant(place: Place, people: Cast, days: int, verb: str) -> None:
    finding = a_finding(place)
    day = TODAY() + timedelta(days=days)
    given = {"reason": "Known.", "until": day} if verb == "accept" else {"due_on": day}
    with pytest.raises(InvalidInput) as refusal:
        getattr(findings, verb)(actor=people.officer.actor, finding_id=finding.pk, **given)
    assert list(refusal.value.errors) == ["until" if verb == "accept" else "due_on"]
    finding.refresh_from_db()
    assert (finding.state, finding.accepted_until) == ("open", None)


def test_a_year_and_today_can(place: Place, people: Cast) -> None:
    for days in (0, 365):
        finding = a_finding(place)
        day = TODAY() + timedelta(days=days)
        findings.set_due(actor=people.officer.actor, finding_id=finding.pk, due_on=day)
        accepted = findings.accept(actor=people.officer.actor, finding_id=finding.pk, reason="Known.", until=day)
        assert (accepted.due_on, accepted.accepted_until) == (day, day)


@pytest.mark.parametrize("words", ["", " \n\t"])
@pytest.mark.parametrize(
    ("verb", "state", "field", "more"),
    [
        ("accept", "open", "reason", {"until": date(2999, 1, 1)}),
        ("reopen", "resolved", "reason", {}),
        ("resolve", "open", "note", {}),
    ],
)
def test_words_are_needed(
    place: Place, people: Cast, verb: str, state: str, field: str, more: dict[str, Any], words: str
) -> None:
    finding = a_finding(place, state)
    with pytest.raises(InvalidInput) as refusal:
        getattr(findings, verb)(actor=people.officer.actor, finding_id=finding.pk, **{field: words}, **more)
    assert list(refusal.value.errors) == [field]


def test_nobody_owns_what_he_cannot_see(place: Place, people: Cast) -> None:
    finding = a_finding(place)
    gone = person(Role.GOVERNANCE_OFFICER, project=place.project)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for nobody in (people.stranger, User.objects.get(pk=gone.pk)):
        with pytest.raises(InvalidInput, match="cannot see"):
            findings.assign(actor=people.officer.actor, finding_id=finding.pk, owner=nobody)
    given = findings.assign(actor=people.officer.actor, finding_id=finding.pk, owner=people.scientist, reason="Yours.")
    assert given.owner == people.scientist
    assert findings.assign(actor=people.officer.actor, finding_id=finding.pk, owner=None).owner is None
    offered = set(selectors.possible_owners(finding))
    assert {people.scientist, people.officer, people.admin} <= offered
    assert people.stranger not in offered


def test_no_system_accepts(place: Place) -> None:
    finding = a_finding(place)
    with pytest.raises(Forbidden, match="by a person"):
        findings.accept(actor=SYSTEM, finding_id=finding.pk, reason="Known.", until=TODAY())


def test_a_resolution_is_not_taken_back_while_a_newer_one_stands(place: Place, people: Cast) -> None:
    old = a_finding(place, "resolved")
    assert old.version is not None
    with operation(SYSTEM):
        new = findings.observe(FindingKind.CARD_INVALID, old.version, "The card is odd again.")
    assert new.pk != old.pk
    with pytest.raises(WrongState, match=new.public_id):
        findings.reopen(actor=people.officer.actor, finding_id=old.pk, reason="It did not hold.")
    findings.resolve(actor=people.officer.actor, finding_id=new.pk, note="Mended.")
    again = findings.reopen(actor=people.officer.actor, finding_id=old.pk, reason="It did not hold.")
    assert (again.state, again.closed_at, again.closing_note, again.due_on) == (
        "open", None, "", TODAY() + timedelta(days=30),
    )  # fmt: skip


def test_whoever_broke_the_glass_does_not_close_the_finding(place: Place, people: Cast) -> None:
    subject = at_stage(people, version(group(place.project, people), risk="High", metrics={}), Stage.QA)
    overrides.break_glass(
        actor=people.officer.actor,
        subject_type=ModelVersion,
        subject_id=subject.pk,
        stage=Stage.QA,
        check_key="evidence:bias_report",
        reason="The report is late.",
        expires_at=timezone.now() + timedelta(days=1),
    )
    finding = Finding.objects.get(version=subject, kind=FindingKind.BREAK_GLASS_USED)
    for verb in ("accept", "resolve"):
        with pytest.raises(Forbidden, match="Somebody else"):
            VERBS[verb](people.officer, finding)
    assert VERBS["resolve"](people.second_officer, finding).state == "resolved"


# --- the history


def test_the_history_says_who_did_what_and_why(place: Place, people: Cast) -> None:
    finding = a_finding(place)
    officer = people.officer
    findings.assign(actor=officer.actor, finding_id=finding.pk, owner=people.engineer, reason="Your pipeline.")
    findings.acknowledge(actor=people.engineer.actor, finding_id=finding.pk)
    findings.set_due(actor=officer.actor, finding_id=finding.pk, due_on=TODAY() + timedelta(days=3), reason="Friday.")
    until = TODAY() + timedelta(days=9)
    findings.accept(actor=officer.actor, finding_id=finding.pk, reason="No harm done.", until=until)
    with operation(SYSTEM):
        findings.end_acceptances(timezone.now() + timedelta(days=10))
    findings.resolve(actor=people.engineer.actor, finding_id=finding.pk, note="Card corrected.")
    findings.reopen(actor=officer.actor, finding_id=finding.pk, reason="It is odd still.")
    told = [(entry.title, entry.person, entry.text) for entry in reversed(selectors.history(finding))]
    assert told == [
        ("Opened", "the portal (test)", "The card is odd."),
        (f"Assigned to {people.engineer}", str(officer), "Your pipeline."),
        ("Taken on", str(people.engineer), ""),
        ("Due date changed", str(officer), "Friday."),
        (f"Accepted until {until}", str(officer), "No harm done."),
        ("The acceptance ended, opened again", "the portal (test)", ""),
        ("Resolved", str(people.engineer), "Card corrected."),
        ("Opened again", str(officer), "It is odd still."),
    ]
