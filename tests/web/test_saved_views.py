"""Saved views: kept under a name, applied, shared by those who may, and never a way to see more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit
from registry.choices import ViewAudience
from registry.models import SavedView, UsualView
from registry.selectors.saved_views import views_for
from registry.services import saved_views
from tests.api.world import World

AsRole = Callable[[str], Client]
LIST = "registry:use_case_list"
KNOWN = {"q", "stage", "sort", "cols"}


def kept(world: World, name: str = "Mine", query: str = "stage=qa", who: Any = None) -> SavedView:
    person = who or world.people.scientist
    return saved_views.save(actor=person.actor, list_key=LIST, name=name, query=query, known=KNOWN)


def names(person: Any) -> list[str]:
    return [view.name for view in views_for(person.actor, LIST)]


def test_what_is_shown_is_saved_applied_and_told_apart_from_what_was_changed(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    body = {"list": LIST, "name": "Low  first", "query": "stage=poc&sort=-name&cols=name,stage"}
    saved = client.post("/views/new/", body)
    view = SavedView.objects.get(owner=world.people.scientist, name="Low first")
    assert saved["Location"] == f"/use-cases/?stage=poc&sort=-name&cols=name,stage&view={view.pk}"
    assert client.post("/views/new/", body)["Location"] == saved["Location"], "a second click saves nothing more"
    page = client.get(saved["Location"]).content.decode()
    assert "Low first" in page
    assert "Save the changes" not in page
    changed = client.get(f"{saved['Location']}&q=x").content.decode()
    assert "Save the changes" in changed
    client.post(f"/views/{view.pk}/update/", {"query": "q=x", "revision": view.revision})
    assert client.get(f"/use-cases/?view={view.pk}")["Location"] == f"/use-cases/?q=x&view={view.pk}"
    stale = client.post(f"/views/{view.pk}/update/", {"query": "q=y", "revision": view.revision})
    assert stale.status_code == 412


def test_a_list_opens_with_the_usual_view_of_whoever_opens_it(world: World, as_role: AsRole) -> None:
    view = kept(world)
    client = as_role("data_scientist")
    client.post("/views/usual/", {"list": LIST, "view": view.pk})
    assert client.get("/use-cases/")["Location"] == f"/use-cases/?stage=qa&view={view.pk}"
    assert client.get("/use-cases/?view=none").status_code == 200
    assert client.get("/use-cases/?stage=poc").status_code == 200
    page = client.get(f"/use-cases/?stage=qa&view={view.pk}").content.decode()
    assert 'href="/use-cases/?view=none"' in page, "clearing the filters does not lead back into the view"
    assert as_role("model_owner").get("/use-cases/").status_code == 200
    client.post("/views/usual/", {"list": LIST})
    assert client.get("/use-cases/").status_code == 200


def test_only_those_a_view_is_shared_with_see_it(world: World) -> None:
    people = world.people
    scientist = people.scientist.actor
    view = kept(world, "Ours")
    assert "Ours" not in names(people.owner)
    view = saved_views.edit(
        actor=scientist,
        view_id=view.pk,
        revision=view.revision,
        name="Ours",
        audience=ViewAudience.PROJECT,
        project_id=world.project.pk,
    )
    assert "Ours" in names(people.owner)
    assert "Ours" not in names(people.stranger)
    saved_views.open_with(actor=people.owner.actor, list_key=LIST, view_id=view.pk)
    with pytest.raises(NotFound):
        saved_views.open_with(actor=people.stranger.actor, list_key=LIST, view_id=view.pk)
    with pytest.raises(Forbidden):
        saved_views.delete(actor=people.owner.actor, view_id=view.pk)
    view = saved_views.edit(
        actor=scientist, view_id=view.pk, revision=view.revision, name="Ours", audience=ViewAudience.OWNER
    )
    assert not UsualView.objects.filter(view=view).exists(), "nobody's list opens with what is not shared any more"


def test_offering_a_view_takes_a_right(world: World) -> None:
    people = world.people
    view = kept(world)
    everybody = {"view_id": view.pk, "name": "All", "audience": ViewAudience.EVERYBODY}
    with pytest.raises(Forbidden):
        saved_views.edit(actor=people.scientist.actor, revision=view.revision, **everybody)
    with pytest.raises(InvalidInput):
        saved_views.edit(
            actor=people.scientist.actor,
            view_id=view.pk,
            revision=view.revision,
            name="All",
            audience=ViewAudience.PROJECT,
            project_id=world.elsewhere.pk,
        )
    with pytest.raises(StaleEdit):
        saved_views.edit(
            actor=people.scientist.actor, view_id=view.pk, revision=9, name="All", audience=ViewAudience.OWNER
        )
    view.refresh_from_db()
    assert (view.name, view.audience) == ("Mine", ViewAudience.OWNER)


def test_who_lost_the_role_no_longer_says_what_others_are_offered(world: World, as_role: AsRole) -> None:
    officer, scientist = world.people.officer, world.people.scientist
    view = kept(world, "For all", who=officer)
    SavedView.objects.filter(pk=view.pk).update(audience=ViewAudience.EVERYBODY)
    elsewhere = kept(world, "Theirs")
    SavedView.objects.filter(pk=elsewhere.pk).update(audience=ViewAudience.PROJECT, project=world.elsewhere)
    for person, one in ((officer, view), (scientist, elsewhere)):
        with pytest.raises(Forbidden):
            saved_views.update(actor=person.actor, view_id=one.pk, revision=one.revision, query="q=x", known=KNOWN)
    body = {"name": "Read this", "audience": "everybody", "revision": view.revision}
    assert as_role("governance_officer").post(f"/views/{view.pk}/", body).status_code == 422
    view.refresh_from_db()
    assert (view.name, view.query) == ("For all", "stage=qa")


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [
        ("", "", "name"),
        ("x" * 61, "", "name"),
        ("a\x00", "", "name"),
        ("Mine", "secret=1", "query"),
        ("Mine", "q=%00", "query"),
        ("Mine", "q=" + "x" * 2000, "query"),
        ("Mine", "&".join(f"q={number}" for number in range(101)), "query"),
    ],
)
def test_what_a_list_does_not_know_is_not_kept(name: str, query: str, field: str, world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        kept(world, name, query)
    assert list(refused.value.errors) == [field]


def test_names_are_given_once_and_views_are_not_hoarded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(world)
    with pytest.raises(InvalidInput, match="already"):
        kept(world, "MINE", "stage=poc")
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 2)
    with pytest.raises(saved_views.TooManyViews):
        kept(world, "One more")
    assert kept(world, "Mine", who=world.people.owner)


@pytest.mark.parametrize("key", ["", "nowhere", "registry:use_case", "home", "\x00", "registry:use_case_edit"])
def test_only_lists_have_views(key: str, world: World, as_role: AsRole) -> None:
    answer = as_role("data_scientist").post("/views/new/", {"list": key, "name": "Mine", "query": ""})
    assert answer.status_code == 400


def test_every_list_accepts_its_own_parameters(world: World, as_role: AsRole) -> None:
    client = as_role("auditor")
    for key, query in {"governance:queue": "tab=all&tier=low", "governance:stage_table": "model_stage=qa"}.items():
        assert client.post("/views/new/", {"list": key, "name": "Mine", "query": query}).status_code == 302
    refused = client.post("/views/new/", {"list": "governance:outbox", "name": "Mine", "query": "tab=all"})
    assert refused.status_code == 400
