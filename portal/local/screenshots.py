"""Take the pictures of docs/images: the main pages of a running portal, as the people see them whom they are for.

    python -m portal.local.screenshots [http://127.0.0.1:8000] [--only NAME...] [--to DIRECTORY]

`make screenshots` runs it. The portal must be running with the demo's company (`make up`); nothing is started but a
browser, which ends with it. A picture is of what stands above the fold, so that it stays small.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from portal.local.browser import BrowserMissing, find_or_install
from portal.local.demo_users import DEMO_PASSWORD
from portal.local.home import PROJECT

LARGEST_BYTES = 300_000
WIDE = (1360, 850)


@dataclass(frozen=True)
class Picture:
    """One picture: whose page, where it begins, and what leads from there to the page that is shown.

    `find` gets the page of `path` and returns the address of the page itself; without it, `path` is the page. `at` is
    what the picture begins with, by its selector, where that is not the top.
    """

    name: str
    person: str
    path: str
    find: Callable[[Page], str] | None = None
    dark: bool = False
    at: str = ""
    size: tuple[int, int] = WIDE


def row_with(words: str) -> Callable[[Page], str]:
    """Return what finds the first link in the table's row that holds these words."""

    def find(page: Page) -> str:
        row = page.locator("main table tbody tr", has_text=words).first
        return str(row.locator("a[href]").first.get_attribute("href", timeout=5000))

    return find


def compared(words: str) -> Callable[[Page], str]:
    """Return what finds the page that compares the three newest versions of a group."""

    def find(page: Page) -> str:
        rows = page.locator("main table tbody tr", has_text=words).all()[:3]
        links = [str(row.locator('a[href*="/model-versions/"]').first.get_attribute("href")) for row in rows]
        chosen = "&".join(f"v={key[1]}" for link in links if (key := re.search(r"/model-versions/(\d+)/", link)))
        return f"/model-versions/compare/?{chosen}"

    return find


def part_of(words: str, part: str) -> Callable[[Page], str]:
    """Return what finds one part of the page of the version of that name."""
    version = row_with(words)
    return lambda page: f"{version(page)}{part}/"


_NAMED = "/model-versions/?q=credit-risk"

PICTURES: tuple[Picture, ...] = (
    Picture("my-work", "governance.officer", "/"),
    Picture("my-work-scientist", "data.scientist", "/"),
    Picture("queue", "governance.officer", "/approvals/"),
    Picture("queue-dark", "governance.officer", "/approvals/", dark=True),
    Picture("decision", "governance.officer", "/approvals/", row_with("damage-cost")),
    Picture("decision-dark", "governance.officer", "/approvals/", row_with("damage-cost"), dark=True),
    Picture("use-case", "governance.officer", "/use-cases/?q=fraud+detection", row_with("fraud detection")),
    Picture("version", "data.scientist", "/model-versions/?q=card-fraud-online", row_with("card-fraud-online/8")),
    Picture("compare", "data.scientist", "/model-versions/?q=card-fraud-online", compared("card-fraud-online")),
    Picture("version-monitoring", "governance.officer", _NAMED, part_of("credit-risk/4", "monitoring")),
    Picture("version-lineage", "auditor", _NAMED, part_of("credit-risk/4", "lineage"), at="#version-aws-lineage"),
    Picture("version-bias", "governance.officer", _NAMED, part_of("credit-risk/5", "bias")),
    Picture("version-pipeline", "data.scientist", _NAMED, part_of("credit-risk/5", "pipeline")),
    Picture("decision-pipeline", "model.owner", "/approvals/", row_with("credit-risk/5")),
    Picture("model-dashboard", "governance.officer", "/model-dashboard/?q=card-fraud"),
    Picture("model-dashboard-dark", "governance.officer", "/model-dashboard/?q=card-fraud", dark=True),
    Picture("endpoint", "ml.engineer", "/endpoints/?q=credit-risk-live", row_with("credit-risk-live")),
    Picture("model-card", "auditor", "/model-cards/", row_with("credit-risk-scoring")),
    Picture("dashboard", "governance.officer", "/dashboard/"),
    Picture("dashboard-dark", "governance.officer", "/dashboard/", dark=True),
    Picture("stage-table", "auditor", "/stage-table/"),
    Picture("findings", "governance.officer", "/findings/"),
    Picture("audit", "auditor", "/audit-trail/"),
    Picture("audit-packs", "auditor", "/audit-packs/"),
    Picture("accounts", "ml.admin", "/accounts/"),
)


class NotTaken(Exception):
    """The portal does not answer, or a page is not what it should be."""


def main(argv: Sequence[str] | None = None) -> int:
    """Take the pictures; returns 1 when one could not be taken, with the reason on standard error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000", help="where the portal answers")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these pictures only")
    parser.add_argument("--to", type=Path, default=PROJECT / "docs" / "images", help="the directory to write into")
    arguments = parser.parse_args(argv)
    wanted = [picture for picture in PICTURES if arguments.only is None or picture.name in arguments.only]
    try:
        _take(wanted, arguments.url, arguments.to)
    except (NotTaken, BrowserMissing, PlaywrightError) as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


def _take(pictures: Sequence[Picture], url: str, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    chromium = find_or_install(os.environ)
    if chromium is None:
        raise NotTaken("there is no browser to take them with; the reason stands above.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-background-networking"]
        )
        try:
            for picture in pictures:
                with _signed_in(browser, url, picture) as page:
                    size = _picture(page, url, picture, to / f"{picture.name}.png")
                print(f"{picture.name}.png  {size / 1000:.0f} kB", flush=True)
        finally:
            browser.close()


@contextmanager
def _signed_in(browser: Browser, url: str, picture: Picture) -> Iterator[Page]:
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if picture.dark else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    try:
        page = context.new_page()
        answer = page.goto(urljoin(url, "/sign-in/"))
        if answer is None or not answer.ok:
            raise NotTaken(f"{url} does not answer as the portal; start it with make up.")
        page.locator("#id_username").fill(picture.person)
        page.locator("#id_password").fill(DEMO_PASSWORD)
        page.locator("main form button[type=submit], form button[type=submit]").first.click()
        page.wait_for_url(lambda address: "/sign-in/" not in address, timeout=15_000)
        yield page
    finally:
        context.close()


def _picture(page: Page, url: str, picture: Picture, path: Path) -> int:
    """Write one picture and return its size in bytes."""
    _open(page, urljoin(url, picture.path), picture)
    if picture.find is not None:
        _open(page, urljoin(url, picture.find(page)), picture)
    if picture.at:
        page.locator(picture.at).first.evaluate("part => part.scrollIntoView()")
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise NotTaken(f"{path.name} has {size} bytes, more than {LARGEST_BYTES}. Make its viewport smaller.")
    return size


def _open(page: Page, address: str, picture: Picture) -> None:
    answer = page.goto(address)
    if answer is None or not answer.ok:
        raise NotTaken(f"{picture.name}: {address} answers {answer.status if answer else 'nothing'}.")
    # Panels and figures come with requests of their own.
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")


if __name__ == "__main__":
    sys.exit(main())
