"""What people do in the pages a token does over the API: every page has its operations, or a reason why none."""

from __future__ import annotations

from typing import Any

import pytest

from portal.api import docs
from tests.matrices.admin import MODELS, SHOWN, VIEWS
from tests.matrices.admin import PAGES as CONSOLE_PAGES
from tests.matrices.parity import CONSOLE, PAGES
from tests.matrices.web import ROWS as WEB_ROWS
from tests.web.test_matrix import pages

READS, CHANGES = {"get"}, {"post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI document of today."""
    return docs.schema()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[str, str]:
    """The method of every operation of the API by its id."""
    return {
        operation["operationId"]: method for found in document["paths"].values() for method, operation in found.items()
    }


def test_every_page_is_in_the_table() -> None:
    assert set(PAGES) == {name for name, _ in pages()}


def test_every_page_has_operations_or_a_reason() -> None:
    assert all(said if isinstance(said, str) else len(said) == len(set(said)) > 0 for said in PAGES.values())


def test_the_operations_are_those_of_the_api(operations: dict[str, str]) -> None:
    named = {name for said in (*PAGES.values(), *CONSOLE.values()) if not isinstance(said, str) for name in said}
    assert not named - set(operations)


def test_what_a_page_changes_an_operation_changes(operations: dict[str, str]) -> None:
    sends = {row.name for row in WEB_ROWS if row.method == "POST"}
    for name, said in PAGES.items():
        if isinstance(said, str):
            continue
        methods = {operations[one] for one in said}
        assert methods <= READS if name not in sends else methods & CHANGES, name


def test_what_the_console_changes_an_operation_changes() -> None:
    written = {
        f"{model.replace('.', '_')}_{view}"
        for model, answers in MODELS.items()
        if answers != SHOWN
        for view, answer in zip(VIEWS, answers, strict=True)
        if view in {"add", "change", "delete"} and answer == 200
    }
    assert set(CONSOLE) == written | {name for name in CONSOLE_PAGES if name.startswith(("registry_user_", "auth_"))}


def test_the_document_lists_what_the_schema_has(document: dict[str, Any]) -> None:
    text = docs.DOCUMENT.read_text()
    assert docs.rewritten(text, document) == text, "Run `make docs`."
