"""Accounts, syncs, outbox, shares, findings, policy, trail, projects."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.models import OutboxMessage
from governance.services import sync
from registry.models import ResourceShare
from tests.factories import cast, group

from .world import World


def test_an_account_is_registered_and_changed(world: World) -> None:
    api = world.api("ml_admin")
    made = api.post(
        "accounts/",
        {
            "account_id": "555555555555",
            "alias": "new",
            "purposes": ["qa"],
            "regions": ["eu-central-1"],
            "role_arn": "arn:aws:iam::555555555555:role/Portal",
            "external_id": "not-to-be-shown",
        },
    )
    assert made["has_external_id"] is True
    assert "not-to-be-shown" not in json.dumps(made)
    changed = api.send(
        "PATCH", "accounts/555555555555/", {"alias": "renamed", "is_enabled": False}, **{"If-Match": "*"}
    )
    assert (changed["alias"], changed["is_enabled"], changed["regions"]) == ("renamed", False, ["eu-central-1"])
    assert world.api("ml_admin").post("accounts/555555555555/sync/", {}, 409)["code"] == "wrong-state"
    assert (
        "account_id"
        in api.post("accounts/", {"account_id": "555555555555", "alias": "x", "purposes": ["qa"]}, 400)["errors"]
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"alias": ""}, "alias"),
        ({"purposes": []}, "purposes"),
        ({"purposes": ["lunch"]}, "purposes.0"),
        ({"purposes": "qa"}, "purposes"),
        ({"regions": []}, "regions"),
        ({"regions": [""]}, "regions.0"),
        ({"event_queue_url": "not a url"}, "event_queue_url"),
        ({"is_enabled": "perhaps"}, "is_enabled"),
        ({"account_id": "555555555555"}, "account_id"),
        ({"check_error": ""}, "check_error"),
    ],
)
def test_an_account_that_cannot_be_changed(world: World, body: dict[str, Any], field: str) -> None:
    assert (
        field in world.api("ml_admin").send("PATCH", "accounts/333333333333/", body, 400, **{"If-Match": "*"})["errors"]
    )


def test_a_connection_is_tried(world: World, aws_answers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.api("ml_admin").post("accounts/333333333333/test/", {}, 200)["check_error"] == ""
    shown = world.api("ml_admin").post("accounts/444444444444/test/", {}, 200)
    assert "333333333333" in shown["check_error"]
    assert shown["checked_at"]


@pytest.mark.parametrize("region", ["bad region!", "zz", "-", "eu-central-1.evil.example/"])
def test_a_region_there_is_not_is_refused(world: World, region: str) -> None:
    body = {"account_id": "666666666666", "alias": "far", "purposes": ["qa"], "regions": ["us-east-1", region]}
    refused = world.api("ml_admin").post("accounts/", body, 400)
    assert set(refused["errors"]) == {"regions"}
    assert repr(region) in refused["errors"]["regions"][0]


def test_a_sync_is_handed_to_a_worker(
    world: World, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(sync, "enqueue_on_commit", lambda name, **kwargs: sent.append((name, kwargs)))
    answer = world.api("ml_engineer").post("accounts/111111111111/sync/", {}, 202)
    assert answer["account_id"] == "111111111111"
    asked = {"account_id": "111111111111", "requested_by": world.people.engineer.username}
    assert sent == [("governance.sync_account", asked), ("governance.sync_shares_of_account", asked)]


def test_the_outbox_is_tried_again(world: World) -> None:
    OutboxMessage.objects.filter(pk=world.message.pk).update(state="failed", last_error="AWS said no.")
    shown = world.api("ml_engineer").post(f"outbox/{world.message.pk}/retry/", {}, 200)
    assert (shown["state"], shown["last_error"]) == ("pending", "AWS said no.")
    assert shown["model_package_arn"] == world.trial.arn
    assert shown["request"].startswith("AR-")
    OutboxMessage.objects.filter(pk=world.message.pk).update(state="delivered")
    world.api("ml_engineer").post(f"outbox/{world.message.pk}/retry/", {}, 409)


def test_a_share_names_only_groups_one_sees(world: World) -> None:
    share = ResourceShare.objects.get()
    share.groups.add(group(world.elsewhere, cast(world.elsewhere, world.project), name="secret"))
    shown = world.api("data_scientist").results("resource-shares/")[0]
    assert [item["name"] for item in shown["groups"]] == ["models"]
    assert [item["name"] for item in world.api("ml_admin").results("resource-shares/")[0]["groups"]] == [
        "models",
        "secret",
    ]


def test_a_finding_is_taken_on_and_resolved(world: World) -> None:
    api, path = world.api("governance_officer"), f"findings/{world.finding.public_id}/"
    shown = api.get(path)
    assert shown["subject"] == {"kind": "model_version", "id": str(world.fresh.pk), "name": "models/1"}
    assert shown["state"] == "open"
    taken = api.post(f"{path}acknowledge/", {}, 200)
    assert (taken["state"], taken["owner"]) == ("acknowledged", world.people.officer.username)
    api.post(f"{path}acknowledge/", {}, 409)
    assert "note" in api.post(f"{path}resolve/", {}, 400)["errors"]
    done = api.post(f"{path}resolve/", {"note": "Card corrected."}, 200)
    assert (done["state"], done["closing_note"]) == ("resolved", "Card corrected.")
    api.post(f"{path}resolve/", {"note": "Again."}, 409)


def test_the_policy_is_read(world: World) -> None:
    policy = world.api("data_scientist").results("policies/")[0]
    assert policy["state"] == "published"
    assert policy["model_path"] == ["development", "qa", "pre_production", "production"]
    rule = next(
        rule
        for rule in policy["rules"]
        if (rule["kind"], rule["stage"], rule["tier"]) == ("model_version", "qa", "high")
    )
    assert rule["approvals"] == [{"role": "governance_officer", "count": 2}]


def test_the_trail_names_actor_reason_and_request(world: World) -> None:
    answer = world.api("governance_officer").call(
        "PUT",
        f"use-cases/{world.draft.public_id}/classification/",
        {"risk_class": "high", "reason": "Decides on credit."},
        **{"X-Request-ID": "trace-0123456789", "If-Match": "*"},
    )
    assert answer["X-Request-ID"] == "trace-0123456789"
    rows = world.api("auditor").results("audit-events/", correlation="trace-0123456789")
    assert {row["actor"] for row in rows} == {f"user:{world.people.officer.username}"}
    assert {row["reason"] for row in rows} == {"Decides on credit."}
    assert {row["table"] for row in rows} == {"registry_usecase", "registry_classification"}
    assert any(row["changes"].get("risk_class") == ["limited", "high"] for row in rows)
    assert all(len(row["hash"]) == 64 for row in rows)


def test_projects_one_holds_a_role_on(world: World) -> None:
    assert [row["key"] for row in world.api("data_scientist").results("projects/")] == ["here"]
    assert [row["key"] for row in world.api("ml_admin").results("projects/")] == ["here", "there"]


def test_lists_hold_only_what_one_sees(world: World) -> None:
    for path in ("use-cases/", "model-groups/", "model-versions/", "stage-records/", "approvals/", "deployments/"):
        assert world.api("stranger").results(path) == [], path
        assert world.api("data_scientist").results(path), path
    assert world.api("data_scientist").results("outbox/")
    assert world.api("stranger").results("findings/", kind="card_invalid") == []


def test_what_was_given_up_in_an_account_is_tried_again_together(world: World) -> None:
    lane = world.message.lane
    other = OutboxMessage.objects.exclude(pk=world.message.pk).first()
    assert other is not None
    OutboxMessage.objects.filter(pk__in=[world.message.pk, other.pk]).update(state="failed", lane=lane)
    api = world.api("ml_engineer")
    before = api.get(f"accounts/{lane}/outbox/")
    assert before["failed"] == 2
    assert api.post("outbox/retry-failed/", {"account": lane}, 200) == {"retried": 2, "left": 0}
    after = api.get(f"accounts/{lane}/outbox/")
    assert (after["failed"], after["pending"]) == (0, before["pending"] + 2)
    assert after["oldest_pending_seconds"] > 0
    assert api.post("outbox/retry-failed/", {"account": lane}, 200) == {"retried": 0, "left": 0}
    for wrong in ("", "12", None, 7, "9" * 13, ["1"]):
        assert "account" in api.post("outbox/retry-failed/", {"account": wrong}, 400)["errors"]
    api.post("outbox/retry-failed/", {"account": "999999999999"}, 404)


def test_messages_of_other_projects_are_left_when_all_are_tried_again(world: World) -> None:
    OutboxMessage.objects.filter(pk=world.message.pk).update(state="failed")
    stranger = world.api("stranger")
    assert stranger.post("outbox/retry-failed/", {"account": world.message.lane}, 200) == {"retried": 0, "left": 0}
    assert OutboxMessage.objects.get(pk=world.message.pk).state == "failed"


def test_a_message_says_what_it_awaits_and_what_took_its_place(world: World) -> None:
    later = OutboxMessage.objects.exclude(pk=world.message.pk).last()
    assert later is not None
    long_ago = timezone.now() - timedelta(days=1)
    OutboxMessage.objects.filter(pk=world.message.pk).update(
        waiting_for="the pipeline", waiting_since=long_ago, started_at=long_ago, ended_at=None
    )
    api = world.api("ml_engineer")
    (shown,) = [row for row in api.results("outbox/", state="pending") if row["id"] == world.message.pk]
    assert (shown["waiting_for"], shown["is_stuck"], shown["superseded_by"]) == ("the pipeline", True, None)
    assert shown["account"] == world.message.lane
    OutboxMessage.objects.filter(pk=world.message.pk).update(
        kind="write_back", state="superseded", superseded_by=later, note="Not sent."
    )
    (shown,) = api.results("outbox/", state="superseded")
    assert (shown["superseded_by"], shown["note"]) == (later.pk, "Not sent.")
    api.post(f"outbox/{world.message.pk}/retry/", {}, 409)
    assert api.results("outbox/", account="999999999999") == []
    assert api.get("outbox/", 400, account="12")["errors"]
