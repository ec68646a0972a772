"""Projects and lines of business, and who is asking."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly
from portal.core.serializers import Input, Output, word
from portal.core.viewsets import ROW_ID, Listed, Marked, PortalView

from ..choices import Role
from ..models import LineOfBusiness, Project
from ..selectors import directory, resources
from ..selectors.people import Holder, who_works_on
from ..services import organisation
from .serializers import ProjectOutput


@extend_schema_field(OpenApiTypes.STR)
class LineField(serializers.Field):
    """A line of business by its name."""

    def to_representation(self, value: LineOfBusiness) -> str:
        return value.name

    def to_internal_value(self, data: Any) -> LineOfBusiness:
        found = directory.line_called(data) if isinstance(data, str) and "\x00" not in data else None
        if found is None:
            raise serializers.ValidationError("There is no such line of business.")
        return found


class ProjectEdit(Input):
    """What a project is called and where it belongs; what is left out stays. Its key is for good."""

    name = serializers.CharField(max_length=200)
    line_of_business = LineField()


class ProjectInput(ProjectEdit):
    """A new project."""

    key = serializers.CharField(max_length=63, help_text="Lower-case letters, digits and hyphens.")


class WorkerOutput(Output):
    """Somebody who works on a project, with every role he holds there."""

    username = serializers.CharField(source="person.username")
    display_name = serializers.CharField(source="person.display_name")
    roles = serializers.ListField(child=word(Role))
    everywhere = serializers.SerializerMethodField(help_text="Those of the roles that he holds everywhere.")
    through = serializers.ListField(child=serializers.CharField(), help_text="Groups of people that give him some.")

    @extend_schema_field(serializers.ListField(child=word(Role)))
    def get_everywhere(self, holder: Holder) -> list[str]:
        return [role.value for role in Role if role in holder.everywhere]


class ProjectFilters(Filters):
    """Filters of the list."""

    key = exactly("key", "The key of a project.")
    line_of_business = exactly("line_of_business__name", "The name of a line of business.")


class Projects(Listed, Marked):
    """Projects the one who asks holds a role on."""

    noun = "project"
    lookup_field = "key"
    lookup_value_regex = r"[a-z0-9][a-z0-9-]{0,62}"
    id_example = "credit-risk"
    serializer_class = ProjectOutput
    filterset_class = ProjectFilters
    search_fields = ("key", "name")
    ordering = ("key",)
    ordering_fields = {"key": "key", "name": "name", "line_of_business": "line_of_business__name"}
    tie_breaker = ("key",)

    def get_queryset(self) -> QuerySet[Project]:
        return resources.projects(self.actor)

    def mark_of(self, row: Project) -> str:
        return organisation.mark_of(row)

    @extend_schema(request=ProjectInput, responses={201: ProjectOutput})
    def create(self, request: Request) -> Response:
        """Create a project; nobody works on it before he is given a role there."""
        return self.show(organisation.create_project(actor=self.actor, **self.read(ProjectInput)), 201)

    @extend_schema(request=ProjectEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Rename a project, or move it to another line of business."""
        project = self.get_object()
        read_mark = self.agreed_mark(project)
        values = {
            "name": project.name,
            "line_of_business": project.line_of_business,
            **self.read(ProjectEdit, partial=True),
        }
        return self.show(organisation.edit_project(actor=self.actor, project=project, read_mark=read_mark, **values))

    @extend_schema(responses=WorkerOutput(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def people(self, request: Request, **kwargs: Any) -> Response:
        """Show who works on a project, in which roles."""
        return Response(WorkerOutput(who_works_on(self.get_object()), many=True).data)


class LineOutput(Output):
    """A part of the organisation that answers for its models."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    projects = serializers.IntegerField(source="project_count", help_text="How many of its projects you see.")


class LineInput(Input):
    """What a line of business is called."""

    name = serializers.CharField(max_length=200)


class LineFilters(Filters):
    """Filters of the list."""

    name = exactly("name", "The name of a line of business.")


class LinesOfBusiness(Listed, Marked):
    """Lines of business."""

    noun = "line of business"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = LineOutput
    filterset_class = LineFilters
    search_fields = ("name",)
    ordering = ("name",)
    ordering_fields = {"id": "pk", "name": "name"}

    def get_queryset(self) -> QuerySet[LineOfBusiness]:
        return directory.lines_of_business(self.actor)

    def mark_of(self, row: LineOfBusiness) -> str:
        return organisation.mark_of(row)

    @extend_schema(request=LineInput, responses={201: LineOutput})
    def create(self, request: Request) -> Response:
        """Create a line of business."""
        values = self.read(LineInput)
        return self.show(organisation.create_line_of_business(actor=self.actor, **values), 201)

    @extend_schema(request=LineInput)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Rename a line of business."""
        line = self.get_object()
        read_mark = self.agreed_mark(line)
        values = self.read(LineInput)
        return self.show(
            organisation.edit_line_of_business(actor=self.actor, line_of_business=line, read_mark=read_mark, **values)
        )


class MeOutput(Output):
    """A person and the roles he holds."""

    username = serializers.CharField()
    display_name = serializers.CharField()
    email = serializers.CharField()
    aws_identities = serializers.ListField(
        child=serializers.CharField(), help_text="The AWS principals that are the same person."
    )
    roles = serializers.ListField(child=word(Role), help_text="Held everywhere.")
    project_roles = serializers.DictField(
        child=serializers.ListField(child=word(Role)), help_text="Held on projects, by their key."
    )


class Me(PortalView):
    """The one who asks."""

    @extend_schema(operation_id="me", responses={200: MeOutput})
    def get(self, request: Request) -> Response:
        """Say who is asking and which roles he holds where."""
        person, grants = resources.person(self.actor), self.actor.grants
        keys = resources.project_keys(self.actor)
        return Response(
            MeOutput(
                {
                    "username": person.username,
                    "display_name": person.display_name,
                    "email": person.email,
                    "aws_identities": directory.identities(self.actor),
                    "roles": sorted(grants.everywhere),
                    "project_roles": {key: sorted(grants.by_project[pk]) for pk, key in keys.items()},
                }
            ).data
        )
