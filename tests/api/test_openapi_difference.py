"""What tells a reviewer how the API changed says each kind of change, and nothing where there is none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from .openapi_difference import differences

BEFORE = {
    "info": {"version": "1"},
    "paths": {
        "/a/": {"get": {"parameters": [{"name": "x", "in": "query", "required": False}], "responses": {"200": {}}}},
        "/b/": {"get": {}},
    },
    "components": {"schemas": {"A": {"properties": {"id": {"type": "string"}}, "required": ["id", "name"]}}},
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["paths"].pop("/b/"), ["- operation GET /b/"]),
        (lambda d: d["paths"]["/b/"].update(post={}), ["+ operation POST /b/"]),
        (
            lambda d: d["paths"]["/a/"]["get"]["responses"].update({"404": {"description": "None."}}),
            ["~ operation GET /a/: + responses.404 = {'description': 'None.'}"],
        ),
        (
            lambda d: d["paths"]["/a/"]["get"]["parameters"][0].update(required=True),
            ["~ operation GET /a/: parameters.query x.required: False -> True"],
        ),
        (
            lambda d: d["paths"]["/a/"]["get"]["parameters"].append({"name": "y", "in": "query"}),
            ["~ operation GET /a/: + parameters.query y = {'name': 'y', 'in': 'query'}"],
        ),
        (
            lambda d: d["components"]["schemas"]["A"]["required"].remove("name"),
            ["~ schema A: - required: name"],
        ),
        (
            lambda d: d["components"]["schemas"]["A"]["properties"]["id"].update(type="integer"),
            ["~ schema A: properties.id.type: string -> integer"],
        ),
        (lambda d: d["info"].update(version="2"), ["~ document: info.version: 1 -> 2"]),
        (lambda d: d["components"]["schemas"]["A"]["required"].reverse(), []),
    ],
)
def test_a_change_is_told_in_a_line(change: Any, said: list[str]) -> None:
    after = yaml.safe_load(yaml.safe_dump(BEFORE))
    change(after)
    assert differences(BEFORE, after) == said
