"""The embedded Valkey: password, loopback, and what it keeps over a kill."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from portal.local.home import Home
from portal.local.ports import free_ports
from portal.local.valkey import Valkey


@pytest.fixture
def valkey(tmp_path: Path) -> Valkey:
    home = Home(tmp_path / "a home")
    home.prepare()
    return Valkey(home, free_ports(1)[0])


@pytest.fixture
def server(valkey: Valkey) -> Iterator[subprocess.Popen[bytes]]:
    process = start(valkey)
    yield process
    process.kill()
    process.wait()


def start(valkey: Valkey) -> subprocess.Popen[bytes]:
    valkey.prepare()
    log = valkey.home.logs / "valkey.log"
    with log.open("ab") as file:
        process = valkey.program().spawn(valkey.home, os.environ, file)

    def check() -> None:
        assert process.poll() is None, log.read_text()

    valkey.wait_ready(check)
    return process


def test_it_answers_with_the_password_only(valkey: Valkey, server: subprocess.Popen[bytes]) -> None:
    assert redis.Redis.from_url(valkey.url).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(host="127.0.0.1", port=valkey.port, retry=Retry(NoBackoff(), 0)).ping()
    assert valkey.configuration.stat().st_mode & 0o077 == 0
    assert valkey.home.secret("valkey-password") not in " ".join(psutil.Process(server.pid).cmdline())


def test_it_listens_on_loopback_only(valkey: Valkey, server: subprocess.Popen[bytes]) -> None:
    listening = {one.laddr for one in psutil.Process(server.pid).net_connections("inet") if one.status == "LISTEN"}
    assert listening == {("127.0.0.1", valkey.port)}


def test_what_is_queued_outlives_a_kill(valkey: Valkey, server: subprocess.Popen[bytes]) -> None:
    redis.Redis.from_url(valkey.url).lpush("queue", "task")
    server.kill()
    server.wait()
    again = start(valkey)
    assert redis.Redis.from_url(valkey.url).lrange("queue", 0, -1) == [b"task"]
    again.terminate()
    assert again.wait(10) == 0
