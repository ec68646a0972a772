"""Attaching, editions, withdrawing: who may, when, and what it does to what is being decided."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import FindingKind, Verdict
from governance.models import AuditEvent, Decision, Evidence, Finding
from governance.selectors import evidence as selectors
from governance.services import approvals, evidence, evidence_store, retirement
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.vocabulary import EvidenceKind
from registry.models import ModelVersion, UseCase
from tests.factories import Cast, cast, person, use_case
from tests.governance.conftest import Place
from tests.scene import fingerprint

from . import files
from .conftest import kept

pytestmark = pytest.mark.django_db
Attach = Callable[..., Evidence]


def test_a_file_is_kept_with_what_pins_it(attach: Attach, subject: UseCase, people: Cast, store: Path) -> None:
    row = attach(subject, title="  Bias by age group ", note="Measured on the holdout.")
    row.refresh_from_db()
    assert row.public_id == f"EV-{row.pk:06d}"
    assert (row.title, row.note, row.filename) == ("Bias by age group", "Measured on the holdout.", "report.pdf")
    assert (row.content_type, row.size) == ("application/pdf", len(files.PDF))
    assert row.sha256 == row.fingerprint == hashlib.sha256(files.PDF).hexdigest()
    assert (row.author, row.author_name) == (people.scientist, people.scientist.username)
    assert (row.edition, row.is_standing, row.subject) == (1, True, subject)
    (stored,) = kept(store)
    assert stored.read_bytes() == files.PDF
    assert "report" not in str(stored.relative_to(store))
    assert stored.stat().st_mode & 0o777 == 0o600
    trail = AuditEvent.objects.filter(table="governance_evidence", object_id=str(row.pk)).get()
    assert trail.actor == f"user:{people.scientist.username}"


def test_the_title_is_the_file_name_unless_given(attach: Attach, model: ModelVersion) -> None:
    assert attach(model).title == "report.pdf"


ROLES = {
    "scientist": True,
    "owner": True,
    "engineer": True,
    "officer": True,
    "admin": False,
    "auditor": False,
}


@pytest.mark.parametrize(("role", "may"), ROLES.items())
@pytest.mark.parametrize("about", ["subject", "model"])
def test_who_may(role: str, may: bool, about: str, attach: Attach, people: Cast, request: Any, store: Path) -> None:
    thing = request.getfixturevalue(about)
    actor = getattr(people, role).actor
    before = fingerprint()
    if may:
        row = attach(thing, actor=actor)
        assert evidence.withdraw(actor=actor, evidence_id=row.pk, reason="Wrong data.").withdrawn_by_name == actor.name
        assert evidence.attaching_refusal(actor, thing) == ""
        return
    assert evidence.attaching_refusal(actor, thing)
    with pytest.raises(Forbidden):
        attach(thing, actor=actor)
    assert fingerprint() == before
    assert not kept(store)
    row = attach(thing)
    with pytest.raises(Forbidden):
        evidence.withdraw(actor=actor, evidence_id=row.pk, reason="No.")


def test_what_one_does_not_see_does_not_exist(attach: Attach, subject: UseCase, people: Cast, store: Path) -> None:
    row = attach(subject)
    for actor in (people.stranger.actor, person().actor):
        with pytest.raises(NotFound):
            attach(subject, actor=actor)
        with pytest.raises(NotFound):
            evidence.withdraw(actor=actor, evidence_id=row.pk, reason="No.")
        with pytest.raises(NotFound):
            selectors.one(actor, row.pk)
        assert not selectors.evidence(actor).exists()
    assert len(kept(store)) == 1


def test_evidence_of_what_one_does_not_see_cannot_be_followed(
    attach: Attach, subject: UseCase, people: Cast, place: Place
) -> None:
    row = attach(subject)
    others = cast(place.elsewhere, place.project)
    theirs = use_case(others, place.elsewhere)
    with pytest.raises(NotFound):
        attach(theirs, actor=others.owner.actor, supersedes=row.pk)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": "x" * 201}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "   "}, "title"),
        ({"note": "x" * 20_001}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"file": files.upload("report.exe", files.EXE)}, "file"),
        ({"file": files.upload("report.pdf", files.HTML)}, "file"),
        ({"file": files.upload("report.pdf", b"")}, "file"),
    ],
)
def test_bad_input_names_its_field_and_keeps_nothing(
    values: dict[str, Any], field: str, attach: Attach, subject: UseCase, store: Path
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        attach(subject, **values)
    assert list(refusal.value.errors) == [field]
    assert not Evidence.objects.exists()
    assert not kept(store)


def test_a_file_over_the_limit_of_the_settings(attach: Attach, subject: UseCase, settings: Any, store: Path) -> None:
    settings.PORTAL_EVIDENCE_MAX_BYTES = len(files.PDF) - 1
    with pytest.raises(InvalidInput, match="cannot be evidence"):
        attach(subject)
    assert not kept(store)
    settings.PORTAL_EVIDENCE_MAX_BYTES = len(files.PDF)
    assert attach(subject).size == len(files.PDF)


def test_an_edition_takes_the_place_of_the_one_before(attach: Attach, subject: UseCase) -> None:
    first = attach(subject, title="Draft")
    second = attach(subject, title="Final", supersedes=first.pk, file=files.upload("r.png", files.PNG))
    third = attach(subject, title="Corrected", supersedes=second.pk)
    first.refresh_from_db()
    second.refresh_from_db()
    assert [row.edition for row in (first, second, third)] == [1, 2, 3]
    assert first.series == second.series == third.series
    assert [row.is_standing for row in (first, second, third)] == [False, False, True]
    assert selectors.standing(subject) == [third]
    with pytest.raises(WrongState, match=third.public_id):
        attach(subject, supersedes=first.pk)


def test_an_edition_is_about_the_same_and_of_the_same_kind(
    attach: Attach, subject: UseCase, model: ModelVersion
) -> None:
    first = attach(subject)
    with pytest.raises(InvalidInput) as refusal:
        attach(model, supersedes=first.pk)
    assert "supersedes" in refusal.value.errors
    with pytest.raises(InvalidInput) as refusal:
        attach(subject, supersedes=first.pk, kind=EvidenceKind.TEST_REPORT)
    assert "kind" in refusal.value.errors
    first.refresh_from_db()
    assert first.is_standing


def test_withdrawn_it_counts_no_more_and_stays(attach: Attach, subject: UseCase, people: Cast, store: Path) -> None:
    first = attach(subject)
    second = attach(subject, supersedes=first.pk)
    row = evidence.withdraw(actor=people.owner.actor, evidence_id=second.pk, reason="  Another data set. ")
    assert (row.withdrawn_by, row.withdrawal_reason) == (people.owner, "Another data set.")
    assert selectors.standing(subject) == [], "an earlier edition does not come back"
    assert selectors.one(people.auditor.actor, second.pk) == second
    assert evidence_store.verified_copy(second).read() == files.PDF
    assert len(kept(store)) == 2
    with pytest.raises(WrongState):
        evidence.withdraw(actor=people.owner.actor, evidence_id=second.pk, reason="Again.")
    third = attach(subject, supersedes=second.pk)
    assert (third.edition, selectors.standing(subject)) == (3, [third])


@pytest.mark.parametrize("reason", ["", "   ", "a\x00b", "x" * 20_001])
def test_a_withdrawal_needs_a_reason(reason: str, attach: Attach, subject: UseCase, people: Cast) -> None:
    row = attach(subject)
    with pytest.raises(InvalidInput) as refusal:
        evidence.withdraw(actor=people.owner.actor, evidence_id=row.pk, reason=reason)
    assert list(refusal.value.errors) == ["reason"]


def test_nothing_changes_once_it_is_retired(attach: Attach, subject: UseCase, people: Cast, store: Path) -> None:
    row = attach(subject)
    retirement.retire(
        actor=people.officer.actor, subject_type=UseCase, subject_id=subject.pk, reason="No longer needed."
    )
    subject.refresh_from_db()
    assert "retired" in evidence.attaching_refusal(people.scientist.actor, subject)
    with pytest.raises(WrongState, match="retired"):
        attach(subject)
    with pytest.raises(WrongState, match="retired"):
        evidence.withdraw(actor=people.owner.actor, evidence_id=row.pk, reason="Late.")
    assert len(kept(store)) == 1


@pytest.mark.parametrize("about", ["subject", "model"])
def test_what_waits_for_a_decision_becomes_outdated(about: str, attach: Attach, people: Cast, request: Any) -> None:
    thing = request.getfixturevalue(about)
    row = attach(thing)
    asked = approvals.submit(actor=people.scientist.actor, subject_type=type(thing), subject_id=thing.pk)
    assert f"bias_report {row.public_id}" in asked.facts["evidence"]
    attach(thing, kind=EvidenceKind.TEST_REPORT)
    asked.refresh_from_db()
    assert asked.state == "outdated"
    again = approvals.submit(actor=people.scientist.actor, subject_type=type(thing), subject_id=thing.pk)
    evidence.withdraw(actor=people.scientist.actor, evidence_id=row.pk, reason="Wrong group.")
    again.refresh_from_db()
    assert again.state == "outdated"
    assert row.public_id in again.closing_note


def test_what_was_approved_is_marked_when_its_evidence_moves(attach: Attach, subject: UseCase, people: Cast) -> None:
    row = attach(subject)
    asked = approvals.submit(actor=people.scientist.actor, subject_type=UseCase, subject_id=subject.pk)
    approvals.decide(actor=people.owner.actor, request_id=asked.pk, verdict=Verdict.APPROVE)
    decided = Decision.objects.get(request=asked)
    assert selectors.decisions_on(row) == [decided]
    evidence.withdraw(actor=people.scientist.actor, evidence_id=row.pk, reason="Wrong group.")
    assert Finding.objects.filter(kind=FindingKind.CONTENT_CHANGED, use_case=subject, state="open").exists()
    row.refresh_from_db()
    assert selectors.decisions_on(row) == [decided], "what it was decided on does not change afterwards"
    later = attach(subject)
    assert selectors.decisions_on(later) == []


def test_a_failed_write_leaves_no_file(
    attach: Attach, subject: UseCase, monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(evidence.binding, "subject_changed", fail)
    with pytest.raises(RuntimeError):
        attach(subject)
    assert not Evidence.objects.exists()
    assert not kept(store)


def test_the_lists(attach: Attach, subject: UseCase, model: ModelVersion, people: Cast) -> None:
    first, other = attach(subject), attach(model)
    second = attach(subject, supersedes=first.pk)
    assert list(selectors.evidence(people.auditor.actor)) == [second, other, first]
    assert list(selectors.everything_about(people.auditor.actor, subject)) == [second, first]
    assert selectors.editions_of(people.auditor.actor, first) == [second, first]
    rows = selectors.evidence(people.auditor.actor)
    assert set(selectors.that_count(rows, counts=True)) == {second, other}
    assert list(selectors.that_count(rows, counts=False)) == [first]
    assert second.added_at <= timezone.now()
