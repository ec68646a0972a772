"""What the portal fetches from servers of other people: bounded in size and time, and only where it may go."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from portal.core.fetching import AnswerTooLong, Fetched, FetchFailed, fetch
from tests.sandbox import free_port

SETTING = "PORTAL_TRACKING_ALLOWED_NETWORKS"
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Answers the way a test says."""

    daemon_threads = True
    answer: Answer
    seen: list[tuple[str, str, dict[str, str]]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            made.seen.append((self.command, self.path, dict(self.headers)))
            made.answer(self)

        do_GET = do_POST = _any  # noqa: N815 - names of http.server

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    made = Server(("127.0.0.1", free_port()), Handler)
    made.seen = []
    thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.PORTAL_TRACKING_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def ask(server: Server, **more: Any) -> Fetched:
    url = f"http://127.0.0.1:{server.server_address[1]}/api"
    return fetch(url, setting=SETTING, **{"seconds": 3.0, "largest": 100, **more})


def sends(status: int, body: bytes, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_a_question_goes_out_and_its_answer_comes_back(server: Server) -> None:
    server.answer = sends(404, b"{}")
    assert ask(server, query={"name": "a b&c"}, headers={"Authorization": "Bearer t"}) == Fetched(404, b"{}")
    method, path, headers = server.seen[-1]
    assert (method, path, headers["Authorization"]) == ("GET", "/api?name=a+b%26c", "Bearer t")
    assert headers["Accept-Encoding"] == "identity"
    ask(server, body={"filter": "x"})
    assert server.seen[-1][0] == "POST"


def test_redirects_are_not_followed(server: Server) -> None:
    server.answer = sends(302, b"", Location="http://127.0.0.1:1/")
    asked = len(server.seen)
    assert ask(server).status == 302
    assert len(server.seen) == asked + 1


def test_too_much_is_not_read(server: Server) -> None:
    server.answer = sends(200, b"x" * 101)
    with pytest.raises(AnswerTooLong):
        ask(server)


def test_a_server_that_drips_is_cut_off(server: Server) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(40):
                handler.wfile.write(b"x")
                time.sleep(0.05)

    server.answer = drip
    began = time.monotonic()
    with pytest.raises(FetchFailed, match="not done within"):
        ask(server, seconds=0.3)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("url", "networks"),
    [
        ("http://127.0.0.1:9/", []),
        ("https://10.0.0.1/", []),
        ("https://localhost/", []),
        ("http://169.254.169.254/", ["0.0.0.0/0"]),
        ("https://[fd00:ec2::254]/", ["::/0"]),
        ("http://[::ffff:169.254.169.254]/", ["0.0.0.0/0", "::/0"]),
        ("ftp://127.0.0.1/", ["127.0.0.0/8"]),
        ("https://user@example.com/", []),
    ],
)
def test_it_goes_only_where_it_may(settings: Any, url: str, networks: list[str]) -> None:
    settings.PORTAL_TRACKING_ALLOWED_NETWORKS = networks
    # What webhooks may reach says nothing about tracking servers.
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8", "10.0.0.0/8"]
    with pytest.raises(FetchFailed) as refused:
        fetch(url, setting=SETTING, seconds=1.0, largest=10)
    assert refused.value.is_refused


def test_a_closed_port_is_said() -> None:
    with pytest.raises(FetchFailed, match="the connection failed"):
        fetch("http://127.0.0.1:9/", setting=SETTING, seconds=1.0, largest=10)
