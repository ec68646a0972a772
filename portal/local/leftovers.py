"""Find and end processes that a portal left behind when it was killed, by process id and nothing else.

A process belongs to a home when its environment carries the home's mark, when the last run recorded its
id and start time, or when it is a PostgreSQL process working in the home's database directory (these
overwrite the memory in which the kernel shows their environment).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from portal.local.errors import LocalError
from portal.local.home import Home
from portal.local.programs import MARK

RECORD = "processes"
# Seconds by which a corrected system clock may move a start time; ids are not reused that fast.
CLOCK_DRIFT = 2.0


def record(home: Home, pids: Iterable[int]) -> None:
    """Keep the ids of running processes with their start times, for `end_leftovers` of a later start."""
    entries = []
    for pid in pids:
        try:
            entries.append({"pid": pid, "started": psutil.Process(pid).create_time()})
        except psutil.NoSuchProcess:
            continue
    home.write_state(RECORD, {"processes": entries})


def find(home: Home, database: Path | None = None) -> list[psutil.Process]:
    """Return the living processes that belong to the home, without this one and those it descends from."""
    myself = psutil.Process()
    spared = {myself.pid, *(parent.pid for parent in myself.parents())}
    started = {
        int(entry["pid"]): float(entry["started"]) for entry in home.read_state(RECORD).get("processes", []) if entry
    }
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in spared and alive(process) and _belongs(process, home, started, database)
    ]


def end_leftovers(home: Home, database: Path | None = None, grace: float = 10) -> int:
    """End everything `find` sees and return how many there were.

    A supervisor is asked first, since it stops its own programs in order and would start again what is
    ended under it; then the rest is asked; what has not gone after `grace` seconds is killed. Raises
    LocalError when a process cannot be ended.
    """
    found = find(home, database)
    if not found:
        return 0
    supervisors = [process for process in found if "supervisor.supervisord" in _command(process)]
    end(supervisors, grace)
    end(find(home, database), grace)
    remaining = find(home, database)
    if remaining:
        raise LocalError(
            f"Processes of an earlier run on {home.path} cannot be ended: "
            + ", ".join(f"{process.pid} ({process.name()})" for process in remaining)
            + ". End them by hand (they may belong to another user) and start again."
        )
    return len(found)


def end(processes: Iterable[psutil.Process], grace: float) -> None:
    """Ask each process to stop, wait up to `grace` seconds for all of them, then kill those that remain."""
    waiting = list(processes)
    for gentle in (True, False):
        for process in waiting:
            try:
                # SIGINT is PostgreSQL's fast shutdown; on SIGTERM it waits for its clients to leave.
                asked = signal.SIGINT if process.name() == "postgres" else signal.SIGTERM
                process.send_signal(asked if gentle else signal.SIGKILL)
            except psutil.Error:
                continue
        deadline = time.monotonic() + (grace if gentle else 5)
        while waiting and time.monotonic() < deadline:
            waiting = [process for process in waiting if alive(process)]
            time.sleep(0.02)
        if not waiting:
            return


def alive(process: psutil.Process) -> bool:
    """Tell whether the process still runs; one that only waits to be reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _belongs(process: psutil.Process, home: Home, started: dict[int, float], database: Path | None) -> bool:
    try:
        if process.pid in started and abs(process.create_time() - started[process.pid]) < CLOCK_DRIFT:
            return True
        if database is not None and process.name() == "postgres" and Path(process.cwd()) == database:
            return True
        return process.environ().get(MARK) == str(home.path)
    except (psutil.Error, OSError):
        return False


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
