"""One's own things over the API: notifications, what one is told of, saved views, drafts of use cases."""

from __future__ import annotations

from typing import Any

from governance.models import Notification, NotificationSettings
from portal.core.operations import operation
from portal.core.vocabulary import Role
from registry.models import SavedView, UseCase, UseCaseDraft
from registry.services import people
from tests.factories.people import SYSTEM

from .client import assert_problem
from .world import World


def test_notifications_are_read_and_kept_as_new(world: World) -> None:
    api = world.api("governance_officer")
    number = world.notification.pk
    assert api.get("notifications/unread-count/") == {"unread": 1}
    row = api.results("notifications/", unread=True)[0]
    assert (row["id"], row["kind"], row["gone"]) == (number, "request_waits", False)
    assert api.post(f"notifications/{number}/read/", expect=200)["read_at"]
    assert api.results("notifications/", unread=True) == []
    assert api.post(f"notifications/{number}/unread/", expect=200)["read_at"] is None
    assert api.post("notifications/read-all/", {"newest": number - 1}, expect=200) == {"read": 0}
    assert api.post("notifications/read-all/", expect=200) == {"read": 1}


def test_what_one_may_no_longer_see_is_not_told_and_not_found(world: World) -> None:
    with operation(SYSTEM):
        Notification.objects.create(
            person=world.people.stranger,
            kind="request_waits",
            key="request:x:waits",
            title="Decide on secret/1 in QA",
            text="Of a secret.",
            path="/approvals/1/",
            about="request",
            about_id=world.version_request.pk,
            happened_at=world.notification.happened_at,
        )
    api = world.api("stranger")
    for row in (api.results("notifications/")[0], api.results("notifications/", fields="title,text,path")[0]):
        assert "secret" not in f"{row['title']}{row['text']}{row['path']}"
    assert api.results("notifications/", search="secret") == []
    file: Any = api.client.get("/api/v1/notifications/", {"format": "csv"})
    assert b"secret" not in b"".join(file.streaming_content)


def test_what_one_is_told_of_is_chosen_on_the_state_it_was_read_in(world: World) -> None:
    api = world.api("model_owner")
    answer = api.call("GET", "notifications/settings/")
    usual = {row["kind"]: row for row in answer.json()["choices"]}
    assert usual["review_due"]["email"]
    body = {"digest_hour": 6, "time_zone": "Asia/Tokyo", "choices": {"review_due": {"email": False}}}
    assert_problem(api.call("PATCH", "notifications/settings/", body), 428)
    saved = api.send("PATCH", "notifications/settings/", body, **{"If-Match": answer["ETag"]})
    assert (saved["digest_hour"], saved["time_zone"]) == (6, "Asia/Tokyo")
    chosen = {row["kind"]: row for row in saved["choices"]}
    assert not chosen["review_due"]["email"]
    assert chosen["request_waits"] == usual["request_waits"]
    assert_problem(api.call("PATCH", "notifications/settings/", body, **{"If-Match": answer["ETag"]}), 412)
    wrong = {"choices": {"no_such_kind": {"email": True}}, "time_zone": "Mars/Olympus"}
    problem = api.send("PATCH", "notifications/settings/", wrong, 400, **{"If-Match": "*"})
    assert set(problem["errors"]) == {"choices", "time_zone"}


def test_a_chat_is_set_without_ever_showing_its_address(world: World) -> None:
    api = world.api("model_owner")
    path, current = "notifications/settings/chat/", {"If-Match": "*"}
    shown = api.send("PUT", path, {"kind": "slack", "url": "https://hooks.slack.com/T/SECRET"}, 200, **current)
    assert (shown["chat_kind"], shown["chat_host"]) == ("slack", "hooks.slack.com")
    assert "SECRET" not in str(api.get("notifications/settings/"))
    problem = api.send("PUT", path, {"kind": "slack", "url": "http://10.0.0.1/x"}, 400, **current)
    assert problem["errors"]["url"]
    assert api.send("DELETE", path, None, 200, **current)["chat_kind"] == ""
    assert NotificationSettings.objects.get(person=world.people.owner).chat_url == ""


