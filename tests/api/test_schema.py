"""The API describes itself, whole and without a warning, to whoever is signed in."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from drf_spectacular.validation import validate_schema

from tests.matrices.api import ROWS

from .client import BASE, Api
from .openapi_difference import differences
from .world import World

# Half a megabyte: the loader in C takes a tenth of the time.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KEPT = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The document, as `manage.py spectacular --fail-on-warn` writes it."""
    out = StringIO()
    call_command("spectacular", "--fail-on-warn", stdout=out)
    document: dict[str, Any] = yaml.load(out.getvalue(), LOADER)
    return document


def test_it_is_as_it_was_written_down(schema: dict[str, Any]) -> None:
    found = differences(yaml.load(KEPT.read_text(), LOADER), schema)
    assert not found, (
        f"{len(found)} differences from docs/openapi.yaml. Others build on the API: look at each line, name removals"
        " in the CHANGELOG, and write the document anew with `make docs`.\n" + "\n".join(found[:200])
    )


def test_it_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"] == "3.1.0"
    validate_schema(schema)


def test_every_operation_is_described(schema: dict[str, Any]) -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1/"))
        for path, operations in schema["paths"].items()
        for method in operations
    }
    # The root, the document itself and its page describe the rest.
    assert described == {(row.method, row.route) for row in ROWS} - {("GET", ""), ("GET", "schema/"), ("GET", "docs/")}


def test_every_operation_names_its_refusals(schema: dict[str, Any]) -> None:
    answered = {
        (row.method, row.route): {str(status) for other in ROWS if other.route == row.route and other.method == row.method for status in other.statuses}
        for row in ROWS
    }  # fmt: skip
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            key = (method.upper(), path.removeprefix("/api/v1/"))
            assert answered[key] <= set(operation["responses"]), key
            assert operation["description"], key
            assert operation["summary"], key
            for status, response in operation["responses"].items():
                if status >= "400":
                    assert "application/problem+json" in response["content"], key


def test_an_edit_asks_for_if_match(schema: dict[str, Any]) -> None:
    for path in ("use-cases", "model-groups"):
        operation = schema["paths"][f"/api/v1/{path}/{{id}}/"]["patch"]
        assert {"name": "If-Match", "in": "header", "required": True}.items() <= next(
            item for item in operation["parameters"] if item["name"] == "If-Match"
        ).items()
        assert {"412", "428"} <= set(operation["responses"])


def test_lists_are_pages(schema: dict[str, Any]) -> None:
    for path in ("use-cases/", "stage-records/", "use-cases/{id}/timeline/"):
        operation = schema["paths"][f"/api/v1/{path}"]["get"]
        assert {"cursor", "page_size"} <= {item["name"] for item in operation["parameters"]}
        reference = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        page = schema["components"]["schemas"][reference.rsplit("/", 1)[1]]
        assert set(page["properties"]) == {"next", "previous", "results"}
    assert "text/csv" in schema["paths"]["/api/v1/stage-records/"]["get"]["responses"]["200"]["content"]


def test_the_document_is_served(world: World) -> None:
    answer = world.api("auditor").client.get(f"{BASE}schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.json()["info"]["title"] == "Model Governance Portal"


def test_the_page_works_under_the_content_security_policy(world: World) -> None:
    answer = world.api("auditor").client.get(f"{BASE}docs/")
    page = answer.getvalue().decode()
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", page), "a script inside the page"
    assert "<style" not in page
    assert not re.search(r"(?:src|href)=\"https?://", page), "something from outside"
    address = re.search(r"<script src=\"(/api/v1/docs/[^\"]*)\"", page)
    assert address
    script = world.api("auditor").client.get(address[1])
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema/" in script.getvalue().decode()
    assert Api().call("GET", "docs/").status_code == 401
