"""People for those who manage access: created, switched off, given passwords and roles; and their AWS identities."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter, MultipleChoiceFilter
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly
from portal.core.orderings import moment_or_never
from portal.core.serializers import Input, Output, text, word
from portal.core.viewsets import ROW_ID, Listed, Marked

from ..access import ROLE_PREFIX
from ..choices import Role
from ..models import User
from ..selectors import directory
from ..selectors.people import HeldRole
from ..services import people
from ..services import tokens as api_tokens
from .serializers import ProjectField

USERNAME = r"[\w.@+-]{1,150}"


def _password(**kwargs: Any) -> serializers.CharField:
    return serializers.CharField(
        max_length=4096, trim_whitespace=False, write_only=True, style={"input_type": "password"}, **kwargs
    )


class GivenRole(Output):
    """A role that was given, on one project or everywhere."""

    role = word(Role)
    project = serializers.CharField(allow_null=True, help_text="The key of a project; null: everywhere.")


class HeldRoleOutput(GivenRole):
    """A role that is held, with the group of people that gives it."""

    through = serializers.CharField(help_text="Empty: it was given to the person himself.")


class RoleInput(Input):
    """One role, on one project or, without one, everywhere."""

    role = word(Role)
    project = ProjectField(required=False, allow_null=True, default=None)


class IdentityOutput(Output):
    """One AWS principal that is the same person."""

    id = serializers.IntegerField(source="pk")
    arn = serializers.CharField()


class HeldTokenOutput(Output):
    """An API token somebody holds, without its secret."""

    id = serializers.CharField(source="token_key", help_text="How the token begins.")
    name = serializers.CharField(help_text="Empty: it came from signing in.")
    created = serializers.DateTimeField()
    expiry = serializers.DateTimeField(allow_null=True)


class IdentityInput(Input):
    """An IAM user, a role session or an SSO user; versions it registered become the person's."""

    arn = serializers.CharField(max_length=2048)


def given_roles(everywhere: Any, by_project: Any) -> list[dict[str, Any]]:
    """Return what was given directly: Django's permissions everywhere, guardian's rows by project, in one order."""
    found = [{"role": one.codename.removeprefix(ROLE_PREFIX), "project": None} for one in everywhere]
    found += [
        {"role": row.permission.codename.removeprefix(ROLE_PREFIX), "project": row.content_object.key}
        for row in by_project
    ]
    order = [role.value for role in Role]
    return sorted(found, key=lambda one: (one["project"] or "", order.index(one["role"])))


def held(roles: list[HeldRole]) -> list[dict[str, Any]]:
    """Return held roles as they are shown."""
    return [
        {"role": one.role.value, "project": one.project.key if one.project else None, "through": one.through}
        for one in roles
    ]


class PersonOutput(Output):
    """Somebody who signs in; the roles are those given to himself."""

    username = serializers.CharField()
    display_name = serializers.CharField()
    email = serializers.CharField()
    is_active = serializers.BooleanField()
    last_login = serializers.DateTimeField(allow_null=True)
    date_joined = serializers.DateTimeField()
    roles = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField(help_text="The groups of people he is in.")
    aws_identities = IdentityOutput(many=True, source="aws_identities.all")

    @extend_schema_field(GivenRole(many=True))
    def get_roles(self, person: User) -> list[dict[str, Any]]:
        by_project = person.projectuserobjectpermission_set.all()
        return given_roles(person.user_permissions.all(), by_project)

    def get_groups(self, person: User) -> list[str]:
        return [group.name for group in person.groups.all()]


class PersonDetail(PersonOutput):
    """Somebody who signs in, with every role he holds and where it comes from."""

    held_roles = serializers.SerializerMethodField()

    @extend_schema_field(HeldRoleOutput(many=True))
    def get_held_roles(self, person: User) -> list[dict[str, Any]]:
        return held(directory.roles_held_by(self.context["actor"], person))


class PersonEdit(Input):
    """What is kept about a person; what is left out stays."""

    display_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)


class PersonInput(Input):
    """Somebody who is to sign in; without a password he can only be signed in from outside."""

    username = serializers.CharField(max_length=150)
    display_name = text(max_length=200)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    password = _password(required=False, allow_null=True, default=None)


class PasswordInput(Input):
    """A new password; it ends the person's sessions."""

    password = _password()


class PeopleFilters(Filters):
    """Filters of the list."""

    is_active = BooleanFilter(field_name="is_active", help_text="Whether the person may sign in.")
    username = exactly("username", "A sign-in name.")
    role = MultipleChoiceFilter(choices=Role.choices(), method="holding", help_text="Who holds one of these anywhere.")
    group = exactly("groups__name", "The name of a group of people he is in.")

    def holding(self, rows: QuerySet[Any], name: str, value: list[str]) -> QuerySet[Any]:
        return rows.filter(pk__in=directory.holding_anywhere([Role(role) for role in value]))


