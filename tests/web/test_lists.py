"""The table's file is safe and whole, and the address of a list carries what was chosen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from governance.choices import MetricKind
from governance.selectors.stage_table import ATTRIBUTES
from governance.services import metrics
from registry.models import UseCase
from tests.api.world import World
from tests.factories import group, use_case, version
from tests.factories.records import card

AsRole = Callable[[str], Client]


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_the_file_holds_the_fifteen_attributes_of_the_same_rows(world: World, as_role: AsRole) -> None:
    metrics.report(
        actor=world.people.engineer.actor,
        record_id=world.trial_record.pk,
        kind=MetricKind.VALIDATION,
        metrics={"auc": 0.8, "ks": None},
    )
    client = as_role("auditor")
    rows = rows_of(client.get("/stage-table/export.csv"))
    assert list(rows[0]) == list(ATTRIBUTES)
    only = rows_of(client.get("/stage-table/export.csv?model_stage=qa"))
    assert {row["model_stage"] for row in only} == {"qa"}
    assert json.loads(only[0]["validation_metrics"]) == {"auc": 0.8, "ks": None}
    assert only[0]["monitoring_metrics"] == "", "not reported is empty, never zero"
    page = client.get("/stage-table/?model_stage=qa").content.decode()
    assert "/stage-table/?model_stage=qa&amp;export=csv&amp;fields=all" in page
    assert rows_of(client.get("/stage-table/?model_stage=qa&export=csv&fields=all")) == only
    assert "not reported" in page
    assert len(rows_of(client.get(f"/stage-table/export.csv?use_case_id={world.asked.public_id}"))) == len(rows)
    assert rows_of(client.get("/stage-table/export.csv?use_case_id=UC-9999")) == []


def test_a_file_with_filters_that_do_not_exist_is_refused(world: World, as_role: AsRole) -> None:
    answer = as_role("auditor").get("/stage-table/export.csv?model_stage=nowhere")
    assert answer.status_code == 400
    assert "Select a valid choice" in answer.content.decode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_becomes_a_formula(start: str, world: World, as_role: AsRole) -> None:
    hostile = f"{start}HYPERLINK(1)"
    subject = use_case(world.people, world.project, name=f"x{hostile}")
    UseCase.objects.filter(pk=subject.pk).update(name=hostile)
    version(group(world.project, world.people, subject), 1, card_content=card(model_overview={"model_owner": "=owner"}))
    rows = rows_of(as_role("auditor").get(f"/stage-table/export.csv?use_case_id={subject.public_id}"))
    assert rows[0]["use_case_name"] == f"'{hostile}"
    assert rows[0]["model_owner"] == "'=owner"


def test_the_address_carries_filters_sorting_and_page(world: World, as_role: AsRole) -> None:
    for number in range(30):
        use_case(world.people, world.project, name=f"Case {number:02d}")
    client = as_role("data_scientist")
    page = client.get("/use-cases/?q=case&sort=name&page=2").content.decode()
    assert "Case 29" in page
    assert "Case 05" not in page
    assert "26\u201330 of 30" in page
    assert "q=case" in page
    assert "1 filter set" in " ".join(page.split())
    assert client.get("/use-cases/?sort=nonsense&page=999").status_code == 200
