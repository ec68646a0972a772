"""A request nobody decides closes itself, and nothing else happens to its subject."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.choices import Verdict
from governance.services import approvals, deadlines
from governance.tasks import expire_requests
from portal.core.actors import Actor
from registry.models import ModelVersion
from tests.factories import group, version

from .conftest import Place

pytestmark = pytest.mark.django_db

CLOCK = Actor.system("clock")


@pytest.fixture
def asked(place: Place) -> ModelVersion:
    return version(group(place.project, place.people))


def test_a_request_expires_at_its_time_and_not_before(place: Place, asked: ModelVersion) -> None:
    request = approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=asked.pk)
    before, after = request.expires_at - timedelta(seconds=1), request.expires_at
    assert deadlines.expire_due(actor=CLOCK, now=before) == []
    assert [row.pk for row in deadlines.expire_due(actor=CLOCK, now=after)] == [request.pk]
    request.refresh_from_db()
    assert (request.state, request.waiting_roles) == ("expired", [])
    assert request.closed_at is not None
    asked.refresh_from_db()
    assert (asked.stage, asked.status) == ("development", "pending")
    assert deadlines.expire_due(actor=CLOCK, now=after) == []


def test_an_expired_request_takes_no_decision_and_may_be_asked_anew(place: Place, asked: ModelVersion) -> None:
    scientist, owner = place.people.scientist.actor, place.people.owner.actor
    request = approvals.submit(actor=scientist, subject_type=ModelVersion, subject_id=asked.pk)
    deadlines.expire_due(actor=CLOCK, now=request.expires_at)
    with pytest.raises(approvals.RequestClosed):
        approvals.decide(actor=owner, request_id=request.pk, verdict=Verdict.APPROVE)
    again = approvals.submit(actor=scientist, subject_type=ModelVersion, subject_id=asked.pk)
    approvals.decide(actor=owner, request_id=again.pk, verdict=Verdict.APPROVE)
    asked.refresh_from_db()
    assert asked.stage == "qa"


def test_a_decided_request_does_not_expire(place: Place, asked: ModelVersion) -> None:
    request = approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=asked.pk)
    approvals.decide(actor=place.people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    assert deadlines.expire_due(actor=CLOCK, now=request.expires_at) == []


def test_the_clock_leaves_alone_what_still_has_time(place: Place, asked: ModelVersion) -> None:
    request = approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=asked.pk)
    expire_requests()
    request.refresh_from_db()
    assert request.state == "open"


def test_nobody_decides_between_the_expiry_and_the_clock(
    place: Place, asked: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=asked.pk)
    monkeypatch.setattr(approvals.timezone, "now", lambda: request.expires_at)
    with pytest.raises(approvals.RequestClosed, match="expired"):
        approvals.decide(actor=place.people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    asked.refresh_from_db()
    assert asked.stage == "development"
