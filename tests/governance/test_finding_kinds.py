"""Every kind the portal can know of by itself: opens, stays one, is told anew, resolves itself, is accepted for a while.

The kinds are the vocabulary's; one that is neither here nor among those that come with more reading of AWS fails.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.choices import FindingKind, Severity
from governance.models import AuditEvent, Finding
from governance.selectors import sharing
from governance.services import findings, review
from portal.core.vocabulary import Role
from registry.models import User
from tests.factories import person
from tests.factories.people import SYSTEM

from .conftest import Place
from .finding_stories import STORIES as TOLD
from .finding_stories import Described, Story, found
from .isolation_story import NetworkIsolationOff
from .monitor_stories import MonitorMissing, MonitorViolations

pytestmark = pytest.mark.django_db

STORIES = {
    **TOLD,
    FindingKind.MONITOR_MISSING: MonitorMissing,
    FindingKind.MONITOR_VIOLATIONS: MonitorViolations,
    FindingKind.NETWORK_ISOLATION_OFF: NetworkIsolationOff,
}
# Told once, by what happened; only people close them.
TOLD_ONCE = {FindingKind.BREAK_GLASS_USED, FindingKind.EVENT_UNREADABLE}
# Played by the tests of what looks for them.
ELSEWHERE = {
    FindingKind.EVIDENCE_ALTERED,
    FindingKind.UNKNOWN_MODEL_RUNNING,
    *sharing.RULES,
    FindingKind.ARTIFACT_UNREACHABLE,
}
KINDS = sorted(STORIES)


def test_every_kind_is_played() -> None:
    assert set(STORIES) | TOLD_ONCE | ELSEWHERE == set(FindingKind)


def test_every_kind_has_its_severity_and_every_severity_its_days() -> None:
    assert set(findings.SEVERITY) == set(FindingKind)
    assert findings.DAYS_UNTIL_DUE == {
        Severity.CRITICAL: 1,
        Severity.SERIOUS: 7,
        Severity.WARNING: 30,
        Severity.INFO: None,
    }


@pytest.fixture
def story(place: Place, request: pytest.FixtureRequest) -> Story:
    told = STORIES[request.param](place)
    told.kind = request.param
    return told


@pytest.fixture
def officer(place: Place) -> User:
    """An officer everywhere: what belongs to no project is for nobody else."""
    return person(Role.GOVERNANCE_OFFICER)


def only(kind: FindingKind) -> Finding:
    (finding,) = found(kind)
    return finding


def again(story: Story) -> None:
    """Have the same seen once more."""
    if isinstance(story, Described):
        story.take()
    story.look()


def per_kind(function: object) -> object:
    cases = [pytest.param(kind, kind, id=kind.value) for kind in KINDS]
    return pytest.mark.parametrize(("story", "kind"), cases, indirect=["story"])(function)  # type: ignore[arg-type]


@per_kind
def test_it_opens_stays_one_is_told_anew_and_resolves_itself(story: Story, kind: FindingKind) -> None:
    story.look(at_everything=True)
    assert not found(kind), "nothing is wrong yet"
    story.cause()
    story.look(at_everything=True)
    first = only(kind)
    assert (first.state, first.severity, first.owner) == ("open", findings.SEVERITY[kind], None)
    days = findings.DAYS_UNTIL_DUE[findings.SEVERITY[kind]]
    assert first.due_on in ({None} if days is None else {first.first_seen_at.date() + timedelta(days=days),
                                                         story.now.date() + timedelta(days=days)})  # fmt: skip
    assert first.summary

    again(story)
    second = only(kind)
    assert (second.pk, second.state, second.summary) == (first.pk, "open", first.summary)
    assert second.last_seen_at > first.last_seen_at

    story.change()
    again(story)
    third = only(kind)
    assert third.pk == first.pk
    assert ((third.summary, third.evidence) != (first.summary, first.evidence)) is story.told

    story.mend()
    story.look(at_everything=True)
    ended = only(kind)
    assert (ended.state, bool(ended.closed_at), bool(ended.closing_note)) == ("resolved", True, True)
    last = AuditEvent.objects.of_object("governance_finding", ended.pk)[0]
    assert last.actor
    assert last.changes["state"] == ["open", "resolved"]


@per_kind
def test_accepted_it_stays_accepted_until_its_day_and_opens_again(
    story: Story, kind: FindingKind, officer: User
) -> None:
    story.cause()
    story.look()
    finding = only(kind)
    until = (story.now + timedelta(days=10)).date()
    findings.accept(actor=officer.actor, finding_id=finding.pk, reason="Known.", until=until)
    again(story)
    story.change()
    again(story)
    finding = only(kind)
    assert (finding.state, finding.accepted_by, finding.accepted_until) == ("accepted", officer, until)

    story.now += timedelta(days=10)
    story.look()
    assert only(kind).state == "accepted", "through the day itself"
    story.now += timedelta(days=1)
    reviewed = story.look()
    finding = only(kind)
    assert reviewed.reopened == 1
    assert (finding.state, finding.accepted_by, finding.accepted_until, finding.acceptance_reason) == (
        "open", None, None, "",
    )  # fmt: skip
    days = findings.DAYS_UNTIL_DUE[Severity(finding.severity)]
    assert finding.due_on == (story.now.date() + timedelta(days=days) if days else None)


@per_kind
def test_accepted_it_resolves_itself_when_reality_agrees(story: Story, kind: FindingKind, officer: User) -> None:
    story.cause()
    story.look()
    until = (story.now + timedelta(days=10)).date()
    findings.accept(actor=officer.actor, finding_id=only(kind).pk, reason="Known.", until=until)
    story.mend()
    story.look()
    ended = only(kind)
    assert (ended.state, ended.accepted_until, ended.acceptance_reason) == ("resolved", None, "")


@per_kind
def test_resolved_by_hand_it_opens_as_another_while_reality_disagrees(
    story: Story, kind: FindingKind, officer: User
) -> None:
    story.cause()
    story.look()
    first = only(kind)
    findings.resolve(actor=officer.actor, finding_id=first.pk, note="Surely mended.")
    again(story)
    old, new = found(kind)
    assert (old.pk, old.state, old.closing_note) == (first.pk, "resolved", "Surely mended.")
    assert new.state == "open"


@per_kind
def test_reviewed_twice_nothing_changes_the_second_time(story: Story, kind: FindingKind) -> None:
    story.cause()
    story.look()
    story.look(at_everything=True)
    assert only(kind).state == "open"
    written = AuditEvent.objects.count()
    reviewed = review.review_all(actor=SYSTEM, now=story.now)
    assert reviewed == review.Reviewed()
    assert AuditEvent.objects.count() == written
    story.mend()
    story.look(at_everything=True)
    written = AuditEvent.objects.count()
    assert story.look(at_everything=True) == review.Reviewed()
    assert AuditEvent.objects.count() == written
