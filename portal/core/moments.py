"""A moment of the past as a form asks for it, in UTC as the label says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from .as_of import moment_of
from .errors import InvalidInput

AS_OF = "as_of"


class MomentInput(forms.DateTimeInput):
    """A date and a time to choose; what an address brought in another way of writing is shown as this one."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(attrs={"step": "1"})

    def format_value(self, value: Any) -> str | None:
        try:
            return f"{moment_of(str(value), is_utc=True):%Y-%m-%dT%H:%M:%S}" if value else None
        except InvalidInput:
            return str(value)


class MomentField(forms.CharField):
    """A moment that has been, by `moment_of`; empty means now."""

    widget = MomentInput

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return moment_of(text, is_utc=True)
        except InvalidInput as refusal:
            raise forms.ValidationError(refusal.errors[AS_OF]) from None


class MomentFilter(django_filters.Filter):
    """The field of a list that is shown as of a moment; the rows it filters are those of that moment already."""

    field_class = MomentField

    def filter(self, qs: QuerySet[Any], value: datetime | None) -> QuerySet[Any]:
        return qs


def moment_in(query: Any) -> datetime | None:
    """Return the moment an address asks for; None without one, or with one its form will refuse."""
    try:
        return moment_of(query[AS_OF], is_utc=True) if query.get(AS_OF, "").strip() else None
    except InvalidInput:
        return None
