"""HTTP connections to one chosen address that end at a chosen time, however the other side spends it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError


class Deadline:
    """The moment at which whatever is still connected is cut off."""

    def __init__(self) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection off when the time is over; at once when it is."""
        # A descriptor of its own: TLS takes the one it is given away from its socket.
        watched = connection.dup()
        with self._lock:
            self._watched.append(watched)
            if self.is_over:
                _cut(watched)

    def end(self) -> None:
        """Cut everything off that is still connected."""
        with self._lock:
            self.is_over = True
            for watched in self._watched:
                _cut(watched)

    def close(self) -> None:
        """Give the descriptors back."""
        with self._lock:
            for watched in self._watched:
                watched.close()
            self._watched.clear()


@contextmanager
def deadline_of(seconds: float) -> Iterator[Deadline]:
    """Cut off, after so many seconds, what is still connected within the block."""
    deadline = Deadline()
    timer = threading.Timer(seconds, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
        deadline.close()


class Pinned(HTTPAdapter):
    """Connect to one address whatever the URL's host is, and hold the certificate against that host.

    `has_name` says whether the host is a name, to be indicated to the server, or an address.
    """

    def __init__(self, address: str, host: str, *, has_name: bool, deadline: Deadline) -> None:
        self._address, self._host, self._has_name, self._watch = address, host, has_name, deadline.watch
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host_params, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        pool_kwargs: dict[str, Any] = {**tls}
        host_params["host"] = self._address
        if host_params["scheme"] == "https":
            if self._has_name:
                pool_kwargs["server_hostname"] = self._host
            pool_kwargs["assert_hostname"] = self._host
        return host_params, pool_kwargs

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        watch = self._watch

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                made = super()._new_conn()
                watch(made)
                return made

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                made = super()._new_conn()
                watch(made)
                return made

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def never_reached(error: Exception) -> bool:
    """Whether an error says that there was no connection, so that nothing was sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def failure_in_words(error: Exception, connect: float, read: float) -> str:
    """Return what went wrong, as the end of a sentence; `connect` and `read` are the seconds that were waited."""
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {connect:g} seconds."
    if isinstance(error, requests.ReadTimeout):
        return f"no answer within {read:g} seconds."
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate does not hold ({' '.join(str(error).split())[:200]})."
    return f"the connection failed ({type(error).__name__})."


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
