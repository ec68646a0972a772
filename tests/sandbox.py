"""The sandbox AWS as a process of its own: started, made to fail, asked what was called."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Sandbox:
    """Where it answers, and its own paths."""

    url: str

    def fault(self, **wanted: Any) -> None:
        """Let calls fail: service, operation, account, error, times (1; None until cleared), seconds, after."""
        answer = requests.post(f"{self.url}/sandbox/faults", json=wanted, timeout=10)
        assert answer.status_code == 201, answer.text

    def has_struck(self) -> bool:
        """Whether every fault that was asked for has met its calls: they are on the wire then."""
        return not requests.get(f"{self.url}/sandbox/faults", timeout=30).json()["faults"]

    def calls(self, **only: str) -> list[dict[str, Any]]:
        """Return what was asked, oldest first; by service, operation or account."""
        return list(requests.get(f"{self.url}/sandbox/calls", params=only, timeout=10).json()["calls"])

    def forget(self) -> None:
        """Clear every fault and the list of calls."""
        requests.delete(f"{self.url}/sandbox/faults", timeout=10)
        requests.delete(f"{self.url}/sandbox/calls", timeout=10)


def free_port() -> int:
    """Return a port of the loopback address below the ephemeral range that nothing listens on."""
    for _ in range(200):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port between 20000 and 32000")


@contextmanager
def running(state: Path) -> Iterator[Sandbox]:
    """Start a sandbox with its state in a directory, and stop it afterwards."""
    sandbox = Sandbox(f"http://127.0.0.1:{free_port()}")
    log = state / "sandbox.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.local.sandbox", "--port", sandbox.url.rsplit(":", 1)[1], "--state", state],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while not _answers(sandbox):
            assert process.poll() is None, f"the sandbox stopped: {log.read_text()}"
            assert time.monotonic() < deadline, f"the sandbox did not answer in 60 s: {log.read_text()}"
            time.sleep(0.1)
        yield sandbox
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(sandbox: Sandbox) -> bool:
    try:
        return requests.get(f"{sandbox.url}/sandbox/health", timeout=2).status_code == 200
    except requests.ConnectionError:
        return False
