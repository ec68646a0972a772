"""Lists cost the same number of queries however long they are, and the table's file is safe and whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.choices import FindingKind, MetricKind
from governance.selectors.stage_table import ATTRIBUTES
from governance.services import approvals, findings, metrics
from portal.core.operations import operation
from portal.core.vocabulary import Stage
from registry.choices import SyncKind
from registry.models import ModelVersion, SyncRun, UseCase
from tests.api.world import World
from tests.factories import at_stage, group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.records import card

AsRole = Callable[[str], Client]

LISTS = [
    ("data_scientist", "/use-cases/"),
    ("data_scientist", "/model-groups/"),
    ("data_scientist", "/model-versions/"),
    ("model_owner", "/approvals/"),
    ("model_owner", "/approvals/?tab=all"),
    ("auditor", "/stage-table/"),
    ("auditor", "/stage-table/export.csv"),
    ("ml_admin", "/sync-runs/"),
    ("ml_admin", "/outbox/"),
    ("ml_admin", "/registry-events/"),
    ("governance_officer", "/findings/"),
    ("auditor", "/audit-trail/"),
    ("auditor", "/audit-trail/checks/"),
    ("auditor", "/audit-trail/anchors/"),
    ("data_scientist", "/"),
    ("ml_engineer", "/"),
]


def fill(world: World, numbers: range) -> None:
    """Add one of everything a list may show, per number."""
    scientist = world.people.scientist.actor
    for number in numbers:
        subject = use_case(world.people, world.project)
        approvals.submit(actor=scientist, subject_type=UseCase, subject_id=subject.pk)
        models = group(world.project, world.people, subject)
        made = at_stage(world.people, version(models, 1, risk="Low"), Stage.QA)
        approvals.submit(actor=scientist, subject_type=ModelVersion, subject_id=made.pk)
        with operation(SYSTEM):
            findings.observe(FindingKind.CARD_MISSING, made, f"No card {number}")
            SyncRun.objects.create(account=models.account, region="us-east-1", kind=SyncKind.FULL, requested_by="x")


def costs(as_role: AsRole) -> dict[str, tuple[int, list[str]]]:
    found = {}
    for role, path in LISTS:
        client = as_role(role)
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = client.get(path)
            b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200
        found[f"{role} {path}"] = (len(captured), [query["sql"][:200] for query in captured])
    return found


def test_long_lists_cost_no_more_queries_than_short_ones(world: World, as_role: AsRole) -> None:
    fill(world, range(6))
    few = costs(as_role)
    fill(world, range(6, 30))
    many = costs(as_role)
    grown = {
        path: "\n".join(sql for sql in many[path][1] if sql not in few[path][1])
        for path in few
        if many[path][0] > few[path][0]
    }
    assert grown == {}
    assert max(count for count, _ in many.values()) < 40


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
