"""What each list and main page asks of the database: as recorded, and the same for thirty rows as for three.

The record is tests/query_counts.json. After a change that is meant, write it anew with
`RECORD_QUERY_COUNTS=1 python -m pytest tests/web/test_query_counts.py` and look at what git shows of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.choices import FindingKind
from governance.services import approvals, findings
from portal.core.operations import operation
from portal.core.vocabulary import Stage
from registry.choices import SyncKind
from registry.models import ModelVersion, SyncRun, UseCase
from tests.api.world import World
from tests.factories import at_stage, group, use_case, version
from tests.factories.people import SYSTEM
from tests.matrices.web import argument
from tests.web.lists import LISTS, person_for

AsRole = Callable[[str], Client]

RECORD = Path(__file__).parents[1] / "query_counts.json"
IS_RECORDING = bool(os.environ.get("RECORD_QUERY_COUNTS"))
MOST_OF_A_LIST = 15
FEW, MANY = 3, 30

# Beside the lists: role, page, and what of the world it is about.
PAGES = (
    ("data_scientist", "home", ""),
    ("ml_engineer", "home", ""),
    ("governance_officer", "home", ""),
    ("governance_officer", "dashboard", ""),
    ("data_scientist", "registry:use_case", "asked"),
    ("data_scientist", "registry:group", "group"),
    ("data_scientist", "registry:version", "trial"),
    ("governance_officer", "governance:request", "version_request"),
    ("model_owner", "governance:request", "use_case_request"),
    ("governance_officer", "governance:finding", "finding"),
    ("ml_admin", "registry:account", "account"),
    ("auditor", "registry:ai_act", ""),
)
# Files of lists, which read all their rows.
FILES = (
    ("auditor", "/stage-table/export.csv"),
    ("auditor", "/stage-table/?export=csv"),
    ("auditor", "/findings/?export=csv"),
)


@dataclass(frozen=True)
class Cost:
    """The queries of one page, in order."""

    statements: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.statements)

    def words(self) -> str:
        return "\n".join(f"    {number:2}. {sql[:300]}" for number, sql in enumerate(self.statements, 1))


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


def addresses(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield the label, role and address of everything that is counted."""
    for name, page in LISTS.items():
        yield f"list {name}", person_for(page), reverse(name)
    for role, path in FILES:
        yield f"file {path}", role, path
    for role, name, on in PAGES:
        yield f"page {name} of {on or role} as {role}", role, reverse(name, args=argument(world, on))


def costs(world: World, as_role: AsRole) -> dict[str, Cost]:
    found = {}
    clients = {
        role: as_role(role)
        for role in ("data_scientist", "model_owner", "ml_engineer", "governance_officer", "ml_admin", "auditor")
    }
    for label, role, path in addresses(world):
        clients[role].get(path)
        with CaptureQueriesContext(connection) as captured:
            answer = clients[role].get(path)
            b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200, f"{label}: {answer.status_code}"
        found[label] = Cost(tuple(query["sql"] for query in captured))
    return found


@pytest.fixture
def counted(world: World, as_role: AsRole) -> tuple[dict[str, Cost], dict[str, Cost]]:
    fill(world, range(FEW))
    few = costs(world, as_role)
    fill(world, range(FEW, MANY))
    return few, costs(world, as_role)


def test_pages_cost_what_is_recorded_and_no_more_for_more_rows(
    counted: tuple[dict[str, Cost], dict[str, Cost]],
) -> None:
    few, many = counted
    now = {label: cost.count for label, cost in sorted(many.items())}
    if IS_RECORDING:
        RECORD.write_text(json.dumps(now, indent=2) + "\n")
    grown = [
        f"{label} costs {few[label].count} queries for {FEW} rows and {cost.count} for {MANY}:\n{cost.words()}"
        for label, cost in many.items()
        if cost.count > few[label].count
    ]
    assert not grown, "\n".join(grown)
    dear = [
        f"{label} costs {cost.count} queries, a list at most {MOST_OF_A_LIST}:\n{cost.words()}"
        for label, cost in many.items()
        if label.startswith("list ") and cost.count > MOST_OF_A_LIST
    ]
    assert not dear, "\n".join(dear)
    recorded = json.loads(RECORD.read_text())
    changed = [
        f"{label}: {recorded.get(label, 'not recorded')} recorded, {now.get(label, 'no longer there')} now\n"
        f"{many[label].words() if label in many else ''}"
        for label in sorted({*recorded, *now})
        if recorded.get(label) != now.get(label)
    ]
    assert not changed, "See the head of this file for how to record what is meant.\n" + "\n".join(changed)
