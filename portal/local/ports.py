"""Which loopback ports the portal uses on this machine, and whether they are free.

All of them stay below 32768: from there on Linux hands ports to outgoing connections, and a server that
starts later finds its port taken now and then.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from portal.local.errors import LocalError

HOST = "127.0.0.1"
DEFAULT_WEB_PORT = 8000
LOWEST, HIGHEST = 1024, 32767


@dataclass(frozen=True)
class Ports:
    """The ports of one portal; the others follow from the web port."""

    web: int
    postgres: int
    valkey: int
    sandbox: int

    @classmethod
    def following(cls, web: int) -> Ports:
        """Return web, web + 1 (PostgreSQL), web + 2 (Valkey) and web + 3 (sandbox AWS).

        Raises LocalError when one of them is below 1024 or above 32767.
        """
        if not LOWEST <= web <= HIGHEST - 3:
            raise LocalError(
                f"PORTAL_PORT={web} does not fit: it and the three ports after it must lie between {LOWEST} "
                f"and {HIGHEST}. Choose PORTAL_PORT between {LOWEST} and {HIGHEST - 3}, for example 8000."
            )
        return cls(web, web + 1, web + 2, web + 3)


def ports_from(environ: Mapping[str, str]) -> Ports:
    """Read PORTAL_PORT (default 8000). Raises LocalError when it is not a number or out of range."""
    text = environ.get("PORTAL_PORT", "").strip() or str(DEFAULT_WEB_PORT)
    if not (text.isascii() and text.isdigit()):
        raise LocalError(f"PORTAL_PORT={text!r} is not a port number. Give a number such as PORTAL_PORT=8000.")
    return Ports.following(int(text))


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it a port whose last connection has just closed would look taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(port: int, purpose: str) -> None:
    """Raise LocalError naming the port, what it was for and, when it can be seen, who holds it."""
    if is_free(port):
        return
    raise LocalError(
        f"Port {port} is taken{_holder(port)}; it is needed for {purpose}. Stop what listens there, "
        "or move the portal with PORTAL_PORT, for example: make up PORTAL_PORT=8100"
    )


def free_ports(count: int, low: int = 20000, high: int = 31999) -> list[int]:
    """Return that many different ports in the range that nobody listens on.

    They are held together while they are looked for, so no port comes twice. Raises LocalError when there
    are not enough.
    """
    held: list[socket.socket] = []
    try:
        # Two test runs at the same time start looking at different places.
        for port in random.SystemRandom().sample(range(low, high + 1), high + 1 - low):
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                probe.bind((HOST, port))
            except OSError:
                probe.close()
                continue
            held.append(probe)
            if len(held) == count:
                return [probe.getsockname()[1] for probe in held]
    finally:
        for probe in held:
            probe.close()
    raise LocalError(f"Fewer than {count} free ports between {low} and {high} on {HOST}.")


def _holder(port: int) -> str:
    """Name the listening process, as far as this user may see it."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
                continue
            if connection.laddr.port == port:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.Error, OSError):
        pass
    return ""
