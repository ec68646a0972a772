"""The script of the documentation, run as an outside auditor would run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from governance.models import AuditEvent
from governance.services.signing import jwks
from tests.sandbox import ROOT

from .anchored import Anchored

SCRIPT = Path(ROOT) / "docs" / "examples" / "verify_anchor.py"


@pytest.fixture
def given(anchored: Anchored, tmp_path: Path) -> tuple[Anchored, Path, Path]:
    """The anchors, the public keys, and a list of the entries with their hashes."""
    keys, entries = tmp_path / "jwks.json", tmp_path / "entries.txt"
    keys.write_text(json.dumps(jwks()))
    rows = AuditEvent.objects.order_by("sequence").values_list("sequence", "hash")
    entries.write_text("".join(f"{number} {bytes(digest).hex()}\n" for number, digest in rows))
    return anchored, keys, entries


def run(*arguments: object) -> tuple[int, str]:
    command = [sys.executable, "-I", str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout + done.stderr


def test_a_sound_trail(given: tuple[Anchored, Path, Path]) -> None:
    anchored, keys, entries = given
    code, told = run(keys, anchored.folder, entries)
    assert (code, told.split(",")[0]) == (0, "3 anchors hold")
    assert "(entries not read)" in run(keys, anchored.folder)[1]


def test_an_entry_that_is_missing(given: tuple[Anchored, Path, Path]) -> None:
    anchored, keys, entries = given
    lines = entries.read_text().splitlines()
    entries.write_text("\n".join(lines[:5] + lines[6:]))
    code, told = run(keys, anchored.folder, entries)
    assert code == 1
    assert "0000000001.jwt covers entries" in told


@pytest.mark.parametrize("number", [1, 2])
def test_an_anchor_that_is_missing(given: tuple[Anchored, Path, Path], number: int) -> None:
    anchored, keys, _ = given
    anchored.file(number).unlink()
    code, told = run(keys, anchored.folder)
    assert code == 1
    assert f"000000000{number + 1}.jwt is not the anchor" in told


def test_keys_of_somebody_else_and_nonsense(given: tuple[Anchored, Path, Path], tmp_path: Path) -> None:
    anchored, keys, entries = given
    assert run(entries, anchored.folder)[0] == 1
    assert run(keys, tmp_path / "nowhere") == (1, "there is no anchor (entries not read)\n")
    assert run()[0] == 1
    anchored.file(3).unlink()
    anchored.file(3).write_text("e30.e30.e30")
    code, told = run(keys, anchored.folder)
    assert code == 1
    assert "refused" in told
