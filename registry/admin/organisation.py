"""Lines of business and projects."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from portal.core.actors import Actor
from portal.core.admin import RecordAdmin, ServiceAdmin, ServiceForm, console

from ..access import ROLE_PREFIX
from ..choices import Role
from ..models import LineOfBusiness, Project, ProjectGroupObjectPermission, ProjectUserObjectPermission
from ..services import organisation


class LineOfBusinessForm(ServiceForm):
    class Meta:
        model = LineOfBusiness
        fields = ("name",)


class ProjectForm(ServiceForm):
    class Meta:
        model = Project
        fields = ("key", "name", "line_of_business")
        help_texts = {"key": "A short name for addresses and tags; it cannot be changed later."}


@admin.register(LineOfBusiness, site=console)
class LineOfBusinessAdmin(ServiceAdmin):
    may_add = may_change = True
    form = LineOfBusinessForm
    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("name",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    def create(self, actor: Actor, form: Any) -> LineOfBusiness:
        return organisation.create_line_of_business(actor=actor, **form.cleaned_data)

    def edit(self, actor: Actor, row: Any, form: Any) -> None:
        organisation.edit_line_of_business(actor=actor, line_of_business=row, **form.cleaned_data)


@admin.register(Project, site=console)
class ProjectAdmin(ServiceAdmin):
    may_add = may_change = True
    form = ProjectForm
    list_display = ("name", "key", "line_of_business")
    list_filter = ("line_of_business",)
    list_select_related = ("line_of_business",)
    search_fields = ("name", "key")
    ordering = ("name",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["key", "name", "line_of_business"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("key",)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
            field.queryset = field.queryset.order_by("name")
        return field

    def create(self, actor: Actor, form: Any) -> Project:
        return organisation.create_project(actor=actor, **form.cleaned_data)

    def edit(self, actor: Actor, row: Any, form: Any) -> None:
        organisation.edit_project(actor=actor, project=row, **form.cleaned_data)


class GivenRoleFilter(admin.SimpleListFilter):
    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Role.choices()

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(permission__codename=f"{ROLE_PREFIX}{self.value()}") if self.value() else queryset


@admin.register(ProjectUserObjectPermission, site=console)
class ProjectUserRoleAdmin(RecordAdmin):
    list_display = ("user", "permission", "content_object")
    list_filter = (GivenRoleFilter, "content_object")
    list_select_related = ("user", "permission__content_type", "content_object")
    search_fields = ("user__username", "user__display_name", "content_object__key")
    ordering = ("-pk",)


@admin.register(ProjectGroupObjectPermission, site=console)
class ProjectGroupRoleAdmin(RecordAdmin):
    list_display = ("group", "permission", "content_object")
    list_filter = (GivenRoleFilter, "content_object")
    list_select_related = ("group", "permission__content_type", "content_object")
    search_fields = ("group__name", "content_object__key")
    ordering = ("-pk",)
