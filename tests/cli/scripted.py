"""A real HTTP server on loopback that answers what a test scripted, and remembers what it was asked."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Answer:
    """One scripted answer: a document, or bytes as they are; `dropped` hangs up, `late` waits first."""

    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = "application/json"
    dropped: bool = False
    late: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One request as the server read it; of large bodies only size and hash are kept."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    size: int
    sha256: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """Where it answers, what it will answer (the last answer again and again), and what it was asked."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def will(self, *answers: Answer) -> None:
        self.answers[:] = answers
        self.asked.clear()


@contextmanager
def serving() -> Iterator[Server]:
    """Run the server for as long as the block lasts."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        http.daemon_threads = True
        server = Server(f"http://127.0.0.1:{http.server_address[1]}")
        http.script = server  # type: ignore[attr-defined]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        http.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        script: Server = self.server.script  # type: ignore[attr-defined]
        parts, (body, size, digest) = urlsplit(self.path), self._body()
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        script.asked.append(Asked(self.command, parts.path, query, dict(self.headers), body, size, digest))
        answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
        time.sleep(answer.late)
        if answer.dropped:
            self.close_connection = True
            self.connection.close()
            return
        content = answer.content if answer.content is not None else json.dumps(answer.document).encode()
        self.send_response(answer.status)
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(content)), **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        with suppress(OSError):  # who asked may have given up
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server calls them so

    def _body(self) -> tuple[bytes, int, str]:
        kept, size, digest = b"", 0, hashlib.sha256()
        left = int(self.headers.get("Content-Length", 0))
        while left and (piece := self.rfile.read(min(left, 1 << 16))):
            left, size = left - len(piece), size + len(piece)
            digest.update(piece)
            kept = (kept + piece)[: 1 << 17]
        return kept, size, digest.hexdigest()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""
