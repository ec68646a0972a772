"""The client of the API: what is repeated and how often, pages as they are needed, files in pieces, problems in words."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from governance_cli.api import Client
from governance_cli.failures import Failure

from .run import Done
from .scripted import Answer, Server

Governance = Callable[..., Done]
BUSY = Answer({"title": "Busy", "detail": "Wait."}, status=503)


@pytest.fixture
def waits() -> list[float]:
    """How long the client waited before each repeat."""
    return []


@pytest.fixture
def client(server: Server, waits: list[float]) -> Client:
    return Client(server.url, "a-token", timeout=2, retries=3, sleep=waits.append)


@pytest.mark.parametrize("failing", [BUSY, Answer(status=429), Answer(dropped=True)])
def test_reading_is_repeated_until_it_works(
    client: Client, server: Server, waits: list[float], failing: Answer
) -> None:
    server.will(failing, failing, Answer({"id": 1}))
    assert client.get("me/") == {"id": 1}
    assert len(server.asked) == 3
    first, second = waits
    assert 0.3 < first < 0.7 < second < 1.3


def test_a_post_is_repeated_under_the_key_it_was_sent_with(client: Client, server: Server) -> None:
    server.will(BUSY, Answer(dropped=True), Answer({"id": 1}, status=201))
    assert client.post("use-cases/", {"name": "x"}) == {"id": 1}
    client.post("use-cases/", {"name": "x"})
    first, again, third, another = (asked.headers["Idempotency-Key"] for asked in server.asked)
    assert first == again == third != another
    assert {asked.body for asked in server.asked} == {b'{"name":"x"}'}


def test_a_post_that_is_still_under_way_is_asked_about_again(
    client: Client, server: Server, waits: list[float]
) -> None:
    under_way = {"title": "Still running", "detail": "Wait.", "code": "idempotency-in-progress"}
    server.will(Answer(dropped=True), Answer(under_way, status=409, headers={"Retry-After": "2"}), Answer({"id": 1}))
    assert client.post("use-cases/", {}) == {"id": 1}
    assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 1
    assert waits[1] == 2
    server.will(Answer({"title": "Closed", "detail": ""}, status=409))
    with pytest.raises(Failure, match="Closed"):
        client.post("approvals/AR-000001/decisions/", {})
    assert len(server.asked) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_has_no_key_is_tried_once(client: Client, server: Server, method: str) -> None:
    server.will(BUSY)
    with pytest.raises(Failure, match="Busy"):
        client.call(method, "use-cases/UC-0001/")
    assert len(server.asked) == 1
    assert "Idempotency-Key" not in server.asked[0].headers


def test_repeats_are_bounded(client: Client, server: Server, waits: list[float]) -> None:
    server.will(BUSY)
    with pytest.raises(Failure, match="Busy"):
        client.get("me/")
    assert (len(server.asked), len(waits)) == (4, 3)
    server.will(Answer(status=500, content=b"", content_type="text/plain"))
    with pytest.raises(Failure, match="answered 500"):
        client.get("me/")
    assert len(server.asked) == 1


def test_the_portal_says_how_long_to_wait(client: Client, server: Server, waits: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    for said, low, high in (("7", 7, 7), (soon, 15, 20), ("soon", 0.3, 0.7)):
        waits.clear()
        server.will(Answer(status=429, headers={"Retry-After": said}), Answer({}))
        client.get("me/")
        assert low <= waits[0] <= high


def test_whoever_must_wait_for_an_hour_is_told_so(client: Client, server: Server, waits: list[float]) -> None:
    server.will(Answer({"title": "Locked out", "detail": "Wait."}, status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(Failure) as refused:
        client.get("me/")
    assert waits == []
    assert refused.value.detail == "Wait.\nTry again in 3600 seconds."


def test_pages_are_read_as_they_are_needed(client: Client, server: Server) -> None:
    pages = [Answer({"results": [{"id": 2 * n}, {"id": 2 * n + 1}], "next": f"/x?cursor={n}"}) for n in range(3)]
    server.will(*pages, Answer({"results": [{"id": 9}], "next": None}))
    rows = client.rows("use-cases/", stage="qa", project=None)
    assert [next(rows)["id"] for _ in range(3)] == [0, 1, 2]
    assert len(server.asked) == 2
    assert [row["id"] for row in rows] == [3, 4, 5, 9]
    assert server.asked[0].query == {"stage": "qa", "page_size": "200"}
    assert [asked.query.get("cursor") for asked in server.asked[1:]] == ["0", "1", "2"]


def test_the_token_never_follows_a_link_elsewhere(client: Client, server: Server) -> None:
    elsewhere = "http://127.0.0.1:1/api/v1/stolen/?cursor=2"
    server.will(Answer({"results": [], "next": elsewhere}), Answer({"results": [{"id": 1}], "next": None}))
    assert [row["id"] for row in client.rows("use-cases/")] == [1]
    assert [asked.path for asked in server.asked] == ["/api/v1/use-cases/"] * 2


@pytest.mark.parametrize(
    "page", [{"results": [], "next": "?cursor=1"}, {"results": None}, {"next": 1, "results": []}, []]
)
def test_pages_that_lead_nowhere_end(client: Client, server: Server, page: object) -> None:
    server.will(Answer(page))
    with pytest.raises(Failure, match="The list cannot be read"):
        list(client.rows("use-cases/"))
    assert len(server.asked) <= 2


def test_a_list_says_when_it_was_cut(governance: Governance, server: Server) -> None:
    server.will(Answer({"results": [{"id": f"UC-{n}"} for n in range(3)], "next": None}))
    cut = governance("use-case", "list", "--limit", "2", "--json")
    assert [row["id"] for row in cut.json] == ["UC-0", "UC-1"]
    assert cut.err == "There are more than these 2: say --limit 0 for all.\n"
    assert server.asked[0].query == {"page_size": "3"}
    for whole in ("3", "0"):
        done = governance("use-case", "list", "--limit", whole, "--json")
        assert (len(done.json), done.err) == (3, "")


def test_a_file_is_sent_in_pieces_and_again_from_its_beginning(
    governance: Governance, server: Server, tmp_path: Path
) -> None:
    file, size = tmp_path / "report.json", 8 * 1024 * 1024
    with file.open("wb") as opened:
        opened.truncate(size)
    attached = {"id": "EV-000001", "subject": {"name": "credit-risk/3"}, "kind": "bias_report", "fingerprint": "00"}
    server.will(BUSY, Answer(attached, status=201))
    tracemalloc.start()
    done = governance("--retries", "1", "evidence", "upload", str(file), "--kind", "bias_report", "--version", "17")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.out == "EV-000001 is attached to credit-risk/3 as bias_report: 00\n"
    first, second = server.asked
    assert first.size == second.size > size
    boundary = first.headers["Content-Type"].partition("boundary=")[2]
    assert boundary != second.headers["Content-Type"].partition("boundary=")[2]
    assert b'name="file"; filename="report.json"\r\nContent-Type: application/json' in first.body
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert peak < size / 4
    form = first.body.partition(b'name="file"')[0]
    for name, value in (("kind", "bias_report"), ("model_version", "17")):
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in form
    tail = f"\r\n--{boundary}--\r\n".encode()
    head = first.body[: first.body.index(b"\r\n\r\n", first.body.index(b'name="file"')) + 4]
    sent = hashlib.sha256(head)
    for _ in range(8):
        sent.update(bytes(1024 * 1024))
    sent.update(tail)
    assert first.sha256 == sent.hexdigest()


def test_every_fields_error_is_shown(governance: Governance, server: Server) -> None:
    errors = {"name": ["Too long.", "Taken."], "project": ["There is no such project."]}
    problem = {"title": "The input is not valid", "detail": "Some fields.", "code": "invalid-input", "errors": errors}
    server.will(Answer(problem, status=400, content_type="application/problem+json"))
    words = ["use-case", "register", "--name", "x", "--project", "y", "--purpose", "z"]
    done = governance(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "governance: The input is not valid (400 invalid-input)",
        "  Some fields.",
        "  name: Too long.",
        "  name: Taken.",
        "  project: There is no such project.",
    ]
    shown = governance(*words, "--json")
    assert (shown.code, shown.out) == (2, "")
    assert '"errors": {\n    "name"' in shown.err


def test_what_people_wrote_cannot_steer_the_terminal(governance: Governance, server: Server) -> None:
    server.will(Answer({"results": [{"id": "UC-1", "name": "a\x1b[2J\x07b\nc"}], "next": None}))
    assert governance("use-case", "list").out.splitlines()[1].split()[:3] == ["UC-1", "a�[2J�b", "c"]
    server.will(Answer({"title": "\x1b[31mred", "detail": "\x1b[2J"}, status=409))
    assert "\x1b" not in governance("use-case", "list").err


@pytest.mark.parametrize("name", ["../me", "UC-0001/submit", "UC%2F1", "", "UC-0001?x=1", "UC-0001\n"])
def test_an_id_is_never_a_path(governance: Governance, server: Server, name: str) -> None:
    server.will(Answer({}))
    assert governance("use-case", "show", name).code == 2
    assert server.asked == []
