"""How often AWS is read beside the registry, as the environment wishes: another rhythm, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from governance.services import readings
from portal.schedule import SCHEDULE, as_wished, late_after, reading_kinds
from portal.settings.environment import Environment


def test_every_kind_that_can_be_read_has_its_place_in_the_list() -> None:
    assert reading_kinds() == {kind.value for kind in readings.READINGS}


def test_a_kind_is_read_as_often_as_wished_or_not_at_all() -> None:
    wished = as_wished({"endpoints": 30, "personas": 0})
    assert (wished["read-endpoints"]["schedule"], wished["read-endpoints"]["options"]) == (1800.0, {"expires": 1620})
    assert set(SCHEDULE) - set(wished) == {"read-roles"}
    assert {name: entry for name, entry in wished.items() if name != "read-endpoints"}.items() <= SCHEDULE.items()
    assert as_wished({}) == SCHEDULE


def test_the_environment_says_it_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_READINGS", " personas=off, endpoints = 30 ,")
    assert Environment().readings == {"personas": 0, "endpoints": 30}  # type: ignore[call-arg]


@pytest.mark.parametrize("words", ["roles=off", "endpoints", "endpoints=0", "endpoints=-5", "endpoints=1e9", "cards=²"])
def test_what_it_cannot_mean_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("PORTAL_READINGS", words)
    with pytest.raises(ValidationError, match=r"is not a kind with its minutes .* or off"):
        Environment()  # type: ignore[call-arg]


def test_sync_now_leaves_out_what_is_turned_off(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(readings, "enqueue_on_commit", lambda name, kind, **_: asked.append(kind))
    settings.PORTAL_READINGS_OFF = frozenset({"personas", "endpoint_metrics"})
    readings.request_readings(account_id="111111111111", requested_by="somebody")
    assert set(asked) == reading_kinds() - {"personas", "endpoint_metrics"}


def test_a_reading_is_late_after_the_time_of_three() -> None:
    late = late_after(as_wished({"endpoints": 30, "cards": 0}))
    assert set(late) == reading_kinds() - {"cards"}
    assert [late[kind].total_seconds() / 3600 for kind in ("endpoints", "endpoint_metrics", "reports", "personas")] == [
        1.5,
        3,
        9,
        72,
    ]
