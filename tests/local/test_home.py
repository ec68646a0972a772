"""PORTAL_HOME: secrets, the lock, and paths that do not fit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from portal.local.errors import LocalError
from portal.local.home import PROJECT, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.of({"PORTAL_HOME": str(tmp_path / "home")})
    home.prepare()
    return home


def test_it_lies_in_the_clone_unless_portal_home_moves_it(tmp_path: Path) -> None:
    assert Home.of({}).path == PROJECT / ".local"
    assert Home.of({"PORTAL_HOME": str(tmp_path)}).path == tmp_path.resolve()


@pytest.mark.parametrize("name", ["a;b", "a#b", "a%b", "a\nb"])
def test_a_path_the_process_manager_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(LocalError, match="Use another directory"):
        Home.of({"PORTAL_HOME": f"/tmp/{name}"})


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LocalError, match="Cannot write to PORTAL_HOME"):
        Home.of({"PORTAL_HOME": str(tmp_path / "file" / "home")}).prepare()


def test_a_secret_is_made_once_kept_and_private(home: Home) -> None:
    secret = home.secret("database-password")
    assert len(secret) >= 50
    assert home.secret("database-password") == secret
    assert home.secret("valkey-password") != secret
    path = home.path / "secrets" / "database-password"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_one_portal_at_a_time_and_the_second_is_told_who_runs(home: Home) -> None:
    home.write_state("up", {"pid": 4711, "url": "http://127.0.0.1:8000"})
    with (
        home.lock(),
        pytest.raises(LocalError, match=r"process 4711, http://127\.0\.0\.1:8000") as refusal,
        home.lock(),
    ):
        pytest.fail("the lock was given twice")
    assert "kill 4711" in str(refusal.value)
    with home.lock():
        pass


def test_the_lock_goes_with_the_process_also_when_it_is_killed(home: Home) -> None:
    script = (
        "import os, sys; from pathlib import Path; from portal.local.home import Home\n"
        f"with Home(Path({str(home.path)!r})).lock():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(LocalError, match="already runs"), home.lock():
        pass
    holder.kill()
    holder.communicate()
    with home.lock():
        pass


def test_a_torn_state_file_counts_as_none(home: Home) -> None:
    (home.run / "up.json").write_text('{"pid": 47')
    assert home.read_state("up") == {}


def test_a_long_home_gets_a_short_private_directory_for_its_socket(tmp_path: Path) -> None:
    short, long = Home(Path("/tmp/home")), Home(tmp_path / ("x" * 120))
    assert short.socket_directory() == short.run
    directory = long.socket_directory()
    assert len(str(directory)) < 80
    assert directory.stat().st_mode & 0o077 == 0
    assert long.socket_directory() == directory
    directory.chmod(0o777)
    with pytest.raises(LocalError, match="not a private directory"):
        long.socket_directory()
    directory.rmdir()
