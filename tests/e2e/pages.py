"""People at their browsers: each signs in with a context of his own, and nothing may go wrong behind the page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from .conftest import PASSWORD, StartedPortal

PATIENCE_MS = 15_000
# What Chromium needs as root, and not to look for its maker's hosts.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# A refusal is an answer with its status; Chromium reports every such answer on the console as well.
_ANSWERED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


class Person:
    """One person's browser window."""

    def __init__(self, browser: Browser, portal: StartedPortal, username: str) -> None:
        self.portal = portal
        self.context = browser.new_context(base_url=portal.url, viewport={"width": 1440, "height": 900})
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("response", self._on_response)
        self.page.goto("/sign-in/")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _ANSWERED.search(message.text):
            self.complaints.append(f"console: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")

    def confirm(self, button: str) -> None:
        """Press a button of an act of authority, then the one that says yes in its dialog."""
        self.page.get_by_role("button", name=button, exact=True).first.click()
        self.page.get_by_role("dialog").get_by_role("button", name=re.compile(r"^Yes")).click()

    def accessible(self, address: str) -> None:
        """Open a page and have axe look at it, light and dark."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.page.goto(address)
            expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
            found = Axe().run(self.page)
            assert found.violations_count == 0, f"{address} in {scheme}:\n{found.generate_report()}"
        self.page.emulate_media(color_scheme="light")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium: the one `make test` found or installed.

    Playwright is stopped behind the module: its event loop stays on this thread until then, and Django would take
    the queries of every later test of this process for those of a coroutine.
    """
    path = os.environ.get("PORTAL_CHROMIUM")
    if not path and not os.environ.get("CI"):
        pytest.skip("NO BROWSER: neither Debian's chromium nor Playwright's could be found or installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path or None, args=list(_ARGUMENTS))
        yield browser
        browser.close()
