"""Custom attributes in the console: defined, changed, archived and taken away through the service."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from registry.models import CustomAttribute, UseCase
from tests.api.world import World
from tests.scene import fingerprint

from .test_forms import refused, said_in_the_trail

pytestmark = pytest.mark.django_db
LIST = "/admin/registry/customattribute/"
GIVEN = {
    "kind": "use_case",
    "key": "tier",
    "label": "Tier",
    "type": "choice",
    "options": "gold\n silver \n\n gold",
    "help_text": "How much it matters.",
    "is_required": "on",
    "position": "",
}


def made(admin: Client, **said: str) -> CustomAttribute:
    answer = admin.post(f"{LIST}add/", {**GIVEN, **said})
    assert answer.status_code == 302, answer.content.decode()
    return CustomAttribute.objects.get(key=said.get("key", "tier"))


def change(admin: Client, attribute: CustomAttribute, **said: Any) -> Any:
    sent = {**GIVEN, "position": attribute.position, "seen_revision": attribute.revision, **said}
    return admin.post(
        f"{LIST}{attribute.pk}/change/", {name: value for name, value in sent.items() if value is not None}
    )


def test_an_attribute_is_defined_changed_archived_and_restored(world: World, admin: Client) -> None:
    attribute = made(admin)
    assert (attribute.kind, attribute.type, attribute.choices) == ("use_case", "choice", ["gold", "silver"])
    assert (attribute.is_required, attribute.position, attribute.help_text) == (True, 2, "How much it matters.")
    said_in_the_trail(world, "registry_customattribute", attribute.pk, "define custom attribute")
    page = admin.get(f"{LIST}{attribute.pk}/change/").content.decode()
    assert "gold\nsilver</textarea>" in page
    assert (
        change(admin, attribute, key="level", label="Level", options="gold\nbronze", is_required=None).status_code
        == 302
    )
    attribute.refresh_from_db()
    assert (attribute.key, attribute.label, attribute.choices) == ("level", "Level", ["gold", "bronze"])
    assert (attribute.is_required, attribute.revision) == (False, 2)
    said_in_the_trail(world, "registry_customattribute", attribute.pk, "edit custom attribute")
    known = {"key": "level", "label": "Level", "options": "gold\nbronze", "is_required": None}
    assert change(admin, attribute, **known, is_archived="on").status_code == 302
    attribute.refresh_from_db()
    assert (attribute.is_archived, attribute.revision) == (True, 3)
    said_in_the_trail(world, "registry_customattribute", attribute.pk, "archive custom attribute")
    assert change(admin, attribute, **known).status_code == 302
    attribute.refresh_from_db()
    assert not attribute.is_archived
    said_in_the_trail(world, "registry_customattribute", attribute.pk, "restore custom attribute")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"key": ""}, "required"),
        ({"key": "Tier level"}, "lower-case letters"),
        ({"key": "stage"}, "already means something else"),
        ({"key": "cost_centre"}, "already has an attribute with this key"),
        ({"label": ""}, "required"),
        ({"options": ""}, "at least one choice"),
        ({"options": "x" * 201}, "200 characters"),
        ({"type": "text"}, "Only an attribute of type choice"),
        ({"type": "colour"}, "not one of the available choices"),
        ({"kind": "version"}, "not one of the available choices"),
        ({"position": "-1"}, "greater than or equal to 0"),
        ({"position": "9" * 30}, "less than or equal to"),
        ({"label": "a\0b"}, "Null characters"),
        ({"options": "a\0b"}, "Null characters"),
    ],
)
def test_what_cannot_be_defined_is_said_in_the_form(
    given: dict[str, str], text: str, world: World, admin: Client
) -> None:
    before, count = fingerprint(), CustomAttribute.objects.count()
    refused(admin.post(f"{LIST}add/", {**GIVEN, **given}), text)
    assert (fingerprint(), CustomAttribute.objects.count()) == (before, count)


def test_what_has_been_used_is_locked_and_not_taken_away(world: World, admin: Client) -> None:
    attribute = made(admin)
    UseCase.objects.filter(pk=world.draft.pk).update(attributes={"tier": "gold"})
    page = admin.get(f"{LIST}{attribute.pk}/change/").content.decode()
    for name in ("key", "kind", "type"):
        assert f'name="{name}"' not in page, name
    assert 'name="label"' in page
    attribute.refresh_from_db()
    assert change(admin, attribute, key="other", type="text", label="Renamed").status_code == 302
    attribute.refresh_from_db()
    assert (attribute.key, attribute.type, attribute.label) == ("tier", "choice", "Renamed")
    refused(change(admin, attribute, options="silver"), "still in use")
    assert change(admin, attribute, options="silver\ngold\nbronze").status_code == 302
    answer = admin.post(f"{LIST}{attribute.pk}/delete/", {"post": "yes"}, follow=True)
    assert "has been used" in answer.content.decode()
    assert CustomAttribute.objects.filter(pk=attribute.pk).exists()


def test_an_unused_one_is_taken_away(world: World, admin: Client) -> None:
    attribute = made(admin)
    assert admin.post(f"{LIST}{attribute.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not CustomAttribute.objects.filter(pk=attribute.pk).exists()
    entry = said_in_the_trail(world, "registry_customattribute", attribute.pk, "delete custom attribute")
    assert entry.action == "delete"


def test_an_edit_of_what_changed_meanwhile_is_refused(world: World, admin: Client) -> None:
    attribute = made(admin)
    assert change(admin, attribute, label="First").status_code == 302
    refused(change(admin, attribute, label="Second"), "Somebody changed this attribute")
    assert CustomAttribute.objects.get(pk=attribute.pk).label == "First"
