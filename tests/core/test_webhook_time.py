"""A receiver that spends time instead of answering holds a worker for a bounded time, and fills no memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from portal.core import webhooks
from portal.core.webhooks import WebhookFailed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen for the block; each connection is given to `answer`, on a thread of its own."""
    server = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                answer(connection)
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def drip(start: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        ("http", drip(b"HTTP/1.1 200 OK\r\n", b"x")),
        ("http", drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
        ("http", drip(b"HTTP/1.1 200 OK\r\nX: ", b"x")),
        # The handshake is waited for as well: the record is never complete.
        ("https", drip(b"\x16\x03\x03\x40\x00", b"\x00")),
    ],
    ids=["headers", "interim answers", "one header", "handshake"],
)
def test_who_drips_is_cut_off(
    scheme: str, answer: Callable[[socket.socket], None], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(webhooks, "TOTAL_SECONDS", 0.4)
    with answering(answer) as port, pytest.raises(WebhookFailed, match=r"not done within 0\.4 seconds") as failed:
        webhooks.send(f"{scheme}://127.0.0.1:{port}/", secrets=[SECRET], message_id="m", body=b"{}")
    assert failed.value.retryable


def test_the_body_of_a_redirect_is_not_read(settings: Any) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    sent = 0

    def answer(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example.org/\r\n\r\n")
        for _ in range(640):
            sent += connection.send(b"x" * 65536)

    with answering(answer) as port, pytest.raises(WebhookFailed, match="redirects are not followed") as failed:
        webhooks.send(f"http://127.0.0.1:{port}/", secrets=[SECRET], message_id="m", body=b"{}")
    assert not failed.value.retryable
    # What the sockets' own buffers take, of 40 MB.
    assert sent < 20_000_000


def test_connections_leave_nothing_open(settings: Any) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    before = threading.active_count()
    with answering(lambda one: one.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")) as port:
        for _ in range(5):
            webhooks.send(f"http://127.0.0.1:{port}/", secrets=[SECRET], message_id="m", body=b"{}")
    time.sleep(0.1)
    assert threading.active_count() <= before + 1
