"""Every list alike: filters as chips, columns, files, views, and addresses that somebody has tampered with."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from registry.models import UseCase
from tests.api.world import World
from tests.factories import use_case
from tests.web.lists import LISTS, person_for

AsRole = Callable[[str], Client]


def opened(as_role: AsRole, name: str, query: str = "") -> Any:
    for role in (person_for(LISTS[name]), "auditor", "ml_admin"):
        answer = as_role(role).get(f"{reverse(name)}{query}")
        if answer.status_code != 403:
            return answer
    raise AssertionError(f"nobody may open {name}")


def lines_of(answer: Any) -> list[list[str]]:
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


def sheet_of(answer: Any) -> list[tuple[Any, ...]]:
    assert answer["Content-Disposition"].endswith('.xlsx"')
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    return [tuple(cell.value for cell in row) for row in book.active.rows]


def test_every_list_can_be_searched() -> None:
    silent = {
        name
        for name, page in LISTS.items()
        if page.filter_class is None or not {"q", "search"} & set(page.filter_class.base_filters)
    }
    assert silent == set()
    assert len(LISTS) >= 20


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_its_files(name: str, world: World, as_role: AsRole) -> None:
    page = opened(as_role, name)
    assert page.status_code == 200
    text = page.content.decode()
    assert "export=csv" in text
    assert "export=xlsx" in text
    lines = lines_of(opened(as_role, name, "?export=csv"))
    sheet = sheet_of(opened(as_role, name, "?export=xlsx"))
    assert [str(head) for head in sheet[0]] == lines[0]
    assert len(sheet) == len(lines)
    assert not [cell for line in lines for cell in line if "<" in cell and ">" in cell], "a cell holds markup"


@pytest.mark.parametrize(
    "query",
    [
        "?cols=nonsense,,&sort=-nonsense&page=abc&per_page=7",
        "?page=99999999999999999999&per_page=999999999&sort=",
        "?q=%00&search=%00&state=%00&page=%00&cols=%00&sort=%00&view=%00",
        "?view=99999999999999999999&move=%00:up&cols=a",
        "?since=yesterday&due=never&account=abc&project=abc&q=" + "x" * 3000,
    ],
)
def test_an_address_that_was_tampered_with_is_answered(query: str, world: World, as_role: AsRole) -> None:
    found = {name: opened(as_role, name, query).status_code for name in LISTS}
    assert {name: status for name, status in found.items() if status not in (200, 302)} == {}


@pytest.mark.parametrize("query", ["?export=pdf", "?export=csv&stage=nowhere", "?export=xlsx&stage=%00"])
def test_a_file_that_cannot_be_made_is_refused(query: str, world: World, as_role: AsRole) -> None:
    answer = as_role("data_scientist").get(f"/use-cases/{query}")
    assert answer.status_code == 400
    assert "data-error-title" in answer.content.decode()


def test_filters_stand_as_chips_that_lead_to_the_list_without_them(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    text = client.get("/use-cases/?q=case&stage=poc&sort=-name&cols=name,stage&page=2").content.decode()
    assert "2 filters set" in text
    assert 'href="/use-cases/?stage=poc&amp;sort=-name&amp;cols=name,stage"' in text
    assert 'href="/use-cases/?q=case&amp;sort=-name&amp;cols=name,stage"' in text
    assert 'aria-label="Remove the filter Stage: POC"' in text
    wrong = client.get("/use-cases/?stage=nowhere").content.decode()
    assert "Nothing matches these filters" in wrong
    assert "chip is-wrong" in wrong


def test_columns_come_in_the_order_they_were_chosen_in(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    lines = lines_of(client.get("/use-cases/?export=csv&cols=public_id,risk_class&cols=name&cols=nonsense"))
    assert lines[0] == ["Id", "Risk", "Use case"]
    assert [world.draft.public_id, world.draft.risk_class, world.draft.name] in lines
    moved = client.get("/use-cases/?cols=name&cols=stage&cols=project&move=project:up&q=a")
    assert moved.status_code == 302
    assert moved["Location"] == "/use-cases/?cols=name,project,stage&q=a"
    assert client.get("/use-cases/?cols=name&move=name:up")["Location"] == "/use-cases/?cols=name"
    text = client.get("/use-cases/?cols=project,name").content.decode()
    assert text.index('value="project" id="column-project" checked') < text.index('value="name" id="column-name"')
    assert 'value="stage" id="column-stage">' in text, "a column that is not shown is offered"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_either_file_becomes_a_formula(start: str, world: World, as_role: AsRole) -> None:
    hostile = f"{start}HYPERLINK(1)"
    subject = use_case(world.people, world.project, name="x")
    UseCase.objects.filter(pk=subject.pk).update(name=hostile)
    client = as_role("data_scientist")
    query = f"?q={subject.public_id}&cols=name"
    assert lines_of(client.get(f"/use-cases/{query}&export=csv"))[1] == [f"'{hostile}"]
    escaped = sheet_of(client.get(f"/use-cases/{query}&export=xlsx"))[1][0]
    assert escaped.replace("\n", "\r") == f"'{hostile}"


def test_a_file_holds_what_its_reader_may_see_and_no_more(world: World, as_role: AsRole) -> None:
    assert len(lines_of(as_role("stranger").get("/use-cases/?export=csv"))) == 1
    assert len(lines_of(as_role("auditor").get("/use-cases/?export=csv"))) > 1


def test_times_in_files_are_utc(world: World, as_role: AsRole) -> None:
    lines = lines_of(as_role("data_scientist").get("/use-cases/?export=csv&cols=registered_at"))
    assert all(line[0].endswith("+00:00") for line in lines[1:])
    assert len(lines) > 1


def test_a_long_list_is_not_counted_to_its_end(world: World, as_role: AsRole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.core.paging.COUNTED", 1)
    client = as_role("data_scientist")
    text = client.get("/use-cases/").content.decode()
    assert "More than 1 row" in text
    assert "Narrow the list" in text
