"""Lists and records: searched, filtered, ordered, and silent about secrets."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.core.admin import console
from registry.models import ApiToken, User
from registry.services import accounts
from tests.api.world import World
from tests.matrices.admin import MODELS

from .conftest import row_of

HOSTILE = ("'\"><script>alert(1)</script>", "%", "\\", "x" * 3000, "0", "99999999999999999999", "\0", "ü")


def _list(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


@pytest.mark.parametrize("label", MODELS)
def test_lists_take_any_search_filter_order_and_page(
    label: str, world: World, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The list of all tables beside each of them was half of what this took; the matrix sees it on every page.
    monkeypatch.setattr(console, "enable_nav_sidebar", False)
    shown = next(admin for model, admin in console._registry.items() if model._meta.label_lower == label)
    page = admin.get(_list(label))
    content = page.content.decode()
    assert page.context["cl"].queryset.ordered
    for text in HOSTILE:
        answer = admin.get(_list(label), {"q": text, "p": text, "o": text}, follow=True)
        assert answer.status_code == 200, text
        assert "<script>alert" not in answer.content.decode()
    for number in range(1, len(page.context["cl"].list_display) + 1):
        assert admin.get(_list(label), {"o": str(-number)}).status_code == 200, number
    for link in set(re.findall(r'href="(\?[^"]+)"', content)):
        assert admin.get(_list(label) + link.replace("&amp;", "&")).status_code == 200, link
    if shown.date_hierarchy:
        assert admin.get(_list(label), {f"{shown.date_hierarchy}__year": "2026"}).status_code == 200
        assert admin.get(_list(label), {f"{shown.date_hierarchy}__year": "ten"}, follow=True).status_code == 200


@pytest.mark.parametrize("label", MODELS)
def test_addresses_of_nothing_are_no_server_errors(label: str, world: World, admin: Client) -> None:
    for key in ("0", "99999999999999999999", "x", "_00", "a/b"):
        for view in ("change", "delete", "history"):
            answer = admin.get(reverse(f"admin:{label.replace('.', '_')}_{view}", args=[key]))
            assert answer.status_code in (302, 403, 404), (key, view, answer.status_code)
    for name in ("roles", "password"):
        assert admin.get(f"/admin/registry/user/99999999999999999999/{name}/").status_code == 404


@pytest.mark.parametrize("label", MODELS)
def test_a_list_asks_a_bounded_number_of_questions(label: str, world: World, admin: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        admin.get(_list(label))
    assert len(seen) <= 24, "\n".join(query["sql"][:160] for query in seen)
    repeated = [query["sql"] for query in seen if re.search(r'WHERE "\w+"."id" = \d+ LIMIT 21', query["sql"])]
    assert len(repeated) <= 1, "\n".join(repeated)  # the signed-in person


def test_lists_leave_documents_in_the_database(world: World, admin: Client) -> None:
    for label in ("registry.modelversion", "governance.stageevent", "registry.deployment", "governance.stagerecord"):
        with CaptureQueriesContext(connection) as seen:
            admin.get(_list(label))
        assert not any('"registry_modelversion"."card"' in query["sql"] for query in seen), label


def test_secrets_are_not_shown_nor_asked_for(world: World, admin: Client) -> None:
    accounts.edit(actor=world.people.admin.actor, account=world.accounts["hub"], external_id="very-secret")
    user, token = world.people.scientist, ApiToken.objects.first()
    assert token is not None
    pages = {
        f"/admin/registry/awsaccount/{world.accounts['hub'].pk}/change/": "very-secret",
        f"/admin/registry/user/{user.pk}/change/": User.objects.get(pk=user.pk).password,
        f"/admin/registry/apitoken/{token.token_key}/change/": token.digest,
        "/admin/registry/apitoken/": token.digest,
    }
    for path, secret in pages.items():
        answer = admin.get(path)
        assert answer.status_code == 200
        assert secret not in answer.content.decode(), path
    for path in (
        "/admin/registry/awsaccount/?external_id__startswith=very",
        "/admin/registry/user/?password__startswith=argon2",
        "/admin/registry/user/?is_superuser__exact=0",
        f"/admin/registry/apitoken/?digest__startswith={token.digest[:3]}",
        f"/admin/registry/apitoken/?pk__startswith={token.digest[:3]}",
    ):
        assert admin.get(path).status_code == 400, path
    assert admin.get(f"/admin/registry/apitoken/{token.digest}/change/").status_code == 302


def test_documents_are_shown_indented(world: World, admin: Client) -> None:
    row = row_of("registry.modelversion")
    text = admin.get(f"/admin/registry/modelversion/{row.pk}/change/").content.decode()
    assert "<pre>{\n  &quot;" in text


def test_an_object_leads_to_its_audit_trail(world: World, admin: Client) -> None:
    text = admin.get(f"/admin/registry/usecase/{world.draft.pk}/change/").content.decode()
    link = re.search(r'href="(/admin/governance/auditevent/\?chain=[^"]+)"', text)
    assert link
    trail = admin.get(link.group(1))
    rows = trail.context["cl"].result_list
    assert {row.chain for row in rows} == {f"registry_usecase:{world.draft.pk}"}
    assert rows


def test_the_trail_is_filtered_by_attribution_and_operation(world: World, admin: Client) -> None:
    actor = world.people.scientist.actor.label
    rows = admin.get("/admin/governance/auditevent/", {"actor": actor}).context["cl"].result_list
    assert {row.actor for row in rows} == {actor}
    rows = admin.get("/admin/governance/auditevent/", {"attributed": "system"}).context["cl"].result_list
    assert all(row.actor.startswith("system:") for row in rows)
    rows = admin.get("/admin/governance/auditevent/", {"table": "registry_usecase"}).context["cl"].result_list
    assert {row.table for row in rows} == {"registry_usecase"}
