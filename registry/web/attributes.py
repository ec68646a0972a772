"""Custom attributes on pages: fields of edit forms, filters above lists, columns and cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, ClassVar

import django_filters as filters
import django_tables2 as tables
from django import forms
from django.utils.html import escape
from django.utils.safestring import SafeString

from portal.core.tables import absent
from portal.core.templatetags.portal_ui import person

from ..choices import AttributeType, ObjectKind
from ..models import CustomAttribute, User
from ..selectors import attribute_filters
from ..selectors import attributes as selectors
from ..services.attribute_values import LONGEST_TEXT, field_of

_NOT_GIVEN = "not given"


class AttributeFields(forms.Form):
    """Fields for the active attributes of a kind, behind the form's own and named as refusals name them."""

    def ask_for_attributes(self, kind: ObjectKind, held: Mapping[str, Any], project_id: int | None) -> None:
        """Add a field per attribute with what is held; call it once the form has its own fields."""
        self._attributes = [attribute for attribute in selectors.every(kind) if not attribute.is_archived]
        for attribute in self._attributes:
            name, value = field_of(attribute.key), held.get(attribute.key)
            field = _FIELDS[AttributeType(attribute.type)](attribute, value, project_id)
            field.required, field.label = attribute.is_required, attribute.label
            # Django shows a help text as it is: its own are markup, these are what somebody typed.
            field.help_text = escape(attribute.help_text)
            self.fields[name] = field
            if value is not None:
                self.initial.setdefault(name, _initial(attribute, value))

    def attributes(self) -> dict[str, Any]:
        """Return what was filled in by key, None where nothing was, for the service."""
        found = {attribute.key: self.cleaned_data.get(field_of(attribute.key)) for attribute in self._attributes}
        return {key: None if value in ("", None) else value for key, value in found.items()}


def _initial(attribute: CustomAttribute, value: Any) -> Any:
    return date.fromisoformat(value) if attribute.type == AttributeType.DATE else value


def _text(attribute: CustomAttribute, value: Any, project_id: int | None) -> forms.Field:
    return forms.CharField(max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 2}))


def _number(attribute: CustomAttribute, value: Any, project_id: int | None) -> forms.Field:
    return forms.DecimalField(widget=forms.NumberInput(attrs={"step": "any"}))


def _date(attribute: CustomAttribute, value: Any, project_id: int | None) -> forms.Field:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=widget, input_formats=["%Y-%m-%d"])


def _choice(attribute: CustomAttribute, value: Any, project_id: int | None) -> forms.Field:
    return forms.ChoiceField(choices=[("", "Not given"), *((choice, choice) for choice in attribute.choices)])


def _person(attribute: CustomAttribute, value: Any, project_id: int | None) -> forms.Field:
    return forms.ModelChoiceField(selectors.candidates_or(project_id, value), empty_label="Nobody")


_FIELDS: dict[AttributeType, Callable[[CustomAttribute, Any, int | None], forms.Field]] = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.DATE: _date,
    AttributeType.CHOICE: _choice,
    AttributeType.USER: _person,
}


class AttributeFilterSet(filters.FilterSet):
    """A list's filters and those over the active attributes of what it lists."""

    attribute_kind: ClassVar[ObjectKind]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, item in attribute_filters.form_filters(self.attribute_kind, self.queryset).items():
            item.parent, item.model, item.field_name = self, self.queryset.model, name
            self.filters[name] = item


def card_items(sheet: selectors.Sheet, held: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an object holds of the attributes on a sheet, for `key_values`; archived ones say so."""
    return [
        {
            "label": attribute.label,
            "value": value,
            "kind": "person" if isinstance(value, User) else "text",
            "hint": "archived" if attribute.is_archived else "",
            "missing": _NOT_GIVEN,
        }
        for attribute, value in sheet.shown(held)
    ]


def columns(
    kind: ObjectKind, held: Callable[[Any], Mapping[str, Any]], *, optional: bool = False
) -> list[tuple[str, tables.Column]]:
    """Return a column per active attribute; `held` finds the values of a row. Optional ones are shown when chosen."""
    sheet = selectors.sheet(kind)
    return [
        (f"attr_{attribute.key}", _Column(attribute, sheet, held, optional=optional, verbose_name=attribute.label))
        for attribute in sheet.attributes
    ]


class _Column(tables.Column):
    def __init__(
        self,
        attribute: CustomAttribute,
        sheet: selectors.Sheet,
        held: Callable[[Any], Mapping[str, Any]],
        *,
        optional: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(accessor="pk", orderable=False, empty_values=(), **kwargs)
        self.attribute, self.sheet, self.held, self.is_optional = attribute, sheet, held, optional

    def render(self, record: Any) -> SafeString | str:
        value = self.sheet.worded(self.attribute, self.held(record).get(self.attribute.key))
        if value is None:
            return absent(_NOT_GIVEN)
        return person(value) if isinstance(value, User) else str(value)
