"""Every list: pages hold every row once, and cost the same however many rows they have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.services import approvals
from portal.core.operations import operation
from portal.core.vocabulary import Role, Stage
from registry.choices import ShareState, SyncKind, SyncState
from registry.models import ModelVersion, ResourceShare, SyncRun
from registry.services import organisation, people
from tests.factories import at_stage, cast, group, project, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import all_accounts
from tests.scene import undone

from .client import Api

MANY = 31


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Iterator[Api]:
    """More than thirty of everything, seen by an officer."""
    with django_db_blocker.unblock(), undone():
        here, there = project("many"), project("others")
        accounts = all_accounts()
        crew = cast(here, there)
        scientist = crew.scientist.actor
        cases = [use_case(crew, here, name=f"Case {number:02d}") for number in range(MANY)]
        for number, case in enumerate(cases):
            made = group(here, crew, case, name=f"group-{number:02d}")
            first = version(made, 1, card_content="{broken" if number % 2 else "")
            at_stage(crew, first, Stage.QA)
            approvals.submit(actor=scientist, subject_type=ModelVersion, subject_id=first.pk)
        with operation(SYSTEM):
            for number in range(MANY):
                SyncRun.objects.create(
                    account=accounts["hub"],
                    region="us-east-1",
                    kind=SyncKind.FULL,
                    state=SyncState.SUCCEEDED,
                    requested_by="x",
                )
                share = ResourceShare.objects.create(
                    arn=f"arn:aws:ram:us-east-1:111111111111:resource-share/{number}",
                    name=f"share {number}",
                    account=accounts["hub"],
                    region="us-east-1",
                    state=ShareState.ACTIVE,
                    seen_at=timezone.now(),
                )
                share.groups.add(made)
        line = organisation.create_line_of_business(actor=SYSTEM, name="Line of many")
        for number in range(MANY):
            more = organisation.create_project(
                actor=SYSTEM, key=f"p-{number}", name=f"P {number}", line_of_business=line
            )
            people.grant(actor=SYSTEM, role=Role.GOVERNANCE_OFFICER, to=crew.officer, project=more)
        yield Api(type(crew.officer).objects.get(pk=crew.officer.pk))


LISTS = (
    "use-cases/",
    "model-groups/",
    "model-versions/",
    "stage-records/",
    "approvals/",
    "deployments/",
    "sync-runs/",
    "resource-shares/",
    "findings/",
    "outbox/",
    "projects/",
    "audit-events/",
    "decisions/",
    "endpoints/",
    "reviews/",
)


@pytest.mark.parametrize("path", LISTS)
def test_three_rows_cost_as_many_queries_as_thirty(crowd: Api, path: str, db: None) -> None:
    counts = {}
    for size in (3, 30):
        with CaptureQueriesContext(connection) as queries:
            assert len(crowd.results(path, page_size=size)) == size
        counts[size] = [query["sql"] for query in queries]
    assert len(counts[3]) == len(counts[30]), "\n".join(counts[30])
    assert len(counts[30]) <= 14, "\n".join(counts[30])


def test_csv_costs_no_more_queries_for_more_rows(crowd: Api, db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = crowd.client.get("/api/v1/stage-records/?format=csv")
        lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 1 + 2 * MANY
    assert len(queries) <= 10


def walk(api: Api, path: str, **params: Any) -> tuple[list[Any], list[list[Any]]]:
    """Follow `next` to the end and `previous` back to the beginning; returns the rows forwards, and pages backwards."""
    rows, last = [], None
    page = api.get(path, **params)
    assert page["previous"] is None
    while True:
        rows += page["results"]
        last = page
        if page["next"] is None:
            break
        page = api.get(path, **dict(parse_qsl(urlsplit(page["next"]).query)))
    pages = [last["results"]]
    while last["previous"] is not None:
        last = api.get(path, **dict(parse_qsl(urlsplit(last["previous"]).query)))
        pages.append(last["results"])
    return rows, pages


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("use-cases/", {"page_size": 4}),
        ("use-cases/", {"page_size": 7, "ordering": "stage,-name"}),
        ("model-versions/", {"page_size": 10, "ordering": "stage"}),
        ("model-versions/", {"page_size": 10, "ordering": "-group,version"}),
        ("stage-records/", {"page_size": 9}),
        ("stage-records/", {"page_size": 9, "ordering": "-model_stage"}),
        ("approvals/", {"page_size": 5, "ordering": "due_at"}),
        ("findings/", {"page_size": 8, "ordering": "kind"}),
        ("projects/", {"page_size": 6}),
        ("deployments/", {"page_size": 31}),
    ],
)
def test_pages_hold_every_row_once_forwards_and_backwards(
    crowd: Api, path: str, params: dict[str, Any], db: None
) -> None:
    expected = crowd.results(path, **{**params, "page_size": 200})
    forwards, pages = walk(crowd, path, **params)
    assert forwards == expected
    assert len(forwards) >= MANY
    assert [row for page in reversed(pages) for row in page] == expected
    assert all(len(page) == params["page_size"] for page in pages[1:])
