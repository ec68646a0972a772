"""People, their roles and groups of people over the API: by whom they are managed, and what nobody gives himself."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.core.vocabulary import Role
from registry.models import User
from tests.factories.people import person

from .client import Api, assert_problem
from .world import World

CURRENT = {"If-Match": "*"}


def test_somebody_is_created_given_a_role_and_switched_off(world: World) -> None:
    admin = world.api("ml_admin")
    body = {"username": "nora.new", "display_name": "Nora New", "password": "a-Long-one-For-tests-9"}
    made = admin.post("people/", body)
    assert made == {**made, "roles": [], "held_roles": [], "is_active": True}
    assert "password" not in made
    assert admin.post("people/", body, expect=400)["errors"]["username"]
    assert admin.post("people/", {**body, "username": "no spaces"}, expect=400)["errors"]["username"]
    path = "people/nora.new/"
    given = admin.post(f"{path}grant-role/", {"role": "ml_engineer", "project": "here"}, expect=200)
    assert given["roles"] == [{"role": "ml_engineer", "project": "here"}]
    assert given["held_roles"] == [{"role": "ml_engineer", "project": "here", "through": ""}]
    nora = User.objects.get(username="nora.new")
    token = Api(nora)
    assert token.get("me/")["project_roles"] == {"here": ["ml_engineer"]}
    assert [row["username"] for row in admin.results("people/", role="ml_engineer", search="nora")] == ["nora.new"]
    taken = admin.post(f"{path}revoke-role/", {"role": "ml_engineer", "project": "here"}, expect=200)
    assert taken["roles"] == []
    tag = admin.call("GET", path)["ETag"]
    off = admin.send("PATCH", path, {"is_active": False}, 200, **{"If-Match": tag})
    assert not off["is_active"]
    assert token.call("GET", "me/").status_code == 401
    assert_problem(admin.call("PATCH", path, {"is_active": True}, **{"If-Match": tag}), 412)


def test_nobody_gives_himself_a_role_or_locks_himself_out(world: World) -> None:
    admin = world.people.admin.username
    api = world.api("ml_admin")
    assert api.post(f"people/{admin}/grant-role/", {"role": "governance_officer"}, expect=403)
    assert api.send("PATCH", f"people/{admin}/", {"is_active": False}, 400, **CURRENT)["errors"]["is_active"]
    group = world.people_group.pk
    assert api.post(f"people-groups/{group}/add/", {"person": admin}, expect=403)


def test_who_administers_one_project_gives_roles_on_that_one_only(world: World) -> None:
    api = Api(person(Role.ML_ADMIN, project=world.project))
    scientist = world.people.scientist.username
    given = api.post(f"people/{scientist}/grant-role/", {"role": "auditor", "project": "here"}, expect=200)
    assert {"role": "auditor", "project": "here"} in given["roles"]
    assert_problem(api.call("POST", f"people/{scientist}/grant-role/", {"role": "auditor"}), 403)
    assert_problem(api.call("POST", f"people/{scientist}/grant-role/", {"role": "auditor", "project": "there"}), 400)
    assert_problem(api.call("POST", "people/", {"username": "x", "display_name": "X"}), 403)


def test_who_administers_one_project_is_not_told_of_roles_on_others(world: World) -> None:
    one, everywhere = Api(person(Role.ML_ADMIN, project=world.project)), world.api("ml_admin")
    stranger, group = world.people.stranger.username, world.people_group.pk
    there = {"role": "ml_engineer", "project": "there"}
    everywhere.post(f"people-groups/{group}/grant-role/", there, expect=200)
    everywhere.post(f"people-groups/{group}/add/", {"person": stranger}, expect=200)
    for path in (f"people/{stranger}/", "people/", "people/?format=csv", f"people-groups/{group}/", "people-groups/"):
        assert b"there" in everywhere.call("GET", path).getvalue(), path
        assert b"there" not in one.call("GET", path).getvalue(), path


def test_a_token_that_leaked_is_taken_back(world: World) -> None:
    admin, scientist = world.api("ml_admin"), world.people.scientist.username
    held = admin.get(f"people/{scientist}/tokens/")
    assert [set(token) for token in held] == [{"id", "name", "created", "expiry"}]
    owner = f"people/{world.people.owner.username}/tokens/{held[0]['id']}/"
    assert_problem(admin.call("DELETE", owner), 404)
    assert admin.call("DELETE", f"people/{scientist}/tokens/{held[0]['id']}/").status_code == 204
    assert world.api("data_scientist").call("GET", "me/").status_code == 401
    assert_problem(Api(person(Role.ML_ADMIN, project=world.project)).call("GET", f"people/{scientist}/tokens/"), 403)


def test_a_principal_is_one_person(world: World) -> None:
    api, arn = world.api("ml_admin"), "arn:aws:iam::111111111111:user/scientist"
    taken = api.post(f"people/{world.people.owner.username}/aws-identities/", {"arn": arn}, expect=400)
    assert taken["errors"]["arn"]
    path = f"people/{world.people.owner.username}/aws-identities/{world.identity.pk}/"
    assert_problem(api.call("DELETE", path, **CURRENT), 404)
    path = f"people/{world.people.scientist.username}/aws-identities/{world.identity.pk}/"
    assert api.call("DELETE", path, **CURRENT).status_code == 204
    assert world.api("data_scientist").get("me/")["aws_identities"] == []


def test_a_group_gives_its_people_roles(world: World) -> None:
    api, path = world.api("ml_admin"), f"people-groups/{world.people_group.pk}/"
    username = world.people.stranger.username
    assert api.post(f"{path}grant-role/", {"role": "auditor", "project": "here"}, expect=200)["roles"]
    assert api.post(f"{path}add/", {"person": username}, expect=200)["people"] == [username]
    held = api.get(f"people/{username}/")["held_roles"]
    assert {"role": "auditor", "project": "here", "through": "Analysts"} in held
    assert Api(world.people.stranger).get("me/")["project_roles"]["here"] == ["auditor"]
    assert_problem(api.call("POST", f"{path}add/", {"person": username}), 400)
    assert "Take that away first" in assert_problem(api.call("DELETE", path, **CURRENT), 409)["detail"]
    api.post(f"{path}revoke-role/", {"role": "auditor", "project": "here"}, expect=200)
    assert api.post(f"{path}remove/", {"person": username}, expect=200)["people"] == []
    assert_problem(api.call("POST", f"{path}remove/", {"person": username}), 409)
    assert api.send("PATCH", path, {"name": "Reviewers"}, 200, **CURRENT)["name"] == "Reviewers"
    assert api.call("DELETE", path, **CURRENT).status_code == 204


def test_projects_and_lines_of_business(world: World) -> None:
    api = world.api("ml_admin")
    made = api.post("projects/", {"key": "churn", "name": "Churn", "line_of_business": "Line of the world"})
    assert made == {"key": "churn", "name": "Churn", "line_of_business": "Line of the world"}
    assert api.post("projects/", {"key": "Not A Key", "name": "X", "line_of_business": "Line of the world"}, 400)[
        "errors"
    ]["key"]
    moved = api.send("PATCH", "projects/churn/", {"name": "Churn 2"}, 200, **CURRENT)
    assert (moved["name"], moved["line_of_business"]) == ("Churn 2", "Line of the world")
    assert api.send("PATCH", "projects/churn/", {"line_of_business": "None such"}, 400, **CURRENT)["errors"]
    line = f"lines-of-business/{world.line.pk}/"
    assert api.get(line)["projects"] == 1
    assert world.api("data_scientist").get(line)["projects"] == 0
    assert api.send("PATCH", line, {"name": "Retail"}, 200, **CURRENT)["name"] == "Retail"
    assert [row["key"] for row in api.results("projects/", line_of_business="Retail")] == ["churn"]


def test_more_people_cost_no_more_queries(world: World) -> None:
    api = world.api("ml_admin")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            rows = api.results("people/", page_size=200)
        counts.append((len(rows), len(queries)))
        for _ in range(5):
            person(Role.AUDITOR, project=world.elsewhere)
    assert counts[1][0] == counts[0][0] + 5
    assert counts[0][1] == counts[1][1]
