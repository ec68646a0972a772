"""`PORTAL_HOME`: everything the portal keeps on this machine, by default `.local/` in the clone.

secrets/            generated once, readable by the owner only
postgres-17/        database files, named with the major version (or a `.location` file, see `postgres`)
valkey-9/           the broker's files
sandbox/            what the sandbox AWS remembers
logs/ run/          log files; process ids, sockets and generated configuration
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.local.errors import LocalError

PROJECT = Path(__file__).resolve().parents[2]
# The kernel's limit is 108 bytes with the closing zero; supervisord adds its process id while it binds.
LONGEST_SOCKET_PATH = 90


@dataclass(frozen=True)
class Home:
    """One PORTAL_HOME directory; `path` is absolute."""

    path: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Home:
        """Take PORTAL_HOME from the environment, or `.local` in the clone.

        Raises LocalError for a path the process manager's configuration cannot hold.
        """
        path = Path(os.path.realpath(environ.get("PORTAL_HOME") or PROJECT / ".local"))
        for place in (path, PROJECT):
            # In the process manager's configuration these begin a comment or a variable, or end the line.
            if any(sign in str(place) for sign in ";#%\n\r"):
                raise LocalError(f"The path {str(place)!r} holds one of ; # % or a line break. Use another directory.")
        return cls(path)

    @property
    def run(self) -> Path:
        """Process ids, sockets and generated configuration: of no worth when nothing runs."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One log file for each process."""
        return self.path / "logs"

    @property
    def sandbox(self) -> Path:
        """What the sandbox AWS remembers."""
        return self.path / "sandbox"

    def prepare(self) -> None:
        """Make the directories. Raises LocalError when this user may not write there."""
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                # Started by root the database runs as another user, who has to pass through to its files.
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for directory in (self.run, self.logs, self.path / "secrets"):
                directory.mkdir(exist_ok=True)
                directory.chmod(0o700)
        except OSError as error:
            raise LocalError(
                f"Cannot write to PORTAL_HOME {self.path}: {error.strerror}. Use the user who made it, "
                "or set PORTAL_HOME to a directory of your own."
            ) from error

    def secret(self, name: str) -> str:
        """Return the secret of that name, made on first use and readable by the owner only."""
        path = self.path / "secrets" / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48))
        return path.read_text().strip()

    def socket_directory(self) -> Path:
        """Return a directory, private to this user, whose path is short enough for a unix socket.

        That is `run/`, or for a long PORTAL_HOME a directory below the system's temporary one. Raises
        LocalError when somebody else owns that.
        """
        if len(os.fsencode(self.run / "supervisor.sock")) <= LONGEST_SOCKET_PATH:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        directory = Path(tempfile.gettempdir()) / f"portal-{os.geteuid()}-{digest}"
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
        status = directory.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise LocalError(f"{directory} is not a private directory of this user. Remove it, or shorten PORTAL_HOME.")
        return directory

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this home while the block runs, so that only one portal runs on it.

        The kernel lets go of the lock when the process dies, however it dies. Raises LocalError naming the
        process that holds it and its URL.
        """
        descriptor = os.open(self.run / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                other = self.read_state("up")
                raise LocalError(
                    f"The portal already runs on {self.path}: process {other.get('pid', 'unknown')}, "
                    f"{other.get('url', 'URL not yet known')}. Stop it with Ctrl-C in its terminal"
                    + (f" or with: kill {other['pid']}" if "pid" in other else "")
                    + ". To run a second one, set PORTAL_HOME and PORTAL_PORT."
                ) from None
            yield
        finally:
            os.close(descriptor)

    def read_state(self, name: str) -> dict[str, Any]:
        """Return what `write_state` kept, or nothing when there is none or it is torn."""
        try:
            state = json.loads((self.run / f"{name}.json").read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def write_state(self, name: str, state: Mapping[str, Any]) -> None:
        """Keep a small record for the next start."""
        write_private(self.run / f"{name}.json", json.dumps(state, indent=1))

    def remove(self) -> None:
        """Delete the directory with everything in it; for homes made for one test run."""
        shutil.rmtree(self.path, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read, whole or not at all."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
