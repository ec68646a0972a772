"""A started portal: PostgreSQL, Valkey, sandbox AWS, web, worker and beat, as `make up` starts them.

The files of this folder share one, on one of the processes that share the tests (tests/scheduling.py), and it ends with
the last of them. Journeys that need no worker, beat or AWS take the portal in the test process: tests/e2e/live.py.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from ..pages import PASSWORD

PROJECT = Path(__file__).resolve().parents[3]
STARTS_WITHIN = 120.0
T = TypeVar("T")


@dataclass(frozen=True)
class StartedPortal:
    """Where a started portal answers."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        """The sandbox AWS endpoint: the web port's third neighbour."""
        return f"http://127.0.0.1:{self.port + 3}"

    def api(self, username: str) -> Api:
        """Sign in to the REST API with a token."""
        answer = requests.post(
            f"{self.url}/api/v1/auth/token/", json={"username": username, "password": PASSWORD}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return Api(self.url, answer.json()["token"])


class Api:
    """One person's token on the REST API."""

    def __init__(self, url: str, token: str) -> None:
        self.url = f"{url}/api/v1/"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {token}"

    def call(self, method: str, path: str, *, expect: int = 200, **kwargs: Any) -> Any:
        """Make one call and return its JSON; any other status than the expected one fails with the answer."""
        answer = self.session.request(method, self.url + path, timeout=30, **kwargs)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        if not answer.content:
            return None
        return answer.json() if "json" in answer.headers["Content-Type"] else answer.text

    def get(self, path: str, **params: str) -> Any:
        return self.call("GET", path, params=params)

    def results(self, path: str, **params: str) -> list[dict[str, Any]]:
        """Return the first page of a list."""
        return list(self.get(path, **params)["results"])

    def post(self, path: str, body: dict[str, Any] | None = None, expect: int = 201) -> Any:
        return self.call("POST", path, expect=expect, json=body or {})


def eventually(question: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Ask until the answer is truthy and return it; fails naming what never came."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come within {seconds:.0f} s; last answer: {answer!r}")
        time.sleep(0.25)


def free_ports() -> int:
    """Return a port below the ephemeral range that is free together with its neighbours."""
    for port in range(23000 + os.getpid() % 400 * 10, 32000, 10):
        if all(_is_free(port + offset) for offset in range(4)):
            return port
    raise AssertionError("no free ports between 23000 and 32000")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture(scope="package")
def started_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedPortal]:
    """Start the portal in a home of its own, with the small demo, and stop all of it afterwards."""
    folder = tmp_path_factory.mktemp("portal")
    log, port = folder / "up.log", free_ports()
    # The suite's own services are not the portal's: it is to start what it needs itself.
    foreign = ("AWS_", "DATABASE_URL", "REDIS_URL", "DJANGO_", "PORTAL_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # The journeys make what they need; a company's three months would only cost their minute.
    env.update(PORTAL_HOME=str(folder / "home"), PORTAL_PORT=str(port), PORTAL_DEMO="small")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.local.up"],
            cwd=PROJECT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    portal = StartedPortal(port, process, log)
    try:
        _wait_until_ready(portal)
        yield portal
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def _wait_until_ready(portal: StartedPortal) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if portal.process.poll() is not None:
            break
        try:
            if requests.get(f"{portal.url}/healthz", timeout=5).status_code == 200:
                return
        except requests.RequestException:
            time.sleep(0.3)
    pytest.fail(f"The portal did not start:\n{portal.log.read_text(errors='replace')[-4000:]}")
