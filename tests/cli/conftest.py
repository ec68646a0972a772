"""The command in this process against a scripted server; and a real process where only that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .run import Done, run
from .scripted import Server, serving


@pytest.fixture(scope="module")
def server_process() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(server_process: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    """The server, with nothing asked of it yet, and the environment of somebody who has a token on it."""
    server_process.will()
    monkeypatch.setenv("GOVERNANCE_URL", server_process.url)
    monkeypatch.setenv("GOVERNANCE_TOKEN", "a-token")
    monkeypatch.setenv("GOVERNANCE_RETRIES", "0")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return server_process


@pytest.fixture
def governance(server: Server) -> Callable[..., Done]:
    """Type a command."""
    return run
