"""A long-running process of the portal, described once for both who start it.

`make up` gives the descriptions to supervisord, `make test` starts them as its own children.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from portal.local.home import PROJECT, Home

# Set for every process started for a home, so that whatever outlives its supervisor can be found again.
# Not PORTAL_HOME itself: people export that in their shells. Nor PORTAL_ anything: a test that starts a portal of its
# own removes those variables, and the portal it forgot to stop must still be found.
MARK = "STARTED_IN_PORTAL_HOME"
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """What to run, as whom, and how to stop it.

    `user` is a name or None for the user of the parent. `alone` starts it with `environment` only, so that a
    server sees none of the portal's secrets.
    """

    name: str
    command: tuple[str, ...]
    directory: Path = PROJECT
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: int = 8

    def argv(self, home: Home) -> list[str]:
        """Return the command line; a lone program gets its whole environment from `env -i`."""
        if not self.alone:
            return list(self.command)
        variables = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", MARK: str(home.path)}
        variables |= self.environment
        return [
            "/usr/bin/env",
            "-i",
            *(f"{name}={value}" for name, value in variables.items()),
            *self.command,
        ]

    def spawn(self, home: Home, environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it as a child that the kernel stops when this process dies.

        In a process group of its own, as supervisord starts its programs, and in the same session: Linux shares the
        processors out by sessions first, and how nice a program is counts only inside of one (autogroups).
        """
        return subprocess.Popen(
            self.argv(home),
            cwd=self.directory,
            env={**environment, **self.environment, MARK: str(home.path)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=signal_when_parent_dies(self.stop_signal),  # noqa: PLW1509  # no threads here
            **drop_to(self.user),
        )


def drop_to(user: str | None) -> dict[str, Any]:
    """Return the arguments that make subprocess run a command as that user, without any extra group."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def signal_when_parent_dies(number: signal.Signals) -> Callable[[], None] | None:
    """Return a function for `preexec_fn` that has the kernel signal the child when this process dies.

    This covers `kill -9`, which no handler can. None where the system cannot do it; there the next start
    finds the leftovers.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask
