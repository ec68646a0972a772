"""People at their browsers: each signs in with a context of his own, and nothing may go wrong behind the page."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Cookie, Page, Response, expect, sync_playwright

PASSWORD = "governance"
PATIENCE_MS = 15_000
SCHEMES = ("light", "dark")
# What Chromium needs as root, and not to look for its maker's hosts.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    # Debian's wrapper asks for it, and without a GPU it is emulated.
    "--disable-gpu-rasterization",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# A refusal is an answer with its status; Chromium reports every such answer on the console as well.
# A fragment nobody waits for any more is given up; of one that did not come, htmx says so in another line as well.
_ANSWERED = re.compile(
    r"Failed to load resource: the server responded with a status of 4\d\d|^htmx:(sendAbort|afterRequest), "
)
# The rules a theme can change the answer of: the rest reads the same document twice.
_OF_COLOUR = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
_RUN_AXE = "([context, options]) => axe.run(context, {resultTypes: ['violations'], ...options}).then(found => found.violations)"
# What stands around every page alike; half of what there is to look at.
_FRAME = (".app-side", ".app-top", ".app-foot", "#shortcuts", "#palette", "#toasts")
# Colours change in the frames after it, one element behind the other that they are inherited from.
_IN_THEME = """scheme => new Promise(done => {
    document.documentElement.dataset.bsTheme = scheme;
    let still = 0, frames = 0;
    const look = () => {
        still = document.getAnimations().some(one => one instanceof CSSTransition) ? 0 : still + 1;
        frames += 1;
        if (still > 3 || frames > 120) done(); else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""


class Person:
    """One person's browser window."""

    def __init__(self, browser: Browser, url: str, username: str, cookie: dict[str, str] | None = None) -> None:
        """Open a window and sign in: by the form, or with the cookie of a session that was made already."""
        self.url = url
        self.username = username
        # Without motion: a colour on its way to another is neither, and nothing is awaited that only moves.
        self.context = browser.new_context(
            base_url=url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("response", self._on_response)
        if cookie is not None:
            self.context.add_cookies([{**cookie, "url": url}])  # type: ignore[list-item]  # a Cookie, as a dict
            return
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

    def cookies(self) -> list[Cookie]:
        return self.context.cookies()

    def confirm(self, button: str) -> None:
        """Press a button of an act of authority, then the one that says yes in its dialog."""
        self.page.get_by_role("button", name=button, exact=True).first.click()
        self.page.get_by_role("dialog").get_by_role("button", name=re.compile(r"^Yes")).click()

    def accessible(self, address: str) -> None:
        """Open a page, wait until its fragments are in, and have axe look at it in light and dark."""
        self.page.goto(address)
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        found = violations(self.page)
        assert not found, f"{address}:\n" + "\n".join(found)


def violations(page: Page, *, frame: bool = True) -> list[str]:
    """Have axe look at the page as it stands, in light and in dark; return theme, rule and node of each violation.

    The theme is switched in place, once: it begins with the one that is shown, and leaves the other. All of axe's rules
    run in the first; in the second those that look at colours, as nothing else in the document differs. Without `frame`
    the sidebar, the bar above and the dialogs of every page are left out.
    """
    context = {"include": [["html"]], "exclude": [] if frame else [[part] for part in _FRAME]}
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    shown = page.evaluate("document.documentElement.dataset.bsTheme")
    complaints = []
    for scheme in sorted(SCHEMES, key=lambda scheme: scheme != shown):
        if scheme != shown:
            page.evaluate(_IN_THEME, scheme)
        found: list[dict[str, Any]] = page.evaluate(_RUN_AXE, [context, {} if scheme == shown else _OF_COLOUR])
        for violation in found:
            for node in violation["nodes"]:
                complaints.append(f"{scheme}: {violation['id']}: {node['html'][:300]}\n    {node['failureSummary']}")
    return complaints


@dataclass(frozen=True)
class Chromium:
    """A started browser, and the event loop its commands run on."""

    browser: Browser
    loop: asyncio.AbstractEventLoop

    def take(self) -> None:
        """Put the loop on this thread, as Playwright left it."""
        asyncio._set_running_loop(self.loop)

    @staticmethod
    def leave() -> None:
        """Take it off, or Django would take the queries of every later test of this process for a coroutine's."""
        asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def chromium_process() -> Iterator[Chromium]:
    """The one headless Chromium of this test process; modules use it through `chromium`."""
    path = os.environ.get("PORTAL_CHROMIUM")
    if not path and not os.environ.get("CI"):
        pytest.skip("NO BROWSER: neither Debian's chromium nor Playwright's could be found or installed")
    with sync_playwright() as playwright:
        started = Chromium(
            playwright.chromium.launch(executable_path=path or None, args=list(_ARGUMENTS)), asyncio.get_running_loop()
        )
        started.leave()
        yield started
        started.take()
        started.browser.close()


@pytest.fixture(scope="module")
def chromium(chromium_process: Chromium) -> Iterator[Browser]:
    """A headless Chromium: the one `make test` found or installed, started once for all modules of this process."""
    chromium_process.take()
    yield chromium_process.browser
    # Django keeps other connections where a loop runs; left open, the next module would meet a dropped database. It
    # closes them there only when told that it may, which a module without a `live` portal has not done.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        connections.close_all()
    chromium_process.leave()
