"""Give the gateway's tests two counterparts: a wire that answers recorded shapes, and the sandbox AWS over HTTP."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.aws.records import AccountRef
from registry.aws.session import AwsSession, reset_sessions, session_for
from tests.aws.wire import Wire

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
HUB = AccountRef("111111111111", REGION, "arn:aws:iam::111111111111:role/ModelGovernancePortal")
DEVELOPMENT = AccountRef("222222222222", REGION, "arn:aws:iam::222222222222:role/ModelGovernancePortal")


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep this machine's own AWS settings and credentials out of the tests, and sessions apart."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    reset_sessions()
    yield
    reset_sessions()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Answer every HTTP request of botocore from a script, without waiting between retries."""
    answers = Wire()
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", lambda _, request: answers.send(request))
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    yield answers
    assert not answers.unused, f"never asked for: {answers.unused}"


@pytest.fixture
def session(wire: Wire) -> AwsSession:
    """Speak to the hub with the process's own credentials, over the scripted wire."""
    return AwsSession(AccountRef("111111111111", REGION))


def free_port() -> int:
    """Find a port of the loopback address that nothing listens on, below the ephemeral ones."""
    for _ in range(200):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port between 20000 and 32000")


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the sandbox AWS as a process of its own, and stop it afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    state = tmp_path_factory.mktemp("sandbox")
    log = state / "sandbox.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.local.sandbox", "--port", str(port), "--state", str(state)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while not _healthy(url):
            assert process.poll() is None, f"the sandbox stopped: {log.read_text()}"
            assert time.monotonic() < deadline, f"the sandbox did not answer in 60 s: {log.read_text()}"
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/sandbox/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def sandbox(sandbox_url: str, monkeypatch: pytest.MonkeyPatch, aws_environment: None) -> str:
    """Point botocore at the sandbox, the way a deployment would at a private endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox_url)
    return sandbox_url


@pytest.fixture
def hub(sandbox: str) -> AwsSession:
    return session_for(HUB)


@pytest.fixture
def development(sandbox: str) -> AwsSession:
    return session_for(DEVELOPMENT)
