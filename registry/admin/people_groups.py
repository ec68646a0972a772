"""Groups of people: made, named, filled and given roles."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from portal.core.actors import Actor
from portal.core.admin import ServiceForm, actor_of, add_refusal, console
from portal.core.errors import DomainError

from ..choices import Role
from ..models import User
from ..selectors.people import HeldRole, groups_holding, groups_with_people, held_by_group, people_of
from ..services import people_groups
from .holders import HolderAdmin, in_words
from .people import PersonField


class GroupForm(ServiceForm):
    class Meta:
        model = Group
        fields = ("name",)
        help_texts = {"name": "A team or a committee: what people call those who are in it."}


class MemberForm(forms.Form):
    """One person to be taken in or out."""

    verb = forms.ChoiceField(choices=[("add", "Take in"), ("remove", "Take out")], widget=forms.HiddenInput)
    person = PersonField(queryset=User.objects.people().order_by("username"))


class RoleOfGroupFilter(admin.SimpleListFilter):
    title = "role (anywhere)"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Role.choices()

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        return groups_holding(queryset, Role(value)) if value in {role.value for role in Role} else queryset


@admin.register(Group, site=console)
class GroupAdmin(HolderAdmin):
    """Whoever is in a group holds its roles; people and roles come and go one at a time, so nobody undoes another."""

    noun: ClassVar[str] = "group"
    may_add = may_change = may_delete = True
    hidden = ("permissions",)
    form = GroupForm
    list_display = ("name", "how_many", "roles_everywhere")
    list_filter = (RoleOfGroupFilter,)
    search_fields = ("name", "user__username", "user__display_name")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return groups_with_people(super().get_queryset(request))

    @admin.display(description="people", ordering="people")
    def how_many(self, row: Any) -> int:
        return int(row.people)

    @admin.display(description="roles everywhere")
    def roles_everywhere(self, row: Group) -> str:
        names = sorted(permission.codename for permission in row.permissions.all())
        return ", ".join(Role(name.removeprefix("role_")).label for name in names)

    @admin.display(description="roles")
    def roles(self, row: Group) -> str:
        return ", ".join(in_words(held) for held in held_by_group(row)) or "None yet"

    @admin.display(description="people")
    def members(self, row: Group) -> str:
        return ", ".join(str(person) for person in people_of(row)) or "Nobody yet"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["name"] if obj is None else ["name", "members", "roles"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("members", "roles")

    def object_links(self, row: Group) -> list[tuple[str, str]]:
        return [
            ("People", reverse("admin:auth_group_people", args=[row.pk])),
            ("Roles", reverse("admin:auth_group_roles", args=[row.pk])),
        ]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/people/", wrap(self.people_view), name="auth_group_people"),
            path("<path:object_id>/roles/", wrap(self.roles_view), name="auth_group_roles"),
            *super().get_urls(),
        ]

    def held(self, holder: Any) -> list[HeldRole]:
        return held_by_group(holder)

    def is_himself(self, request: HttpRequest, holder: Any) -> bool:
        return any(person.pk == request.user.pk for person in people_of(holder))

    def create(self, actor: Actor, form: Any) -> Group:
        return people_groups.create(actor=actor, name=form.cleaned_data["name"])

    def edit(self, actor: Actor, row: Any, form: Any) -> None:
        people_groups.rename(actor=actor, group=row, name=form.cleaned_data["name"])

    def remove(self, actor: Actor, row: Any) -> None:
        people_groups.delete(actor=actor, group=row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name what goes with a group. What would go with its roles is the service's to refuse."""
        listed = [str(row) for row in objs]
        return listed, {self.opts.verbose_name_plural: len(listed)}, set(), []

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def people_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who is in a group; take somebody in or out."""
        group = self.holder(request, object_id)
        form = MemberForm(request.POST if request.method == "POST" else None, initial={"verb": "add"})
        if form.is_valid():
            person, adding = form.cleaned_data["person"], form.cleaned_data["verb"] == "add"
            act = people_groups.add if adding else people_groups.remove
            try:
                act(actor=actor_of(request), group=group, person=person)
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                done = "is in" if adding else "is no longer in"
                self.message_user(request, f"{person} {done} {group}.", messages.SUCCESS)
                # He may have been here by a role of this group.
                return redirect("home" if person.pk == request.user.pk else request.path)
        held = ", ".join(in_words(one) for one in held_by_group(group))
        return self.holder_page(request, "people", "People in", group, form, people=people_of(group), held=held)
