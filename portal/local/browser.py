"""Find a Chromium for the browser tests, or try to install one.

The tests take its path from PORTAL_CHROMIUM. Without one they are skipped, and loudly; under CI=true that
is a failure instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
INSTALL_SECONDS = 300


class BrowserMissing(Exception):
    """There is no Chromium and none could be installed, where one is required."""


def find_or_install(environ: Mapping[str, str]) -> Path | None:
    """Return the path of a Chromium that starts, or None after saying why on standard error.

    Looks at PORTAL_CHROMIUM, then at the system's, then tries `apt-get install chromium` as root, then
    Playwright's own download. Raises BrowserMissing when PORTAL_CHROMIUM is wrong, or when there is none and
    CI is true.
    """
    if given := environ.get("PORTAL_CHROMIUM"):
        if works(Path(given)):
            return Path(given)
        raise BrowserMissing(f"PORTAL_CHROMIUM={given} is no Chromium that starts. Correct it, or unset it.")
    reasons: list[str] = []
    for place in (_system(), _playwright()):
        for path in place:
            if works(path):
                return path
            reasons.append(f"{path} does not start")
    for install in (_install_with_apt, _install_with_playwright):
        reason = install()
        if reason is None:
            found = next((path for place in (_system(), _playwright()) for path in place if works(path)), None)
            if found:
                return found
            reason = f"{install.__name__.lstrip('_')} ended well, but no Chromium starts"
        reasons.append(reason)
    why = "There is no Chromium for the browser tests: " + "; ".join(reasons) + "."
    if environ.get("CI", "").lower() in {"true", "1"}:
        raise BrowserMissing(f"{why} Under CI=true they may not be skipped: install Debian's chromium package.")
    line = "!" * 100
    print(f"{line}\n{why}\nTHE BROWSER TESTS WILL BE SKIPPED.\n{line}", file=sys.stderr, flush=True)
    return None


def works(path: Path) -> bool:
    """Tell whether this program starts and tells its version."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _system() -> Iterator[Path]:
    for name in NAMES:
        if path := shutil.which(name):
            yield Path(path)


def _playwright() -> Iterator[Path]:
    """Yield where Playwright keeps its own Chromium, once downloaded."""
    script = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    path = Path(done.stdout.strip() or "/nowhere")
    if done.returncode == 0 and path.is_file():
        yield path


def _install_with_apt() -> str | None:
    """Install Debian's package; return why it did not work, or None."""
    if os.geteuid() != 0:
        return "apt-get needs root"
    if not shutil.which("apt-get"):
        return "this system has no apt-get"
    print("Installing chromium with apt-get for the browser tests", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "-qq", "-y", "--no-install-recommends", "install", "chromium"]
    # The package lists of a fresh image are empty or old, so a first failure says little.
    for argv in (install, ["apt-get", "-qq", "-y", "update"], install):
        code, said = _try(argv, environment)
        if code == 0 and argv is install:
            return None
    return f"apt-get install chromium failed ({said})"


def _install_with_playwright() -> str | None:
    """Have Playwright download its own; return why it did not work, or None."""
    print("Downloading Playwright's Chromium for the browser tests", file=sys.stderr, flush=True)
    code, said = _try([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))
    return f"playwright install chromium failed ({said})" if code else None


def _try(argv: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a command; return its exit code and the last line it said."""
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"no end after {INSTALL_SECONDS} s"
    except OSError as error:
        return 1, str(error)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode, lines[-1][:200] if lines else ""
