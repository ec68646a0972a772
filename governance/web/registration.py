"""Pages by which versions are registered and model groups created, and how far that has come."""

from __future__ import annotations

from typing import Any, cast

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.permissions import Act, require
from portal.core.views import FormPage, Page
from registry.choices import AskedState
from registry.models import GroupCreation, ModelGroup, Registration
from registry.selectors import catalogue
from registry.selectors import registrations as selectors
from registry.selectors.scope import projects_where

from ..selectors import registrations as orders
from ..services import registration as services
from .progress_words import asked_progress
from .registration_forms import MOST_CONTAINERS, GroupNewForm, RegisterVersionForm


class VersionRegister(FormPage):
    """Register a version in a group; another container is asked for without losing what is filled in."""

    template_name = "governance/version_register.html"
    form_class = RegisterVersionForm
    submit_label = "Register the version"

    @cached_property
    def group(self) -> ModelGroup:
        found = catalogue.group(self.actor, self.kwargs["pk"])
        require(self.actor, Act.REGISTER_VERSION, found.project_id)
        return found

    def build(self, data: Any = None) -> BaseForm:
        if data is None:
            return RegisterVersionForm(group=self.group)
        return RegisterVersionForm(data, self.request.FILES, group=self.group, count=_count(data))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "another" not in request.POST:
            return super().post(request, *args, **kwargs)
        count = min(_count(request.POST) + 1, MOST_CONTAINERS)
        # What is not filled in yet is not wrong yet.
        return self.show_again(RegisterVersionForm(group=self.group, count=count, filled=request.POST.dict()), 200)

    def carry_out(self, form: BaseForm) -> str:
        filled = cast("RegisterVersionForm", form)
        row = services.register_version(
            actor=self.actor,
            group_id=self.group.pk,
            new=filled.new(),
            reference=filled.cleaned_data["reference"],
            run=filled.cleaned_data["mlflow_run"],
            server=filled.cleaned_data["mlflow_server"],
        )
        if row.state == AskedState.DONE and row.version is not None:
            self.say(f"{row.public_id} is done: the version waits for approval in development.")
            return reverse("registry:version", args=[row.version.pk])
        return reverse("governance:registration", args=[row.number])

    def cancel_url(self) -> str:
        return reverse("registry:group", args=[self.group.pk])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": self.group.name, "url": self.cancel_url()},
            {"label": "Register a version", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            group=self.group, under_way=selectors.registrations_under_way(self.actor, self.group), **kwargs
        )


class GroupNew(FormPage):
    """Create a model group in a hub."""

    template_name = "governance/group_new.html"
    form_class = GroupNewForm
    submit_label = "Create the group"
    needs = Act.CREATE_GROUP

    def form_arguments(self) -> dict[str, Any]:
        return {"projects": projects_where(self.actor, Act.CREATE_GROUP), "hubs": selectors.hubs()}

    def carry_out(self, form: BaseForm) -> str:
        row = services.create_group(actor=self.actor, new=cast("GroupNewForm", form).new())
        if row.state == AskedState.DONE and row.group is not None:
            self.say(f"{row.name} is there, and belongs to {row.project.name}.")
            return reverse("registry:group", args=[row.group.pk])
        return reverse("governance:group_creation", args=[row.number])

    def cancel_url(self) -> str:
        return reverse("registry:group_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Model groups", "url": self.cancel_url()}, {"label": "New group", "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(under_way=selectors.creations_under_way(self.actor), **kwargs)


class RegistrationPage(Page):
    """How far one registration has come."""

    template_name = "governance/asked.html"
    fragment = "state"

    @cached_property
    def row(self) -> Registration:
        return selectors.registration(self.actor, self.kwargs["number"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.row
        order = orders.order_of_registration(row)
        result_url = reverse("registry:version", args=[row.version_id]) if row.version_id else ""
        return super().get_context_data(
            row=row,
            what=f"A version of {row.group.name}",
            result_url=result_url,
            result=row.version,
            order=order,
            progress=asked_progress(row, order, f"Registering a version of {row.group.name}", result_url, row.version),
            request_shown=row.payload,
            self_url=self.request.path,
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": self.row.group.name, "url": reverse("registry:group", args=[self.row.group_id])},
            {"label": self.row.public_id, "url": ""},
        ]


class GroupCreationPage(Page):
    """How far the creation of one group has come."""

    template_name = "governance/asked.html"
    fragment = "state"

    @cached_property
    def row(self) -> GroupCreation:
        return selectors.creation(self.actor, self.kwargs["number"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.row
        order = orders.order_of_creation(row)
        result_url = reverse("registry:group", args=[row.group_id]) if row.group_id else ""
        return super().get_context_data(
            row=row,
            what=f"The model group {row.name} in {row.account}, {row.region}",
            result_url=result_url,
            result=row.group,
            order=order,
            progress=asked_progress(row, order, f"Creating the model group {row.name}", result_url, row.group),
            request_shown={
                "name": row.name,
                "description": row.description,
                "tags": row.tags,
                "policy": row.policy,
                "reason": row.reason,
            },
            self_url=self.request.path,
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": self.row.public_id, "url": ""},
        ]


def _count(data: Any) -> int:
    """Return how many containers a form asks for, whatever was sent."""
    text = str(data.get("count", "1"))
    return min(max(int(text), 1), MOST_CONTAINERS) if text.isdecimal() and len(text) < 4 else 1
