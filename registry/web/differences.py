"""When somebody saved first: the form again with what was typed, beside what is saved now. Nothing is lost."""

from __future__ import annotations

from typing import Any, Protocol

from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse

from portal.core.errors import StaleEdit


class EditPage(Protocol):
    """What `overtaken` needs of the page it is about."""

    request: HttpRequest

    def build(self, data: Any = None) -> BaseForm: ...
    def show_again(self, form: BaseForm, status: int, **context: Any) -> HttpResponse: ...


def overtaken(page: EditPage, refusal: StaleEdit) -> HttpResponse:
    """Answer 412 with what was typed kept in the form, which now carries the current revision."""
    current = page.build()
    data = page.request.POST.copy()
    typed = page.build(data)
    typed.is_valid()
    rows = []
    for name, field in typed.fields.items():
        now, mine = current.get_initial_for_field(current.fields[name], name), typed.cleaned_data.get(name)
        if name != "revision" and _words(field, now) != _words(field, mine):
            rows.append(
                {"field": field.label or typed[name].label, "before": _words(field, now), "after": _words(field, mine)}
            )
    # Saving again is then a decision made with both in sight.
    data["revision"] = str(current.get_initial_for_field(current.fields["revision"], "revision"))
    again = page.build(data)
    return page.show_again(again, refusal.status, overtaken=refusal.detail, difference=rows)


def _words(field: Any, value: Any) -> str:
    """Return a field's value as people read it, whether it is a row, its id or plain text."""
    if value in (None, ""):
        return ""
    if isinstance(value, QuerySet | list | tuple):
        return ", ".join(sorted(_words(field, item) for item in value))
    if isinstance(value, Model):
        return str(value)
    queryset = getattr(field, "queryset", None)
    if queryset is not None:
        found = queryset.filter(pk=value).first()
        return str(found) if found is not None else ""
    return str(value)
