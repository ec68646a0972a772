"""supervisord as `make up` uses it: order, restart after a kill, failures that are told, a complete end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from portal.local.errors import LocalError
from portal.local.home import Home
from portal.local.leftovers import alive, end_leftovers, find
from portal.local.programs import Program
from portal.local.supervisor import Supervisor, configuration

SLEEP = "import time; print('100% awake', flush=True); time.sleep(600)"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "a home with 'blanks'")
    home.prepare()
    yield home
    end_leftovers(home, grace=1)


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_program_comes_back_after_a_kill_and_the_end_is_complete(home: Home) -> None:
    service = Program("service", (sys.executable, "-c", SLEEP))
    portal = Program("web", (sys.executable, "-c", SLEEP), environment={"GREETING": "50% 'off', \\o/"})
    supervisor = Supervisor(home, [service], [portal])
    supervisor.start(os.environ)

    def pid(name: str) -> int:
        return next(int(one["pid"]) for one in supervisor.programs() if one["name"] == name)

    until(lambda: pid("service") > 0)
    assert pid("web") == 0, "the portal's own programs wait to be started"
    supervisor.start_portal()
    until(lambda: pid("web") > 0)
    until(lambda: psutil.Process(pid("web")).environ().get("GREETING") == "50% 'off', \\o/")
    first = pid("service")
    psutil.Process(first).kill()
    until(lambda: pid("service") not in {0, first})
    supervisor.require("service")
    until(lambda: "100% awake" in (home.logs / "web.log").read_text())
    everything = [psutil.Process(one) for one in supervisor.pids()]
    assert len(everything) == 3
    supervisor.stop()
    assert not [process for process in everything if alive(process)]
    assert find(home) == []


def test_a_service_that_cannot_start_is_told_with_its_own_words(home: Home) -> None:
    supervisor = Supervisor(home, [Program("service", ("/nowhere/server",))], [])
    supervisor.start(os.environ)

    def ask_until_it_fails() -> None:
        while True:
            supervisor.require("service")
            time.sleep(0.05)

    with pytest.raises(LocalError, match=r"service does not start \(can't find command '/nowhere/server'\)"):
        ask_until_it_fails()
    supervisor.kill()


def test_a_supervisor_that_has_gone_is_told(home: Home) -> None:
    supervisor = Supervisor(home, [Program("service", (sys.executable, "-c", SLEEP))], [])
    supervisor.start(os.environ)
    supervisor.kill()
    with pytest.raises(LocalError, match="has ended"):
        supervisor.require("service")
    until(lambda: end_leftovers(home, grace=2) >= 0)
    assert find(home) == []


def test_the_configuration_holds_no_secret_and_opens_no_tcp_port(home: Home) -> None:
    text = configuration(home, home.run / "supervisor.sock", [Program("service", ("true",), user="nobody")], [])
    assert "inet_http_server" not in text
    assert "user=nobody" in text
    assert "nodaemon=true" in text
