"""Every page and method against every role; a page without a row fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.api.world import World
from tests.matrices.web import COLUMNS, ROWS, Row, argument
from tests.scene import fingerprint, undone

ELSEWHERE = ("api/v1/", "admin/", "healthz", "readyz")
INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", re.IGNORECASE)


def pages() -> Iterator[tuple[str, set[str]]]:
    """Yield every page's name with the methods it answers, read from the resolver."""

    def walk(patterns: list[Any], path: str, space: str) -> Iterator[tuple[str, set[str]]]:
        for pattern in patterns:
            here = path + str(pattern.pattern)
            if here.startswith(ELSEWHERE):
                continue
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, here, pattern.namespace or space)
            elif isinstance(pattern, URLPattern):
                view = pattern.callback.view_class  # type: ignore[attr-defined]
                methods = {name.upper() for name in view.http_method_names if hasattr(view, name)}
                name = f"{space}:{pattern.name}" if space else str(pattern.name)
                yield name, methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}

    yield from walk(get_resolver().url_patterns, "", "")


def test_every_page_has_its_row() -> None:
    # Django's own sign-in view also answers PUT as if it were POST.
    served = {(name, method) for name, methods in pages() for method in methods - {"PUT"}}
    assert served == {(row.name, row.method) for row in ROWS}


def test_every_row_speaks_of_every_role() -> None:
    assert all(len(row.statuses) == len(COLUMNS) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_each_role_is_answered_as_the_table_says(
    row: Row, world: World, as_role: Callable[[str], Client], aws_answers: None
) -> None:
    path = reverse(row.name, args=argument(world, row.on))
    answered, before = {}, fingerprint()
    for role, expected in zip(COLUMNS, row.statuses, strict=True):
        with undone():
            client = as_role(role)
            answer = getattr(client, row.method.lower())(path, row.body(world) if row.body else {})
            answered[role] = answer.status_code
            text = (
                b"".join(answer.streaming_content).decode(errors="replace")
                if answer.streaming
                else answer.content.decode()
            )
            if role == "anonymous" and not row.name.startswith("sign_"):
                assert answer["Location"].startswith("/sign-in/?next="), answer["Location"]
            elif expected == 302 and row.name != "sign_out":
                assert not answer["Location"].startswith("/sign-in/")
            if row.method == "GET" or answer.status_code >= 400 or role == "anonymous":
                assert fingerprint() == before, f"{role} changed something"
            if answer.status_code != 302:
                assert not INLINE.search(text), INLINE.search(text)
                is_download = answer.get("Content-Disposition", "").startswith("attachment")
                assert is_download or answer["Content-Type"].startswith(("text/html", "text/csv"))
            if answer.status_code in (403, 404):
                assert "data-error-title" in text, "a refusal is a page in the house style"
    assert answered == dict(zip(COLUMNS, row.statuses, strict=True))


@pytest.mark.parametrize(
    ("name", "methods"), sorted(pages()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_other_methods_are_refused(
    name: str, methods: set[str], world: World, as_role: Callable[[str], Client]
) -> None:
    on = next(row.on for row in ROWS if row.name == name)
    path = reverse(name, args=argument(world, on))
    client = as_role("ml_admin")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
        assert getattr(client, method.lower())(path).status_code in (403, 404, 405), method


@pytest.mark.parametrize(
    "path",
    [
        "/use-cases/UC-9999/", "/use-cases/UC-/", "/use-cases/1/", "/use-cases/UC-99999999999999999999/",
        "/approvals/AR-999999/", "/approvals/AR-99999999999999999/", "/model-versions/0/",
        "/model-versions/999999999999999999/", "/findings/FND-000000/", "/accounts/000000000000/", "/accounts/1/",
        "/deployments/999999999/report/", "/stage-records/999999999/validation-metrics/", "/nowhere/",
    ],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(path: str, as_role: Callable[[str], Client]) -> None:
    answer = as_role("ml_admin").get(path)
    assert answer.status_code == 404
    assert "data-error-title" in answer.content.decode()
