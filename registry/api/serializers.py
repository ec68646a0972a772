"""Representations and inputs that several resources of the registry share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.core.actors import Actor
from portal.core.serializers import Output, public_number

from ..models import Project, UseCase, User
from ..selectors import resources


@extend_schema_field(OpenApiTypes.STR)
class PersonField(serializers.Field):
    """A person by sign-in name."""

    def to_representation(self, value: User) -> str:
        return value.username

    def to_internal_value(self, data: Any) -> User:
        found = resources.person_by_name(data) if isinstance(data, str) else None
        if found is None:
            raise serializers.ValidationError("There is no active person of this name.")
        return found


@extend_schema_field(OpenApiTypes.STR)
class ProjectField(serializers.Field):
    """A project by its key; one that is hidden from the actor does not exist for him."""

    def to_representation(self, value: Project) -> str:
        return value.key

    def to_internal_value(self, data: Any) -> Project:
        actor: Actor = self.context["actor"]
        found = resources.project_by_key(actor, data) if isinstance(data, str) else None
        if found is None:
            raise serializers.ValidationError("There is no such project.")
        return found


@extend_schema_field(serializers.ListField(child=serializers.CharField()))
class UseCasesField(serializers.Field):
    """Use cases by public id; those hidden from the actor do not exist for him."""

    def to_representation(self, value: Any) -> list[str]:
        rows: Iterable[UseCase] = value.all()
        return [use_case.public_id for use_case in rows]

    def to_internal_value(self, data: Any) -> list[UseCase]:
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            raise serializers.ValidationError("Give a list of ids such as UC-0001.")
        actor: Actor = self.context["actor"]
        numbers = {item: public_number(item, "UC", 4) for item in data}
        known = {number for number in numbers.values() if number is not None}
        found = {use_case.number: use_case for use_case in resources.use_cases_by_number(actor, known)}
        missing = [item for item, number in numbers.items() if number not in found]
        if missing:
            raise serializers.ValidationError(f"There is no such use case: {', '.join(missing)[:200]}.")
        return list(found.values())


class ProjectOutput(Output):
    """The scope of every grant."""

    key = serializers.CharField()
    name = serializers.CharField()
    line_of_business = serializers.CharField(source="line_of_business.name")


class VersionReference(Output):
    """A model version, where something else names it."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    model_package_arn = serializers.CharField(source="arn")
    stage = serializers.CharField()
    status = serializers.CharField()


class GroupReference(Output):
    """A model group, where something else names it."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    arn = serializers.CharField()


def username(source: str) -> serializers.CharField:
    """Return a field that shows the sign-in name of a person, null when there is none."""
    return serializers.CharField(source=f"{source}.username", allow_null=True)
