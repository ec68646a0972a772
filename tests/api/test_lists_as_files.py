"""Every list of the API, found in the resolver: as a file, and with only the fields that are asked for."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.urls import URLPattern

from portal.api.urls import urlpatterns
from portal.core.cells import cell
from tests.matrices.api import ROWS

from .client import BASE, Api
from .test_matrix import written
from .world import World


def lists() -> list[str]:
    """Return the routes that answer pages, as the matrix writes them."""
    found = set()
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        name = (getattr(pattern.callback, "actions", None) or {}).get("get")
        if name and (name == "list" or pattern.callback.initkwargs.get("is_list")):  # type: ignore[attr-defined]
            found.add(written(pattern))
    return sorted(found)


LISTS = lists()


def path_of(route: str, world: World) -> str:
    on = next((row.on for row in ROWS if row.route == route and row.method == "GET"), "")
    return route.format(id=world.ids.get(on, ""), **world.others)


def rows_of(api: Api, path: str) -> tuple[list[str], list[dict[str, Any]]]:
    answer = api.client.get(BASE + path)
    assert answer.status_code == 200, answer.getvalue()[:500]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    reader = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    rows = list(reader)
    return list(reader.fieldnames or []), rows


def test_the_lists_are_found() -> None:
    assert len(LISTS) >= 25
    assert {"use-cases/", "model-versions/", "use-cases/{id}/timeline/", "accounts/{id}/channels/"} <= set(LISTS)


@pytest.mark.parametrize("route", LISTS)
def test_a_list_is_a_file_and_answers_the_fields_asked_for(route: str, world: World) -> None:
    api, path = world.api("ml_admin"), path_of(route, world)
    page = api.get(path, page_size=200)
    columns, rows = rows_of(api, f"{path}?format=csv")
    assert columns
    assert len(rows) == len(page["results"]) or (page["next"] and len(rows) > 200)
    if page["results"]:
        known = list(page["results"][0])
        asked = known[:2]
        narrow = api.get(path, page_size=200, fields=",".join(asked))["results"]
        assert narrow == [{name: row[name] for name in asked} for row in page["results"]]
        columns, rows = rows_of(api, f"{path}?format=csv&fields={','.join(asked)}")
        assert columns == asked
        expected = [{name: cell(_plain(row[name])) for name in asked} for row in page["results"]]
        assert rows[: len(expected)] == expected
    refusal = api.get(path, 400, fields="nonsense")
    assert "nonsense" in refusal["errors"]["fields"][0]
    assert "Known are" in refusal["errors"]["fields"][0]
    assert set(api.get(path, 400, format="csv", page_size=2)["errors"]) == {"page_size"}


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def test_a_file_holds_what_one_may_see(world: World) -> None:
    _, rows = rows_of(world.api("stranger"), "use-cases/?format=csv")
    assert rows == []


def test_values_are_cells(world: World) -> None:
    """What is nested is JSON, and attributes are columns of their own."""
    columns, rows = rows_of(world.api("auditor"), "model-versions/?format=csv&fields=use_cases,version,missing_since")
    assert columns == ["version", "use_cases", "missing_since"]
    assert {(row["use_cases"][:1], row["missing_since"]) for row in rows} == {("[", "")}


def test_a_detail_answers_the_fields_asked_for(world: World) -> None:
    api, path = world.api("auditor"), f"use-cases/{world.draft.public_id}/"
    assert api.get(path, fields="name, stage") == {"name": "Draft", "stage": "poc"}
    assert "fields" in api.get(path, 400, fields="name,")["errors"]
    assert "fields" in api.get(f"{path}requirements/", 400, fields="name")["errors"]
    edit = world.api("data_scientist").call("PATCH", f"{path}?fields=name", {"description": "x"}, **{"If-Match": "*"})
    assert edit.status_code == 400


@pytest.mark.parametrize("route", LISTS)
def test_a_list_is_searched_and_ordered_by_what_it_names(route: str, world: World) -> None:
    api, path = world.api("ml_admin"), path_of(route, world)
    pattern: Any = next(one for one in urlpatterns if isinstance(one, URLPattern) and written(one) == route)
    view, own = pattern.callback.cls, pattern.callback.initkwargs
    ordering_fields = own.get("ordering_fields", view.ordering_fields)
    known = api.results(path, page_size=200)
    for name in ordering_fields:
        up, down = ([*api.results(path, page_size=200, ordering=f"{sign}{name}")] for sign in ("", "-"))
        assert len(up) == len(down) == len(known)
        if 1 < len(up) < 200:
            assert up == down[::-1], f"{name} is not reversed as a whole"
            # A page boundary loses and repeats nothing.
            first = api.get(path, page_size=1, ordering=name)
            rest = api.client.get(first["next"]).json()
            assert [*first["results"], *rest["results"]] == up[:2], name
    if own.get("search_fields", view.search_fields):
        assert api.results(path, search="surely nothing is called so") == []
