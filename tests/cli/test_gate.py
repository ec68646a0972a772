"""The gate from a pipeline: 0 allow, 1 deny, and 2 for whatever is no answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .answers import ACCOUNT, ARN, QUESTION, STAGE, answer, key_set
from .run import Done
from .scripted import Answer, Server

Governance = Callable[..., Done]
PROBLEM = {"type": "about:blank", "title": "Not allowed", "status": 403, "detail": "You may not.", "code": "forbidden"}


def test_allow_is_0_and_the_signed_answer_is_kept(governance: Governance, server: Server, tmp_path: Path) -> None:
    server.will(Answer(given := answer("allow")))
    done = governance(*QUESTION, "--save", str(tmp_path / "answer.jws"))
    assert (done.code, done.err) == (0, "")
    assert done.out == "allow: credit-risk/3 at production in 444444444444, until 2026-11-21T10:15:00Z\n"
    assert (tmp_path / "answer.jws").read_text().strip() == given["attestation"]
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", "/api/v1/gate/")
    assert asked.query == {"model_package_arn": ARN, "stage": STAGE, "account": ACCOUNT}
    assert asked.headers["Authorization"] == "Token a-token"


def test_deny_is_1_and_every_failed_rule_is_printed(governance: Governance, server: Server, tmp_path: Path) -> None:
    server.will(Answer(given := answer("deny")))
    done = governance(*QUESTION, "--save", str(tmp_path / "answer.jws"))
    assert done.code == 1
    assert done.out.splitlines()[1:] == [
        "  content: What was approved is not what there is now. [content_changed]",
        "  metric:auc>=0.75: AUC is 0.71, at least 0.75 is needed. [check_failed]",
    ]
    assert (tmp_path / "answer.jws").read_text().strip() == given["attestation"]
    shown = governance(*QUESTION, "--json")
    assert (shown.code, shown.json) == (1, {**given, "verified": False})


@pytest.mark.parametrize(
    "given",
    [
        Answer(answer("perhaps")),
        Answer({**answer("allow"), "decision": True}),
        Answer(answer("allow", account="555555555555")),
        Answer(answer("allow", reasons=answer("deny")["reasons"])),
        Answer(answer("allow", reasons=None)),
        Answer(answer("deny", reasons=[{}])),
        Answer(answer("deny", attestation="")),
        Answer(["allow"]),
        Answer("allow"),
        Answer(content=b""),
        Answer(content=json.dumps(answer()).encode()[:-5]),
        Answer(content=b"\xff\xfe"),
        Answer(content=b"<html>allow</html>", content_type="text/html"),
        Answer(content=b"allow", headers={"Content-Encoding": "gzip"}),
        Answer(answer(), status=302, headers={"Location": "https://elsewhere.example.org/"}),
        Answer(PROBLEM, status=403),
        Answer({**PROBLEM, "errors": ["odd"]}, status=400),
        *(Answer(status=status, content=b"no", content_type="text/plain") for status in (401, 404, 429, 500, 502, 503)),
        Answer(dropped=True),
        Answer(answer(), headers={"Content-Length": "9999"}, late=0.0),
    ],
)
def test_whatever_is_no_answer_is_2(governance: Governance, server: Server, given: Answer) -> None:
    server.will(given)
    done = governance("--timeout", "0.3", *QUESTION)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("governance: ")


def test_a_portal_that_is_slow_or_down_is_2(governance: Governance, server: Server) -> None:
    server.will(Answer(answer(), late=0.5))
    began = time.monotonic()
    done = governance("--timeout", "0.2", *QUESTION)
    assert (done.code, done.out) == (2, "")
    assert "ReadTimeout" in done.err
    assert time.monotonic() - began < 0.5
    down = governance(*QUESTION, env={"GOVERNANCE_URL": "http://127.0.0.1:1"})
    assert (down.code, down.out) == (2, "")
    assert down.err.startswith("governance: The portal at http://127.0.0.1:1 cannot be reached\n  ConnectError")


@pytest.mark.parametrize(
    "words",
    [
        ["gate"],
        ["gate", "--arn", ARN, "--stage", STAGE],
        [*QUESTION, "--nonsense"],
        [*QUESTION, "--timeout", "1"],
        ["--timeout", "soon", *QUESTION],
        [*QUESTION, "--save", "/nowhere/at/all.jws"],
        [*QUESTION, "--keys", "/nowhere/keys.json"],
        ["gates"],
        [],
    ],
)
def test_a_command_that_cannot_be_run_is_2(governance: Governance, server: Server, words: list[str]) -> None:
    server.will(Answer(answer()))
    done = governance(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err


def test_nobody_signed_in_is_2(governance: Governance, server: Server) -> None:
    for missing in ({"GOVERNANCE_TOKEN": None}, {"GOVERNANCE_TOKEN": None, "GOVERNANCE_URL": None}):
        done = governance(*QUESTION, env=missing)
        assert (done.code, done.out) == (2, "")
        assert "governance login" in done.err
    assert server.asked == []


def test_a_genuine_attestation_is_verified(governance: Governance, server: Server, tmp_path: Path) -> None:
    server.will(Answer(answer("allow")), Answer(key_set()))
    done = governance(*QUESTION, "--verify")
    assert (done.code, done.out.splitlines()[-1]) == (0, "The attestation is genuine.")
    assert server.asked[1].path == "/api/v1/gate/keys/"
    (tmp_path / "keys.json").write_text(json.dumps(key_set()))
    server.will(Answer(answer("deny")))
    assert governance(*QUESTION, "--keys", str(tmp_path / "keys.json"), "--json").json["verified"] is True


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ({}, key_set("another")),
        ({}, {"keys": []}),
        ({}, []),
        ({"signed": {"decision": "deny"}}, key_set()),
        ({"signed": {"aud": f"qa@{ACCOUNT}"}}, key_set()),
        ({"signed": {"sub": "another"}}, key_set()),
        ({"signed": {"exp": 1}}, key_set()),
        ({"signed": {"iat": 10**11, "exp": 10**12}}, key_set()),
        ({"attestation": "e30.e30."}, key_set()),
    ],
)
def test_an_attestation_that_is_not_genuine_is_2(
    governance: Governance, server: Server, given: dict[str, Any], keys: object
) -> None:
    server.will(Answer(answer("allow", **given)), Answer(keys))
    done = governance(*QUESTION, "--verify")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("governance: The attestation is not genuine")


def test_without_a_jws_library_nothing_passes_for_verified(
    governance: Governance, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    server.will(Answer(answer("allow")), Answer(key_set()))
    done = governance(*QUESTION, "--verify")
    assert done.code == 2
    assert "was not checked" in done.err
    server.will(Answer(answer("allow")))
    assert governance(*QUESTION).code == 0


def test_as_a_process_of_its_own(server: Server) -> None:
    """What only a process shows: the console script, a reader that went away, an environment that is broken."""
    server.will(Answer(answer("deny")))
    script = str(Path(sys.executable).parent / "governance")
    denied = subprocess.run([script, *QUESTION], capture_output=True, text=True, timeout=30, check=False)
    assert (denied.returncode, denied.stdout[:5], denied.stderr) == (1, "deny:", "")
    server.will(Answer(answer("allow")))
    reading, writing = os.pipe()
    os.close(reading)
    unread = subprocess.run([script, *QUESTION], stdout=writing, stderr=subprocess.PIPE, timeout=30, check=False)
    os.close(writing)
    assert unread.returncode == 2
    # Closed from the beginning, Python has no stream there at all: what is wrong is still no "deny".
    for closed in ("2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
        words = ["sh", "-c", f'exec "$0" "$@" {closed}', script, *QUESTION, "--account", "1"]
        assert subprocess.run(words, timeout=30, check=False, env={"PATH": os.environ["PATH"]}).returncode == 2
    broken = "import sys; sys.modules['httpx'] = None; from governance_cli.__main__ import main; main()"
    failed = subprocess.run([sys.executable, "-c", broken, *QUESTION], capture_output=True, timeout=30, check=False)
    assert failed.returncode == 2
