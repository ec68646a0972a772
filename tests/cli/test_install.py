"""What `pip install ./cli` builds: every module, and the command."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from flit_core import buildapi

from tests.architecture.sources import PROJECT


def test_the_wheel_holds_every_module_and_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT / "cli")
    name = buildapi.build_wheel(str(tmp_path))
    assert name == "governance_cli-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name) as wheel:
        modules = {each for each in wheel.namelist() if each.endswith(".py")}
        assert modules == {f"governance_cli/{path.name}" for path in Path("governance_cli").glob("*.py")}
        points = wheel.read("governance_cli-1.0.0.dist-info/entry_points.txt").decode()
        assert "governance=governance_cli.__main__:main" in points
        verifier = wheel.read("governance_cli/pack_verifier.py")
    assert verifier == (PROJECT / "governance" / "services" / "audit_pack" / "verify.py").read_bytes()
