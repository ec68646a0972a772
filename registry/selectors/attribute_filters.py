"""Filters over custom attributes: the same names and the same answers on pages, in files and in the API.

`attr.<key>` is exactly this value; numbers and dates also have `attr.<key>.min` and `attr.<key>.max`, both inclusive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from ..choices import AttributeType, ObjectKind
from ..models import CustomAttribute
from . import attributes as selectors
from .attributes import AT_LEAST, AT_MOST, RANGED

PREFIX = "attr."
_LARGEST = 10**15
_BOUNDS = ((AT_LEAST, "from"), (AT_MOST, "to"))


def names(kind: ObjectKind) -> set[str]:
    """Return the names of all filters over the attributes of a kind, archived ones included."""
    return set(attribute_filters(kind))


def attribute_filters(kind: ObjectKind) -> dict[str, django_filters.Filter]:
    """Return the filters over the attributes of a kind, archived ones included."""
    return {name: item for attribute in selectors.every(kind) for name, item in _of(attribute).items()}


def form_filters(kind: ObjectKind, rows: QuerySet[Any]) -> dict[str, django_filters.Filter]:
    """Return the same as a form above a list shows them: of active attributes, people to choose among those named.

    Of a number or a date the two bounds are shown; the exact value is taken along when an address brings it.
    """
    shown: dict[str, django_filters.Filter] = {}
    for attribute in selectors.every(kind):
        if attribute.is_archived:
            continue
        found = _of(attribute)
        if attribute.type == AttributeType.USER:
            found[attribute.parameter] = django_filters.ChoiceFilter(
                label=attribute.label,
                choices=selectors.named_in(rows, attribute),
                empty_label="Anybody",
                method=_exactly(attribute),
            )
        if attribute.type in RANGED:
            found[attribute.parameter].extra["widget"] = forms.HiddenInput
        shown |= found
    return shown


def _of(attribute: CustomAttribute) -> dict[str, django_filters.Filter]:
    make: Any = _KINDS.get(AttributeType(attribute.type), django_filters.CharFilter)
    describe = _EXTRA.get(AttributeType(attribute.type))
    extra = describe(attribute) if describe else {}
    label = attribute.label
    exact = make(label=label, help_text="Exactly this.", method=_exactly(attribute), **extra)
    found: dict[str, django_filters.Filter] = {attribute.parameter: exact}
    if attribute.type in RANGED:
        for bound, word in _BOUNDS:
            found[f"{attribute.parameter}.{bound}"] = make(
                label=f"{label}, {word}", method=_bounded(attribute, bound), **extra
            )
    return found


def _exactly(attribute: CustomAttribute) -> Callable[[QuerySet[Any], str, Any], QuerySet[Any]]:
    return lambda rows, _, value: selectors.holding(rows, attribute, value)


def _bounded(attribute: CustomAttribute, bound: str) -> Callable[[QuerySet[Any], str, Any], QuerySet[Any]]:
    return lambda rows, _, value: selectors.within(rows, attribute, bound, value)


def _number(attribute: CustomAttribute) -> dict[str, Any]:
    return {"min_value": -_LARGEST, "max_value": _LARGEST, "widget": forms.NumberInput(attrs={"step": "any"})}


def _date(attribute: CustomAttribute) -> dict[str, Any]:
    return {"input_formats": ["%Y-%m-%d"], "widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}


def _choice(attribute: CustomAttribute) -> dict[str, Any]:
    return {"choices": [(choice, choice) for choice in attribute.choices], "empty_label": "Any"}


_KINDS: dict[AttributeType, type[django_filters.Filter]] = {
    AttributeType.NUMBER: django_filters.NumberFilter,
    AttributeType.DATE: django_filters.DateFilter,
    AttributeType.CHOICE: django_filters.ChoiceFilter,
}
_EXTRA: dict[AttributeType, Callable[[CustomAttribute], dict[str, Any]]] = {
    AttributeType.NUMBER: _number,
    AttributeType.DATE: _date,
    AttributeType.CHOICE: _choice,
}
