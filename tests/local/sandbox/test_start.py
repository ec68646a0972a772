"""What stops a start: damaged state, a directory in use, a port that is taken; each said in one line."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from portal.local.ports import free_ports
from portal.local.sandbox.state import FILE_NAME, Key, StateError, StateFile
from tests.local.sandbox.world import HUB, Aws, refused_start


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A state directory with one row in it."""
    state = StateFile(tmp_path / "state")
    state.write([(Key("ram", HUB, "us-east-1", "settings", ""), b"not a pickle" * 2000)])
    state.close()
    return tmp_path / "state"


def damage(path: Path, how: str) -> None:
    if how == "emptied":
        path.write_bytes(b"")
    elif how == "overwritten":
        path.write_bytes(b"something else\n" * 1000)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "a bit of a row":
        whole = bytearray(path.read_bytes())
        whole[whole.rindex(b"not a pickle")] ^= 1
        path.write_bytes(whole)
    elif how == "another database":
        path.unlink()
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE state (x)")
        db.commit()
        db.close()
    elif how == "another format":
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version=99")
        db.close()


def read_all(directory: Path) -> None:
    list(StateFile(directory).rows())


@pytest.mark.parametrize(
    "how", ["emptied", "overwritten", "cut", "a bit of a row", "another database", "another format"]
)
def test_a_damaged_state_file_is_refused_by_name(kept: Path, how: str) -> None:
    path = kept / FILE_NAME
    damage(path, how)
    before = path.read_bytes()
    with pytest.raises(StateError) as refusal:
        read_all(kept)
    assert str(path) in str(refusal.value)
    assert "move it away" in str(refusal.value)
    assert path.read_bytes() == before


def test_a_row_nobody_understands_stops_the_start_in_one_line(kept: Path) -> None:
    said = refused_start(free_ports(1)[0], kept)
    assert said.startswith(f"sandbox AWS: sandbox state file {kept / FILE_NAME} is damaged")
    assert f"ram/{HUB}/us-east-1/settings" in said
    assert said.count("\n") == 1


def test_a_state_directory_is_used_by_one_process(aws: Aws) -> None:
    said = refused_start(free_ports(1)[0], aws.state)
    assert said == (
        f"sandbox AWS: {aws.state / 'sandbox.lock'} is held: another sandbox already uses this state directory\n"
    )


def test_a_state_directory_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("a file")
    with pytest.raises(StateError, match=str(path)):
        StateFile(path)
    under = path / "deeper"
    with pytest.raises(StateError, match=str(under)):
        StateFile(under)


def test_a_taken_port_is_one_line_that_names_it(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", free_ports(1)[0]))
        holder.listen()
        port = holder.getsockname()[1]
        said = refused_start(port, tmp_path / "state")
    assert said == f"sandbox AWS: port {port} on 127.0.0.1 cannot be used: Address already in use\n"
    assert not (tmp_path / "state").exists()


def test_a_port_that_is_none_is_named(tmp_path: Path) -> None:
    assert "port 70000 on 127.0.0.1" in refused_start(70000, tmp_path / "state")
