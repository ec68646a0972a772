"""Pages of model groups: list, one of them, claiming it."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django_tables2 import RequestConfig

from portal.core.errors import Forbidden, StaleEdit
from portal.core.permissions import ROLES, Act, may, may_anywhere
from portal.core.views import FormPage, Page, TablePage
from registry.services import groups

from ..choices import ObjectKind
from ..models import ModelGroup
from ..selectors import attributes, catalogue
from ..selectors.sharing import Postures
from .attributes import card_items
from .differences import overtaken
from .filters import GroupFilter
from .forms import GroupForm
from .sharing import posture_of
from .tables import GroupTable, GroupVersionTable


class GroupList(TablePage):
    template_name = "registry/group_list.html"
    table_class = GroupTable
    filter_class = GroupFilter

    def rows(self) -> QuerySet[Any]:
        return catalogue.groups(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No model groups yet",
            "text": "They appear with the next sync of an account that owns model package groups, and belong to your"
            " project once an ML engineer has claimed them for it.",
            "icon": "packages",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            query=self.request.GET.urlencode(), may_create=may_anywhere(self.actor, Act.CREATE_GROUP), **kwargs
        )


class OfGroup(Page):
    """A page about one model group."""

    @cached_property
    def group(self) -> ModelGroup:
        return catalogue.group(self.actor, self.kwargs["pk"])

    @property
    def url(self) -> str:
        return reverse("registry:group", args=[self.group.pk])

    def may_edit(self) -> bool:
        if self.group.project_id is None:
            return may_anywhere(self.actor, Act.EDIT_GROUP)
        return may(self.actor, Act.EDIT_GROUP, self.group.project_id)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": self.group.name, "url": self.url},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            group=self.group,
            may_edit=self.may_edit(),
            may_register=self.group.missing_since is None
            and may(self.actor, Act.REGISTER_VERSION, self.group.project_id),
            **kwargs,
        )


class GroupDetail(OfGroup):
    template_name = "registry/group.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        table = GroupVersionTable(catalogue.versions_of(self.actor, self.group), request=self.request)
        RequestConfig(self.request, paginate={"per_page": 25}).configure(table)
        table.empty_text = (
            "No version is registered in this group yet. One registered in SageMaker appears here by itself."
        )
        return super().get_context_data(
            table=table,
            use_cases=catalogue.use_cases_behind(self.actor, self.group),
            attributes=card_items(attributes.sheet(ObjectKind.MODEL_GROUP, archived=True), self.group.attributes),
            posture=posture_of(Postures([self.group]).of(self.group)),
            may_share=may(self.actor, Act.SHARE_GROUPS, self.group.project_id),
            **kwargs,
        )


class GroupEdit(OfGroup, FormPage):
    template_name = "registry/group_edit.html"
    form_class = GroupForm

    @cached_property
    def group(self) -> ModelGroup:
        found = catalogue.group(self.actor, self.kwargs["pk"])
        allowed = (
            may_anywhere(self.actor, Act.EDIT_GROUP)
            if found.project_id is None
            else may(self.actor, Act.EDIT_GROUP, found.project_id)
        )
        if not allowed:
            raise Forbidden.for_act(Act.EDIT_GROUP.value, [role.label for role in sorted(ROLES[Act.EDIT_GROUP])])
        return found

    def cancel_url(self) -> str:
        return self.url

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [*super().breadcrumbs(), {"label": "Edit" if self.group.project_id else "Claim", "url": ""}]

    def form_arguments(self) -> dict[str, Any]:
        return {"actor": self.actor, "group": self.group, "initial": GroupForm.values_of(self.group)}

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        group = groups.edit(
            actor=self.actor,
            group_id=self.group.pk,
            revision=given["revision"],
            project=given["project"],
            owner=given["owner"],
            use_cases=list(given["use_cases"]),
            attributes=cast("GroupForm", form).attributes(),
        )
        self.say(f"{group.name} belongs to {group.project} now." if group.project else f"{group.name} is saved.")
        return self.url

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except StaleEdit as refusal:
            return overtaken(self, refusal)
