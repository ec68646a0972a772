"""A load generator for one web server on this machine: raw sockets in one process, so that it leaves the cores alone.

Every client is a keep-alive connection of its own, watched by one epoll; a request is bytes made beforehand, and of an
answer only the status and the length are read. That costs about 0.04 ms of processor time a request, where an HTTP
library costs ten times that, which on two cores is taken from the server that is measured.
"""

from __future__ import annotations

import gc
import heapq
import json
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

PATIENCE_SECONDS = 60.0


class WrongAnswer(Exception):
    """The server answered something else than was asked for: nothing of the run counts."""


@dataclass(frozen=True)
class Measured:
    """What one run measured; the seconds each answer took, in no order."""

    seconds: float
    taken: list[float] = field(repr=False)
    own_cpu: float = 0.0

    @property
    def rps(self) -> float:
        """Answers a second."""
        return len(self.taken) / self.seconds

    def ms(self, percent: float) -> float:
        """Return the time that so many percent of the answers took at most, in milliseconds."""
        ordered = sorted(self.taken)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000

    def as_json(self) -> dict[str, float]:
        """Return the figures of one run."""
        return {"rps": round(self.rps, 1), "p50_ms": round(self.ms(50), 2), "p95_ms": round(self.ms(95), 2)}


class _Client:
    """One connection, and what it waits for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        # Requests are one small packet each: waiting for more would be measured, not the server.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked_at = 0.0
        self.received = bytearray()

    def ask(self, request: bytes, since: float | None = None) -> None:
        """Send a request. Its time counts from `since`, when it was due, or from now."""
        self.asked_at = time.perf_counter() if since is None else since
        self.received.clear()
        self.socket.sendall(request)

    def is_answered(self, expected: frozenset[int]) -> bool:
        """Read what has come; whether the answer is whole. Raises WrongAnswer for another status."""
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise WrongAnswer("The server closed the connection.")
        received = self.received
        received += piece
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(received[:end]).lower()
        if int(head[9:12]) not in expected:
            raise WrongAnswer(bytes(received[:2000]).decode(errors="replace"))
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            raise WrongAnswer(f"The server does not say how long its answer is: {head.decode(errors='replace')}")
        return len(received) >= end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])


def request(path: str, token: str, *, body: object = None, prefer: str = "") -> bytes:
    """Return a request of the API as it goes over the wire; a POST when it has a body. `prefer` is RFC 7240's."""
    sent = b"" if body is None else json.dumps(body).encode()
    head = [
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Token {token}",
        "Accept: application/json",
        *([f"Prefer: {prefer}"] if prefer else []),
        *([] if body is None else ["Content-Type: application/json", f"Content-Length: {len(sent)}"]),
    ]
    return "\r\n".join([*head, "", ""]).encode() + sent


def closed_loop(
    port: int, requests: Iterator[bytes], *, clients: int, seconds: float, expected: frozenset[int]
) -> Measured:
    """Have so many clients ask one request after the other for so long, or until there are no more requests.

    Raises WrongAnswer for any other status than the expected ones.
    """
    open_clients = [_Client(port) for _ in range(clients)]
    by_number = {client.socket.fileno(): client for client in open_clients}
    taken: list[float] = []
    gc.collect()
    gc.disable()
    poll = select.epoll()
    try:
        cpu, begun = time.process_time(), time.perf_counter()
        waiting = 0
        for client in open_clients:
            poll.register(client.socket, select.EPOLLIN)
            if following := next(requests, None):
                client.ask(following)
                waiting += 1
        last = begun
        while waiting:
            ready = poll.poll(PATIENCE_SECONDS)
            if not ready:
                raise WrongAnswer(f"No answer within {PATIENCE_SECONDS:.0f} s.")
            for number, _ in ready:
                client = by_number[number]
                if not client.is_answered(expected):
                    continue
                last = time.perf_counter()
                taken.append(last - client.asked_at)
                following = next(requests, None) if last - begun < seconds else None
                if following is None:
                    waiting -= 1
                else:
                    client.ask(following)
        return Measured(last - begun, taken, time.process_time() - cpu)
    finally:
        gc.enable()
        poll.close()
        for client in open_clients:
            client.socket.close()


def open_loop(
    port: int, requests: Iterator[bytes], *, rate: float, clients: int, seconds: float, expected: frozenset[int]
) -> Measured:
    """Ask at a steady rate, whether the server keeps up or not: an answer's time counts from when it was due.

    A request that finds all connections busy waits for one, and that wait counts. A server that has not caught up
    after three times as long is not waited for: what is then unanswered counts with the time it has waited.
    Raises WrongAnswer for any other status than the expected ones.
    """
    open_clients = [_Client(port) for _ in range(clients)]
    by_number = {client.socket.fileno(): client for client in open_clients}
    taken: list[float] = []
    gc.collect()
    gc.disable()
    poll = select.epoll()
    try:
        for client in open_clients:
            poll.register(client.socket, select.EPOLLIN)
        cpu, begun = time.process_time(), time.perf_counter()
        total = int(rate * seconds)
        # The longest idle one asks next, so that every connection, and with it every server process, has its share.
        idle = [(0.0, number) for number in by_number]
        heapq.heapify(idle)
        sent = 0
        while len(taken) < total:
            now = time.perf_counter()
            if now - begun > 3 * seconds:
                taken += [now - (begun + number / rate) for number in range(len(taken), total)]
                break
            while sent < total and idle and begun + sent / rate <= now:
                by_number[heapq.heappop(idle)[1]].ask(next(requests), begun + sent / rate)
                sent += 1
            wait = PATIENCE_SECONDS if sent == total or not idle else max(0.0, begun + sent / rate - now)
            ready = poll.poll(wait)
            if not ready and wait == PATIENCE_SECONDS:
                raise WrongAnswer(f"No answer within {PATIENCE_SECONDS:.0f} s.")
            for number, _ in ready:
                client = by_number[number]
                if client.is_answered(expected):
                    now = time.perf_counter()
                    taken.append(now - client.asked_at)
                    heapq.heappush(idle, (now, number))
        return Measured(time.perf_counter() - begun, taken, time.process_time() - cpu)
    finally:
        gc.enable()
        poll.close()
        for client in open_clients:
            client.socket.close()
