"""Finding Chromium: what is given, what is there, and how loudly its absence is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.local import browser


def program(path: Path, code: int = 0) -> Path:
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_a_given_browser_is_used_when_it_starts(tmp_path: Path) -> None:
    good = program(tmp_path / "good")
    assert browser.find_or_install({"PORTAL_CHROMIUM": str(good)}) == good
    for bad in (program(tmp_path / "bad", 1), tmp_path / "missing"):
        with pytest.raises(browser.BrowserMissing, match="PORTAL_CHROMIUM"):
            browser.find_or_install({"PORTAL_CHROMIUM": str(bad)})


def test_the_systems_own_is_found_without_installing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    chromium = program(tmp_path / "chromium")
    assert browser.find_or_install({}) == chromium


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "_system", lambda: iter(()))
    monkeypatch.setattr(browser, "_playwright", lambda: iter(()))
    monkeypatch.setattr(browser, "_install_with_apt", lambda: "apt-get needs root")
    monkeypatch.setattr(browser, "_install_with_playwright", lambda: "no network")


@pytest.mark.usefixtures("nowhere")
def test_absence_is_loud(capsys: pytest.CaptureFixture[str]) -> None:
    assert browser.find_or_install({}) is None
    said = capsys.readouterr().err
    assert "apt-get needs root; no network" in said
    assert "WILL BE SKIPPED" in said


@pytest.mark.usefixtures("nowhere")
def test_absence_is_a_failure_under_ci() -> None:
    with pytest.raises(browser.BrowserMissing, match="apt-get needs root; no network"):
        browser.find_or_install({"CI": "true"})
