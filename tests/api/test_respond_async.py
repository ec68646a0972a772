"""A version registered with `Prefer: respond-async` is answered as soon as it is written down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from governance.models import OutboxMessage
from governance.services import soon
from registry.models import Registration

from .world import World

BODY = {
    "group": "models",
    "containers": [{"image": "111111111111.dkr.ecr.us-east-1.amazonaws.com/serve:1"}],
    "content_types": ["text/csv"],
    "response_types": ["text/csv"],
}


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The orders somebody waited for."""
    found: list[str] = []
    monkeypatch.setattr(soon, "carry_out", found.append)
    return found


def post(world: World, role: str = "data_scientist", **headers: str) -> Any:
    return world.api(role).client.post(
        "/api/v1/model-versions/", json.dumps(BODY), content_type="application/json", headers=headers
    )


def test_nobody_waits_for_aws_who_prefers_not_to(world: World, aws_answers: None, carried: list[str]) -> None:
    answer = post(world, Prefer="return=minimal, Respond-Async")
    assert answer.status_code == 202, answer.content
    assert answer["Preference-Applied"] == "respond-async"
    said = answer.json()
    assert answer["Location"].endswith(f"/api/v1/registrations/{said['id']}/")
    row = Registration.objects.get(number=int(said["id"].removeprefix("REG-")))
    message = OutboxMessage.objects.get(ordering_key=f"registration:{row.public_id}")
    assert said["order"]["id"] == message.pk
    assert said["state"] == "pending"
    assert said["requested_by"] == world.people.scientist.username
    assert carried == []
    assert world.api("data_scientist").get(f"registrations/{said['id']}/") == said


def test_whoever_prefers_nothing_is_answered_as_before(world: World, aws_answers: None, carried: list[str]) -> None:
    answer = post(world, Prefer="wait=10")
    assert answer.status_code == 202, answer.content
    assert "Preference-Applied" not in answer
    assert carried == [f"registration:{answer.json()['id']}"]


def test_refusals_are_the_same(world: World, aws_answers: None, carried: list[str]) -> None:
    before = Registration.objects.count(), OutboxMessage.objects.count()
    for role, status in (("auditor", 403), ("stranger", 400)):
        refused = [post(world, role), post(world, role, Prefer="respond-async")]
        assert [one.status_code for one in refused] == [status, status]
        assert {**refused[0].json(), "instance": ""} == {**refused[1].json(), "instance": ""}
        assert "Preference-Applied" not in refused[1]
    assert (Registration.objects.count(), OutboxMessage.objects.count()) == before


def test_an_answer_takes_few_questions(
    world: World, aws_answers: None, carried: list[str], django_assert_max_num_queries: Any
) -> None:
    assert post(world, Prefer="respond-async").status_code == 202
    with django_assert_max_num_queries(11):
        assert post(world, Prefer="respond-async").status_code == 202
