"""Pages of tracking servers: where the runs of models are read from. Forms parse; the services decide."""

from __future__ import annotations

from typing import Any, cast

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.permissions import Act, may, require
from portal.core.tables import PortalTable, absent, failure, name_cell, two
from portal.core.templatetags.portal_ui import badge, reltime, status_badge
from portal.core.views import ActionView, FormPage, Page, TablePage
from registry.services import tracking_servers

from ..choices import TrackingLogin
from ..models import TrackingServer
from ..selectors import catalogue
from ..selectors import tracking as selectors
from .filters import TrackingServerFilter

LOGIN_WORDS = {
    TrackingLogin.NONE: "Nothing is asked for",
    TrackingLogin.TOKEN: "With a token",
    TrackingLogin.BASIC: "With name and password",
}


class TrackingServerTable(PortalTable):
    label = "Tracking servers"
    name = tables.Column("Name", order_by=("name", "pk"))
    url = tables.Column("Address", order_by=("url", "pk"))
    projects = tables.Column("For", orderable=False, empty_values=())
    checked_at = tables.Column("Tried", order_by=("checked_at", "pk"), empty_values=())

    def render_name(self, record: TrackingServer) -> SafeString:
        shown = name_cell(record.name, reverse("registry:tracking_server", args=[record.pk]))
        return shown if record.is_enabled else two(shown, badge("Off", "mute", "player-pause"))

    def render_url(self, record: TrackingServer) -> SafeString:
        return format_html('<span class="text-break">{}</span>', record.url)

    def render_projects(self, record: TrackingServer) -> str:
        return ", ".join(project.name for project in record.projects.all()) or "every project"

    def render_checked_at(self, record: TrackingServer) -> SafeString:
        if record.checked_at is None:
            return absent("not tried")
        shown = status_badge("failed" if record.check_error else "connected")
        return format_html("{} {}{}", shown, reltime(record.checked_at), failure(record.check_error))


class TrackingServerForm(forms.Form):
    """What an ML admin says of a tracking server. The secret is written and never shown."""

    name = forms.CharField(max_length=63, help_text="What people call it, such as research.")
    url = forms.CharField(
        label="Address", max_length=2048, help_text="Where its REST API answers: https://mlflow.example.com."
    )
    login = forms.ChoiceField(
        label="How the portal signs in", choices=[(word.value, words) for word, words in LOGIN_WORDS.items()]
    )
    username = forms.CharField(
        label="Name to sign in with", max_length=200, required=False, help_text="Only with a password."
    )
    secret = forms.CharField(
        label="Token or password",
        max_length=4096,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="It is stored encrypted and never shown again.",
    )
    projects: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Projects that may use it",
        help_text="None ticked: every project.",
    )
    is_enabled = forms.BooleanField(
        label="Enabled", required=False, initial=True, help_text="Nothing is asked of a server that is switched off."
    )

    def __init__(self, *args: Any, projects: QuerySet[Any], is_there: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelMultipleChoiceField", self.fields["projects"]).queryset = projects
        if is_there:
            self.fields["revision"] = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
            self.fields["secret"].help_text = "It is never shown; leave it empty to keep the one there is."

    def values(self) -> dict[str, Any]:
        """Return what the service takes; a secret left empty stays."""
        given = dict(self.cleaned_data)
        given["projects"] = list(given["projects"])
        given["secret"] = given["secret"] or None
        if given["login"] != TrackingLogin.BASIC:
            given["username"] = given["username"] or ""
        return given


class TrackingServerList(TablePage):
    template_name = "registry/tracking_server_list.html"
    table_class = TrackingServerTable
    filter_class = TrackingServerFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.servers(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No tracking server is registered",
            "text": "An ML admin registers where MLflow tracks runs: versions can then say which run they come from.",
            "icon": "flask",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_manage=may(self.actor, Act.MANAGE_TRACKING), **kwargs)


class TrackingServerDetail(Page):
    template_name = "registry/tracking_server.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.server = selectors.server(self.actor, self.kwargs["pk"])
        return super().get_context_data(
            server=self.server,
            projects=list(self.server.projects.order_by("name")),
            runs=selectors.runs_on(self.actor, self.server),
            login_words=LOGIN_WORDS[TrackingLogin(self.server.login)],
            may_manage=may(self.actor, Act.MANAGE_TRACKING),
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        path = {"label": "Tracking servers", "url": reverse("registry:tracking_server_list")}
        return [path, {"label": self.server.name, "url": ""}]


class TrackingServerNew(FormPage):
    template_name = "registry/tracking_server_form.html"
    form_class = TrackingServerForm
    submit_label = "Register the server"

    def form_arguments(self) -> dict[str, Any]:
        require(self.actor, Act.MANAGE_TRACKING)
        return {"projects": catalogue.visible_projects(self.actor)}

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Tracking servers", "url": self.cancel_url()}, {"label": "Register", "url": ""}]

    def cancel_url(self) -> str:
        return reverse("registry:tracking_server_list")

    def carry_out(self, form: BaseForm) -> str:
        values = cast("TrackingServerForm", form).values()
        made = tracking_servers.register(actor=self.actor, **{**values, "secret": values["secret"] or ""})
        self.say(f"{made.name} is registered. Test it next.")
        return reverse("registry:tracking_server", args=[made.pk])


class TrackingServerEdit(FormPage):
    template_name = "registry/tracking_server_form.html"
    form_class = TrackingServerForm

    @cached_property
    def server(self) -> TrackingServer:
        found = selectors.server(self.actor, self.kwargs["pk"])
        require(self.actor, Act.MANAGE_TRACKING)
        return found

    def form_arguments(self) -> dict[str, Any]:
        given = {name: getattr(self.server, name) for name in tracking_servers.EDITABLE}
        return {
            "projects": catalogue.visible_projects(self.actor),
            "is_there": True,
            "initial": {**given, "projects": self.server.projects.all(), "revision": self.server.revision},
        }

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Tracking servers", "url": reverse("registry:tracking_server_list")},
            {"label": self.server.name, "url": self.cancel_url()},
            {"label": "Edit", "url": ""},
        ]

    def cancel_url(self) -> str:
        return reverse("registry:tracking_server", args=[self.server.pk])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(server=self.server, **kwargs)

    def carry_out(self, form: BaseForm) -> str:
        values = cast("TrackingServerForm", form).values()
        saved = tracking_servers.edit(actor=self.actor, server_id=self.server.pk, **values)
        self.say(f"{saved.name} is saved.")
        return self.cancel_url()


class TrackingServerTest(ActionView):
    """Ask a tracking server for its experiments."""

    def carry_out(self) -> str:
        found = tracking_servers.try_out(actor=self.actor, server_id=self.kwargs["pk"])
        if found.check_error:
            self.say(f"{found.name} did not answer as expected. {found.check_error}", messages.ERROR)
        else:
            self.say(f"{found.name} answered and shows its experiments.")
        return reverse("registry:tracking_server", args=[found.pk])


class TrackingServerRemove(ActionView):
    """Take a tracking server away that no run was read from."""

    def carry_out(self) -> str:
        tracking_servers.remove(actor=self.actor, server_id=self.kwargs["pk"])
        self.say("The tracking server is gone.")
        return reverse("registry:tracking_server_list")
