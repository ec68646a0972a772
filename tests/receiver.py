"""A server that takes webhooks the way a test wants it: takes, refuses, redirects, drips, stays silent, comes back."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any

from portal.core.webhooks import sign
from tests.sandbox import free_port


@dataclass(frozen=True)
class Taken:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """Whether one of its signatures is this secret's."""
        wanted = sign(secret, self.headers["webhook-id"], int(self.headers["webhook-timestamp"]), self.body)
        return wanted in self.headers["webhook-signature"].split()


@dataclass
class Receiver:
    """Where it listens, what came, and what it answers next (200 when nothing is scripted)."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    answers: deque[tuple[int, dict[str, str], bytes, float]] = field(default_factory=deque)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/orders"

    def answer(self, status: int, body: bytes = b"", seconds: float = 0.0, **headers: str) -> None:
        """Script one answer, after so many seconds."""
        self.answers.append((status, headers, body, seconds))


@contextmanager
def listening(tls: SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver on the loopback address for the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            receiver.taken.append(
                Taken(self.path, {name.lower(): value for name, value in self.headers.items()}, self.rfile.read(length))
            )
            status, headers, body, seconds = receiver.answers.popleft() if receiver.answers else (200, {}, b"", 0.0)
            time.sleep(seconds)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    server.daemon_threads = True
    # Whoever hangs up before the answer is what some tests are about.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # says nothing of lost peers
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
