"""Saved views of lists: kept from a list's menu, looked after on pages of their own."""

from __future__ import annotations

from typing import Any

import django_filters as filters
import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.forms import BaseForm
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from portal.core.errors import Forbidden, InvalidInput
from portal.core.list_pages import known_parameters, list_label
from portal.core.listing import VIEW
from portal.core.permissions import Act, may
from portal.core.tables import PortalTable, absent, name_cell
from portal.core.templatetags.portal_ui import badge, reltime
from portal.core.views import ActionView, FormPage, TablePage
from registry.services import saved_views

from ..choices import ViewAudience
from ..models import Project, SavedView
from ..models.saved_view import LONGEST_NAME, LONGEST_QUERY
from ..selectors import saved_views as selectors
from .filters import search

_AUDIENCES = {
    ViewAudience.OWNER: "Only me",
    ViewAudience.PROJECT: "Everybody with a role on a project",
    ViewAudience.EVERYBODY: "Everybody",
}


def address(view: SavedView) -> str:
    """Return where a view is applied; "" when its list is no longer there."""
    try:
        path = reverse(view.list_key)
    except NoReverseMatch:
        return ""
    return f"{path}?{f'{view.query}&' if view.query else ''}{VIEW}={view.pk}"


def list_name(key: str) -> str:
    """Return what the list is called that a view is of."""
    return list_label(key) or "a list that is no longer there"


class SavedViewTable(PortalTable):
    label = "Saved views"
    name = tables.Column("View", order_by=("name", "pk"))
    list_key = tables.Column("List", order_by=("list_key", "name", "pk"))
    audience = tables.Column("For", order_by=("audience", "pk"))
    is_usual = tables.Column("Usual view", orderable=False)
    changed_at = tables.Column("Changed", order_by=("changed_at", "pk"))

    def render_name(self, record: SavedView) -> SafeString:
        return name_cell(record.name, reverse("registry:saved_view", args=[record.pk]))

    def render_list_key(self, record: SavedView) -> SafeString | str:
        url = address(record)
        return name_cell(list_name(record.list_key), url) if url else list_name(record.list_key)

    def value_list_key(self, record: SavedView) -> str:
        return list_name(record.list_key)

    def render_audience(self, record: SavedView) -> str:
        return selectors.shared_words(record, self.request.user.actor) or _AUDIENCES[ViewAudience.OWNER]

    def render_is_usual(self, value: bool) -> SafeString:
        return badge("Opens first", "good", "star") if value else absent("no")

    def render_changed_at(self, record: SavedView) -> SafeString:
        return reltime(record.changed_at)


class SavedViewFilter(filters.FilterSet):
    q = search("Name")
    audience = filters.ChoiceFilter(
        label="For",
        empty_label="Anybody",
        choices=[(word.value, label) for word, label in _AUDIENCES.items()],
    )

    class Meta:
        model = SavedView
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(name__icontains=value)


class SavedViewList(TablePage):
    template_name = "registry/saved_view_list.html"
    table_class = SavedViewTable
    filter_class = SavedViewFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.views(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No saved view yet",
            "text": "Filter and sort any list, choose its columns, then save it under Views above the list.",
            "icon": "eye",
        }


class EditForm(forms.Form):
    """What a view is called and who else may apply it."""

    name = forms.CharField(max_length=LONGEST_NAME)
    audience = forms.ChoiceField(label="Who may apply it", widget=forms.RadioSelect)
    project: forms.ModelChoiceField[Project] = forms.ModelChoiceField(
        None, required=False, label="Project", empty_label="Choose a project"
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)

    def __init__(self, *args: Any, view: SavedView, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = may(actor, Act.OFFER_VIEW)
        self.fields["audience"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            (word.value, label) for word, label in _AUDIENCES.items() if offered or word is not ViewAudience.EVERYBODY
        ]
        projects = selectors.projects_to_share_with(actor)
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]  # a ModelChoiceField


class SavedViewPage(FormPage):
    """One's own view: renamed, shared, deleted."""

    template_name = "registry/saved_view.html"
    form_class = EditForm

    @cached_property
    def view(self) -> SavedView:
        found = selectors.view(self.actor, self.kwargs["pk"])
        if found.owner_id != self.actor.user_id:
            raise Forbidden("Only who saved a view changes it. Apply it, and save it under a name of your own.")
        return found

    def form_arguments(self) -> dict[str, Any]:
        view = self.view
        initial = {
            "name": view.name,
            "audience": view.audience,
            "project": view.project_id,
            "revision": view.revision,
        }
        return {"view": view, "actor": self.actor, "initial": initial}

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        view = saved_views.edit(
            actor=self.actor,
            view_id=self.view.pk,
            revision=given["revision"],
            name=given["name"],
            audience=ViewAudience(given["audience"]),
            project_id=given["project"].pk if given["project"] else None,
        )
        self.say(f"The view {view.name} is saved.")
        return self.cancel_url()

    def cancel_url(self) -> str:
        return reverse("registry:saved_view_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Saved views", "url": self.cancel_url()}, {"label": self.view.name, "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            view_row=self.view, list_name=list_name(self.view.list_key), url=address(self.view), **kwargs
        )


class KeptForm(forms.Form):
    """What a list's menu sends."""

    list = forms.CharField(max_length=80, required=False)
    name = forms.CharField(max_length=LONGEST_NAME, required=False)
    query = forms.CharField(max_length=LONGEST_QUERY, required=False)
    revision = forms.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    view = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


class _MenuAction(ActionView):
    def given(self) -> dict[str, Any]:
        form = KeptForm(self.request.POST)
        if not form.is_valid():
            errors = {name: [str(error) for error in errors] for name, errors in form.errors.items()}
            raise InvalidInput("Nothing was done: what was sent cannot be used.", errors=errors)
        return form.cleaned_data


class SavedViewNew(_MenuAction):
    """Keep a list as it is shown."""

    def carry_out(self) -> str:
        given = self.given()
        view = saved_views.save(
            actor=self.actor,
            list_key=given["list"],
            name=given["name"],
            query=given["query"],
            known=known_parameters(given["list"], self.request),
        )
        self.say(f"This is saved as {view.name}. You find it under Views above the list.")
        return address(view)


class SavedViewUpdate(_MenuAction):
    """Have a view show what its list shows now."""

    def carry_out(self) -> str:
        given = self.given()
        view = selectors.view(self.actor, self.kwargs["pk"])
        view = saved_views.update(
            actor=self.actor,
            view_id=view.pk,
            revision=given["revision"] or 0,
            query=given["query"],
            known=known_parameters(view.list_key, self.request),
        )
        self.say(f"The view {view.name} shows this from now on.")
        return address(view)


class SavedViewDelete(ActionView):
    """Delete a view."""

    def carry_out(self) -> str:
        view = saved_views.delete(actor=self.actor, view_id=self.kwargs["pk"])
        self.say(f"The view {view.name} is deleted.")
        return reverse("registry:saved_view_list")


class SavedViewDefault(_MenuAction):
    """Choose which view a list opens with."""

    def carry_out(self) -> str:
        given = self.given()
        known_parameters(given["list"], self.request)
        view = saved_views.open_with(actor=self.actor, list_key=given["list"], view_id=given["view"])
        if view is None:
            self.say("The list opens with everything again.")
            return reverse(given["list"])
        self.say(f"The list opens with {view.name} from now on.")
        return address(view)
