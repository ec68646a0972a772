"""Pages as of a date: they say so, show what was so then, and refuse in words."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client

from portal.core.vocabulary import Stage, Status
from registry.services import use_cases
from tests.api.world import World, actors, build
from tests.factories import at_stage, group, version
from tests.governance.test_as_of import clock

from .conftest import browser

READABLE = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True)
class Lived:
    """A world, and a moment after which its use case was renamed and a version went into production."""

    world: World
    moment: Any

    @property
    def query(self) -> str:
        return f"as_of={self.moment:%Y-%m-%dT%H:%M:%S.%fZ}"

    def client(self, role: str) -> Client:
        return browser(actors(self.world.people)[role])


@pytest.fixture
def lived(committed_db: str) -> Lived:
    storages._storages.pop("anchors", None)  # type: ignore[attr-defined]
    world = build()
    moment = clock()
    use_cases.edit(
        actor=world.people.scientist.actor,
        use_case_id=world.asked.pk,
        revision=type(world.asked).objects.get(pk=world.asked.pk).revision,
        text=use_cases.UseCaseText(name="Renamed", intended_purpose="Rank."),
    )
    at_stage(
        world.people,
        version(group(world.project, world.people, world.asked, name="live"), 1),
        Stage.PRODUCTION,
        Status.DEPLOYED,
    )
    return Lived(world, moment)


def words(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def lines(answer: Any) -> list[dict[str, str]]:
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_the_table_of_a_day(lived: Lived) -> None:
    client = lived.client("auditor")
    page = words(client.get(f"/stage-table/?{lived.query}"))
    assert f"This is how it stood on {lived.moment:{READABLE}}" in page
    assert "Asked" in page
    assert "Renamed" not in page
    assert 'href="/stage-table/"' in page, "the way back to today"
    assert 'type="datetime-local"' in page
    file = f"/stage-table/?{lived.query}&export=csv&fields=all"
    assert file.replace("&", "&amp;") in page.replace("%3A", ":")
    today = words(client.get("/stage-table/"))
    assert "This is how it stood" not in today
    assert "Renamed" in today
    assert {row["use_case_name"] for row in lines(client.get(file))} == {"Asked"}
    rows = lines(client.get(f"/stage-table/export.csv?{lived.query}"))
    assert {row["use_case_name"] for row in rows} == {"Asked"}
    assert len(rows) == 3
    assert len(lines(client.get(f"/stage-table/export.csv?{lived.query}&model_stage=qa"))) == 1
    assert lines(client.get("/stage-table/export.csv?as_of=2020-01-01")) == []
    for query in (
        "model_project=here",
        "search=asked",
        f"use_case_id={lived.world.asked.public_id}",
        "sort=-model_owner",
    ):
        assert "models" in words(client.get(f"/stage-table/?{lived.query}&{query}"))
    assert "Nothing matches these filters" in words(client.get(f"/stage-table/?{lived.query}&search=renamed"))

    early = words(client.get("/stage-table/?as_of=2020-01-01"))
    assert "Nothing was known then" in early
    assert "memory begins on" in early
    for wrong, said in (("nonsense", "Give a day"), ("2999-01-01T00:00:00Z", "still to come")):
        refused = words(client.get(f"/stage-table/?as_of={wrong}"))
        assert said in refused
        assert "This is how it stood" not in refused
        assert said in words(client.get(f"/stage-table/export.csv?as_of={wrong}"), 400)
    assert "No record yet" in words(lived.client("stranger").get("/stage-table/"))
    assert "models" not in words(lived.client("stranger").get(f"/stage-table/?{lived.query}"))


def test_what_ran_in_production(lived: Lived) -> None:
    client = lived.client("auditor")
    today = words(client.get("/in-production/"))
    assert "live/1" in today
    assert "Governance officer" in today
    assert f"reported by {lived.world.people.engineer}" in today
    assert "AR-" in today
    (row,) = lines(client.get("/in-production/export.csv"))
    assert row["model_group"] == "live"
    assert lived.world.people.officer.username in row["approvals"]
    then = words(client.get(f"/in-production/?{lived.query}"))
    assert "live/1" not in then
    assert "This is how it stood" in then
    assert "Nothing matches these filters" in then
    assert lines(client.get(f"/in-production/export.csv?{lived.query}")) == []
    assert "Give a day" in words(client.get("/in-production/?as_of=x"))
    assert "Give a day" in words(client.get("/in-production/export.csv?as_of=x"), 400)
    assert "live/1" in words(client.get("/in-production/?search=LIVE&model_status=deployed&model_project=here"))
    assert "Nothing ran in production" in words(lived.client("stranger").get("/in-production/"))
    fragment = client.get("/in-production/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "live/1" in fragment


@pytest.mark.parametrize("of", ["use-cases", "model-versions"])
def test_one_of_them_on_a_day(of: str, lived: Lived) -> None:
    world, client = lived.world, lived.client("auditor")
    url = f"/use-cases/{world.asked.public_id}/" if of == "use-cases" else f"/model-versions/{world.trial.pk}/"
    assert f'href="{url}as-of/"' in words(client.get(f"{url}activity/"))
    page = words(client.get(f"{url}as-of/?{lived.query}"))
    assert f"This is how it stood on {lived.moment:{READABLE}}" in page
    assert "Renamed" not in page
    waiting = world.use_case_request if of == "use-cases" else world.version_request
    assert waiting.public_id in page
    assert "Not known yet" in words(client.get(f"{url}as-of/?as_of=2020-01-01"))
    refused = words(client.get(f"{url}as-of/?as_of=2999-01-01"))
    assert "still to come" in refused
    assert "What you see is of now" in refused
    assert "This is how it stood" in words(client.get(f"{url}as-of/"))
    assert lived.client("stranger").get(f"{url}as-of/?{lived.query}").status_code == 404


def test_the_ledger_replays_on_a_page(lived: Lived) -> None:
    client = lived.client("auditor")
    assert "Not replayed yet" in words(client.get("/ledger/"))
    assert "Everything agrees" in words(client.get("/ledger/?run=1"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_stageevent DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_stageevent SET status = 'rejected' WHERE status = 'deployed'")
    told = words(client.get("/ledger/?run=1"))
    assert "The ledger and the present differ" in told
    assert "its last ledger entry says rejected, it is deployed" in told
    words(lived.client("data_scientist").get("/ledger/?run=1"), 403)
