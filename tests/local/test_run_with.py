"""`run_with`: a command gets services of its own, its exit code counts, and nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from portal.local.home import PROJECT
from portal.local.leftovers import alive
from portal.local.programs import MARK

SHOW = """
import json, os, sys, subprocess, time, psycopg, redis
psycopg.connect(os.environ["DATABASE_URL"]).close()
redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
orphan = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(json.dumps(dict(os.environ)), flush=True)
if sys.argv[1] == "wait":
    time.sleep(600)
sys.exit(int(sys.argv[1]))
"""


def launch(argument: str, tmp_path: Path) -> subprocess.Popen[str]:
    foreign = {"DATABASE_URL": "postgresql://production/db", "AWS_PROFILE": "production", "TMPDIR": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "-m", "portal.local.run_with", "--no-sandbox", "--", sys.executable, "-c", SHOW, argument],
        cwd=PROJECT,
        env={**os.environ, **foreign},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def nothing_is_left(environment: dict[str, str]) -> bool:
    def marked(process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == environment["PORTAL_HOME"] and alive(process)
        except psutil.Error:
            return False

    return not Path(environment["PORTAL_HOME"]).exists() and not any(map(marked, psutil.process_iter()))


def test_the_command_sees_its_own_services_and_its_exit_code_is_returned(tmp_path: Path) -> None:
    process = launch("7", tmp_path)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 7
    environment = json.loads(output)
    assert environment["DJANGO_SETTINGS_MODULE"] == "portal.settings.test"
    assert "127.0.0.1" in environment["DATABASE_URL"]
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_ACCESS_KEY_ID"] == "testing"
    assert int(environment["PORTAL_PORT"]) < 32768
    assert nothing_is_left(environment)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_on_disk_goes_with_the_next_run(tmp_path: Path) -> None:
    abandoned, running, foreign = (
        tmp_path / name for name in (f"portal-run-{2**22 + 1}-a", f"portal-run-{os.getpid()}-b", "portal-run-c")
    )
    for directory in (abandoned, running, foreign):
        directory.mkdir()
    launch("0", tmp_path).communicate(timeout=60)
    assert sorted(tmp_path.iterdir()) == [running, foreign]


def test_being_stopped_stops_all_of_it(tmp_path: Path) -> None:
    process = launch("wait", tmp_path)
    assert process.stdout
    environment = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    assert nothing_is_left(environment)
    process.stdout.close()
