"""Decisions as people make them: turned down and reworked, raced for by two officers, made without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from governance.choices import RequestState
from governance.models import ApprovalRequest, Decision
from governance.services import approvals
from registry.models import ModelVersion, UseCase
from tests.factories import use_case, version
from tests.factories.people import PASSWORD

from .live import Live
from .pages import Person, violations

pytestmark = pytest.mark.e2e

SignIn = Callable[..., Person]
_MOST_TABS = 60


def asked_about(subject: UseCase | ModelVersion) -> ApprovalRequest:
    """Return the newest request about a subject."""
    return ApprovalRequest.objects.about(subject).latest("pk")


def test_a_use_case_is_submitted_rejected_reworked_and_approved(live: Live, person: SignIn) -> None:
    subject, dana, owner = live.world.draft, person("scientist"), person("owner")
    page = dana.page
    # What it takes is said before anything is asked for.
    page.goto(f"/use-cases/{subject.public_id}/submit/")
    expect(page.get_by_role("heading", name="Who must approve")).to_be_visible()
    expect(page.get_by_text(str(live.world.people.owner)).first).to_be_visible()
    page.get_by_label("Note").fill("The clerk decides.")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("is on its way")).to_be_visible()
    request = asked_about(subject)

    owner.page.goto(f"/approvals/{request.public_id}/")
    owner.page.get_by_role("button", name="Reject", exact=True).click()
    expect(owner.page.get_by_text("A comment is needed unless you approve.")).to_be_visible()
    owner.page.get_by_text("Reasons to pick from").click()
    owner.page.get_by_role("button", name=re.compile("documentation is incomplete")).click()
    owner.confirm("Reject")
    expect(owner.page.get_by_text("Rejected", exact=True).first).to_be_visible()

    page.goto(f"/use-cases/{subject.public_id}/governance/")
    expect(page.get_by_text("The documentation is incomplete.").first).to_be_visible()
    page.goto(f"/use-cases/{subject.public_id}/edit/")
    page.get_by_label("Description").fill("A clerk reads every proposal before it is used.")
    page.get_by_role("button", name="Save").click()
    page.goto(f"/use-cases/{subject.public_id}/submit/")
    # The resubmission starts from the old note, beside what was criticised and what changed since.
    expect(page.get_by_label("Note")).to_have_value("The clerk decides.")
    expect(page.get_by_text("The documentation is incomplete.").first).to_be_visible()
    expect(page.get_by_role("insertion").get_by_text("A clerk reads every proposal")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("is on its way")).to_be_visible()
    owner.page.goto(f"/approvals/{asked_about(subject).public_id}/")
    owner.confirm("Approve")
    expect(owner.page.get_by_text("is approved in POC")).to_be_visible()
    subject.refresh_from_db()
    assert subject.stage == "development"


def test_two_officers_sign_at_once_and_a_third_word_comes_too_late(live: Live, person: SignIn) -> None:
    request = live.world.version_request
    address = f"/approvals/{request.public_id}/"
    officers = [person("officer"), person("second_officer")]
    late = officers[1].context.new_page()
    for page in (*(officer.page for officer in officers), late):
        page.goto(address)
        expect(page.get_by_text("1 of 2)").first).to_be_visible()
    for officer in officers:
        officer.page.get_by_role("button", name="Approve", exact=True).click()
    # Both say yes before either has an answer: each word counts, and the last of them moves it.
    for officer in officers:
        officer.page.get_by_role("dialog").get_by_role("button", name="Yes, approve").click(no_wait_after=True)
    for officer in officers:
        expect(officer.page.get_by_text(re.compile("is recorded|is approved in QA")).first).to_be_visible()
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    assert Decision.objects.filter(request=request).count() == 2

    # The page that stood open since is answered with what happened, and what was typed on it is kept.
    late.get_by_label("Comment").fill("The bias report is too old.")
    late.get_by_role("button", name="Reject", exact=True).click()
    with late.expect_response(lambda answer: answer.request.method == "POST") as answered:
        late.get_by_role("dialog").get_by_role("button", name="Yes, reject").click()
    assert answered.value.status == 409
    expect(late.get_by_role("heading", level=1)).to_contain_text(f"approved {live.world.trial}")
    expect(late.get_by_text(str(live.world.people.officer)).first).to_be_visible()
    expect(late.get_by_text("The bias report is too old.")).to_be_visible()
    assert violations(late) == []
    assert Decision.objects.filter(request=request).count() == 2


def test_a_decision_is_made_without_a_mouse(live: Live, chromium: Browser) -> None:
    people = live.world.people
    for subject in (use_case(people, live.world.project, name="By keyboard"), live.world.fresh):
        approvals.submit(actor=people.scientist.actor, subject_type=type(subject), subject_id=subject.pk)
    before = max(Decision.objects.values_list("pk", flat=True), default=0)
    context = chromium.new_context(base_url=live.url, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/sign-in/")
    _tab_to(page, "input[name=username]")
    page.keyboard.type(people.owner.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    _tab_to(page, "a[href='/approvals/']")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.endswith("/approvals/"))

    rows = page.locator("[data-queue-item]")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/approvals/AR-*/")
    first = page.url

    # A refusal needs words: the key says so and leads to where they are written.
    page.keyboard.press("r")
    expect(page.get_by_label("Comment")).to_be_focused()
    expect(page.get_by_text("A comment is needed unless you approve.")).to_be_visible()
    page.keyboard.press("Escape")
    # The confirmation holds the focus and gives it back.
    page.keyboard.press("a")
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    # What the keys are is one key away.
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("Approve, after a confirmation")).to_be_visible()
    page.keyboard.press("Escape")

    page.keyboard.press("w")
    page.keyboard.type("Approved by keyboard.")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    _tab_to(page, "dialog[open] button[formaction]")
    page.keyboard.press("Enter")
    # On to the next that waits, without going back to the list.
    page.wait_for_url(lambda url: url != first and "/approvals/AR-" in url)
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Yes, approve")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("is approved in").first).to_be_visible()
    made = Decision.objects.filter(decider=people.owner, pk__gt=before).order_by("pk")
    assert [decision.comment for decision in made] == ["Approved by keyboard.", ""]
    context.close()


def test_versions_are_compared_and_a_version_is_read_tab_by_tab(live: Live, person: SignIn) -> None:
    newer = version(live.world.group, 30, risk="Low", metadata={"validation_auc": "0.81", "algorithm": "xgboost"})
    officer = person("officer")
    page = officer.page
    page.goto(f"/model-versions/{newer.pk}/")
    page.get_by_role("link", name="Compare with…").click()
    page.get_by_role("checkbox", name=live.world.trial.name).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("cell", name=re.compile("Best")).first).to_be_visible()
    lines = page.locator(".compare-table tbody tr").count()
    page.get_by_label("Only differences").check()
    expect(page).to_have_url(re.compile("only=differences"))
    expect(page.get_by_text("and not shown").first).to_be_visible()
    assert page.locator(".compare-table tbody tr").count() < lines
    assert violations(page) == []

    page.goto(f"/model-versions/{newer.pk}/")
    page.get_by_role("link", name="Card", exact=True).click()
    expect(page).to_have_url(re.compile(r"/card/$"))
    expect(page.get_by_role("link", name="Card", exact=True)).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("heading", name="Model card", exact=True)).to_be_visible()
    assert "Card" in page.title()
    page.go_back()
    expect(page.get_by_role("link", name="Overview", exact=True)).to_have_attribute("aria-current", "page")


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until what is wanted has the focus."""
    for _ in range(_MOST_TABS):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} cannot be reached by Tab")
