"""When somebody saved first: the form again with what was typed, beside what is saved now. Nothing is lost."""

from __future__ import annotations

from typing import Any, Protocol

from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict

from portal.core.errors import StaleEdit
from portal.core.views import FormPage


class KeepsTyping(FormPage):
    """A form page whose form carries a revision: who comes second sees both, and loses nothing."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except StaleEdit as refusal:
            return overtaken(self, refusal, self.typed())

    def typed(self) -> QueryDict | None:
        """Return what was typed, where that is not all of what the page sent."""
        return None


class EditPage(Protocol):
    """What `overtaken` needs of the page it is about."""

    request: HttpRequest

    def build(self, data: Any = None) -> BaseForm: ...
    def show_again(self, form: BaseForm, status: int, **context: Any) -> HttpResponse: ...


def overtaken(page: EditPage, refusal: StaleEdit, sent: QueryDict | None = None) -> HttpResponse:
    """Answer 412 with what was typed kept in the form, which now carries the current revision.

    `sent` is what was typed, where that is not all of what the page sent.
    """
    current = page.build()
    data = (page.request.POST if sent is None else sent).copy()
    rows = typed_rows(current, page.build(data))
    # Saving again is then a decision made with both in sight.
    data["revision"] = str(current.get_initial_for_field(current.fields["revision"], "revision"))
    again = page.build(data)
    return page.show_again(again, refusal.status, overtaken=refusal.detail, difference=rows)


def typed_rows(current: BaseForm, typed: BaseForm) -> list[dict[str, Any]]:
    """Return field by field what is saved now beside what was typed, where the two differ."""
    before, after = _values(current), _values(typed)
    rows = []
    for name in dict.fromkeys((*typed.fields, *current.fields)):
        form = typed if name in typed.fields else current
        field = form.fields[name]
        now, mine = _words(field, before.get(name)), _words(field, after.get(name))
        if name != "revision" and now != mine:
            rows.append({"field": field.label or form[name].label, "before": now, "after": mine})
    return rows


def _values(form: BaseForm) -> dict[str, Any]:
    if not form.is_bound:
        return {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    form.is_valid()
    return form.cleaned_data


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
    choices = getattr(field, "choices", None)
    if choices is not None:
        return str(dict(choices).get(value, value))
    return str(value)
