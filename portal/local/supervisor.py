"""supervisord, which keeps the processes of `make up` running: its configuration, start, questions and end.

It runs everything, the database included, so that whatever dies comes back. The services start with it;
the portal's own programs wait until `start_portal`, because the schema must be there first. On the way
out supervisord stops the portal's programs before the services they use.
"""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from portal.local.errors import LocalError
from portal.local.home import Home, write_private
from portal.local.leftovers import end
from portal.local.programs import MARK, Program, signal_when_parent_dies

START_SECONDS = 20
STOP_SECONDS = 30
PORTAL, SERVICES = "portal", "services"
NOT_SPAWNED = ("can't find command", "command at")
FAILED = ("FATAL", "EXITED", "UNKNOWN")


def configuration(home: Home, socket: Path, services: Sequence[Program], portal: Sequence[Program]) -> str:
    """Return the text of supervisord's configuration file."""
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"directory={_escaped(home.run)}",
        f"logfile={_escaped(home.logs / 'supervisord.log')}",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        f"pidfile={_escaped(home.run / 'supervisord.pid')}",
        f"childlogdir={_escaped(home.logs)}",
        "identifier=portal",
        # Lower than the defaults, which an ordinary user of a small machine may not have.
        "minfds=256",
        "minprocs=32",
        *(["user=root"] if os.geteuid() == 0 else []),
        "[unix_http_server]",
        f"file={_escaped(socket)}",
        "chmod=0600",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for group, programs, priority in ((SERVICES, services, 10), (PORTAL, portal, 20)):
        if not programs:
            continue
        lines += [
            f"[group:{group}]",
            f"programs={','.join(one.name for one in programs)}",
            f"priority={priority}",
        ]
        for program in programs:
            lines += _program(home, program, autostart=group == SERVICES)
    return "\n".join(lines) + "\n"


def _program(home: Home, program: Program, *, autostart: bool) -> list[str]:
    environment = ",".join(f'{name}="{_escaped(value)}"' for name, value in program.environment.items())
    return [
        f"[program:{program.name}]",
        f"command={_escaped(shlex.join(program.argv(home)))}",
        f"directory={_escaped(program.directory)}",
        *([f"environment={environment}"] if environment and not program.alone else []),
        *([f"user={program.user}"] if program.user else []),
        f"autostart={'true' if autostart else 'false'}",
        "autorestart=true",
        "startsecs=1",
        # A database that was killed needs its orphans to leave before it starts again: four tries in ten seconds.
        "startretries=4",
        f"stopsignal={program.stop_signal.name.removeprefix('SIG')}",
        f"stopwaitsecs={program.stop_seconds}",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_escaped(home.logs / f'{program.name}.log')}",
        "stdout_logfile_maxbytes=10MB",
        "stdout_logfile_backups=1",
    ]


def _escaped(value: object) -> str:
    """Keep supervisord from reading a per cent sign as the start of a variable."""
    return str(value).replace("%", "%%")


class Supervisor:
    """A running supervisord and the questions asked of it."""

    def __init__(self, home: Home, services: Sequence[Program], portal: Sequence[Program]) -> None:
        """Take what to run; nothing starts yet."""
        self.home = home
        self._services = services
        self._portal = portal
        self._socket = home.socket_directory() / "supervisor.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start supervisord with the services, and return once it answers.

        It gets a session of its own, so that Ctrl-C reaches only the caller, who stops things in order; when
        the caller is killed the kernel tells supervisord to stop. Raises LocalError with its own words when
        it does not start.
        """
        path = self.home.run / "supervisord.conf"
        write_private(path, configuration(self.home, self._socket, self._services, self._portal))
        self._socket.unlink(missing_ok=True)
        with (self.home.logs / "supervisord.out").open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(path)],
                env={**environment, MARK: str(self.home.path)},
                cwd=self.home.run,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Safe, because the caller has started no threads yet.
                preexec_fn=signal_when_parent_dies(signal.SIGTERM),  # noqa: PLW1509
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._call("supervisor.getState")
            except (OSError, http.client.HTTPException):
                self.require_running()
                if time.monotonic() > deadline:
                    raise LocalError(
                        f"supervisord did not answer within {START_SECONDS} s; see {self.home.logs}."
                    ) from None
                time.sleep(0.03)
            else:
                return

    def start_portal(self) -> None:
        """Start the portal's own programs."""
        self._call("supervisor.startProcessGroup", PORTAL, False)

    def programs(self) -> list[dict[str, Any]]:
        """Return what supervisord knows of every program: name, statename, pid, spawnerr, logfile."""
        answer: list[dict[str, Any]] = self._call("supervisor.getAllProcessInfo")
        return answer

    def pids(self) -> list[int]:
        """Return the ids of supervisord and of its running programs."""
        found = [int(info["pid"]) for info in self.programs() if info["pid"]]
        return [self._process.pid, *found] if self._process else found

    def require(self, name: str) -> None:
        """Raise LocalError with the end of its log when that program, or supervisord itself, has failed."""
        self.require_running()
        for info in self.programs():
            # A program that cannot be found will not appear while we wait for the retries.
            hopeless = info["statename"] in FAILED or info["spawnerr"].startswith(NOT_SPAWNED)
            if info["name"] == name and hopeless:
                raise LocalError(f"{name} does not start ({info['spawnerr'] or info['statename']}).{self._tail(name)}")

    def require_running(self) -> None:
        """Raise LocalError when supervisord has gone."""
        if self._process is None or self._process.poll() is not None:
            raise LocalError(
                "The process manager (supervisord) has ended."
                + self._tail("supervisord", "supervisord.out")
                + self._tail("supervisord")
            )

    def stop(self) -> None:
        """Ask supervisord to stop everything in order, and kill it when it does not within half a minute."""
        if self._process is None:
            return
        try:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._socket.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill supervisord; its programs are then left over and ended by `end_leftovers`."""
        if self._process is not None and self._process.poll() is None:
            end([psutil.Process(self._process.pid)], 0)
            self._process.wait()

    def _call(self, method: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._socket}")
        try:
            with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
                return getattr(server, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise LocalError(f"supervisord refuses {method}: {fault.faultString}") from fault

    def _tail(self, name: str, file: str = "") -> str:
        path = self.home.logs / (file or f"{name}.log")
        try:
            lines = path.read_text(errors="replace").splitlines()[-15:]
        except OSError:
            return ""
        return "".join(f"\n    {line}" for line in [f"The end of {path}:", *lines]) if lines else ""
