"""Parked events and the health of the queues over the REST API."""

from __future__ import annotations

import pytest

from registry.services.event_health import Tally, beat, noted
from tests.api.world import World, parked_event
from tests.factories.people import SYSTEM

pytestmark = pytest.mark.django_db


def test_a_parked_event_is_shown_with_all_of_its_body(world: World) -> None:
    account = world.accounts["development"]
    made = parked_event(account, b'{"a": "\x00\xed\xa0\x80", "b": "' + b"x" * 250_000, "m-2")
    auditor = world.api("auditor")
    shown = auditor.get(f"parked-events/{made.pk}/")
    assert shown["account"] == account.account_id
    assert shown["body"].startswith('{"a": "\ufffd')
    assert shown["body"].endswith("x" * 1000)
    assert (shown["state"], shown["problem"], shown["settled_by"], shown["reason"]) == (
        "parked",
        "unreadable",
        None,
        "",
    )
    (listed,) = auditor.results("parked-events/", account=account.account_id)
    assert listed["id"] == made.pk
    assert "body" not in listed
    auditor.get("parked-events/", expect=400, state="nonsense")


def test_a_replay_that_fails_says_why_and_a_dismissal_names_who_and_why(world: World) -> None:
    admin, address = world.api("ml_admin"), f"parked-events/{world.parked_event.pk}/"
    replayed = admin.post(f"{address}replay/", expect=200)
    assert (replayed["state"], replayed["attempts"]) == ("parked", 2)
    assert "not an event" in replayed["error"]
    for unusable in (
        {"reason": " "},
        {"reason": "a\x00b"},
        {"reason": ["x"]},
        {},
        {"reason": "x", "state": "replayed"},
    ):
        admin.post(f"{address}dismiss/", unusable, expect=400)
    dismissed = admin.post(f"{address}dismiss/", {"reason": "A test message."}, expect=200)
    assert (dismissed["state"], dismissed["reason"]) == ("dismissed", "A test message.")
    assert dismissed["settled_by"] == world.people.admin.username
    admin.post(f"{address}dismiss/", {"reason": "Again."}, expect=409)
    admin.post("parked-events/999999999999999999/replay/", expect=404)


def test_an_account_says_how_its_events_are_doing(world: World) -> None:
    hub, auditor = world.accounts["hub"], world.api("auditor")
    beat(actor=SYSTEM, account=hub, reader="listener.example:7")
    noted(account=hub, tally=Tally(received=3, handled=2, taken_in=1, known=1, own=1))
    shown = auditor.get(f"accounts/{hub.account_id}/")["events"]
    assert (shown["is_read"], shown["reader"], shown["has_queue"]) == (True, "listener.example:7", False)
    assert (shown["received"], shown["own"], shown["parked_now"], shown["waiting"]) == (3, 1, 1, None)
    assert shown["last_handled_at"]
    idle = auditor.get(f"accounts/{world.accounts['test'].account_id}/")["events"]
    assert (idle["is_read"], idle["reader"], idle["received"]) == (False, "", 0)
