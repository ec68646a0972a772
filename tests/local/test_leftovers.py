"""What a killed portal leaves behind is found and ended, and nothing else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from portal.local.home import Home
from portal.local.leftovers import alive, end_leftovers, find, record
from portal.local.programs import MARK, Program

# Says that it is ready, so that no test signals it before its handlers stand.
SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for child in started:
        child.kill()
        child.communicate()


def start(children: list[subprocess.Popen[bytes]], mark: Path | None, script: str = SLEEP) -> psutil.Process:
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    if mark:
        environment[MARK] = str(mark)
    child = subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE)
    children.append(child)
    assert child.stdout
    assert child.stdout.readline() == b"ready\n"
    return psutil.Process(child.pid)


def test_marked_processes_of_this_home_are_ended_and_others_live(
    home: Home, children: list[subprocess.Popen[bytes]]
) -> None:
    mine, other, unmarked = (start(children, mark) for mark in (home.path, home.path.parent / "other", None))
    assert [process.pid for process in find(home)] == [mine.pid]
    assert end_leftovers(home) == 1
    assert not alive(mine)
    assert alive(other)
    assert alive(unmarked)
    assert end_leftovers(home) == 0


def test_one_that_ignores_the_request_is_killed(home: Home, children: list[subprocess.Popen[bytes]]) -> None:
    stubborn = start(children, home.path, STUBBORN)
    assert end_leftovers(home, grace=0.2) == 1
    assert not alive(stubborn)


def test_a_recorded_process_is_found_by_id_and_start_time(home: Home, children: list[subprocess.Popen[bytes]]) -> None:
    unmarked = start(children, None)
    record(home, [unmarked.pid, 2**22 + 1])
    assert [process.pid for process in find(home)] == [unmarked.pid]


def test_a_process_id_that_was_used_again_is_left_alone(home: Home, children: list[subprocess.Popen[bytes]]) -> None:
    unmarked = start(children, None)
    home.write_state("processes", {"processes": [{"pid": unmarked.pid, "started": unmarked.create_time() - 60}]})
    assert end_leftovers(home) == 0
    assert alive(unmarked)


def test_this_process_and_those_above_it_are_never_found(home: Home) -> None:
    record(home, [os.getpid(), os.getppid()])
    assert find(home) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent-death signal is Linux's")
def test_a_program_goes_when_its_parent_is_killed(home: Home, children: list[subprocess.Popen[bytes]]) -> None:
    script = (
        "import sys, time; from pathlib import Path; from portal.local.home import Home\n"
        "from portal.local.programs import Program\n"
        f"home = Home(Path({str(home.path)!r}))\n"
        f"program = Program('child', (sys.executable, '-c', {SLEEP!r}))\n"
        "child = program.spawn(home, {}, sys.stdout.buffer)\n"
        "time.sleep(600)"
    )
    parent = start(children, None, script)
    (child,) = parent.children()
    parent.send_signal(signal.SIGKILL)
    psutil.wait_procs([child], timeout=5)
    assert not alive(child)


def test_a_lone_program_sees_only_what_it_was_given(home: Home) -> None:
    program = Program("env", ("/usr/bin/env",), environment={"HOME": "/nowhere"}, alone=True)
    with (home.logs / "env.log").open("wb") as log:
        program.spawn(home, {"PORTAL_SECRET_KEY": "secret"}, log).wait(10)
    said = (home.logs / "env.log").read_text().splitlines()
    assert f"{MARK}={home.path}" in said
    assert "HOME=/nowhere" in said
    assert not [line for line in said if "SECRET" in line]
