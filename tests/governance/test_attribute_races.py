"""Two people in the same instant at one custom attribute: exactly one of what excludes each other comes about."""

from __future__ import annotations

from typing import Any

from registry.choices import AttributeType, ObjectKind
from registry.models import CustomAttribute, UseCase
from registry.services import custom_attributes, use_cases
from registry.services.custom_attributes import AttributeDefinition
from tests.factories import use_case

from .test_concurrency import Scene, at_once, scene

__all__ = ["scene"]


def _definition(scene: Scene, **said: Any) -> CustomAttribute:
    values = {"kind": ObjectKind.USE_CASE, "key": "note", "label": "Note", "type": AttributeType.TEXT, **said}
    return custom_attributes.define(actor=scene.people.admin.actor, definition=AttributeDefinition(**values))


def _fill_in(scene: Scene, case: UseCase, **values: Any) -> UseCase:
    return use_cases.edit(
        actor=scene.people.scientist.actor,
        use_case_id=case.pk,
        revision=case.revision,
        text=use_cases.UseCaseText(name=case.name, intended_purpose=case.intended_purpose),
        attributes=values,
    )


def test_a_value_and_another_type_at_once_leave_one_of_them(scene: Scene) -> None:
    for number in range(4):
        attribute = _definition(scene, key=f"note{number}")
        case = use_case(scene.people, scene.project)
        other = AttributeDefinition(
            kind=ObjectKind.USE_CASE, key=f"note{number}", label="Note", type=AttributeType.NUMBER
        )
        results = at_once(
            lambda case=case, number=number: _fill_in(scene, case, **{f"note{number}": "text"}),
            lambda attribute=attribute, other=other: custom_attributes.edit(
                actor=scene.people.admin.actor, attribute_id=attribute.pk, revision=1, definition=other
            ),
        )
        attribute.refresh_from_db()
        held = UseCase.objects.get(pk=case.pk).attributes
        refusals = [result for result in results if isinstance(result, Exception)]
        assert len(refusals) == 1, results
        assert (attribute.type, held) in [("text", {f"note{number}": "text"}), ("number", {})]
        assert (attribute.used_at is None) == (held == {})


def test_the_first_values_of_two_objects_at_once_are_both_kept(scene: Scene) -> None:
    keys = ("alpha", "beta", "gamma")
    for key in keys:
        _definition(scene, key=key)
    cases = [use_case(scene.people, scene.project) for _ in range(4)]
    results = at_once(
        *(
            lambda case=case, order=order: _fill_in(scene, case, **dict.fromkeys(order, "x"))
            for case, order in zip(cases, (keys, keys[::-1], keys, keys[::-1]), strict=True)
        )
    )
    assert not [result for result in results if isinstance(result, Exception)], results
    assert all(UseCase.objects.get(pk=case.pk).attributes == dict.fromkeys(keys, "x") for case in cases)
    assert not CustomAttribute.objects.filter(used_at=None).exists()


def test_a_choice_is_not_taken_away_while_somebody_takes_it(scene: Scene) -> None:
    attribute = _definition(scene, key="tier", type=AttributeType.CHOICE, choices=("a", "b"))
    case, other = use_case(scene.people, scene.project), use_case(scene.people, scene.project)
    _fill_in(scene, other, tier="a")
    fewer = AttributeDefinition(
        kind=ObjectKind.USE_CASE, key="tier", label="Tier", type=AttributeType.CHOICE, choices=("a",)
    )
    results = at_once(
        lambda: _fill_in(scene, case, tier="b"),
        lambda: custom_attributes.edit(
            actor=scene.people.admin.actor, attribute_id=attribute.pk, revision=1, definition=fewer
        ),
    )
    assert len([result for result in results if isinstance(result, Exception)]) == 1, results
    attribute.refresh_from_db()
    held = UseCase.objects.get(pk=case.pk).attributes.get("tier")
    assert held is None or held in attribute.choices
