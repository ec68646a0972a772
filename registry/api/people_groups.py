"""Groups of people: whoever is in one holds the roles it was given."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly
from portal.core.serializers import Input, Output
from portal.core.viewsets import ROW_ID, Listed, Marked

from ..choices import Role
from ..models import User
from ..selectors import directory
from ..services import people, people_groups
from .people import GivenRole, RoleInput, given_roles


@extend_schema_field(OpenApiTypes.STR)
class AnyPersonField(serializers.Field):
    """A person by sign-in name, also one who is switched off."""

    def to_representation(self, value: User) -> str:
        return value.username

    def to_internal_value(self, data: Any) -> User:
        found = directory.person_called(data) if isinstance(data, str) and "\x00" not in data else None
        if found is None:
            raise serializers.ValidationError("There is no person of this name.")
        return found


class PeopleGroupOutput(Output):
    """One group of people, who is in it, and the roles it gives them."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    people = serializers.SerializerMethodField(help_text="Sign-in names, also of those who are switched off.")
    roles = serializers.SerializerMethodField()

    def get_people(self, group: Group) -> list[str]:
        return [person.username for person in group.user_set.all()]

    @extend_schema_field(GivenRole(many=True))
    def get_roles(self, group: Group) -> list[dict[str, Any]]:
        by_project = group.projectgroupobjectpermission_set.all()
        return given_roles(group.permissions.all(), by_project)


class PeopleGroupInput(Input):
    """What a group is called."""

    name = serializers.CharField(max_length=150)


class MemberInput(Input):
    """Who is taken in or out."""

    person = AnyPersonField()


class PeopleGroupFilters(Filters):
    """Filters of the list."""

    name = exactly("name", "The name of a group of people.")
    person = exactly("user__username", "The sign-in name of somebody who is in it.")


class PeopleGroups(Listed, Marked):
    """Groups of people, for those who manage access."""

    noun = "group of people"
    problem_statuses = (403,)
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = PeopleGroupOutput
    filterset_class = PeopleGroupFilters
    search_fields = ("name",)
    ordering = ("name",)
    ordering_fields = {"id": "pk", "name": "name"}

    def get_queryset(self) -> QuerySet[Group]:
        return directory.groups_of_people(self.actor)

    def mark_of(self, row: Group) -> str:
        return people_groups.mark_of(row)

    @extend_schema(request=PeopleGroupInput, responses={201: PeopleGroupOutput})
    def create(self, request: Request) -> Response:
        """Make a group without people and without roles."""
        return self.show(people_groups.create(actor=self.actor, name=self.read(PeopleGroupInput)["name"]), 201)

    @extend_schema(request=PeopleGroupInput)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Give a group another name."""
        group = self.get_object()
        read_mark = self.agreed_mark(group)
        name = self.read(PeopleGroupInput)["name"]
        return self.show(people_groups.rename(actor=self.actor, group=group, name=name, read_mark=read_mark))

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Take a group away that gives nobody anything any more."""
        people_groups.delete(actor=self.actor, group=self.get_object())
        return Response(status=204)

    @extend_schema(request=MemberInput, responses=PeopleGroupOutput)
    @action(detail=True, methods=["post"])
    def add(self, request: Request, **kwargs: Any) -> Response:
        """Take a person into a group, which gives him its roles. Nobody takes himself in."""
        group = self.get_object()
        people_groups.add(actor=self.actor, group=group, person=self.read(MemberInput)["person"])
        return self.show(group)

    @extend_schema(request=MemberInput, responses=PeopleGroupOutput)
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, **kwargs: Any) -> Response:
        """Take a person out of a group, and with it the roles he held through it."""
        group = self.get_object()
        people_groups.remove(actor=self.actor, group=group, person=self.read(MemberInput)["person"])
        return self.show(group)

    @extend_schema(request=RoleInput, responses=PeopleGroupOutput)
    @action(detail=True, methods=["post"], url_path="grant-role")
    def grant_role(self, request: Request, **kwargs: Any) -> Response:
        """Give everybody in a group a role, on a project or everywhere. Nobody gives it to a group he is in."""
        group, values = self.get_object(), self.read(RoleInput)
        people.grant(actor=self.actor, role=Role(values["role"]), to=group, project=values["project"])
        return self.show(group)

    @extend_schema(request=RoleInput, responses=PeopleGroupOutput)
    @action(detail=True, methods=["post"], url_path="revoke-role")
    def revoke_role(self, request: Request, **kwargs: Any) -> Response:
        """Take a role away that a group was given."""
        group, values = self.get_object(), self.read(RoleInput)
        people.revoke(actor=self.actor, role=Role(values["role"]), to=group, project=values["project"])
        return self.show(group)
