"""One act on several rows: each is done or refused on its own, by the rules that hold for a single one."""

from __future__ import annotations

from governance.models import Decision, Finding
from registry.models import ModelGroup

from .client import assert_problem
from .world import World


def test_several_are_approved_but_never_what_is_of_high_risk(world: World) -> None:
    api = world.api("model_owner")
    high, low = world.version_request, world.use_case_request
    assert (high.tier, low.tier) == ("high", "medium")
    ids = [low.public_id, high.public_id, "AR-999999", "nonsense", low.public_id]
    answer = api.post("approvals/bulk-approve/", {"ids": ids, "comment": "I looked at both."}, expect=200)
    assert (answer["done"], answer["refused"]) == (1, 3)
    assert [(row["id"], row["code"]) for row in answer["results"]] == [
        (low.public_id, ""),
        (high.public_id, "not-in-bulk"),
        ("AR-999999", "not-found"),
        ("nonsense", "not-found"),
    ]
    assert [decision.comment for decision in Decision.objects.filter(request=low)] == ["I looked at both."]
    assert not Decision.objects.filter(request=high).exists()
    again = api.post("approvals/bulk-approve/", {"ids": [low.public_id], "comment": "Again."}, expect=200)
    assert again["results"][0]["code"] == "request-closed"


def test_approving_several_needs_a_comment_and_some_of_them(world: World) -> None:
    for body in ({"ids": ["AR-000001"], "comment": ""}, {"ids": [], "comment": "x"}, {"comment": "x"}):
        assert world.api("model_owner").post("approvals/bulk-approve/", body, expect=400)["errors"]
    too_many = {"ids": [f"AR-{number:06d}" for number in range(101)], "comment": "x"}
    assert world.api("model_owner").post("approvals/bulk-approve/", too_many, expect=400)["errors"]["ids"]


def test_nobody_approves_several_of_his_own(world: World) -> None:
    own = world.api("model_owner").post(f"use-cases/{world.draft.public_id}/submit/", {"note": "Ready."})
    body = {"ids": [own["id"]], "comment": "It is fine."}
    answer = world.api("model_owner").post("approvals/bulk-approve/", body, expect=200)
    assert answer["results"][0]["code"] == "self-approval"


def test_findings_are_handled_together(world: World) -> None:
    api = world.api("governance_officer")
    ids = [world.finding.public_id, world.accepted_finding.public_id]
    given = {"ids": ids, "owner": world.people.second_officer.username, "reason": "She knows."}
    assert api.post("findings/bulk-assign/", given, expect=200)["done"] == 2
    assert set(Finding.objects.filter(owner=world.people.second_officer).values_list("pk", flat=True)) >= {
        world.finding.pk,
        world.accepted_finding.pk,
    }
    answer = api.post("findings/bulk-acknowledge/", {"ids": ids}, expect=200)
    assert [row["done"] for row in answer["results"]] == [True, False]
    assert answer["results"][1]["code"] == "wrong-state"
    due = api.post("findings/bulk-due/", {"ids": ids, "due_on": None, "reason": "Until it is clear."}, expect=200)
    assert due["results"][0]["done"]
    stranger = world.api("stranger").post("findings/bulk-acknowledge/", {"ids": ids}, expect=200)
    assert {row["code"] for row in stranger["results"]} == {"not-found"}


def test_groups_are_claimed_together_for_a_project(world: World) -> None:
    api = world.api("ml_admin")
    number = str(world.group.pk)
    answer = api.post("model-groups/bulk-claim/", {"ids": [number], "project": "here"}, expect=200)
    assert answer["results"][0]["code"] == "wrong-state"
    ModelGroup.objects.filter(pk=world.group.pk).update(project=None, owner=None)
    ModelGroup.objects.get(pk=world.group.pk).use_cases.clear()
    answer = api.post("model-groups/bulk-claim/", {"ids": [number], "project": "here"}, expect=200)
    assert answer["results"] == [{"id": number, "done": True, "detail": "", "code": "", "errors": {}}]
    assert_problem(api.call("POST", "model-groups/bulk-claim/", {"ids": [number], "project": "nowhere"}), 400)


def test_write_backs_and_events_are_tried_together(world: World) -> None:
    admin = world.api("ml_admin")
    retried = admin.post("outbox/bulk-retry/", {"ids": [str(world.message.pk), "0"]}, expect=200)
    assert [row["done"] for row in retried["results"]] == [True, False]
    event = str(world.parked_event.pk)
    replayed = admin.post("parked-events/bulk-replay/", {"ids": [event]}, expect=200)
    assert "could not be taken in" in replayed["results"][0]["detail"]
    dismissed = admin.post("parked-events/bulk-dismiss/", {"ids": [event], "reason": "A test."}, expect=200)
    assert dismissed["done"] == 1
    assert admin.get(f"parked-events/{event}/")["state"] == "dismissed"
    assert_problem(admin.call("POST", "parked-events/bulk-replay/", {"ids": [str(n) for n in range(21)]}), 400)
