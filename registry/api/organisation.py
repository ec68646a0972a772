"""Projects, and who is asking."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly
from portal.core.serializers import Output, word
from portal.core.viewsets import Listed, PortalView

from ..choices import Role
from ..models import Project
from ..selectors import resources
from .serializers import ProjectOutput


class ProjectFilters(Filters):
    """Filters of the list."""

    key = exactly("key", "The key of a project.")


class Projects(Listed):
    """Projects the one who asks holds a role on."""

    noun = "project"
    serializer_class = ProjectOutput
    filterset_class = ProjectFilters
    search_fields = ("key", "name")
    ordering = ("key",)
    ordering_fields = {"key": "key", "name": "name"}
    tie_breaker = ("key",)

    def get_queryset(self) -> QuerySet[Project]:
        return resources.projects(self.actor)


class MeOutput(Output):
    """A person and the roles he holds."""

    username = serializers.CharField()
    display_name = serializers.CharField()
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
                    "roles": sorted(grants.everywhere),
                    "project_roles": {key: sorted(grants.by_project[pk]) for pk, key in keys.items()},
                }
            ).data
        )
