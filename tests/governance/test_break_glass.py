"""A failing rule overridden in full view: who may, for how long, and what it does not override."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.choices import FindingKind, Verdict
from governance.models import ApprovalRequest, Finding, Override
from governance.services import approvals, overrides
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.vocabulary import Role, Stage
from registry.models import ModelVersion, User
from registry.services import people as registry_people
from tests.factories import at_stage, group, person, version
from tests.factories.people import SYSTEM
from tests.scene import fingerprint, settle

from .conftest import Place

pytestmark = pytest.mark.django_db
BIAS = "evidence:bias_report"


@pytest.fixture
def lacking(place: Place) -> ModelVersion:
    """A high-risk version in QA without bias report: the shipped policy asks for one there."""
    made = version(group(place.project, place.people), risk="High", metrics={})
    return at_stage(place.people, made, Stage.QA)


@pytest.fixture
def asked(place: Place, lacking: ModelVersion) -> ApprovalRequest:
    return approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=lacking.pk)


def break_glass(by: User, subject: ModelVersion, key: str = BIAS, **values: Any) -> Override:
    return overrides.break_glass(
        actor=by.actor,
        subject_type=ModelVersion,
        subject_id=subject.pk,
        **{
            "stage": Stage.QA,
            "check_key": key,
            "reason": "The report is late; the model replaces one that fails.",
            "expires_at": timezone.now() + timedelta(days=3),
            **values,
        },
    )


def unmet(request: ApprovalRequest) -> set[str]:
    return {check.key for check in approvals.checks_of(request) if not check.holds}


def test_what_the_policy_asks_for_must_be_there(place: Place, asked: ApprovalRequest) -> None:
    before = fingerprint()
    with pytest.raises(approvals.RequirementsUnmet) as refusal:
        approvals.decide(actor=place.people.officer.actor, request_id=asked.pk, verdict=Verdict.APPROVE)
    assert BIAS in refusal.value.errors
    assert set(refusal.value.errors) == unmet(asked)
    assert fingerprint() == before


def test_refusing_needs_no_evidence(place: Place, asked: ApprovalRequest) -> None:
    approvals.decide(
        actor=place.people.officer.actor, request_id=asked.pk, verdict=Verdict.REQUEST_CHANGES, comment="No report."
    )
    asked.refresh_from_db()
    assert asked.state == "changes_requested"


def test_overridden_the_version_may_be_approved_and_a_finding_says_so(
    place: Place, lacking: ModelVersion, asked: ApprovalRequest
) -> None:
    people = place.people
    keys = sorted(unmet(asked))
    for key in keys:
        break_glass(people.officer, lacking, key)
    assert not unmet(asked)
    found = Finding.objects.filter(kind=FindingKind.BREAK_GLASS_USED, version=lacking)
    assert sorted((row.state, row.evidence["check"]) for row in found) == [("open", key) for key in keys]
    for officer in (people.officer, people.second_officer):
        approvals.decide(actor=officer.actor, request_id=asked.pk, verdict=Verdict.APPROVE)
    lacking.refresh_from_db()
    assert lacking.stage == Stage.PRE_PRODUCTION
    settle()


def test_an_expired_or_revoked_override_counts_no_more(
    place: Place, lacking: ModelVersion, asked: ApprovalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = break_glass(place.people.officer, lacking)
    assert BIAS not in unmet(asked)
    with monkeypatch.context() as later:
        later.setattr(timezone, "now", lambda: row.expires_at + timedelta(seconds=1))
        assert BIAS in unmet(asked)
        with pytest.raises(WrongState):
            overrides.revoke(actor=place.people.officer.actor, override_id=row.pk)
    overrides.revoke(actor=place.people.second_officer.actor, override_id=row.pk)
    assert BIAS in unmet(asked)
    with pytest.raises(WrongState):
        overrides.revoke(actor=place.people.officer.actor, override_id=row.pk)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GOVERNANCE_OFFICER])
def test_only_officers_break_glass(place: Place, lacking: ModelVersion, role: Role) -> None:
    with pytest.raises(Forbidden):
        break_glass(person(role, project=place.project), lacking)
    assert not Override.objects.exists()


def test_hidden_is_not_found(place: Place, lacking: ModelVersion) -> None:
    with pytest.raises(NotFound):
        break_glass(place.people.stranger, lacking)


@pytest.mark.parametrize("part", ["requester", "registrant"])
def test_nobody_breaks_glass_for_himself(place: Place, part: str) -> None:
    session = "arn:aws:sts::222222222222:assumed-role/DataScientist/hasty"
    officer = person(Role.GOVERNANCE_OFFICER, Role.DATA_SCIENTIST, project=place.project)
    if part == "registrant":
        registry_people.link_identity(actor=SYSTEM, user=officer, arn=session)
    subject = at_stage(
        place.people,
        version(group(place.project, place.people), risk="High", metrics={}, registrant=session),
        Stage.QA,
    )
    if part == "requester":
        approvals.submit(actor=officer.actor, subject_type=ModelVersion, subject_id=subject.pk)
    with pytest.raises(approvals.SelfApproval):
        break_glass(officer, subject)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"key": "evidence:nonsense"}, "check"),
        ({"key": "separation_of_duties"}, "check"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expires_at"),
        ({"expires_at": timezone.now() + timedelta(days=31)}, "expires_at"),
        ({"stage": Stage.RETIRED}, "stage"),
    ],
)
def test_what_it_must_say(place: Place, lacking: ModelVersion, values: dict[str, Any], field: str) -> None:
    key = values.pop("key", BIAS)
    with pytest.raises(InvalidInput) as refusal:
        break_glass(place.people.officer, lacking, key, **values)
    assert field in refusal.value.errors
    assert not Override.objects.exists()


def test_a_check_that_passes_or_is_overridden_is_not_overridden(place: Place, lacking: ModelVersion) -> None:
    with pytest.raises(WrongState, match="passes"):
        break_glass(place.people.officer, lacking, "evidence:model_card")
    break_glass(place.people.officer, lacking)
    with pytest.raises(WrongState, match="already"):
        break_glass(place.people.second_officer, lacking)


def test_an_override_is_written_once(place: Place, lacking: ModelVersion) -> None:
    row = break_glass(place.people.officer, lacking)
    with pytest.raises(IntegrityError, match="only be revoked"), transaction.atomic():
        Override.objects.filter(pk=row.pk).update(expires_at=timezone.now() + timedelta(days=900))
    with pytest.raises(IntegrityError, match="history"), transaction.atomic():
        Override.objects.filter(pk=row.pk).delete()
