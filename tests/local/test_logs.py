"""The terminal shows what the programs log, each line with its name, over a rotation too."""

from __future__ import annotations

import io
import time
from pathlib import Path

from portal.local.logs import LogFollower


def test_only_new_lines_are_shown_with_the_programs_name(tmp_path: Path) -> None:
    web, worker = tmp_path / "web.log", tmp_path / "worker.log"
    web.write_text("of the last run\n")
    output = io.StringIO()
    follower = LogFollower(tmp_path, ["web", "worker"], output)
    follower.start()
    with web.open("a") as file:
        file.write("one\ntwo")
    worker.write_text("hello\n")
    _wait(output, "hello")
    with web.open("a") as file:
        file.write(" halves\n")
    _wait(output, "halves")
    web.rename(tmp_path / "web.log.1")
    web.write_text("after the rotation\n")
    follower.stop()
    assert "of the last run" not in output.getvalue()
    lines = output.getvalue().splitlines()
    assert [line for line in lines if line.startswith("web")] == [
        "web    | one",
        "web    | two halves",
        "web    | after the rotation",
    ]
    assert "worker | hello" in lines


def _wait(output: io.StringIO, text: str) -> None:
    deadline = time.monotonic() + 5
    while text not in output.getvalue():
        assert time.monotonic() < deadline
        time.sleep(0.02)
