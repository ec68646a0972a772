"""Pages of model groups: list, one of them, claiming it."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.functional import cached_property
from django_tables2 import RequestConfig

from portal.core.bulk_actions import BulkTablePage
from portal.core.errors import Forbidden
from portal.core.permissions import ROLES, Act, may, may_anywhere
from portal.core.views import CompleteFile, Page, wants_fragment
from registry.services import groups

from ..choices import ObjectKind
from ..models import ModelGroup
from ..selectors import attributes, catalogue, claims, people
from ..selectors.exports import GROUP_COLUMNS, group_row
from ..selectors.sharing import Postures
from .attributes import card_items, columns
from .bulk import GROUP_ACTIONS
from .differences import KeepsTyping
from .exports import complete
from .filters import GroupFilter
from .forms import GroupForm
from .sharing import posture_of
from .tables import GroupTable, GroupVersionTable

# The list behind it has all of them.
_MOST_UNCLAIMED = 6
_MOST_VERSIONS = 5
SHOW = "show"


class GroupList(BulkTablePage):
    template_name = "registry/group_list.html"
    table_class = GroupTable
    filter_class = GroupFilter
    bulk = GROUP_ACTIONS

    def rows(self) -> QuerySet[Any]:
        return catalogue.groups(self.actor)

    def table_arguments(self) -> dict[str, Any]:
        return {"extra_columns": columns(ObjectKind.MODEL_GROUP, lambda record: record.attributes, optional=True)}

    def every_field(self) -> CompleteFile:
        return complete(ObjectKind.MODEL_GROUP, GROUP_COLUMNS, group_row)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No model groups yet",
            "text": "They appear with the next sync of an account that owns model package groups, and belong to your"
            " project once an ML engineer has claimed them for it.",
            "icon": "packages",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Whoever filters knows what he looks for.
        is_bare = not self.request.GET and not wants_fragment(self.request)
        prominent = is_bare and may_anywhere(self.actor, Act.EDIT_GROUP)
        return super().get_context_data(
            may_create=may_anywhere(self.actor, Act.CREATE_GROUP),
            unclaimed=claims.unclaimed(self.actor)[:_MOST_UNCLAIMED] if prominent else (),
            unclaimed_count=claims.unclaimed_count(self.actor) if prominent else 0,
            **kwargs,
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
            if self.group.project_id or not (hidden := claims.versions_words(self.group))
            else f"Its {hidden} can be read once it belongs to a project you see."
        )
        return super().get_context_data(
            table=table,
            use_cases=catalogue.use_cases_behind(self.actor, self.group),
            attributes=card_items(attributes.sheet(ObjectKind.MODEL_GROUP, archived=True), self.group.attributes),
            posture=posture_of(Postures([self.group]).of(self.group)),
            holders=people.who_works_on(self.group.project) if self.group.project else (),
            shown_to=people.shown_group(self.group),
            may_share=may(self.actor, Act.SHARE_GROUPS, self.group.project_id),
            **kwargs,
        )


class GroupEdit(OfGroup, KeepsTyping):
    """Claim a group for a project, or change whose it is and what it serves: all of it on one page."""

    template_name = "registry/group_edit.html"
    form_class = GroupForm
    fragment = "claim"

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

    @cached_property
    def hint(self) -> claims.Hint:
        """Whose the group seems to be, while nobody has claimed it."""
        return claims.Hint() if self.group.project_id else claims.hint(self.actor, self.group)

    def build(self, data: Any = None) -> BaseForm:
        values = GroupForm.values_of(self.group)
        if (
            self.group.project_id is None
            and self.hint.project
            and may(self.actor, Act.EDIT_GROUP, self.hint.project.pk)
        ):
            values |= {"project": self.hint.project.pk, "use_cases": [case.pk for case in self.hint.use_cases]}
        return GroupForm(data, actor=self.actor, group=self.group, initial=values)

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

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        newest = catalogue.versions_of(self.actor, self.group)[:_MOST_VERSIONS]
        return super().get_context_data(
            hint=self.hint,
            newest=newest,
            versions_words=claims.versions_words(self.group),
            here=self.request.path,
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("act") == SHOW:
            # Another project was chosen: its people and use cases are offered, and nothing is refused before it is.
            return self.render_to_response(self.get_context_data(form=self._as_it_is(request.POST)))
        return super().post(request, *args, **kwargs)

    def _as_it_is(self, sent: QueryDict) -> GroupForm:
        typed = {name: sent.getlist(name) if name == "use_cases" else sent[name] for name in sent}
        return GroupForm(actor=self.actor, group=self.group, initial=typed)
