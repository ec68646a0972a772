"""What journeys in the test process stand on: people signed in, acts committed, and complaints heard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from governance.choices import AuditCheckState, RequestState
from governance.models import ApprovalRequest, AuditCheck

from .live import Live
from .pages import Person

pytestmark = pytest.mark.e2e

SignIn = Callable[..., Person]


def test_two_people_act_on_one_database(live: Live, person: SignIn) -> None:
    request = live.world.use_case_request
    owner, officer = person("owner"), person("officer")
    officer.page.goto(f"/approvals/{request.public_id}/")
    expect(officer.page.get_by_text("You cannot decide here")).to_be_visible()
    owner.page.goto(f"/approvals/{request.public_id}/")
    owner.confirm("Approve")
    expect(owner.page.get_by_text("is approved in POC")).to_be_visible()
    assert ApprovalRequest.objects.get(pk=request.pk).state == RequestState.APPROVED


def test_what_a_page_leaves_to_the_worker_is_done_when_told(live: Live, person: SignIn) -> None:
    auditor = person("auditor")
    auditor.page.goto("/audit-trail/")
    auditor.page.get_by_role("button", name="Check what is new").click()
    assert live.work("governance.check_audit_trail") == ["governance.check_audit_trail"]
    assert AuditCheck.objects.latest("pk").state == AuditCheckState.SOUND


def test_what_goes_wrong_behind_a_page_is_heard(live: Live, person: SignIn) -> None:
    auditor = person("auditor")
    auditor.page.goto("/")
    with auditor.page.expect_event("console"):
        auditor.page.evaluate(
            "document.body.append(Object.assign(document.createElement('img'), {src: 'http://x.test/'}))"
        )
    assert any("Content Security Policy" in words for words in auditor.complaints), auditor.complaints
    auditor.complaints.clear()
