"""The frame by keyboard alone: the palette, single keys and their switch, times, toasts, long work and paper."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from .live import Live
from .pages import Person, violations

pytestmark = pytest.mark.e2e

SignIn = Callable[..., Person]


def _focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.tagName"))


def test_the_palette_finds_opens_and_gives_the_focus_back(live: Live, person: SignIn) -> None:
    page = person("officer").page
    page.goto("/use-cases/")
    link = page.get_by_role("main").get_by_role("link").first
    link.focus()
    before = _focused(page)
    field, dialog = page.get_by_role("combobox", name="Find a thing"), page.locator("#palette")
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(dialog.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    # The focus stays in the dialog, whatever is pressed.
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || Boolean(document.activeElement.closest('#palette'))"
        )
    field.focus()
    page.keyboard.type("modles")
    expect(dialog.get_by_role("option", name=re.compile("models.*us-east-1"))).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    second = dialog.get_by_role("option").nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", second.get_attribute("id") or "")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert _focused(page) == before
    page.keyboard.press("Control+k")
    field.fill(live.world.version_request.public_id)
    expect(dialog.get_by_role("option").first).to_contain_text(live.world.version_request.public_id)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/approvals/{live.world.version_request.public_id}/")
    page.keyboard.press("Control+k")
    field.fill("dark")
    expect(dialog.get_by_role("option", name="Use the dark theme")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_single_keys_go_and_step_but_not_while_one_types_and_not_when_switched_off(live: Live, person: SignIn) -> None:
    page = person("officer").page
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_url("**/use-cases/")
    page.keyboard.press("j")
    first = _focused(page)
    page.keyboard.press("j")
    assert _focused(page) != first
    page.keyboard.press("k")
    assert _focused(page) == first
    page.keyboard.press("/")
    page.keyboard.type("gq?j")
    expect(page.get_by_role("main").get_by_role("searchbox")).to_have_value("gq?j")
    assert "/use-cases/" in page.url
    page.get_by_role("button", name=re.compile("Account of")).click()
    page.get_by_role("button", name="Keyboard shortcuts").first.click()
    page.locator("body").press("Escape")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_timeout(200)
    expect(keys).to_be_hidden()
    assert "/use-cases/" in page.url


def test_times_turn_to_utc_by_key_by_button_and_by_finger(live: Live, person: SignIn) -> None:
    page = person("officer").page
    page.goto(f"/approvals/{live.world.version_request.public_id}/")
    time = page.locator("main time[data-relative]").first
    expect(time).not_to_contain_text("UTC")
    time.click()
    expect(time).to_contain_text("UTC")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("t")
    expect(page.locator("main time[data-relative]", has_text="ago")).to_have_count(0)
    expect(page.get_by_role("button", name="All times in UTC")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(time).to_contain_text("UTC")


def test_a_refused_fragment_says_so_in_a_toast(live: Live, person: SignIn) -> None:
    officer = person("officer")
    page = officer.page
    page.goto("/")
    page.evaluate("htmx.ajax('GET', '/use-cases/UC-9999/', {target: '#announcer'})")
    expect(page.locator("#toasts")).to_contain_text("Not found")
    officer.complaints[:] = [words for words in officer.complaints if "Status Error Code 404" not in words]


def test_long_work_is_asked_for_until_it_is_over_and_goes_on_after_an_outage(live: Live, person: SignIn) -> None:
    auditor = person("auditor")
    page = auditor.page
    page.goto("/audit-trail/")
    page.get_by_role("button", name="Check what is new").click()
    expect(page.locator("[data-working]")).to_contain_text("Checking the audit trail")
    asked: list[str] = []

    def fail(route: Route) -> None:
        asked.append(route.request.url)
        route.abort() if route.request.headers.get("hx-request") else route.continue_()

    page.route("**/audit-trail/", fail)
    expect(page.locator(".working-outage").first).to_be_visible()
    assert asked
    page.unroute("**/audit-trail/")
    live.work("governance.check_audit_trail")
    expect(page.locator("[data-working]")).to_have_count(0)
    expect(page.locator("#standing")).to_contain_text("to entry")
    expect(page.locator("#toasts .notice")).to_have_count(0)
    auditor.complaints[:] = [words for words in auditor.complaints if not re.search("ERR_FAILED|htmx:sendError", words)]


def test_on_paper_there_is_no_frame_and_evidence_has_its_address(live: Live, person: SignIn) -> None:
    page = person("officer").page
    page.goto(f"/use-cases/{live.world.draft.public_id}/tab/evidence/")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert b"/MediaBox [0 0 594.9" in page.pdf(prefer_css_page_size=True)
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.locator(".app-top")).to_be_hidden()
    expect(page.locator(".print-only")).to_contain_text(live.url)
    address = f"{live.url}/evidence/{live.world.evidence.public_id}/"
    expect(page.locator(f"main a[data-url='{address}']").first).to_be_visible()
