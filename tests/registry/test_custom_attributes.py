"""Definitions of custom attributes: who may, what is refused, and what the first value locks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps

from governance.api.stage_records import COLUMNS
from governance.models import AuditEvent, StageRecord
from portal.core.actors import Actor
from portal.core.errors import DomainError, Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.permissions import Act
from portal.core.vocabulary import Role
from registry.choices import AttributeType, ObjectKind
from registry.models import CustomAttribute, ModelGroup, UseCase
from registry.services import custom_attributes, groups, use_cases
from registry.services.custom_attributes import RESERVED, AttributeDefinition
from tests.factories import Cast, group, person, use_case, version
from tests.governance.conftest import Place
from tests.refusals import as_replica, refused, sql
from tests.scene import fingerprint

pytestmark = pytest.mark.django_db
NOTE = AttributeDefinition(kind=ObjectKind.USE_CASE, key="note", label="Note", type=AttributeType.TEXT)
RANK = replace(NOTE, key="rank", label="Rank", type=AttributeType.CHOICE, choices=("gold", "silver"))
TABLES = {
    ObjectKind.USE_CASE: "registry_usecase",
    ObjectKind.MODEL_GROUP: "registry_modelgroup",
    ObjectKind.STAGE_RECORD: "governance_stagerecord",
}


@pytest.fixture
def admin(people: Cast) -> Actor:
    return people.admin.actor


@pytest.fixture
def holders(place: Place) -> dict[ObjectKind, Any]:
    """One object of each kind."""
    case = use_case(place.people, place.project)
    models = group(place.project, place.people)
    record = StageRecord.objects.get(version=version(models))
    return {ObjectKind.USE_CASE: case, ObjectKind.MODEL_GROUP: models, ObjectKind.STAGE_RECORD: record}


def define(admin: Actor, definition: AttributeDefinition = NOTE, **said: Any) -> CustomAttribute:
    return custom_attributes.define(actor=admin, definition=replace(definition, **said))


def edit(admin: Actor, attribute: CustomAttribute, definition: AttributeDefinition, **said: Any) -> CustomAttribute:
    revision = CustomAttribute.objects.get(pk=attribute.pk).revision
    return custom_attributes.edit(
        actor=admin, attribute_id=attribute.pk, revision=revision, definition=replace(definition, **said)
    )


def give(holder: Any, **values: Any) -> None:
    """Write values as psql would."""
    sql(f"UPDATE {holder._meta.db_table} SET attributes = %s WHERE id = %s", json.dumps(values), holder.pk)


def test_only_an_ml_admin_of_everything_may(place: Place, people: Cast) -> None:
    attribute = define(people.admin.actor)
    local = person(Role.ML_ADMIN, project=place.project)
    known: dict[str, Any] = {"attribute_id": attribute.pk, "revision": attribute.revision}
    calls: list[Callable[[Actor], object]] = [
        lambda actor: custom_attributes.define(actor=actor, definition=replace(NOTE, key="other")),
        lambda actor: custom_attributes.edit(actor=actor, definition=NOTE, **known),
        lambda actor: custom_attributes.archive(actor=actor, **known),
        lambda actor: custom_attributes.restore(actor=actor, **known),
        lambda actor: custom_attributes.delete(actor=actor, **known),
    ]
    before = fingerprint()
    for somebody in (local, people.scientist, people.owner, people.engineer, people.officer, people.auditor):
        for call in calls:
            with pytest.raises(Forbidden, match=Act.MANAGE_ATTRIBUTES.value):
                call(somebody.actor)
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "Cost"}, "key"),
        ({"key": "cost centre"}, "key"),
        ({"key": "1st"}, "key"),
        ({"key": "_cost"}, "key"),
        ({"key": "cost__centre"}, "key"),
        ({"key": "cost_"}, "key"),
        ({"key": "cost.min"}, "key"),
        ({"key": "cost-centre"}, "key"),
        ({"key": "cost\n"}, None),
        ({"key": "co\nst"}, "key"),
        ({"key": "kösten"}, "key"),
        ({"key": "x" * 51}, "key"),
        ({"key": "a\0"}, "key"),
        ({"key": "name"}, "key"),
        ({"key": "model_owner_id"}, "key"),
        ({"key": "monitoring_metrics"}, "key"),
        ({"key": "stage"}, "key"),
        ({"key": "attributes"}, "key"),
        ({"label": ""}, "label"),
        ({"label": "  "}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "a\0b"}, "label"),
        ({"label": "\ud800"}, "label"),
        ({"help_text": "x" * 301}, "help_text"),
        ({"help_text": "\0"}, "help_text"),
        ({"position": -1}, "position"),
        ({"position": 32_768}, "position"),
        ({"position": 10**30}, "position"),
        ({"type": "nothing"}, "type"),
        ({"kind": "version"}, "kind"),
        ({"choices": ("a",)}, "choices"),
        ({"type": AttributeType.CHOICE}, "choices"),
        ({"type": AttributeType.CHOICE, "choices": ("a", " ")}, "choices"),
        ({"type": AttributeType.CHOICE, "choices": ("x" * 201,)}, "choices"),
        ({"type": AttributeType.CHOICE, "choices": ("a\0",)}, "choices"),
        ({"type": AttributeType.CHOICE, "choices": tuple(map(str, range(101)))}, "choices"),
    ],
)
def test_what_cannot_be_defined_is_said_at_its_field(said: dict[str, Any], field: str | None, admin: Actor) -> None:
    before = fingerprint()
    if field is None:
        assert define(admin, **said).key == "cost"
        return
    with pytest.raises(InvalidInput) as refusal:
        define(admin, **said)
    assert field in refusal.value.errors
    assert fingerprint() == before
    assert not CustomAttribute.objects.exists()


def test_a_key_is_taken_once_per_kind(admin: Actor) -> None:
    define(admin)
    with pytest.raises(InvalidInput) as refusal:
        define(admin)
    assert set(refusal.value.errors) == {"key"}
    other = define(admin, kind=ObjectKind.MODEL_GROUP)
    with pytest.raises(InvalidInput):
        edit(admin, other, NOTE)
    with refused("custom_attribute_once"):
        sql("UPDATE registry_customattribute SET kind = 'use_case' WHERE id = %s", other.pk)


def test_every_name_of_the_governed_objects_is_reserved() -> None:
    names = {
        name
        for model in (UseCase, ModelGroup, StageRecord)
        for field in model._meta.concrete_fields
        for name in (field.name, field.attname)
    }
    assert names <= RESERVED
    assert set(COLUMNS) <= RESERVED


def test_choices_lose_their_blanks_and_doubles(admin: Actor) -> None:
    assert define(admin, RANK, choices=(" gold", "gold ", "silver")).choices == ["gold", "silver"]


def test_attributes_come_in_the_order_they_were_given(admin: Actor) -> None:
    first, second = define(admin), define(admin, key="second")
    assert (first.position, second.position) == (1, 2)
    third = define(admin, key="third", position=0)
    assert [row.pk for row in CustomAttribute.objects.of("use_case")] == [third.pk, first.pk, second.pk]
    assert define(admin, key="fourth", position=32_767).position == 32_767
    assert define(admin, key="fifth").position == 32_767


def test_an_edit_made_on_an_old_state_is_refused(admin: Actor) -> None:
    attribute = define(admin)
    edited = edit(admin, attribute, NOTE, label="Remark")
    assert (edited.label, edited.revision) == ("Remark", 2)
    for call in (custom_attributes.archive, custom_attributes.restore, custom_attributes.delete):
        with pytest.raises(StaleEdit):
            call(actor=admin, attribute_id=attribute.pk, revision=1)
    with pytest.raises(StaleEdit):
        custom_attributes.edit(actor=admin, attribute_id=attribute.pk, revision=1, definition=NOTE)
    with pytest.raises(NotFound):
        custom_attributes.archive(actor=admin, attribute_id=attribute.pk + 1000, revision=1)


def test_everything_may_change_until_the_first_value(admin: Actor) -> None:
    attribute = define(admin)
    changed = edit(admin, attribute, RANK, kind=ObjectKind.STAGE_RECORD)
    assert (changed.kind, changed.key, changed.type) == ("stage_record", "rank", "choice")
    custom_attributes.delete(actor=admin, attribute_id=attribute.pk, revision=changed.revision)
    assert not CustomAttribute.objects.exists()
    entry = AuditEvent.objects.filter(table="registry_customattribute").latest("sequence")
    assert (entry.action, entry.actor, entry.reason) == ("delete", admin.label, "delete custom attribute")


@pytest.mark.parametrize("kind", ObjectKind)
def test_the_first_value_locks_kind_key_and_type(
    kind: ObjectKind, admin: Actor, holders: dict[ObjectKind, Any]
) -> None:
    attribute = define(admin, kind=kind)
    give(holders[kind], note="held")
    attribute.refresh_from_db()
    assert attribute.used_at is not None
    others: list[dict[str, Any]] = [
        {"key": "other"},
        {"type": AttributeType.NUMBER},
        {"kind": next(other for other in ObjectKind if other is not kind)},
    ]
    for said in others:
        with pytest.raises(WrongState) as refusal:
            edit(admin, attribute, NOTE, **{"kind": kind, **said})
        assert set(refusal.value.errors) == set(said)
    with pytest.raises(WrongState):
        custom_attributes.delete(actor=admin, attribute_id=attribute.pk)
    assert edit(admin, attribute, NOTE, kind=kind, label="Remark", help_text="?", position=9).label == "Remark"
    # A value that is taken away again does not unlock: history holds it.
    give(holders[kind])
    with pytest.raises(WrongState):
        edit(admin, attribute, NOTE, kind=kind, key="other")


@pytest.mark.parametrize(
    "change",
    [
        "SET key = 'other'",
        "SET type = 'number'",
        "SET type = 'choice', choices = '{a}'",
        "SET kind = 'stage_record'",
        "SET id = id + 1000",
        "SET used_at = NULL",
        "SET used_at = now() + interval '1 day'",
        "SET used_at = NULL, key = 'other'",
        None,
    ],
)
def test_a_lock_holds_against_raw_sql(change: str | None, admin: Actor, holders: dict[ObjectKind, Any]) -> None:
    attribute = define(admin)
    give(holders[ObjectKind.USE_CASE], note="held")
    statement = (
        f"UPDATE registry_customattribute {change} WHERE id = %s"
        if change
        else "DELETE FROM registry_customattribute WHERE id = %s"
    )
    with refused("attribute_locked"):
        sql(statement, attribute.pk)
    with refused("attribute_locked"), as_replica():
        sql(statement, attribute.pk)
    with refused("attribute_locked"):
        CustomAttribute.objects.filter(pk=attribute.pk).delete()
    with refused("history_kept"):
        sql("TRUNCATE registry_customattribute")


def test_choices_grow_and_one_in_use_stays(admin: Actor, holders: dict[ObjectKind, Any]) -> None:
    for kind in ObjectKind:
        attribute = define(admin, RANK, kind=kind)
        give(holders[kind], rank="gold")
        grown = edit(admin, attribute, RANK, kind=kind, choices=("bronze", "gold", "silver"))
        assert grown.choices == ["bronze", "gold", "silver"]
        assert edit(admin, attribute, RANK, kind=kind, choices=("bronze", "gold")).choices == ["bronze", "gold"]
        with pytest.raises(WrongState) as refusal:
            edit(admin, attribute, RANK, kind=kind, choices=("bronze",))
        assert set(refusal.value.errors) == {"choices"}
        with refused("attribute_choice_used"):
            sql("UPDATE registry_customattribute SET choices = '{bronze}' WHERE id = %s", attribute.pk)
        give(holders[kind], rank="bronze")
        assert edit(admin, attribute, RANK, kind=kind, choices=("bronze",)).choices == ["bronze"]


def test_an_archived_attribute_keeps_what_it_holds(admin: Actor, people: Cast, holders: dict[ObjectKind, Any]) -> None:
    attribute, case = define(admin), holders[ObjectKind.USE_CASE]
    give(case, note="held")
    archived = custom_attributes.archive(actor=admin, attribute_id=attribute.pk, revision=1)
    with pytest.raises(WrongState):
        custom_attributes.archive(actor=admin, attribute_id=attribute.pk, revision=archived.revision)
    for value in ("other", None, "held"):
        with pytest.raises(InvalidInput) as refusal:
            custom_attributes.clean(ObjectKind.USE_CASE, {"note": value}, current={"note": "held"})
        assert "archived" in refusal.value.errors["attributes.note"][0]
    for values in ({}, {"note": "other"}):
        with refused("attribute_archived"):
            give(case, **values)
    assert custom_attributes.clean(ObjectKind.USE_CASE, {}, current={"note": "held"}) == {"note": "held"}
    custom_attributes.restore(actor=admin, attribute_id=attribute.pk, revision=archived.revision)
    give(case)
    assert UseCase.objects.get(pk=case.pk).attributes == {}


@pytest.mark.parametrize("kind", ObjectKind)
def test_values_of_no_attribute_of_the_kind_are_refused(
    kind: ObjectKind, admin: Actor, holders: dict[ObjectKind, Any]
) -> None:
    other = next(other for other in ObjectKind if other is not kind)
    define(admin, kind=other)
    holder = holders[kind]
    for write in (
        lambda: give(holder, note="x"),
        lambda: type(holder).objects.filter(pk=holder.pk).update(attributes={"note": "x"}),
    ):
        with refused("attribute_unknown"):
            write()
        with refused("attribute_unknown"), as_replica():
            write()
    assert apps.get_model(*TABLES[kind].split("_")).objects.get(pk=holder.pk).attributes == {}


@pytest.mark.parametrize(
    "statement",
    [
        "(kind, key, label, type) VALUES ('version', 'a', 'A', 'text')",
        "(kind, key, label, type) VALUES ('use_case', 'a', 'A', 'colour')",
        "(kind, key, label, type) VALUES ('use_case', 'A b', 'A', 'text')",
        "(kind, key, label, type) VALUES ('use_case', 'a', 'A', 'choice')",
        "(kind, key, label, type, choices) VALUES ('use_case', 'a', 'A', 'text', '{x}')",
    ],
)
def test_the_database_takes_no_definition_that_makes_no_sense(statement: str) -> None:
    columns, values = statement.split(" VALUES ")
    rest = {"choices": "'{}'", "help_text": "''", "is_required": "false", "position": "0", "is_archived": "false", "revision": "1"}  # fmt: skip
    rest = {name: value for name, value in rest.items() if name not in columns}
    with pytest.raises(Exception, match="custom_attribute_"):
        sql(
            f"INSERT INTO registry_customattribute {columns[:-1]}, {', '.join(rest)})"
            f" VALUES {values[:-1]}, {', '.join(rest.values())})"
        )


def test_services_of_the_objects_take_attributes_and_leave_them_alone(
    admin: Actor, people: Cast, place: Place, holders: dict[ObjectKind, Any]
) -> None:
    define(admin)
    define(admin, kind=ObjectKind.MODEL_GROUP)
    case, models = holders[ObjectKind.USE_CASE], holders[ObjectKind.MODEL_GROUP]
    text = use_cases.UseCaseText(name="New name", intended_purpose="Rank.")
    known: dict[str, Any] = {"actor": people.scientist.actor, "use_case_id": case.pk, "text": text}
    edited = use_cases.edit(**known, revision=case.revision, attributes={"note": "x"})
    assert edited.attributes == {"note": "x"}
    assert use_cases.edit(**known, revision=edited.revision).attributes == {"note": "x"}
    before = fingerprint()
    with pytest.raises(InvalidInput):
        use_cases.edit(**known, revision=edited.revision + 1, attributes={"note": 5})
    with pytest.raises(StaleEdit):
        use_cases.edit(**known, revision=1, attributes={"note": "y"})
    with pytest.raises(DomainError):
        use_cases.edit(**{**known, "actor": people.engineer.actor}, revision=edited.revision + 1, attributes={})
    assert fingerprint() == before
    said: dict[str, Any] = {
        "actor": people.engineer.actor, "group_id": models.pk, "project": place.project, "owner": None, "use_cases": [],
    }  # fmt: skip
    claimed = groups.edit(**said, revision=models.revision, attributes={"note": "g"})
    assert claimed.attributes == {"note": "g"}
    assert groups.edit(**said, revision=claimed.revision).attributes == {"note": "g"}
    entry = AuditEvent.objects.filter(chain=f"registry_modelgroup:{models.pk}", changes__has_key="attributes").latest(
        "sequence"
    )
    assert (entry.actor, entry.changes["attributes"]) == (people.engineer.actor.label, [{}, {"note": "g"}])
