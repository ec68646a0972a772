"""Signing in: where the token is kept, who may read it, and to which address it goes."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from .run import Done
from .scripted import Answer, Server

Governance = Callable[..., Done]
ME = {
    "username": "dana",
    "display_name": "Dana",
    "roles": ["auditor"],
    "project_roles": {"credit-risk": ["ml_engineer"]},
}
NOBODY = {"GOVERNANCE_TOKEN": None, "GOVERNANCE_URL": None}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where the token is kept."""
    return tmp_path / "config" / "governance" / "token.json"


def test_a_password_becomes_a_token_that_its_owner_alone_may_read(
    governance: Governance, server: Server, kept: Path
) -> None:
    server.will(Answer({"token": "fresh", "expiry": None}), Answer(ME))
    done = governance("--url", f"{server.url}/", "login", "-u", "dana", typed="pässword\nmore\n", env=NOBODY)
    assert done.code == 0
    assert done.out == f"Signed in at {server.url} as dana; the token is kept in {kept}.\n"
    signed_in, me = server.asked
    assert (signed_in.json["username"], signed_in.json["password"]) == ("dana", "pässword")
    assert "Authorization" not in signed_in.headers
    assert "Idempotency-Key" not in signed_in.headers
    assert me.headers["Authorization"] == "Token fresh"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert json.loads(kept.read_text()) == {"url": server.url, "token": "fresh", "username": "dana"}
    assert [each.name for each in kept.parent.iterdir()] == ["token.json"]

    server.will(Answer(ME))
    shown = governance("whoami", env=NOBODY)
    assert "Signed in as  dana" in shown.out
    assert "credit-risk: ml_engineer" in shown.out
    assert server.asked[0].headers["Authorization"] == "Token fresh"

    # What the environment says wins.
    governance("whoami", env={"GOVERNANCE_TOKEN": "other", "GOVERNANCE_URL": None})
    assert server.asked[1].headers["Authorization"] == "Token other"

    # Signing out revokes the token, and removes it.
    server.will(Answer(status=204, content=b""))
    assert governance("logout", env=NOBODY).code == 0
    assert (server.asked[0].path, server.asked[0].headers["Authorization"]) == ("/api/v1/auth/logout/", "Token fresh")
    assert not kept.exists()


def test_a_token_made_in_the_pages_is_kept_once_it_works(governance: Governance, server: Server, kept: Path) -> None:
    server.will(Answer({"title": "Not signed in", "detail": "Invalid token."}, status=401))
    wrong = governance("login", "--token", "-", typed="stale\n", env={"GOVERNANCE_TOKEN": None})
    assert (wrong.code, kept.exists()) == (2, False)
    server.will(Answer(ME))
    done = governance("login", "--token", "-", "--json", typed="  se-cret \n", env={"GOVERNANCE_TOKEN": None})
    assert done.json == {"url": server.url, "username": "dana", "file": str(kept)}
    assert json.loads(kept.read_text())["token"] == "se-cret"
    assert "se-cret" not in done.out + done.err
    assert (
        governance("login", "--token", "given").err == "GOVERNANCE_TOKEN is set: the other commands use that token.\n"
    )


def test_a_wrong_password_keeps_nothing(governance: Governance, server: Server, kept: Path) -> None:
    server.will(Answer({"title": "Not signed in", "detail": "Wrong.", "code": "authentication-failed"}, status=401))
    done = governance("login", "-u", "dana", typed="wrong\n", env={"GOVERNANCE_TOKEN": None})
    assert (done.code, done.out, kept.exists()) == (2, "", False)
    assert "wrong" not in done.err
    for nothing in ("", "\n"):
        assert governance("login", "-u", "dana", typed=nothing).code == 2
    assert len(server.asked) == 1


def test_a_token_stays_when_it_could_not_be_revoked(governance: Governance, server: Server, kept: Path) -> None:
    server.will(Answer(ME))
    governance("login", "--token", "given")
    server.will(Answer({"title": "Busy", "detail": ""}, status=503))
    assert governance("logout", env=NOBODY).code == 2
    assert kept.exists()
    server.will(Answer({"title": "Not signed in", "detail": "Expired."}, status=401))
    assert governance("logout", env=NOBODY).code == 0
    assert not kept.exists()


def test_a_kept_token_goes_to_no_other_address(governance: Governance, server: Server) -> None:
    server.will(Answer(ME))
    governance("login", "--token", "given")
    for other in (server.url.replace("127.0.0.1", "localhost"), f"{server.url}/elsewhere"):
        done = governance("whoami", env={"GOVERNANCE_TOKEN": None, "GOVERNANCE_URL": other})
        assert done.code == 2
        assert done.err.startswith(f"governance: Nobody is signed in at {other}")
    assert len(server.asked) == 1


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b"null", b"\xff"])
def test_a_torn_file_is_named(governance: Governance, server: Server, kept: Path, content: bytes) -> None:
    kept.parent.mkdir(parents=True)
    kept.write_bytes(content)
    kept.chmod(0o600)
    done = governance("whoami", env=NOBODY)
    assert done.code == 2
    assert done.err.startswith(f"governance: {kept} cannot be read\n")


def test_a_file_that_others_may_read_is_refused(governance: Governance, server: Server, kept: Path) -> None:
    server.will(Answer(ME))
    governance("login", "--token", "given")
    kept.chmod(0o644)
    done = governance("whoami", env=NOBODY)
    assert done.code == 2
    assert f"chmod 600 {kept}" in done.err


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example.org",
        "http://10.0.0.1:8000",
        "http://127.0.0.1.example.org",
        "http://localhost@example.org",
        "https://user:secret@example.org",
        "ftp://127.0.0.1",
        "127.0.0.1:8000",
        "https://",
        "https://example.org/?x=1",
        "http://127.0.0.1:99999",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_or_not_encrypted_is_refused(governance: Governance, server: Server, url: str) -> None:
    done = governance("--retries", "0", "whoami", env={"GOVERNANCE_URL": url})
    assert done.code == 2
    assert done.err.startswith(f"governance: {url} is ")


def test_plain_http_to_this_machine_passes_no_proxy(
    governance: Governance, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.will(Answer(ME))
    assert governance("whoami").code == 0


@pytest.mark.parametrize("token", ["two words", "näme", "line\nbreak"])
def test_what_cannot_be_a_token_is_not_sent(governance: Governance, server: Server, token: str) -> None:
    done = governance("whoami", env={"GOVERNANCE_TOKEN": token})
    assert (done.code, server.asked) == (2, [])
    assert "This is no token" in done.err
