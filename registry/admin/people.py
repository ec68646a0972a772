"""People: created, switched off, given passwords and roles; and the AWS identities that are the same person."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.core.actors import Actor
from portal.core.admin import ServiceAdmin, ServiceForm, actor_of, add_refusal, console
from portal.core.errors import DomainError

from ..choices import Role
from ..models import AwsIdentity, User
from ..selectors.people import HeldRole, held_roles, holders_of, with_roles_everywhere
from ..services import people
from .holders import HolderAdmin, in_words

NEW_PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})


class PasswordFields(forms.Form):
    """A new password, twice."""

    password = forms.CharField(
        strip=False, widget=NEW_PASSWORD, help_text=password_validators_help_text_html(), max_length=4096
    )
    password_again = forms.CharField(strip=False, widget=NEW_PASSWORD, max_length=4096)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("password", "") != given.get("password_again", ""):
            self.add_error("password_again", "The two passwords differ.")
        return given


class NewPersonForm(PasswordFields, ServiceForm):
    """Somebody who is to sign in; without a password he can only be signed in from outside."""

    class Meta:
        model = User
        fields = ("username", "display_name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password", "password_again"):
            self.fields[name].required = False


class PersonForm(ServiceForm):
    class Meta:
        model = User
        fields = ("display_name", "email", "is_active")
        help_texts = {"is_active": "Who is not active cannot sign in, and his API tokens stop working."}


class RoleFilter(admin.SimpleListFilter):
    title = "role (anywhere)"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Role.choices()

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        return holders_of(queryset, Role(value)) if value in {role.value for role in Role} else queryset


@admin.register(User, site=console)
class UserAdmin(HolderAdmin):
    noun: ClassVar[str] = "person"
    may_add = may_change = True
    hidden = ("password", "is_staff", "is_superuser", "groups", "user_permissions", "first_name", "last_name")
    list_display = ("username", "display_name", "email", "is_active", "last_login", "roles_everywhere")
    list_filter = ("is_active", RoleFilter)
    search_fields = ("username", "display_name", "email", "aws_identities__arn")
    ordering = ("username",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return with_roles_everywhere(super().get_queryset(request).filter(is_service=False))

    @admin.display(description="roles everywhere")
    def roles_everywhere(self, row: User) -> str:
        names = sorted(permission.codename for permission in row.user_permissions.all())
        return ", ".join(Role(name.removeprefix("role_")).label for name in names)

    @admin.display(description="roles")
    def roles(self, row: User) -> str:
        return ", ".join(in_words(held) for held in held_roles(row)) or "None yet"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, form=PersonForm if change else NewPersonForm, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["username", "display_name", "email", "password", "password_again"]
        return ["username", "display_name", "email", "is_active", "roles", "last_login", "date_joined"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("username", "roles", "last_login", "date_joined")

    def object_links(self, row: User) -> list[tuple[str, str]]:
        return [
            ("Roles", reverse("admin:registry_user_roles", args=[row.pk])),
            ("Set password", reverse("admin:registry_user_password", args=[row.pk])),
        ]

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/roles/", wrap(self.roles_view), name="registry_user_roles"),
            path("<path:object_id>/password/", wrap(self.password_view), name="registry_user_password"),
            *super().get_urls(),
        ]

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def create(self, actor: Actor, form: Any) -> User:
        given = form.cleaned_data
        return people.create_person(
            actor=actor,
            username=given["username"],
            display_name=given["display_name"],
            email=given["email"],
            password=given["password"] or None,
        )

    def edit(self, actor: Actor, row: Any, form: Any) -> None:
        people.edit_person(actor=actor, user=row, **{name: form.cleaned_data[name] for name in form.changed_data})

    def held(self, holder: Any) -> list[HeldRole]:
        return held_roles(holder)

    def is_himself(self, request: HttpRequest, holder: Any) -> bool:
        return bool(holder.pk == request.user.pk)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @method_decorator(sensitive_post_parameters())
    def password_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a person a new password."""
        person = self.holder(request, object_id)
        form = PasswordFields(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                changed = people.set_password(
                    actor=actor_of(request), user=person, password=form.cleaned_data["password"]
                )
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                if person.pk == request.user.pk:
                    update_session_auth_hash(request, changed)
                self.message_user(request, f"{person} has a new password.", messages.SUCCESS)
                return redirect("admin:registry_user_change", person.pk)
        return self.holder_page(request, "password", "New password for", person, form)


class PersonField(forms.ModelChoiceField):
    """A person by the name he signs in with: display names are not unique."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.username} ({obj})"


class IdentityForm(ServiceForm):
    user = PersonField(queryset=User._default_manager.order_by("username"), label="Person")

    class Meta:
        model = AwsIdentity
        fields = ("user", "arn")
        help_texts = {"arn": "An IAM user, a role session or an SSO user; versions it registered become the person's."}


@admin.register(AwsIdentity, site=console)
class AwsIdentityAdmin(ServiceAdmin):
    """Linked and unlinked; a link is never edited, because versions were attributed by it."""

    may_add = may_delete = True
    form = IdentityForm
    list_display = ("arn", "user")
    list_select_related = ("user",)
    search_fields = ("arn", "user__username", "user__display_name")
    ordering = ("arn",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["user", "arn"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    def create(self, actor: Actor, form: Any) -> AwsIdentity:
        return people.link_identity(actor=actor, **form.cleaned_data)

    def remove(self, actor: Actor, row: Any) -> None:
        people.unlink_identity(actor=actor, identity=row)
