"""The model dashboard: every figure opens the rows it counts, and the file holds what the page shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from governance.serving_words import Presence, Serves
from tests.api.world import World
from tests.factories.serving import serving

AsRole = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def test_every_figure_opens_the_rows_it_counts(world: World, as_role: AsRole) -> None:
    serving(world.accounts["production"], None, "stray")
    serving(world.accounts["production"], world.fresh, "past-everybody")
    client = as_role("governance_officer")
    figures = client.get("/model-dashboard/").context["figures"]
    shown = {one["label"]: one["value"] for one in figures}
    assert (shown["Seen serving"], shown["Runs and must not"], shown["Models nobody registered"]) == (2, 1, 1)
    for one in figures:
        assert len(client.get(one["url"]).context["table"].rows) == one["value"], one["label"]


def test_the_file_says_where_and_how(world: World, as_role: AsRole) -> None:
    serving(world.accounts["production"], world.fresh, "past-everybody")
    answer = as_role("governance_officer").get("/model-dashboard/?export=csv&verdict=disagrees")
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]  # streamed
    assert "past-everybody us-east-1, main, weight 1.0" in text
    assert Presence.LIVE.label in text
    assert Serves.UNAPPROVED.label in text
    assert len(text.strip().splitlines()) == 2


def test_an_endpoint_is_shown_with_what_it_serves(world: World, as_role: AsRole) -> None:
    body = as_role("data_scientist").get(f"/endpoints/{world.served.endpoint_id}/").content.decode()
    assert world.trial.name in body
    assert "On trial" in body
    assert as_role("data_scientist").get("/endpoints/999999999/").status_code == 404
