"""What is kept of what is put into custom attributes, for every type and value of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from portal.core.errors import InvalidInput
from portal.core.vocabulary import Role
from registry.choices import AttributeType, ObjectKind
from registry.models import Project, UseCase, User
from registry.selectors import attributes as selectors
from registry.services import custom_attributes, people
from registry.services.attribute_values import clean
from registry.services.custom_attributes import AttributeDefinition
from tests.factories import Cast, cast, person, project, use_case
from tests.matrices.attribute_values import CASES, CHOICES, REFUSED, Case
from tests.refusals import refused
from tests.scene import undone


@dataclass(frozen=True)
class Scene:
    project: Project
    people: Cast
    subject: UseCase
    names: dict[str, User]

    def named(self, value: Any) -> Any:
        """Return a value of the table with the sign-in names of the scene in it."""
        if isinstance(value, list):
            return [self.named(item) for item in value]
        if not isinstance(value, str) or "{" not in value:
            return value
        said = {name: user.username for name, user in self.names.items()}
        return value.replace("{OWNER}", said["owner"].upper()).format_map(said)

    def kept(self, case: Case) -> Any:
        """Return what is kept in the database."""
        return self.names["owner"].pk if case.type == "user" else case.kept


def define(actor: Any, kind: ObjectKind = ObjectKind.USE_CASE, **said: Any) -> Any:
    """Define an attribute of a kind, a text called `note` unless said otherwise."""
    values = {"kind": kind, "key": "note", "label": "Note", "type": AttributeType.TEXT, **said}
    return custom_attributes.define(actor=actor, definition=AttributeDefinition(**values))


@pytest.fixture(scope="module")
def shared_scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    with django_db_blocker.unblock(), undone():
        here, there = project(), project()
        crew = cast(here, there)
        gone = person(Role.DATA_SCIENTIST, project=here)
        people.edit_person(actor=crew.admin.actor, user=gone, is_active=False)
        for word in AttributeType:
            define(
                crew.admin.actor, key=f"a_{word}", type=word, choices=CHOICES if word is AttributeType.CHOICE else ()
            )
        names = {"owner": crew.owner, "stranger": crew.stranger, "gone": gone}
        yield Scene(here, crew, use_case(crew, here), names)


@pytest.fixture
def scene(shared_scene: Scene, db: None) -> Scene:
    return shared_scene


def test_the_table_is_worth_its_name() -> None:
    assert {case.type for case in CASES} == set(AttributeType)
    assert len(CASES) >= 100
    assert len({(case.type, repr(case.given)) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_a_value_is_kept_in_one_form_or_refused_by_its_key(case: Case, scene: Scene) -> None:
    key = f"a_{case.type}"
    given = {key: scene.named(case.given)}
    if case.kept is REFUSED:
        with pytest.raises(InvalidInput) as refusal:
            clean(ObjectKind.USE_CASE, given, project_id=scene.project.pk)
        assert list(refusal.value.errors) == [f"attributes.{key}"]
        assert all(len(text) < 300 for text in refusal.value.errors[f"attributes.{key}"])
        return
    kept = clean(ObjectKind.USE_CASE, given, project_id=scene.project.pk)
    assert kept == {key: scene.kept(case)}
    assert type(kept[key]) is type(scene.kept(case))
    # What the service keeps, the database takes, and gives back the same.
    UseCase.objects.filter(pk=scene.subject.pk).update(attributes=kept)
    assert UseCase.objects.get(pk=scene.subject.pk).attributes == kept


# What JSON can say at all; the rest cannot reach the database.
_STORABLE = [
    case
    for case in CASES
    if case.kept is REFUSED
    and isinstance(case.given, str | int | list | dict)
    and not (isinstance(case.given, str) and ("\0" in case.given or "\ud800" in case.given))
    and case.given != 10**4000
    # Here the service is stricter: control characters, and that a person is given by name.
    and case.given != "bell\x07"
    and not (case.type == "user" and case.given is not True and case.given == 1)
]


@pytest.mark.parametrize("case", _STORABLE, ids=lambda case: case.label)
def test_the_database_refuses_the_same_from_anywhere_else(case: Case, scene: Scene) -> None:
    value = scene.named(case.given)
    with refused("attributes_fit"):
        UseCase.objects.filter(pk=scene.subject.pk).update(attributes={f"a_{case.type}": value})


@pytest.mark.parametrize("given", [None, [], "text", 1, True, [["number", 1]]])
def test_values_come_as_an_object(given: Any, scene: Scene) -> None:
    with pytest.raises(InvalidInput) as refusal:
        clean(ObjectKind.USE_CASE, given)
    assert list(refusal.value.errors) == ["attributes"]
    with refused("attributes_fit"), connection.cursor() as cursor:
        cursor.execute("UPDATE registry_usecase SET attributes = '[1]' WHERE id = %s", [scene.subject.pk])


@pytest.mark.parametrize(
    "key", ["unknown", "A_number", "a_number ", "", "attr.a_number", "\0", "\ud800", "x" * 9000, 1, None]
)
def test_an_unknown_key_is_named_with_those_there_are(key: Any, scene: Scene) -> None:
    with pytest.raises(InvalidInput) as refusal:
        clean(ObjectKind.USE_CASE, {key: 1, "a_number": 2})
    ((name, texts),) = refusal.value.errors.items()
    assert name.startswith("attributes.")
    assert len(name) < 100
    assert "a_text, a_number, a_date, a_choice, a_user" in texts[0]
    assert name.isascii()


@pytest.mark.django_db
def test_what_is_left_out_stays_and_null_takes_away() -> None:
    admin = person(Role.ML_ADMIN)
    define(admin.actor)
    define(admin.actor, key="rank", type=AttributeType.NUMBER)
    held = {"note": "old", "rank": 3}
    assert clean(ObjectKind.USE_CASE, {}, current=held) == held
    assert clean(ObjectKind.USE_CASE, {"rank": None}, current=held) == {"note": "old"}
    assert clean(ObjectKind.USE_CASE, {"rank": 0}, current=held) == {"note": "old", "rank": 0}
    assert clean(ObjectKind.USE_CASE, {"note": None, "rank": None}, current=held) == {}
    assert clean(ObjectKind.USE_CASE, {"rank": None}, current={}) == {}
    assert held == {"note": "old", "rank": 3}


@pytest.mark.django_db
def test_a_required_attribute_is_asked_for_whenever_attributes_are_edited() -> None:
    admin = person(Role.ML_ADMIN)
    define(admin.actor, is_required=True)
    define(admin.actor, key="rank", type=AttributeType.NUMBER)
    for values in ({}, {"rank": 1}, {"note": None}):
        with pytest.raises(InvalidInput) as refusal:
            clean(ObjectKind.USE_CASE, values)
        assert refusal.value.errors == {"attributes.note": ["This is required."]}
    assert clean(ObjectKind.USE_CASE, {"rank": 1}, current={"note": "there"}) == {"note": "there", "rank": 1}
    assert clean(ObjectKind.MODEL_GROUP, {}) == {}, "another kind asks for its own"


def test_every_wrong_key_is_named_at_once(scene: Scene) -> None:
    with pytest.raises(InvalidInput) as refusal:
        clean(ObjectKind.USE_CASE, {"a_number": "x", "a_date": "x", "a_choice": "gold", "nope": 1}, project_id=None)
    assert set(refusal.value.errors) == {"attributes.a_number", "attributes.a_date", "attributes.nope"}


def test_who_was_named_stays_named(scene: Scene) -> None:
    gone, stranger = scene.names["gone"], scene.names["stranger"]
    for user in (gone, stranger):
        held = {"a_user": user.pk}
        assert clean(ObjectKind.USE_CASE, {"a_user": user}, current=held, project_id=scene.project.pk) == held
        assert clean(ObjectKind.USE_CASE, {"a_user": user.username}, current=held, project_id=scene.project.pk) == held
        assert list(selectors.candidates_or(scene.project.pk, user.pk).filter(pk=user.pk)) == [user]
        assert user not in selectors.candidates_or(scene.project.pk, None)
    assert clean(ObjectKind.USE_CASE, {"a_user": stranger}) == {"a_user": stranger.pk}, (
        "outside of projects anybody active"
    )
    with pytest.raises(InvalidInput):
        clean(ObjectKind.USE_CASE, {"a_user": gone})


def test_a_person_who_is_named_is_not_removed(scene: Scene) -> None:
    named = User.objects.create(username="named.only")
    with refused("attributes_fit"):
        UseCase.objects.filter(pk=scene.subject.pk).update(attributes={"a_user": named.pk + 1000})
    UseCase.objects.filter(pk=scene.subject.pk).update(attributes={"a_user": named.pk})
    with refused("attribute_person_named"):
        User.objects.filter(pk=named.pk).delete()
    UseCase.objects.filter(pk=scene.subject.pk).update(attributes={})
    assert User.objects.filter(pk=named.pk).delete()[0] == 1


def test_a_sheet_shows_people_days_and_numbers_as_people_read_them(scene: Scene) -> None:
    sheet = selectors.sheet(ObjectKind.USE_CASE)
    owner = scene.names["owner"]
    held = {"a_text": "t", "a_number": 0, "a_date": "2026-02-28", "a_user": owner.pk}
    assert sheet.values(held) == {"a_text": "t", "a_number": 0, "a_date": "2026-02-28", "a_user": owner.username}
    assert sheet.columns == ("attr.a_text", "attr.a_number", "attr.a_date", "attr.a_choice", "attr.a_user")
    assert sheet.cells(held)["attr.a_choice"] is None
    assert sheet.cells(held)["attr.a_number"] == 0
    shown = {attribute.key: value for attribute, value in sheet.shown(held)}
    assert shown["a_user"] == owner
    assert str(shown["a_date"]) == "2026-02-28"
    assert shown["a_choice"] is None
