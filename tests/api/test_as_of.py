"""What the API answers to moments that are none, and to those who ask where there is no past."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from tests.factories.walk import approve_once
from tests.governance.test_as_of import clock

from .world import World

LISTS = ("stage-records/", "model-versions/", "use-cases/")


WRONG: tuple[tuple[str, str], ...] = (
    ("as_of=yesterday", "Give a day"),
    ("as_of=2026-01-05T10:00:00", "offset"),
    ("as_of=2999-01-01", "still to come"),
    ("as_of=2999-01-01T00:00:00Z", "still to come"),
    ("as_of=%00", "Null"),
    ("as_of=", "Give a value"),
    ("as_of=2026-01-05&as_of=2026-01-06", "once"),
    (f"as_of={'9' * 5000}", "Give a day"),
)


@pytest.mark.parametrize(("query", "words"), WRONG)
@pytest.mark.parametrize(
    "path", [*LISTS, "stage-records/in-production/", "model-versions/{fresh}/", "use-cases/{draft}/"]
)
def test_what_is_no_moment(path: str, query: str, words: str, world: World) -> None:
    filled = path.format(fresh=world.fresh.pk, draft=world.draft.public_id)
    refusal = world.api("auditor").get(f"{filled}?{query}", 400)
    assert list(refusal["errors"]) == ["as_of"]
    assert words in refusal["errors"]["as_of"][0]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "model-versions/{fresh}/timeline/", None),
        ("GET", "model-versions/{fresh}/requirements/", None),
        ("GET", "approvals/", None),
        ("GET", "stage-records/replay/", None),
        ("POST", "stage-records/{record}/validation-metrics/", {"metrics": {"a": 1}}),
        ("POST", "use-cases/{draft}/submit/", {}),
    ],
)
def test_what_has_no_past_says_so(method: str, path: str, body: Any, world: World) -> None:
    """Nothing sent is ignored silently, and nothing is done as of a moment."""
    filled = path.format(fresh=world.fresh.pk, draft=world.draft.public_id, record=world.trial_record.pk)
    refusal = world.api("data_scientist" if method == "POST" else "auditor").send(
        method, f"{filled}?as_of=2026-01-05", body, 400
    )
    assert list(refusal["errors"]) == ["as_of"]


def test_what_was_not_kept_cannot_be_asked_for(world: World) -> None:
    api = world.api("auditor")
    for query in ("model_owner=x", "ordering=registered_at"):
        assert api.get(f"use-cases/?as_of={clock():%Y-%m-%d}&{query}", 400)["errors"]


def test_the_ledger_replays(world: World) -> None:
    told = world.api("auditor").get("stage-records/replay/")
    assert told["agrees"], told
    assert (told["disagreements"], told["named"]) == (0, [])
    assert told["entries"] > told["records"] > 3


def test_what_ran_in_production(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.api("auditor").results("stage-records/in-production/") == []
    while world.trial.stage != "production" or world.trial.status == "pending":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM governance_approvalrequest WHERE version_id = %s AND state = 'open'", [world.trial.pk]
            )
            if cursor.fetchone():
                world.api("data_scientist").post(f"approvals/{world.version_request.public_id}/withdraw/", {}, 200)
        approve_once(world.people, world.trial)
    (row,) = world.api("auditor").results("stage-records/in-production/", use_case_id=world.asked.public_id)
    assert (row["model_group"], row["model_version"], row["model_status"]) == ("models", 2, "approved")
    assert {given["role"] for given in row["approvals"]} == {"governance_officer"}
    assert row["request"].startswith("AR-")
    assert row["digest"]
    assert row["reported_by"] is None
    assert world.api("stranger").results("stage-records/in-production/") == []
