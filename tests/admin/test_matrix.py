"""Every address of the console against every role; a model or an address without a row fails."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin as stock
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse

from portal.core.admin import console
from portal.core.vocabulary import Role
from registry.models import User
from registry.services import people
from tests.api.world import ROLES, World
from tests.factories.people import SYSTEM, person
from tests.matrices.admin import ENTRANCE, EXEMPT, FORBIDDEN_WRITES, MODELS, PAGES, SHOWN, VIEWS
from tests.scene import fingerprint, undone
from tests.web.conftest import browser
from tests.web.test_matrix import INLINE

from .conftest import key_of, row_of


def test_every_model_is_registered() -> None:
    ours = {
        model._meta.label_lower
        for label in ("registry", "governance")
        for model in apps.get_app_config(label).get_models()
    }
    # Of Django's own tables only the groups of people, through our services.
    ours.add("auth.group")
    assert ours - set(EXEMPT) == set(MODELS) == {model._meta.label_lower for model in console._registry}


def test_the_default_site_has_no_address() -> None:
    assert stock.site is not console
    assert not {model._meta.app_label for model in console._registry} - {"registry", "governance", "auth"}
    for name in (
        "auth_permission",
        "authtoken_token",
        "axes_accessattempt",
        "contenttypes_contenttype",
        "sessions_session",
    ):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{name}_changelist")


def test_every_address_has_its_row() -> None:
    named = set()
    for pattern in console.get_urls():
        inner = pattern.url_patterns if isinstance(pattern, URLResolver) else [pattern]
        named |= {each.name for each in inner if isinstance(each, URLPattern) and each.name}
    views = {f"{label.replace('.', '_')}_{view}" for label in MODELS for view in VIEWS}
    assert named == views | set(PAGES)


def test_the_columns_are_the_roles() -> None:
    assert tuple(ENTRANCE) == ROLES


def address(label: str, view: str) -> str:
    name = f"admin:{label.replace('.', '_')}_{view}"
    return reverse(name) if view in ("changelist", "add") else reverse(name, args=[key_of(row_of(label))])


@pytest.mark.parametrize("label", MODELS)
def test_each_role_is_answered_as_the_table_says(label: str, world: World, as_role: Callable[[str], Client]) -> None:
    before = fingerprint()
    for role, entrance in ENTRANCE.items():
        client = as_role(role)
        for view, status in zip(VIEWS, MODELS[label], strict=True):
            path = address(label, view)
            for method in ("get", "post"):
                with undone():
                    answer = getattr(client, method)(path)
                    seen = f"{role} {method} {path}"
                    if role == "anonymous":
                        assert answer.status_code == 302, seen
                        assert answer["Location"] == f"/sign-in/?next={quote(path)}", seen
                    elif entrance is not None:
                        assert answer.status_code == entrance, seen
                        assert "data-error-title" in answer.content.decode(), seen
                    elif method == "get":
                        assert answer.status_code == status, seen
                        assert status == 302 or not INLINE.search(answer.content.decode()), seen
                        if view == "history":
                            assert client.get(answer["Location"]).status_code == 200, seen
                    elif view == "changelist":
                        assert answer.status_code == 405, seen
                    elif status in (302, 403) or label not in _WRITTEN:
                        assert answer.status_code == (302 if view == "history" else 403), seen
                    else:
                        continue  # what a form does with it is another test's matter
                    assert fingerprint() == before, f"{seen} changed something"


_WRITTEN = {label for label, statuses in MODELS.items() if statuses != SHOWN}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_answered_as_the_table_says(name: str, world: World, as_role: Callable[[str], Client]) -> None:
    args = ["registry"] if name == "app_list" else _holders(world).get(name, [])
    path = reverse(f"admin:{name}", args=args)
    for role, entrance in ENTRANCE.items():
        for method, status in zip(("get", "post"), PAGES[name], strict=True):
            answer = getattr(as_role(role), method)(path)
            assert answer.status_code == (entrance or status), f"{role} {method}"
            if role == "anonymous":
                assert answer["Location"].startswith("/sign-in/?next=")


def _holders(world: World) -> dict[str, list[int]]:
    person, group = world.people.scientist.pk, row_of("auth.group").pk
    return {
        "registry_user_roles": [person],
        "registry_user_password": [person],
        "auth_group_people": [group],
        "auth_group_roles": [group],
    }


def test_flags_of_django_open_nothing(world: World) -> None:
    user = people.create_person(actor=SYSTEM, username="root", display_name="", password="correct horse battery")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    assert browser(user).get("/admin/").status_code == 404


def test_an_admin_of_one_project_does_not_enter(world: World) -> None:
    assert browser(person(Role.ML_ADMIN, project=world.project)).get("/admin/").status_code == 404


def test_who_is_switched_off_does_not_enter(world: World, admin: Client) -> None:
    User.objects.filter(pk=world.people.admin.pk).update(is_active=False)
    assert admin.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "path", ["password_change/", "password_change/done/", "r/1/1/", "autocomplete/", "auth/permission/", "nowhere/"]
)
def test_what_goes_around_the_services_is_not_there(path: str, admin: Client, world: World) -> None:
    assert admin.get(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize("label", FORBIDDEN_WRITES)
def test_what_is_governed_is_not_written_from_here(label: str, world: World, admin: Client) -> None:
    row = row_of(label)
    model, before = type(row), fingerprint()
    stored = model._default_manager.filter(pk=row.pk).values().get()
    count = model._default_manager.count()
    given = FORBIDDEN_WRITES[label]
    for view, body in {
        "change": given,
        "add": given,
        "delete": {"post": "yes"},
        "changelist": {"action": "delete_selected", "_selected_action": key_of(row), "post": "yes", **given},
    }.items():
        answer = admin.post(address(label, view), {**body, "_save": "Save"})
        assert answer.status_code in (403, 404, 405), f"{view}: {answer.status_code}"
    answer = admin.post(address(label, "change"), {**given, "_saveasnew": "1"})
    assert answer.status_code in (403, 404, 405)
    assert model._default_manager.filter(pk=row.pk).values().get() == stored
    assert model._default_manager.count() == count
    assert fingerprint() == before
