"""Model groups: read, and claimed for a project."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import account_filter, exactly, use_case_filter
from portal.core.orderings import moment_or_never, text_or_nothing
from portal.core.serializers import Input, Output
from portal.core.viewsets import ROW_ID, Revised

from ..choices import ObjectKind
from ..models import ModelGroup
from ..selectors import resources, sharing
from ..selectors.exports import GROUP_COLUMNS, group_row
from ..services import groups
from .attributes import AttributeFilters, AttributesInput, AttributesOutput, Exported, exports
from .serializers import PersonField, ProjectField, UseCasesField, username
from .sharing import PostureOutput


class GroupOutput(Output):
    """One ModelPackageGroup, with what the portal adds to it."""

    id = serializers.IntegerField(source="pk")
    arn = serializers.CharField()
    name = serializers.CharField()
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    description = serializers.CharField()
    owner = username("owner")
    project = serializers.CharField(source="project.key", allow_null=True)
    use_cases = UseCasesField()
    aws_created_at = serializers.DateTimeField(allow_null=True)
    missing_since = serializers.DateTimeField(allow_null=True)
    attributes = AttributesOutput(ObjectKind.MODEL_GROUP)
    revision = serializers.IntegerField()


class GroupDetail(GroupOutput):
    """One model group, with what every other account can do with it by shares and by its resource policy."""

    posture = serializers.SerializerMethodField()

    @extend_schema_field(PostureOutput(many=True))
    def get_posture(self, row: ModelGroup) -> Any:
        return PostureOutput(sharing.Postures([row]).of(row), many=True).data


class GroupEdit(Input):
    """What people say of a group; what is left out stays."""

    owner = PersonField(required=False, allow_null=True)
    project = ProjectField(required=False, allow_null=True)
    use_cases = UseCasesField(required=False)
    attributes = AttributesInput()


class GroupFilters(AttributeFilters):
    """Filters of the list."""

    attribute_kind = ObjectKind.MODEL_GROUP
    name = exactly("name", "The name of the group.")
    arn = exactly("arn", "The ARN of the group.")
    account = account_filter("account__account_id")
    region = exactly("region", "A region of AWS.")
    project = exactly("project__key", "The key of a project.")
    owner = exactly("owner__username", "A sign-in name.")
    use_case = use_case_filter("use_cases__number")


class ModelGroups(Exported, Revised):
    """Model groups: SageMaker's model package groups."""

    noun = "model group"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = GroupDetail
    list_serializer_class = GroupOutput
    filterset_class = GroupFilters
    search_fields = ("name", "description", "arn")
    ordering_fields = {
        "id": "pk",
        "name": "name",
        "project": text_or_nothing("project__key"),
        "owner": text_or_nothing("owner__username"),
        "account": "account__account_id",
        "region": "region",
        "aws_created_at": moment_or_never("aws_created_at"),
    }
    attribute_kind = ObjectKind.MODEL_GROUP
    export_columns = GROUP_COLUMNS

    def export_row(self, row: Any) -> dict[str, Any]:
        return group_row(row)

    @exports(GroupOutput)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the model groups, page by page as JSON, or all that match as CSV."""
        return super().list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[ModelGroup]:
        return resources.model_groups(self.actor)

    @extend_schema(request=GroupEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Claim a group for a project, name its owner and the use cases it serves; If-Match says on which state."""
        group = self.get_object()
        revision = self.agreed_revision(group)
        values = self.read(GroupEdit, partial=True)
        edited = groups.edit(
            actor=self.actor,
            group_id=group.pk,
            revision=revision,
            project=values.get("project", group.project),
            owner=values.get("owner", group.owner),
            use_cases=values.get("use_cases", list(group.use_cases.all())),
            attributes=values.get("attributes"),
        )
        return self.show(edited)
