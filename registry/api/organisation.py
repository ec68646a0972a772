"""Projects, RAM shares, and who is asking."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, account_filter, exactly, one_of
from portal.core.serializers import Output, word
from portal.core.viewsets import Listed, PortalView

from ..choices import Role, ShareState
from ..models import Project, ResourceShare
from ..selectors import resources
from .serializers import GroupReference, ProjectOutput


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


class ShareOutput(Output):
    """One RAM resource share, as AWS reports it."""

    id = serializers.IntegerField(source="pk")
    arn = serializers.CharField()
    name = serializers.CharField()
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    state = word(ShareState)
    groups = GroupReference(many=True, source="groups.all")
    principals = serializers.ListField(child=serializers.CharField())
    permission_arns = serializers.ListField(child=serializers.CharField())
    allows_external = serializers.BooleanField()
    seen_at = serializers.DateTimeField()


class ShareFilters(Filters):
    """Filters of the list."""

    account = account_filter("account__account_id")
    state = one_of(ShareState, "state")
    group = exactly("groups__name", "The name of a model group.")


class Shares(Listed):
    """RAM shares of model groups."""

    noun = "share"
    serializer_class = ShareOutput
    filterset_class = ShareFilters
    search_fields = ("name",)
    ordering_fields = {"id": "pk", "name": "name"}

    def get_queryset(self) -> QuerySet[ResourceShare]:
        return resources.shares(self.actor)


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
