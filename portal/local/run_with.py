"""Run a command with a PostgreSQL, a Valkey and a sandbox AWS of its own, and take them away afterwards.

    python -m portal.local.run_with [--no-sandbox] [--browser] [--in-memory] -- COMMAND...

The command sees DATABASE_URL, REDIS_URL, the AWS variables of the sandbox, PORTAL_HOME (a new directory),
PORTAL_PORT (a free port for a server of its own) and DJANGO_SETTINGS_MODULE=portal.settings.test. What the
caller's environment says of a database, a broker or AWS is not used: tests change what they reach.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

import psutil

from portal.local.browser import BrowserMissing, find_or_install
from portal.local.errors import LocalError
from portal.local.home import Home
from portal.local.leftovers import end, end_leftovers
from portal.local.ports import Ports, free_ports
from portal.local.postgres import Postgres
from portal.local.sandbox_process import Sandbox
from portal.local.services import Services
from portal.local.valkey import Valkey

SETTINGS = "portal.settings.test"
# What a developer's shell may say and a test run must not hear.
FOREIGN = ("AWS_", "DJANGO_", "PORTAL_", "DATABASE_URL", "REDIS_URL")
PATIENCE_SECONDS = 20
PREFIX = "portal-run-"
# Tests make and drop hundreds of databases, a thousand small files each. Right behind so many deleted ones ext4 takes a
# second to find room for the next thousand; in memory it takes a twentieth of that.
MEMORY = Path("/dev/shm")
LEAST_MEMORY = 6 * 1024**3


class Stopped(BaseException):
    """Raised by a signal that asks us to stop before the command has ended."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number, for the exit code."""
        super().__init__(number)
        self.number = number


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code; 1 when its surroundings could not be started."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-sandbox", action="store_true", help="start no sandbox AWS")
    parser.add_argument("--browser", action="store_true", help="find or install Chromium and export PORTAL_CHROMIUM")
    parser.add_argument("--in-memory", action="store_true", help="keep their files in memory, where there is enough")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args(argv)
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        parser.error("no command given")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _on_signal)
    try:
        browser = _browser() if arguments.browser else {}
        with surroundings(
            sandbox=not arguments.no_sandbox, place=_memory() if arguments.in_memory else None
        ) as environment:
            return _run(command, {**environment, **browser})
    except (LocalError, BrowserMissing) as error:
        print(f"run_with: {error}", file=sys.stderr, flush=True)
        return 1
    except Stopped as stopped:
        return 128 + stopped.number


@contextlib.contextmanager
def surroundings(
    *, sandbox: bool, place: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Iterator[dict[str, str]]:
    """Start services of this block's own on free ports, yield the environment that leads to them, end them.

    They live in a new directory that goes with them, in `place` or where temporary files lie. Raises LocalError when
    one does not start.
    """
    clean = {name: value for name, value in environ.items() if not name.startswith(FOREIGN)}
    with contextlib.ExitStack() as stack:
        _remove_abandoned()
        home = Home(Path(os.path.realpath(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place))))
        stack.callback(home.remove)
        # Started by root, PostgreSQL runs as another user, who has to pass through.
        home.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        home.prepare()
        ports = Ports(*free_ports(4))
        postgres = Postgres(home, ports.postgres, for_tests=True)
        valkey = Valkey(home, ports.valkey, for_tests=True)
        services = Services(home, ports, postgres, valkey, Sandbox(home, ports.sandbox) if sandbox else None)
        stack.callback(postgres.remove_outside_data)
        services.prepare()
        environment = services.environment(clean, SETTINGS)
        if not sandbox:
            # Credentials that open nothing: no test may reach a real account by accident.
            environment |= {name: v for name, v in Sandbox(home, 0).environment.items() if name != "AWS_ENDPOINT_URL"}
        # Whatever the command or the services leave behind carries this home's mark. A whole portal among it, left
        # by a journey test that was killed, takes its time to stop.
        stack.callback(lambda: end_leftovers(home, postgres.data, grace=20))
        started: dict[str, subprocess.Popen[bytes]] = {}
        stack.callback(lambda: _stop(started))
        for service in services.embedded.values():
            program = service.program()
            with (home.logs / f"{program.name}.log").open("ab") as log:
                started[program.name] = program.spawn(home, environment, log)

        def check(name: str) -> None:
            if started[name].poll() is not None:
                tail = (home.logs / f"{name}.log").read_text(errors="replace")[-1500:]
                raise LocalError(f"{name} ended with {started[name].returncode} while starting:\n{tail}")

        services.wait_ready(check)
        yield environment


def _remove_abandoned() -> None:
    """Delete the directories of runs that were killed before they could do it; their services went with them."""
    places = [Path(tempfile.gettempdir()), MEMORY]
    for path in [path for place in places for path in place.glob(f"{PREFIX}*-*")]:
        owner = path.name.removeprefix(PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            if owner.isdigit() and path.stat().st_uid == os.geteuid() and not psutil.pid_exists(int(owner)):
                Home(path).remove()


def _memory() -> Path | None:
    """Return the directory whose files are kept in memory, where there is one and memory to spare."""
    try:
        free = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    except OSError:
        return None
    return MEMORY if free >= LEAST_MEMORY and os.access(MEMORY, os.W_OK) else None


def _stop(started: Mapping[str, subprocess.Popen[bytes]]) -> None:
    end([psutil.Process(process.pid) for process in started.values() if process.poll() is None], 8)
    for process in started.values():
        process.wait()


def _run(command: list[str], environment: Mapping[str, str]) -> int:
    """Run the command in our own process group, so that Ctrl-C and a debugger's prompt reach it."""
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise LocalError(f"Cannot run {command[0]}: {error.strerror}.") from error
    try:
        code = process.wait()
    except Stopped as stopped:
        # The terminal sends SIGINT to the command itself; sent twice it would cut its tidying up short.
        if stopped.number != signal.SIGINT:
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_SECONDS)
        if process.poll() is None:
            end([psutil.Process(process.pid)], 3)
        raise
    return code if code >= 0 else 128 - code


def _browser() -> dict[str, str]:
    path = find_or_install(os.environ)
    return {"PORTAL_CHROMIUM": str(path)} if path else {}


def _on_signal(number: int, frame: FrameType | None) -> None:
    for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)
    raise Stopped(number)


if __name__ == "__main__":
    sys.exit(main())
