"""Lists and details of the API as of a moment: the names they have today, and what was so then."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.files.storage import storages

from governance.choices import MetricKind
from governance.services import metrics
from portal.core.vocabulary import RiskClass
from registry.services import use_cases
from tests.factories.walk import approve_once
from tests.governance.test_as_of import clock

from .world import World, build

LISTS = ("stage-records/", "model-versions/", "use-cases/")


@pytest.fixture
def lived(committed_db: str) -> tuple[World, str, str]:
    """A world, the moment before it was, and a moment after which much of it changed."""
    before = clock().isoformat()
    # Each of these databases begins without anchors, and so must their storage.
    storages._storages.pop("anchors", None)  # type: ignore[attr-defined]
    world = build()
    moment = clock().isoformat()
    approve_once(world.people, world.fresh)
    metrics.report(
        actor=world.people.scientist.actor,
        record_id=world.trial_record.pk,
        kind=MetricKind.VALIDATION,
        metrics={"a": 1},
    )
    use_cases.classify(
        actor=world.people.officer.actor, use_case_id=world.draft.pk, risk_class=RiskClass.HIGH, reason="Annex III."
    )
    return world, before, moment


def test_the_past_under_the_names_of_today(lived: tuple[World, str, str]) -> None:
    world, before, moment = lived
    api = world.api("auditor")
    now = clock().isoformat()
    today = api.results("stage-records/")
    assert [{**row, "revision": None} for row in today] == api.results("stage-records/", as_of=now)
    then = api.results("stage-records/", as_of=moment)
    assert set(then[0]) == set(today[0])
    assert {row["validation_metrics"] is None for row in then if row["id"] == world.trial_record.pk} == {True}
    assert len(then) < len(today)
    for path in LISTS:
        assert api.results(path, as_of=before) == []
        assert api.get(path, as_of=before) == {"next": None, "previous": None, "results": []}

    fresh = f"model-versions/{world.fresh.pk}/"
    row = api.get(fresh, as_of=moment)
    assert (row["stage"], row["status"], row["name"]) == ("development", "pending", "models/1")
    assert (row["open_requests"], row["decisions"], [r["model_status"] for r in row["records"]]) == (
        [],
        [],
        ["pending"],
    )
    assert api.get(fresh)["stage"] == "qa"
    assert [d["decided_by"] for d in api.get(fresh, as_of=now)["decisions"]] == [world.people.owner.username]
    assert "did not know" in api.get(fresh, 404, as_of=before)["detail"]

    draft = f"use-cases/{world.draft.public_id}/"
    assert (api.get(draft, as_of=moment)["risk_class"], api.get(draft)["risk_class"]) == ("limited", "high")
    asked = api.get(f"use-cases/{world.asked.public_id}/", as_of=moment)
    assert [request["id"] for request in asked["open_requests"]] == [world.use_case_request.public_id]
    assert asked["records"][0]["stage"] == "poc"

    names = {row["name"]: row["stage"] for row in api.results("model-versions/", as_of=moment)}
    assert names == {"models/1": "development", "models/2": "qa"}
    # Rights are those of today.
    stranger = world.api("stranger")
    for path in (*LISTS, "stage-records/in-production/"):
        assert stranger.results(path, as_of=now) == []
    stranger.get(fresh, 404, as_of=now)


def test_filters_orderings_and_pages_of_the_past(lived: tuple[World, str, str]) -> None:
    world, _, moment = lived
    api = world.api("auditor")

    def found(path: str, field: str, **params: Any) -> list[Any]:
        return [row[field] for row in api.results(path, as_of=moment, **params)]

    assert found("stage-records/", "model_stage", model_stage="qa") == ["qa"]
    assert found("stage-records/", "id", model_package_arn=world.trial.arn, model_status="approved")
    assert found("stage-records/", "model_stage", account="333333333333") == ["qa"]
    assert found("stage-records/", "id", use_case_id=world.draft.public_id) == []
    assert found("stage-records/", "model_risk", model_risk="high", model_project="here", search="models") == [
        "high",
        "high",
    ]
    assert found("model-versions/", "name", use_case=world.asked.public_id, stage="qa") == ["models/2"]
    assert found("model-versions/", "name", use_case="UC-4711") == []
    assert found("model-versions/", "version", ordering="version") == [1, 2]
    assert found("use-cases/", "name", risk_class="limited", ordering="name") == ["Asked", "Draft"]
    assert found("use-cases/", "name", search="draft") == ["Draft"]
    whole = api.results("stage-records/", as_of=moment, ordering="model_stage")
    page, walked = api.get("stage-records/", as_of=moment, ordering="model_stage", page_size=1), []
    while True:
        walked += page["results"]
        if page["next"] is None:
            break
        page = api.get("stage-records/", **dict(parse_qsl(urlsplit(page["next"]).query)))
    assert walked == whole
    assert len(walked) == 3


@pytest.mark.parametrize("path", ["stage-records/", "use-cases/", "stage-records/in-production/"])
def test_files_of_the_past(path: str, lived: tuple[World, str, str]) -> None:
    world, _, moment = lived
    answer = world.api("auditor").client.get(f"/api/v1/{path}", {"as_of": moment, "format": "csv"})
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    shown = world.api("auditor").results(path, as_of=moment)
    assert len(rows) == len(shown)
    assert all(row["id"] == str(item["id"]) for row, item in zip(rows, shown, strict=True))