def test_a_view_is_kept_shared_chosen_and_deleted(world: World) -> None:
    api, other = world.api("data_scientist"), world.api("model_owner")
    body = {"list": "registry:use_case_list", "name": "High", "query": "risk_class=high&page=3"}
    assert "page" in api.post("saved-views/", body, expect=400)["errors"]["query"][0]
    made = api.post("saved-views/", {**body, "query": "risk_class=high"})
    assert made == {**made, "audience": "owner", "project": None, "is_usual": False, "list_name": "Use cases"}
    path = f"saved-views/{made['id']}/"
    other.get(path, expect=404)
    shared = api.send(
        "PATCH", path, {"audience": "project", "project": "here"}, 200, **{"If-Match": f'"{made["revision"]}"'}
    )
    assert shared["project"] == "here"
    assert_problem(api.call("PATCH", path, {"name": "X"}, **{"If-Match": f'"{made["revision"]}"'}), 412)
    assert_problem(other.call("PATCH", path, {"name": "Mine"}, **{"If-Match": "*"}), 403)
    problem = api.send("PATCH", path, {"audience": "everybody", "project": None}, 403, **{"If-Match": "*"})
    assert "offer" in problem["detail"]
    assert other.send("PUT", "saved-views/usual/", {"list": body["list"], "view": made["id"]})["view"]["is_usual"]
    assert [row["id"] for row in other.results("saved-views/", is_usual=True)] == [made["id"]]
    other.send("PUT", "saved-views/usual/", {"list": "registry:group_list", "view": made["id"]}, 404)
    now = api.send("PUT", f"{path}shown/", {"query": "stage=qa"}, 200, **{"If-Match": "*"})
    assert now["query"] == "stage=qa"
    assert_problem(other.call("DELETE", path, **{"If-Match": "*"}), 403)
    assert api.call("DELETE", path, **{"If-Match": "*"}).status_code == 204
    assert not SavedView.objects.filter(pk=made["id"]).exists()


def test_a_view_is_of_a_list(world: World) -> None:
    for name in ("governance:request", "api-me", "home", "nonsense", "admin:index", "x" * 81):
        body: dict[str, Any] = {"list": name, "name": "X", "query": ""}
        assert world.api("auditor").post("saved-views/", body, expect=400)["errors"]["list"]


def test_a_draft_is_written_step_by_step_and_registered(world: World) -> None:
    api = world.api("data_scientist")
    values = {"name": ["Churn"], "intended_purpose": ["Rank customers."], "project": ["elsewhere"]}
    draft = api.post("use-case-drafts/", {"values": values})
    path = f"use-case-drafts/{draft['id']}/"
    assert draft["steps"][0]["values"] == values
    assert {problem["step"] for problem in draft["problems"]} >= {"purpose"}
    assert_problem(api.call("POST", f"{path}register/", {}), 428)
    problem = api.send("POST", f"{path}register/", {}, 400, **{"If-Match": "*"})
    assert problem["errors"]["project"]
    step = f"{path}steps/purpose/"
    saved = api.send(
        "PUT", step, {"values": {**values, "project": ["here"]}}, 200, **{"If-Match": f'"{draft["revision"]}"'}
    )
    assert saved["steps"][0]["values"]["project"] == ["here"]
    assert_problem(api.call("PUT", step, {"values": values}, **{"If-Match": f'"{draft["revision"]}"'}), 412)
    people_step = {"model_owner": [world.people.owner.username], "groups": [str(world.group.pk)]}
    held = api.send("PUT", f"{path}steps/people/", {"values": people_step}, 200, **{"If-Match": "*"})
    assert held["steps"][1]["values"]["model_owner"] == [world.people.owner.username]
    api.send("PUT", f"{path}steps/documents/", {"values": {"human_oversight": ["A clerk."]}}, 200, **{"If-Match": "*"})
    api.send(
        "PUT",
        f"{path}steps/ai-act/",
        {"values": {"q-ai_system": ["no"], "reason": ["Rules."]}},
        200,
        **{"If-Match": "*"},
    )
    assert_problem(api.call("PUT", f"{path}steps/documents/", {"values": {"name": ["x"]}}, **{"If-Match": "*"}), 400)
    assert api.get(path)["problems"] == []
    # What is approved for other use cases is not linked along the way by whoever may not edit model groups.
    assert api.send("POST", f"{path}register/", {}, 400, **{"If-Match": "*"})["errors"]["groups"]
    api.send("PUT", f"{path}steps/people/", {"values": {**people_step, "groups": []}}, 200, **{"If-Match": "*"})
    registered = api.send("POST", f"{path}register/", {}, 201, **{"If-Match": "*"})
    assert (registered["name"], registered["model_owner"]) == ("Churn", world.people.owner.username)
    assert registered["model_groups"] == []
    assert [document["text"] for document in registered["documents"]] == ["A clerk."]
    assert not UseCaseDraft.objects.filter(pk=draft["id"]).exists()
    assert UseCase.objects.filter(number=int(registered["id"].removeprefix("UC-"))).exists()
    api.get(path, expect=404)


def test_a_draft_outlives_the_role_it_was_begun_in(world: World) -> None:
    api = world.api("data_scientist")
    people.revoke(actor=SYSTEM, role=Role.DATA_SCIENTIST, to=world.people.scientist, project=world.project)
    number = world.unsent.pk
    assert api.results("use-case-drafts/")[0]["id"] == number
    assert_problem(api.call("POST", "use-case-drafts/", {"values": {"name": ["x"]}}), 403)
    assert api.call("DELETE", f"use-case-drafts/{number}/", **{"If-Match": "*"}).status_code == 204