class People(Listed, Marked):
    """Everybody who signs in, for those who manage access."""

    noun = "person"
    problem_statuses = (403,)
    lookup_field = "username"
    lookup_value_regex = USERNAME
    id_example = "model.owner"
    serializer_class = PersonDetail
    list_serializer_class = PersonOutput
    filterset_class = PeopleFilters
    search_fields = ("username", "display_name", "email", "aws_identities__arn")
    ordering = ("username",)
    ordering_fields = {
        "username": "username",
        "display_name": "display_name",
        "date_joined": "date_joined",
        "last_login": moment_or_never("last_login"),
    }
    tie_breaker = ("username",)

    def get_queryset(self) -> QuerySet[User]:
        return directory.people(self.actor)

    def mark_of(self, row: User) -> str:
        return people.mark_of(row)

    @extend_schema(request=PersonInput, responses={201: PersonDetail})
    def create(self, request: Request) -> Response:
        """Create somebody who may sign in; he may do nothing before he is given a role."""
        return self.show(people.create_person(actor=self.actor, **self.read(PersonInput)), 201)

    @extend_schema(request=PersonEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change what is kept about a person; who is switched off cannot sign in, and his tokens stop working."""
        person = self.get_object()
        read_mark = self.agreed_mark(person)
        values = self.read(PersonEdit, partial=True)
        return self.show(people.edit_person(actor=self.actor, user=person, read_mark=read_mark, **values))

    @extend_schema(request=PasswordInput, responses={204: None})
    @action(detail=True, methods=["put"])
    def password(self, request: Request, **kwargs: Any) -> Response:
        """Give a person a new password, which ends his sessions; his API tokens go on."""
        person = self.get_object()
        people.set_password(actor=self.actor, user=person, password=self.read(PasswordInput)["password"])
        return Response(status=204)

    @extend_schema(request=RoleInput, responses=PersonDetail)
    @action(detail=True, methods=["post"], url_path="grant-role")
    def grant_role(self, request: Request, **kwargs: Any) -> Response:
        """Give a person a role, on a project or everywhere; twice changes nothing. Nobody gives himself one."""
        person, values = self.get_object(), self.read(RoleInput)
        people.grant(actor=self.actor, role=Role(values["role"]), to=person, project=values["project"])
        return self.show(person)

    @extend_schema(request=RoleInput, responses=PersonDetail)
    @action(detail=True, methods=["post"], url_path="revoke-role")
    def revoke_role(self, request: Request, **kwargs: Any) -> Response:
        """Take a role away that was given to the person himself; twice changes nothing."""
        person, values = self.get_object(), self.read(RoleInput)
        people.revoke(actor=self.actor, role=Role(values["role"]), to=person, project=values["project"])
        return self.show(person)

    @extend_schema(request=IdentityInput, responses={201: IdentityOutput})
    @action(detail=True, methods=["post"], url_path="aws-identities")
    def aws_identities(self, request: Request, **kwargs: Any) -> Response:
        """Say that an AWS principal is this person; separation of duties follows it."""
        person = self.get_object()
        identity = people.link_identity(actor=self.actor, user=person, arn=self.read(IdentityInput)["arn"])
        return Response(IdentityOutput(identity).data, status=201)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["delete"], url_path=rf"aws-identities/(?P<identity>{ROW_ID})")
    def unlink_aws_identity(self, request: Request, **kwargs: Any) -> Response:
        """Say that an AWS principal is no longer this person; versions it registered stay his."""
        person = self.get_object()
        people.unlink_identity(actor=self.actor, identity=directory.identity_of(person, int(self.kwargs["identity"])))
        return Response(status=204)

    @extend_schema(responses=HeldTokenOutput(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def tokens(self, request: Request, **kwargs: Any) -> Response:
        """Show the API tokens a person holds, newest first."""
        found = directory.tokens_of(self.actor, self.get_object())
        return Response(HeldTokenOutput(found, many=True).data)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["delete"], url_path=r"tokens/(?P<token_key>[0-9A-Za-z]{1,25})")
    def take_token_back(self, request: Request, **kwargs: Any) -> Response:
        """Revoke somebody's token at once, as when it has leaked or he has left."""
        held = directory.token_of(self.actor, self.get_object(), self.kwargs["token_key"])
        api_tokens.take_back(actor=self.actor, token_key=held.token_key)
        return Response(status=204)
