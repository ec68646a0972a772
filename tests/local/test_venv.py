"""The environment is filled once for each lock, never shrunk, and an unfit Python is told so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from portal.local import venv


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for pip and venv; the list grows by the lock file of each installation."""
    calls: list[str] = []
    (tmp_path / ".venv").mkdir()
    for name in ("local", "dev"):
        (tmp_path / f"{name}.lock").write_text(name)
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "pyproject.toml").write_text("[project]")
    monkeypatch.setattr(venv, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(venv, "CLIENT", tmp_path / "cli")
    monkeypatch.setattr(venv, "STAMP", tmp_path / ".venv" / "installed.json")
    monkeypatch.setattr(venv, "LOCKS", {name: tmp_path / f"{name}.lock" for name in ("local", "dev")})
    monkeypatch.setattr(venv, "usable", lambda: True)

    def run(command: list[str]) -> int:
        calls.append(Path(command[-1]).name)
        if "--editable" in command:
            assert {"--isolated", "--no-index", "--no-deps", "--no-build-isolation"} <= set(command)
            (tmp_path / ".venv" / "bin").mkdir(exist_ok=True)
            (tmp_path / ".venv" / "bin" / "governance").touch()
        return 0

    monkeypatch.setattr(venv, "run", run)
    return calls


def test_a_lock_is_installed_once_and_again_when_it_changes(installed: list[str], tmp_path: Path) -> None:
    assert venv.install("local") == venv.install("local") == 0
    assert installed == ["local.lock"]
    (tmp_path / "local.lock").write_text("changed")
    venv.install("local")
    assert installed == ["local.lock", "local.lock"]


def test_the_larger_lock_serves_both_and_is_never_replaced_by_the_smaller(installed: list[str], tmp_path: Path) -> None:
    for wanted in ("local", "dev", "local", "dev"):
        assert venv.install(wanted) == 0
    assert installed == ["local.lock", "dev.lock"]
    (tmp_path / "dev.lock").write_text("changed")
    venv.install("local")
    assert installed == ["local.lock", "dev.lock", "dev.lock"]


def test_the_client_is_installed_once_and_again_when_it_has_changed_or_is_gone(
    installed: list[str], tmp_path: Path
) -> None:
    def make() -> int:
        return venv.install("local") or venv.install_client()

    assert make() == make() == 0
    assert installed == ["local.lock", "cli"]
    (tmp_path / "cli" / "pyproject.toml").write_text("[project] # changed")
    assert make() == 0
    assert installed == ["local.lock", "cli", "cli"]
    (tmp_path / ".venv" / "bin" / "governance").unlink()
    assert make() == 0
    (tmp_path / "local.lock").write_text("changed")
    assert make() == 0
    assert installed == ["local.lock", "cli", "cli", "cli", "local.lock", "cli"]


def test_a_client_that_cannot_be_installed_is_tried_again(
    installed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    venv.install("local")
    monkeypatch.setattr(venv, "run", lambda command: 1)
    assert venv.install_client() == 2
    assert "governance of cli/ could not be installed" in capsys.readouterr().err
    assert "client" not in json.loads(venv.STAMP.read_text())


def test_a_failed_installation_leaves_no_stamp(
    installed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(venv, "run", lambda command: 1)
    assert venv.install("local") == 2
    assert "could not be installed" in capsys.readouterr().err
    assert not venv.STAMP.exists()


def test_a_torn_stamp_installs_again(installed: list[str]) -> None:
    venv.STAMP.write_text('{"python": ')
    venv.install("local")
    assert installed == ["local.lock"]
    assert json.loads(venv.STAMP.read_text())["name"] == "local"


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0)])
def test_an_unfit_python_is_refused_with_the_way_out(
    version: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(venv.sys, "version_info", version)
    monkeypatch.setattr(venv.sys, "argv", ["venv.py", "local"])
    assert venv.main() == 2
    assert "3.11, 3.12 or 3.13" in capsys.readouterr().err
